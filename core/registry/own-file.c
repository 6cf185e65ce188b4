/* SPDX-License-Identifier: Apache-2.0 */
/* own-file: the linker knows.  See own-file.h. */
#include "own-file.h"

#include <dlfcn.h>
#include <link.h>
#include <stdlib.h>

/* A program has no name in the linker's list, and what it was called by need not lead to it. */
char *
own_file_path (void)
{
  struct link_map *map = NULL;
  Dl_info info;

  if (dladdr1 ((gpointer) own_file_path, &info, (void **) &map, RTLD_DL_LINKMAP) == 0)
    return NULL;
  return realpath (map->l_name[0] ? map->l_name : "/proc/self/exe", NULL);
}
