/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plugin-file: the note, then the library.
 *
 * The note is looked for in the note segments, which the linker writes for every
 * section of notes and strip leaves alone.  The library is loaded by its real
 * path, by which debuggers and profilers find it, and the path must lead to the
 * file that was judged, before and after.  No state, any thread.
 */
#include "plugin-file.h"

#include <dlfcn.h>
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "plugin-refuse.h"

/* Above this a file is no plugin of anybody's. */
#define MAX_NOTE_SEGMENT_BYTES 65536u

/* Owner and payload are padded to this; a segment aligned to 8 pads to 8. */
#define NOTE_ALIGNMENT 4u

/* ------------------------------------------------------------------ notes */

/* What has been seen while looking for our note. */
typedef struct Search {
  const ElfFile *file;
  guint found;               /* notes of ours */
  GString *others;           /* owners of notes that are not */
  PluginNote note;
} Search;

static gboolean
take_note (Search *search, const ElfW (Nhdr) *header, const char *payload, GError **error)
{
  const ElfFile *file = search->file;
  guint16 version[2];

  search->found++;
  if (header->n_type != CENOTE_NOTE_TYPE)
    return elf_file_refuse (file, error, "a " CENOTE_NOTE_OWNER " note of type %u, expected %u", header->n_type,
                            CENOTE_NOTE_TYPE);
  if (header->n_descsz < CENOTE_NOTE_PAYLOAD_SIZE)
    return elf_file_refuse (file, error, "a " CENOTE_NOTE_OWNER " note of %u bytes, expected at least %u",
                            header->n_descsz, CENOTE_NOTE_PAYLOAD_SIZE);
  memcpy (version, payload, sizeof version);
  search->note.abi_major = version[0];
  search->note.abi_minor = version[1];
  memcpy (&search->note.kind, payload + 4, sizeof search->note.kind);
  memcpy (search->note.name, payload + 8, sizeof search->note.name);
  if (!memchr (search->note.name, '\0', sizeof search->note.name))
    return elf_file_refuse (file, error, "the name in its note has no end, expected at most %d bytes",
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
    return elf_file_refuse (search->file, error, "a note segment ends inside a note's head");
  memcpy (&header, bytes, sizeof header);
  payload_at = padded (sizeof header + (guint64) header.n_namesz, alignment);
  end = payload_at + header.n_descsz;
  if (end > left)
    return elf_file_refuse (search->file, error, "a note of %" G_GUINT64_FORMAT " bytes, but its segment has %"
                            G_GUINT64_FORMAT " left", end, left);
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
    return elf_file_refuse (search->file, error, "a note segment of %" G_GUINT64_FORMAT " bytes, expected at most %u",
                            (guint64) segment->p_filesz, MAX_NOTE_SEGMENT_BYTES);
  bytes = g_malloc (segment->p_filesz + 1);
  if (!elf_file_read (search->file, segment->p_offset, bytes, segment->p_filesz, "a note segment", error))
    return FALSE;
  for (guint64 at = 0; at < segment->p_filesz; at += length) {
    if (!scan_note (search, bytes + at, segment->p_filesz - at, alignment, &length, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
plugin_file_read_note (const ElfFile *file, PluginNote *out_note, GError **error)
{
  g_autoptr (GString) others = g_string_new (NULL);
  Search search = { file, 0, others, { 0 } };

  if (file->type != ET_DYN)
    return elf_file_refuse (file, error, "ELF type %u, expected %u (a shared object)", file->type, ET_DYN);
  for (guint i = 0; i < file->n_segments; i++) {
    if (file->segments[i].p_type == PT_NOTE && !scan_segment (&search, &file->segments[i], error))
      return FALSE;
  }
  if (search.found == 0)
    return elf_file_refuse (file, error, "no plugin: no note of owner " CENOTE_NOTE_OWNER " (owners of its notes: %s)",
                            others->len > 0 ? others->str : "none");
  if (search.found > 1)
    return elf_file_refuse (file, error, "%u notes of owner " CENOTE_NOTE_OWNER ", expected 1", search.found);
  *out_note = search.note;
  return TRUE;
}

/* ---------------------------------------------------------------- library */

/* What dlopen() says, without the path that it mostly begins with and we name ourselves. */
static void
refuse_load (GError **error, const char *path, const char *real)
{
  const char *text = dlerror ();

  if (g_str_has_prefix (text, real) && g_str_has_prefix (text + strlen (real), ": "))
    text += strlen (real) + strlen (": ");
  plugin_refuse (error, "%s: %s", path, text);
}

/* (transfer full) (nullable): of the open file; PATH serves where there is no /proc. */
static char *
real_path (int fd, const char *path)
{
  g_autofree char *link = g_strdup_printf ("/proc/self/fd/%d", fd);
  char *real = g_file_read_link (link, NULL);

  return real ? real : realpath (path, NULL);
}

static gboolean
leads_to (const char *path, int fd)
{
  struct stat there, judged;

  return path && stat (path, &there) == 0 && fstat (fd, &judged) == 0 && there.st_dev == judged.st_dev &&
         there.st_ino == judged.st_ino;
}

/* (nullable): a handle of dlopen(), which is never closed. */
static void *
load_library (int fd, const char *path, GError **error)
{
  g_autofree char *real = real_path (fd, path);
  void *library = NULL;

  if (!leads_to (real, fd)) {
    plugin_refuse (error, "%s: was replaced while it was looked at", path);
    return NULL;
  }
  library = dlopen (real, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!library)
    refuse_load (error, path, real);
  else if (!leads_to (real, fd))
    plugin_refuse (error, "%s: was replaced while it was loaded", path);
  else
    return library;
  return NULL;
}

const CenotePlugin *
plugin_file_load (int fd, const char *path, GError **error)
{
  void *library = load_library (fd, path, error);
  void *symbol = library ? dlsym (library, CENOTE_PLUGIN_QUERY_SYMBOL) : NULL;
  const CenotePlugin *descriptor;
  CenotePluginQuery query = NULL;

  if (!library)
    return NULL;
  memcpy (&query, &symbol, sizeof query);
  descriptor = query ? query (CENOTE_ABI_MAJOR << 16 | CENOTE_ABI_MINOR) : NULL;
  if (!query)
    plugin_refuse (error, "%s: exports no function " CENOTE_PLUGIN_QUERY_SYMBOL "()", path);
  else if (!descriptor)
    plugin_refuse (error, "%s: " CENOTE_PLUGIN_QUERY_SYMBOL "() returned NULL, expected a descriptor", path);
  return descriptor;
}
