/* SPDX-License-Identifier: Apache-2.0 */
/* plugin-links: our own file's needs are read as a plugin's are.  See plugin-links.h. */
#include "plugin-links.h"

#include <cenote/error.h>
#include <cenote/plugin.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "own-file.h"
#include "plugin-dynamic.h"

/* ----------------------------------------------------------------- needed */

/* (nullable): NAME from ".so" on, where it is one of the libraries that gRPC's core is made of. */
static const char *
core_version (const char *name)
{
  static const char *const parts[] = { "libgrpc_unsecure.so", "libgrpc.so", "libgpr.so" };

  for (guint i = 0; i < G_N_ELEMENTS (parts); i++) {
    if (g_str_has_prefix (name, parts[i]))
      return strstr (name, ".so");
  }
  return NULL;
}

static gboolean
is_grpc (const char *name)
{
  return g_str_has_prefix (name, "libgrpc");
}

/* The libgrpc of OWN; NULL where gRPC is linked into us. */
static const char *
own_grpc (const char *const *own)
{
  for (; own && *own; own++) {
    if (core_version (*own) && is_grpc (*own))
      return *own;
  }
  return NULL;
}

/* libgpr is libgrpc's own part, and has its version. */
static gboolean
is_ours (const char *name, const char *ours)
{
  return ours && (is_grpc (name) ? g_str_equal (name, ours) : g_str_equal (core_version (name), core_version (ours)));
}

gboolean
plugin_links_judge_needed (const ElfFile *file, const char *const *needed, const char *const *own, GError **error)
{
  const char *ours = own_grpc (own);

  for (; *needed; needed++) {
    if (!core_version (*needed) || is_ours (*needed, ours))
      continue;
    if (!ours)
      return elf_file_refuse (file, error, "needs %s, expected no libgrpc or libgpr: gRPC is linked into libcenote",
                              *needed);
    return elf_file_refuse (file, error, "needs %s, expected %s%s as libcenote does: two gRPC share no channel",
                            *needed, is_grpc (*needed) ? ours : "libgpr", is_grpc (*needed) ? "" : core_version (ours));
  }
  return TRUE;
}

/* (transfer full) (nullable): NULL where our own file cannot be read. */
static char **
read_own_needed (GError **error)
{
  g_autofree char *path = own_file_path ();
  int fd = path ? open (path, O_RDONLY | O_CLOEXEC) : -1;
  ElfDynamic dynamic = { .needed = NULL };
  ElfFile file;

  if (fd < 0) {
    g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_PLUGIN, "libcenote's own file cannot be read: %s",
                 path ? path : "it cannot be told where it lies");
    return NULL;
  }
  if (elf_file_init (&file, fd, path, error)) {
    (void) elf_dynamic_init (&dynamic, &file, error);
    elf_file_clear (&file);
  }
  close (fd);
  return dynamic.needed;
}

static gboolean
needs_grpc (const ElfDynamic *dynamic)
{
  for (char **name = dynamic->needed; *name; name++) {
    if (core_version (*name))
      return TRUE;
  }
  return FALSE;
}

static gboolean
check_needed (const ElfDynamic *dynamic, GError **error)
{
  g_auto (GStrv) own = NULL;

  if (!needs_grpc (dynamic))
    return TRUE;
  own = read_own_needed (error);
  if (own)
    return plugin_links_judge_needed (dynamic->file, (const char *const *) dynamic->needed, (const char *const *) own,
                                      error);
  g_prefix_error (error, "%s: what it needs cannot be compared: ", dynamic->file->name);
  return FALSE;
}

/* ---------------------------------------------------------------- defined */

static gboolean
check_defined (const ElfDynamic *dynamic, GError **error)
{
  gboolean has_query, has_grpc;

  if (!elf_dynamic_defines (dynamic, CENOTE_PLUGIN_QUERY_SYMBOL, &has_query, error) ||
      !elf_dynamic_defines (dynamic, "grpc_init", &has_grpc, error))
    return FALSE;
  if (!has_query)
    return elf_file_refuse (dynamic->file, error, "exports no function " CENOTE_PLUGIN_QUERY_SYMBOL "()");
  if (has_grpc)
    return elf_file_refuse (dynamic->file, error, "defines grpc_init, expected no gRPC within it (link it to libgrpc)");
  return TRUE;
}

gboolean
plugin_links_check (const ElfFile *file, GError **error)
{
  ElfDynamic dynamic;
  gboolean is_good;

  if (!elf_dynamic_init (&dynamic, file, error))
    return FALSE;
  is_good = check_needed (&dynamic, error) && check_defined (&dynamic, error);
  elf_dynamic_clear (&dynamic);
  return is_good;
}
