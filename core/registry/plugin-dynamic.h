/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plugin-dynamic: the dynamic section of an ELF file: what it needs and what it
 * defines, as the dynamic linker will see it, but read from the file and with
 * every place checked.  No state, any thread.
 */
#ifndef CENOTE_CORE_PLUGIN_DYNAMIC_H
#define CENOTE_CORE_PLUGIN_DYNAMIC_H

#include "plugin-elf.h"

typedef struct ElfDynamic {
  const ElfFile *file;       /* borrowed */
  char **needed;             /* the libraries of DT_NEEDED, in their order */
  /* Addresses; 0: absent. */
  guint64 strings;
  guint64 strings_size;
  guint64 symbols;
  guint64 gnu_hash;
  guint64 hash;
} ElfDynamic;

/* FALSE, with nothing to clear: CENOTE_ERROR_PLUGIN naming the file and what is wrong with the section. */
gboolean elf_dynamic_init (ElfDynamic *dynamic, const ElfFile *file, GError **error);
void elf_dynamic_clear (ElfDynamic *dynamic);

/* Whether it exports SYMBOL, by DT_GNU_HASH, or DT_HASH where that is absent.
 * FALSE: CENOTE_ERROR_PLUGIN where the tables are not what they must be. */
gboolean elf_dynamic_defines (const ElfDynamic *dynamic, const char *symbol, gboolean *out_defines, GError **error);

#endif
