/* SPDX-License-Identifier: Apache-2.0 */
/* plugin-elf: identification, header, program headers.  See plugin-elf.h. */
#include "plugin-elf.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin-refuse.h"

/* Above this a file is no plugin of anybody's. */
#define MAX_PROGRAM_HEADERS 1024u

gboolean
elf_file_refuse (const ElfFile *file, GError **error, const char *format, ...)
{
  g_autofree char *what = NULL;
  va_list arguments;

  va_start (arguments, format);
  what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  return plugin_refuse (error, "%s: %s", file->name, what);
}

static gboolean
has (const ElfFile *file, guint64 offset, guint64 length)
{
  return offset <= file->size && length <= file->size - offset;
}

gboolean
elf_file_read (const ElfFile *file, guint64 offset, void *out_bytes, gsize length, const char *what, GError **error)
{
  gsize done = 0;

  if (!has (file, offset, length))
    return elf_file_refuse (file, error, "truncated: %s at byte %" G_GUINT64_FORMAT " of %" G_GSIZE_FORMAT
                            " bytes, but the file has %" G_GUINT64_FORMAT, what, offset, length, file->size);
  while (done < length) {
    ssize_t n = pread (file->fd, (char *) out_bytes + done, length - done, (off_t) (offset + done));

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return elf_file_refuse (file, error, "%s cannot be read: %s", what, g_strerror (errno));
    if (n == 0)
      return elf_file_refuse (file, error, "truncated while it was read: %s ends early", what);
    done += (gsize) n;
  }
  return TRUE;
}

/* ---------------------------------------------------------------- headers */

/* Our own ELF header, as the linker placed it: what a file must be like. */
extern const ElfW (Ehdr) __ehdr_start __attribute__ ((visibility ("hidden")));

static gboolean
check_ident (const ElfFile *file, const ElfW (Ehdr) *header, GError **error)
{
  const guchar *found = header->e_ident;
  const guchar *expected = __ehdr_start.e_ident;

  if (found[EI_CLASS] != expected[EI_CLASS])
    return elf_file_refuse (file, error, "ELF class %u, expected %u (%s-bit)", found[EI_CLASS], expected[EI_CLASS],
                            expected[EI_CLASS] == ELFCLASS64 ? "64" : "32");
  if (found[EI_DATA] != expected[EI_DATA])
    return elf_file_refuse (file, error, "ELF byte order %u, expected %u", found[EI_DATA], expected[EI_DATA]);
  return TRUE;
}

static gboolean
read_header (const ElfFile *file, ElfW (Ehdr) *out_header, GError **error)
{
  guchar ident[EI_NIDENT] = { 0 };

  /* What is too short for a header may still be told from an ELF file. */
  if (file->size >= sizeof ident && !elf_file_read (file, 0, ident, sizeof ident, "the ELF identification", error))
    return FALSE;
  if (memcmp (ident, ELFMAG, SELFMAG) != 0)
    return elf_file_refuse (file, error, "not an ELF file: begins with bytes %02x %02x %02x %02x, expected 7f 45 4c 46",
                            ident[0], ident[1], ident[2], ident[3]);
  if (!elf_file_read (file, 0, out_header, sizeof *out_header, "the ELF header", error) ||
      !check_ident (file, out_header, error))
    return FALSE;
  if (out_header->e_machine != __ehdr_start.e_machine)
    return elf_file_refuse (file, error, "ELF machine %u, expected %u", out_header->e_machine, __ehdr_start.e_machine);
  return TRUE;
}

static ElfW (Phdr) *
read_program_headers (const ElfFile *file, const ElfW (Ehdr) *header, GError **error)
{
  g_autofree ElfW (Phdr) *segments = NULL;

  if (header->e_phentsize != sizeof (ElfW (Phdr))) {
    elf_file_refuse (file, error, "program headers of %u bytes, expected %u", header->e_phentsize,
                     (guint) sizeof (ElfW (Phdr)));
    return NULL;
  }
  if (header->e_phnum == 0 || header->e_phnum > MAX_PROGRAM_HEADERS) {
    elf_file_refuse (file, error, "%u program headers, expected 1 to %u", header->e_phnum, MAX_PROGRAM_HEADERS);
    return NULL;
  }
  segments = g_new0 (ElfW (Phdr), header->e_phnum);
  if (!elf_file_read (file, header->e_phoff, segments, header->e_phnum * sizeof *segments, "the program headers",
                      error))
    return NULL;
  return g_steal_pointer (&segments);
}

/* All that the dynamic linker will map is in the file. */
static gboolean
check_segments (const ElfFile *file, GError **error)
{
  for (guint i = 0; i < file->n_segments; i++) {
    guint64 offset = file->segments[i].p_offset, length = file->segments[i].p_filesz;

    if (file->segments[i].p_type != PT_NULL && !has (file, offset, length))
      return elf_file_refuse (file, error, "truncated: segment %u at byte %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                              " bytes, but the file has %" G_GUINT64_FORMAT, i, offset, length, file->size);
  }
  return TRUE;
}

/* ------------------------------------------------------------------- file */

gboolean
elf_file_init (ElfFile *out_file, int fd, const char *name, GError **error)
{
  ElfFile file = { .name = name, .fd = fd };
  ElfW (Ehdr) header;
  struct stat status;

  if (fstat (fd, &status) != 0 || !S_ISREG (status.st_mode))
    return elf_file_refuse (&file, error, "not a regular file");
  file.size = (guint64) status.st_size;
  if (!read_header (&file, &header, error))
    return FALSE;
  file.type = header.e_type;
  file.segments = read_program_headers (&file, &header, error);
  file.n_segments = header.e_phnum;
  if (file.segments && check_segments (&file, error)) {
    *out_file = file;
    return TRUE;
  }
  elf_file_clear (&file);
  return FALSE;
}

void
elf_file_clear (ElfFile *file)
{
  g_clear_pointer (&file->segments, g_free);
}
