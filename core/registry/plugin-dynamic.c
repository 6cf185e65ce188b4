/* SPDX-License-Identifier: Apache-2.0 */
/* plugin-dynamic: tags, strings, and the two hash tables.  See plugin-dynamic.h. */
#include "plugin-dynamic.h"

#include <cenote/error.h>
#include <elf.h>
#include <string.h>

/* Above these a file is no plugin of anybody's. */
#define MAX_ENTRIES 4096u
#define MAX_NAME_BYTES 4096u
#define MAX_CHAIN 65536u

/* ---------------------------------------------------------------- reading */

/* As it will lie in memory: the segments say where in the file that is. */
static gboolean
read_at (const ElfFile *file, guint64 address, void *out_bytes, gsize length, const char *what, GError **error)
{
  for (guint i = 0; i < file->n_segments; i++) {
    const ElfW (Phdr) *segment = &file->segments[i];
    guint64 at = address - segment->p_vaddr;

    if (segment->p_type == PT_LOAD && address >= segment->p_vaddr && at < segment->p_filesz &&
        length <= segment->p_filesz - at)
      return elf_file_read (file, segment->p_offset + at, out_bytes, length, what, error);
  }
  return elf_file_refuse (file, error, "%s at address 0x%" G_GINT64_MODIFIER "x of %" G_GSIZE_FORMAT
                          " bytes, which no segment of the file has", what, address, length);
}

/* (transfer full) (nullable): the one at OFFSET of the string table. */
static char *
read_string (const ElfDynamic *dynamic, guint64 offset, GError **error)
{
  char name[MAX_NAME_BYTES];
  gsize length;

  if (offset >= dynamic->strings_size) {
    elf_file_refuse (dynamic->file, error, "a name at byte %" G_GUINT64_FORMAT " of its strings, which have %"
                     G_GUINT64_FORMAT, offset, dynamic->strings_size);
    return NULL;
  }
  length = MIN (sizeof name, dynamic->strings_size - offset);
  if (!read_at (dynamic->file, dynamic->strings + offset, name, length, "a name", error))
    return NULL;
  if (memchr (name, '\0', length))
    return g_strdup (name);
  elf_file_refuse (dynamic->file, error, "a name in its dynamic section has no end, expected at most %u bytes",
                   MAX_NAME_BYTES - 1);
  return NULL;
}

/* ------------------------------------------------------------------- tags */

/* (transfer full) (nullable): the dynamic section, which ends with DT_NULL. */
static ElfW (Dyn) *
read_entries (const ElfFile *file, const ElfW (Phdr) *segment, GError **error)
{
  guint64 n = segment->p_filesz / sizeof (ElfW (Dyn));
  g_autofree ElfW (Dyn) *entries = NULL;

  if (n > MAX_ENTRIES) {
    elf_file_refuse (file, error, "a dynamic section of %" G_GUINT64_FORMAT " entries, expected at most %u", n,
                     MAX_ENTRIES);
    return NULL;
  }
  entries = g_new0 (ElfW (Dyn), n + 1);
  if (!read_at (file, segment->p_vaddr, entries, n * sizeof *entries, "the dynamic section", error))
    return NULL;
  return g_steal_pointer (&entries);
}

static const ElfW (Phdr) *
find_section (const ElfFile *file)
{
  for (guint i = 0; i < file->n_segments; i++) {
    if (file->segments[i].p_type == PT_DYNAMIC)
      return &file->segments[i];
  }
  return NULL;
}

static void
take_tags (ElfDynamic *dynamic, const ElfW (Dyn) *entries)
{
  const struct { ElfW (Sxword) tag; guint64 *value; } wanted[] = {
    { DT_STRTAB, &dynamic->strings },    { DT_STRSZ, &dynamic->strings_size }, { DT_SYMTAB, &dynamic->symbols },
    { DT_GNU_HASH, &dynamic->gnu_hash }, { DT_HASH, &dynamic->hash },
  };

  for (; entries->d_tag != DT_NULL; entries++) {
    for (guint i = 0; i < G_N_ELEMENTS (wanted); i++) {
      if (entries->d_tag == wanted[i].tag)
        *wanted[i].value = entries->d_un.d_val;
    }
  }
}

static gboolean
take_needed (ElfDynamic *dynamic, const ElfW (Dyn) *entries, GError **error)
{
  g_autoptr (GPtrArray) needed = g_ptr_array_new_with_free_func (g_free);

  for (; entries->d_tag != DT_NULL; entries++) {
    char *name = entries->d_tag == DT_NEEDED ? read_string (dynamic, entries->d_un.d_val, error) : NULL;

    if (name)
      g_ptr_array_add (needed, name);
    else if (entries->d_tag == DT_NEEDED)
      return FALSE;
  }
  g_ptr_array_add (needed, NULL);
  dynamic->needed = (char **) g_ptr_array_steal (needed, NULL);
  return TRUE;
}

gboolean
elf_dynamic_init (ElfDynamic *out_dynamic, const ElfFile *file, GError **error)
{
  const ElfW (Phdr) *segment = find_section (file);
  g_autofree ElfW (Dyn) *entries = NULL;
  ElfDynamic dynamic = { .file = file };

  if (!segment)
    return elf_file_refuse (file, error, "no dynamic section, expected that of a shared object");
  entries = read_entries (file, segment, error);
  if (!entries)
    return FALSE;
  take_tags (&dynamic, entries);
  if (!take_needed (&dynamic, entries, error))
    return FALSE;
  *out_dynamic = dynamic;
  return TRUE;
}

void
elf_dynamic_clear (ElfDynamic *dynamic)
{
  g_clear_pointer (&dynamic->needed, g_strfreev);
}

/* ---------------------------------------------------------------- symbols */

/* What is looked for, and how far that has come. */
typedef struct Lookup {
  const ElfDynamic *dynamic;
  const char *name;
  guint looked_at;
  gboolean found;
} Lookup;

static gboolean
read_word (const Lookup *lookup, guint64 address, guint32 *out_word, GError **error)
{
  return read_at (lookup->dynamic->file, address, out_word, sizeof *out_word, "a symbol hash table", error);
}

/* Whether symbol INDEX is it; an end to what goes round in circles. */
static gboolean
look_at (Lookup *lookup, guint32 index, GError **error)
{
  const ElfDynamic *dynamic = lookup->dynamic;
  ElfW (Sym) symbol;
  g_autofree char *name = NULL;

  if (++lookup->looked_at > MAX_CHAIN)
    return elf_file_refuse (dynamic->file, error, "more than %u symbols of one hash", MAX_CHAIN);
  if (!read_at (dynamic->file, dynamic->symbols + (guint64) index * sizeof symbol, &symbol, sizeof symbol, "a symbol",
                error))
    return FALSE;
  name = read_string (dynamic, symbol.st_name, error);
  lookup->found = name && g_str_equal (name, lookup->name) && symbol.st_shndx != SHN_UNDEF;
  return name != NULL;
}

static guint32
hash_of_gnu (const char *name)
{
  guint32 hash = 5381;

  for (; *name; name++)
    hash = hash * 33 + (guchar) *name;
  return hash;
}

/* Symbols of one bucket follow each other; the last one's hash is odd. */
static gboolean
look_in_gnu_hash (Lookup *lookup, GError **error)
{
  const ElfDynamic *dynamic = lookup->dynamic;
  struct { guint32 n_buckets, first, n_blooms, shift; } head;
  guint32 wanted = hash_of_gnu (lookup->name), index, hash = 0;
  guint64 buckets, chains;

  if (!read_at (dynamic->file, dynamic->gnu_hash, &head, sizeof head, "DT_GNU_HASH", error))
    return FALSE;
  if (head.n_buckets == 0)
    return elf_file_refuse (dynamic->file, error, "0 buckets in DT_GNU_HASH, expected at least 1");
  buckets = dynamic->gnu_hash + sizeof head + head.n_blooms * (guint64) sizeof (ElfW (Addr));
  chains = buckets + head.n_buckets * (guint64) sizeof index;
  if (!read_word (lookup, buckets + wanted % head.n_buckets * (guint64) sizeof index, &index, error))
    return FALSE;
  for (; index >= head.first && index != 0 && !(hash & 1) && !lookup->found; index++) {
    if (!read_word (lookup, chains + (guint64) (index - head.first) * sizeof hash, &hash, error) ||
        !look_at (lookup, index, error))
      return FALSE;
  }
  return TRUE;
}

static guint32
hash_of_elf (const char *name)
{
  guint32 hash = 0;

  for (; *name; name++) {
    hash = (hash << 4) + (guchar) *name;
    hash = (hash ^ (hash >> 24 & 0xf0)) & 0x0fffffff;
  }
  return hash;
}

/* A chain of indices, which 0 ends. */
static gboolean
look_in_hash (Lookup *lookup, GError **error)
{
  const ElfDynamic *dynamic = lookup->dynamic;
  struct { guint32 n_buckets, n_chains; } head;
  guint32 wanted = hash_of_elf (lookup->name), index;
  guint64 buckets, chains;

  if (!read_at (dynamic->file, dynamic->hash, &head, sizeof head, "DT_HASH", error))
    return FALSE;
  if (head.n_buckets == 0)
    return elf_file_refuse (dynamic->file, error, "0 buckets in DT_HASH, expected at least 1");
  buckets = dynamic->hash + sizeof head;
  chains = buckets + head.n_buckets * (guint64) sizeof index;
  if (!read_word (lookup, buckets + wanted % head.n_buckets * (guint64) sizeof index, &index, error))
    return FALSE;
  while (index != 0 && !lookup->found) {
    if (!look_at (lookup, index, error) ||
        !read_word (lookup, chains + (guint64) index * sizeof index, &index, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
elf_dynamic_defines (const ElfDynamic *dynamic, const char *symbol, gboolean *out_defines, GError **error)
{
  Lookup lookup = { .dynamic = dynamic, .name = symbol };
  gboolean looked;

  if (!dynamic->gnu_hash && !dynamic->hash)
    return elf_file_refuse (dynamic->file, error, "no table of its symbols, expected DT_GNU_HASH or DT_HASH");
  looked = dynamic->gnu_hash ? look_in_gnu_hash (&lookup, error) : look_in_hash (&lookup, error);
  if (looked)
    *out_defines = lookup.found;
  return looked;
}
