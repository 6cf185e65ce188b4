/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plugin-elf: the headers of an ELF file, as bytes that may be anything.
 *
 * Everything is read by pread(), each place and length checked against the file's
 * size: the dynamic linker itself trusts them, and a file cut short would end the
 * process by SIGBUS.  Owns no descriptor.  No state, any thread.
 */
#ifndef CENOTE_CORE_PLUGIN_ELF_H
#define CENOTE_CORE_PLUGIN_ELF_H

#include <glib.h>
#include <link.h>

/* A file for this machine, all of whose segments are there. */
typedef struct ElfFile {
  const char *name;          /* for messages; borrowed */
  int fd;                    /* borrowed */
  guint64 size;
  guint type;                /* ET_DYN for a shared object */
  ElfW (Phdr) *segments;
  guint n_segments;
} ElfFile;

/* Reads the headers of the regular file FD.
 * FALSE, with nothing to clear: CENOTE_ERROR_PLUGIN naming NAME and what was found
 * instead (not ELF, other class or machine, truncated). */
gboolean elf_file_init (ElfFile *file, int fd, const char *name, GError **error);
void elf_file_clear (ElfFile *file);

/* WHAT: for the message.  FALSE where it does not lie in the file. */
gboolean elf_file_read (const ElfFile *file, guint64 offset, void *out_bytes, gsize length, const char *what,
                        GError **error);

/* FALSE, with CENOTE_ERROR_PLUGIN "NAME: …". */
gboolean elf_file_refuse (const ElfFile *file, GError **error, const char *format, ...) G_GNUC_PRINTF (3, 4);

#endif
