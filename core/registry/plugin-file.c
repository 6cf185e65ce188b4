/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plugin-file: the ELF file as bytes that may be anything, then as a library.
 *
 * Before dlopen() sees a file, its headers are read with pread(), each place and
 * length checked against the file's size: the dynamic linker itself trusts them,
 * and a file cut short would end the process by SIGBUS.  The note is looked for
 * in the note segments, which the linker writes for every section of notes and
 * strip leaves alone.  No state, any thread.
 */
#include "plugin-file.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Above these a file is no plugin of anybody's. */
#define MAX_NOTE_SEGMENT_BYTES 65536u
#define MAX_PROGRAM_HEADERS 1024u

/* Owner and payload are padded to this; a segment aligned to 8 pads to 8. */
#define NOTE_ALIGNMENT 4u

/* The file that is being read.  NAME is for messages. */
typedef struct Image {
  const char *name;
  int fd;
  guint64 size;
} Image;

static gboolean refuse (GError **error, const Image *image, const char *format, ...) G_GNUC_PRINTF (3, 4);

static gboolean
refuse (GError **error, const Image *image, const char *format, ...)
{
  g_autofree char *what = NULL;
  va_list arguments;

  va_start (arguments, format);
  what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_PLUGIN, "%s: %s", image->name, what);
  return FALSE;
}

static gboolean
image_has (const Image *image, guint64 offset, guint64 length)
{
  return offset <= image->size && length <= image->size - offset;
}

static gboolean
image_read (const Image *image, guint64 offset, void *out_bytes, gsize length, const char *what, GError **error)
{
  gsize done = 0;

  if (!image_has (image, offset, length))
    return refuse (error, image, "truncated: %s at byte %" G_GUINT64_FORMAT " of %" G_GSIZE_FORMAT
                   " bytes, but the file has %" G_GUINT64_FORMAT, what, offset, length, image->size);
  while (done < length) {
    ssize_t n = pread (image->fd, (char *) out_bytes + done, length - done, (off_t) (offset + done));

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return refuse (error, image, "%s cannot be read: %s", what, g_strerror (errno));
    if (n == 0)
      return refuse (error, image, "truncated while it was read: %s ends early", what);
    done += (gsize) n;
  }
  return TRUE;
}

/* ---------------------------------------------------------------- headers */

/* Our own ELF header, as the linker placed it: what a file must be like. */
extern const ElfW (Ehdr) __ehdr_start __attribute__ ((visibility ("hidden")));

static gboolean
check_ident (const Image *image, const ElfW (Ehdr) *header, GError **error)
{
  const guchar *found = header->e_ident;
  const guchar *expected = __ehdr_start.e_ident;

  if (found[EI_CLASS] != expected[EI_CLASS])
    return refuse (error, image, "ELF class %u, expected %u (%s-bit)", found[EI_CLASS], expected[EI_CLASS],
                   expected[EI_CLASS] == ELFCLASS64 ? "64" : "32");
  if (found[EI_DATA] != expected[EI_DATA])
    return refuse (error, image, "ELF byte order %u, expected %u", found[EI_DATA], expected[EI_DATA]);
  return TRUE;
}

static gboolean
read_header (const Image *image, ElfW (Ehdr) *out_header, GError **error)
{
  guchar ident[EI_NIDENT] = { 0 };

  /* What is too short for a header may still be told from an ELF file. */
  if (image->size >= sizeof ident && !image_read (image, 0, ident, sizeof ident, "the ELF identification", error))
    return FALSE;
  if (memcmp (ident, ELFMAG, SELFMAG) != 0)
    return refuse (error, image, "not an ELF file: begins with bytes %02x %02x %02x %02x, expected 7f 45 4c 46",
                   ident[0], ident[1], ident[2], ident[3]);
  if (!image_read (image, 0, out_header, sizeof *out_header, "the ELF header", error) ||
      !check_ident (image, out_header, error))
    return FALSE;
  if (out_header->e_machine != __ehdr_start.e_machine)
    return refuse (error, image, "ELF machine %u, expected %u", out_header->e_machine, __ehdr_start.e_machine);
  if (out_header->e_type != ET_DYN)
    return refuse (error, image, "ELF type %u, expected %u (a shared object)", out_header->e_type, ET_DYN);
  return TRUE;
}

static ElfW (Phdr) *
read_program_headers (const Image *image, const ElfW (Ehdr) *header, GError **error)
{
  g_autofree ElfW (Phdr) *segments = NULL;

  if (header->e_phentsize != sizeof (ElfW (Phdr))) {
    refuse (error, image, "program headers of %u bytes, expected %u", header->e_phentsize,
            (guint) sizeof (ElfW (Phdr)));
    return NULL;
  }
  if (header->e_phnum == 0 || header->e_phnum > MAX_PROGRAM_HEADERS) {
    refuse (error, image, "%u program headers, expected 1 to %u", header->e_phnum, MAX_PROGRAM_HEADERS);
    return NULL;
  }
  segments = g_new0 (ElfW (Phdr), header->e_phnum);
  if (!image_read (image, header->e_phoff, segments, header->e_phnum * sizeof *segments, "the program headers", error))
    return NULL;
  return g_steal_pointer (&segments);
}

/* All that the dynamic linker will map is in the file. */
static gboolean
check_segments (const Image *image, const ElfW (Phdr) *segments, guint n, GError **error)
{
  for (guint i = 0; i < n; i++) {
    guint64 offset = segments[i].p_offset, length = segments[i].p_filesz;

    if (segments[i].p_type != PT_NULL && !image_has (image, offset, length))
      return refuse (error, image, "truncated: segment %u at byte %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                     " bytes, but the file has %" G_GUINT64_FORMAT, i, offset, length, image->size);
  }
  return TRUE;
}

/* ------------------------------------------------------------------ notes */

/* What has been seen while looking for our note. */
typedef struct Search {
  const Image *image;
  guint found;               /* notes of ours */
  GString *others;           /* owners of notes that are not */
  PluginNote note;
} Search;

static gboolean
take_note (Search *search, const ElfW (Nhdr) *header, const char *payload, GError **error)
{
  const Image *image = search->image;
  guint16 version[2];

  search->found++;
  if (header->n_type != CENOTE_NOTE_TYPE)
    return refuse (error, image, "a " CENOTE_NOTE_OWNER " note of type %u, expected %u", header->n_type,
                   CENOTE_NOTE_TYPE);
  if (header->n_descsz < CENOTE_NOTE_PAYLOAD_SIZE)
    return refuse (error, image, "a " CENOTE_NOTE_OWNER " note of %u bytes, expected at least %u", header->n_descsz,
                   CENOTE_NOTE_PAYLOAD_SIZE);
  memcpy (version, payload, sizeof version);
  search->note.abi_major = version[0];
  search->note.abi_minor = version[1];
  memcpy (&search->note.kind, payload + 4, sizeof search->note.kind);
  memcpy (search->note.name, payload + 8, sizeof search->note.name);
  if (!memchr (search->note.name, '\0', sizeof search->note.name))
    return refuse (error, image, "the name in its note has no end, expected at most %d bytes",
                   CENOTE_PLUGIN_NAME_MAX - 1);
  return TRUE;
}

static void
remember_other (Search *search, const char *owner, gsize length)
{
  g_autofree char *copy = g_strndup (owner, MIN (length, 16));
  g_autofree char *shown = g_strescape (copy, NULL);

  if (search->others->len < 200)
    g_string_append_printf (search->others, "%s%s", search->others->len > 0 ? ", " : "", shown);
}

static guint64
padded (guint64 length, guint64 alignment)
{
  return (length + alignment - 1) / alignment * alignment;
}

/* One note of what is left of a segment; OUT_LENGTH is all of it with its padding. */
static gboolean
scan_note (Search *search, const char *bytes, guint64 left, guint64 alignment, guint64 *out_length, GError **error)
{
  ElfW (Nhdr) header;
  guint64 payload_at, end;
  const char *owner = bytes + sizeof header;

  if (left < sizeof header)
    return refuse (error, search->image, "a note segment ends inside a note's head");
  memcpy (&header, bytes, sizeof header);
  payload_at = padded (sizeof header + (guint64) header.n_namesz, alignment);
  end = payload_at + header.n_descsz;
  if (end > left)
    return refuse (error, search->image, "a note of %" G_GUINT64_FORMAT " bytes, but its segment has %" G_GUINT64_FORMAT
                   " left", end, left);
  *out_length = MIN (padded (end, alignment), left);
  if (header.n_namesz != sizeof CENOTE_NOTE_OWNER || memcmp (owner, CENOTE_NOTE_OWNER, sizeof CENOTE_NOTE_OWNER) != 0) {
    remember_other (search, owner, header.n_namesz);
    return TRUE;
  }
  return take_note (search, &header, bytes + payload_at, error);
}

static gboolean
scan_segment (Search *search, const ElfW (Phdr) *segment, GError **error)
{
  g_autofree char *bytes = NULL;
  guint64 alignment = segment->p_align == 8 ? 8 : NOTE_ALIGNMENT;
  guint64 length = segment->p_filesz;

  if (segment->p_filesz > MAX_NOTE_SEGMENT_BYTES)
    return refuse (error, search->image, "a note segment of %" G_GUINT64_FORMAT " bytes, expected at most %u",
                   (guint64) segment->p_filesz, MAX_NOTE_SEGMENT_BYTES);
  bytes = g_malloc (segment->p_filesz + 1);
  if (!image_read (search->image, segment->p_offset, bytes, segment->p_filesz, "a note segment", error))
    return FALSE;
  for (guint64 at = 0; at < segment->p_filesz; at += length) {
    if (!scan_note (search, bytes + at, segment->p_filesz - at, alignment, &length, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
find_note (const Image *image, const ElfW (Phdr) *segments, guint n, PluginNote *out_note, GError **error)
{
  g_autoptr (GString) others = g_string_new (NULL);
  Search search = { image, 0, others, { 0 } };

  for (guint i = 0; i < n; i++) {
    if (segments[i].p_type == PT_NOTE && !scan_segment (&search, &segments[i], error))
      return FALSE;
  }
  if (search.found == 0)
    return refuse (error, image, "no plugin: no note of owner " CENOTE_NOTE_OWNER " (owners of its notes: %s)",
                   others->len > 0 ? others->str : "none");
  if (search.found > 1)
    return refuse (error, image, "%u notes of owner " CENOTE_NOTE_OWNER ", expected 1", search.found);
  *out_note = search.note;
  return TRUE;
}

/* ------------------------------------------------------------------- file */

static gboolean
image_scan (const Image *image, PluginNote *out_note, GError **error)
{
  ElfW (Ehdr) header;
  g_autofree ElfW (Phdr) *segments = NULL;

  if (!read_header (image, &header, error))
    return FALSE;
  segments = read_program_headers (image, &header, error);
  return segments && check_segments (image, segments, header.e_phnum, error) &&
         find_note (image, segments, header.e_phnum, out_note, error);
}

/* O_NONBLOCK: a FIFO of that name must not hang us. */
static gboolean
image_open (const char *path, Image *out_image, GError **error)
{
  Image image = { path, open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), 0 };
  struct stat status;

  if (image.fd < 0)
    return refuse (error, &image, "cannot be opened: %s", g_strerror (errno));
  if (fstat (image.fd, &status) != 0 || !S_ISREG (status.st_mode)) {
    close (image.fd);
    return refuse (error, &image, "not a regular file");
  }
  image.size = (guint64) status.st_size;
  *out_image = image;
  return TRUE;
}

gboolean
plugin_file_read_note (const char *path, PluginNote *out_note, GError **error)
{
  Image image;
  gboolean is_good;

  if (!image_open (path, &image, error))
    return FALSE;
  is_good = image_scan (&image, out_note, error);
  close (image.fd);
  return is_good;
}

/* ---------------------------------------------------------------- library */

/* What dlopen() says, without the path that it mostly begins with and we name ourselves. */
static void
refuse_load (GError **error, const Image *image)
{
  const char *text = dlerror ();

  if (g_str_has_prefix (text, image->name) && g_str_has_prefix (text + strlen (image->name), ": "))
    text += strlen (image->name) + strlen (": ");
  refuse (error, image, "%s", text);
}

const CenotePlugin *
plugin_file_load (const char *path, GError **error)
{
  Image image = { path, -1, 0 };
  const CenotePlugin *descriptor;
  CenotePluginQuery query = NULL;
  void *symbol;
  void *library = dlopen (path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

  if (!library) {
    refuse_load (error, &image);
    return NULL;
  }
  symbol = dlsym (library, CENOTE_PLUGIN_QUERY_SYMBOL);
  memcpy (&query, &symbol, sizeof query);
  descriptor = query ? query (CENOTE_ABI_MAJOR << 16 | CENOTE_ABI_MINOR) : NULL;
  if (!query)
    refuse (error, &image, "exports no function " CENOTE_PLUGIN_QUERY_SYMBOL "()");
  else if (!descriptor)
    refuse (error, &image, CENOTE_PLUGIN_QUERY_SYMBOL "() returned NULL, expected a descriptor");
  return descriptor;
}
