/* SPDX-License-Identifier: Apache-2.0 */
/*
 * breakdown: owns the values and their counts.  A value is written before the length that
 * has it is published (release), and never after.
 */
#include "breakdown.h"

#include <stdatomic.h>
#include <string.h>

/* One more for "other". */
#define MAX_ENTRIES (BREAKDOWN_MAX + 1)

typedef struct Entry {
  char *value;
  _Atomic guint64 count;
} Entry;

struct Breakdown {
  _Atomic guint length;
  Entry entries[MAX_ENTRIES];
};

static Entry *
append (Breakdown *breakdown, const char *value)
{
  guint length = breakdown_length (breakdown);
  Entry *entry = &breakdown->entries[length];

  entry->value = g_strdup (value);
  atomic_store_explicit (&breakdown->length, length + 1, memory_order_release);
  return entry;
}

Breakdown *
breakdown_new (const char *const *known)
{
  Breakdown *breakdown = g_new0 (Breakdown, 1);

  for (; *known != NULL; known++)
    append (breakdown, *known);
  return breakdown;
}

void
breakdown_free (Breakdown *breakdown)
{
  if (breakdown == NULL)
    return;
  for (guint i = 0; i < breakdown_length (breakdown); i++)
    g_free (breakdown->entries[i].value);
  g_free (breakdown);
}

static Entry *
find (Breakdown *breakdown, const char *value)
{
  for (guint i = 0; i < breakdown_length (breakdown); i++) {
    if (strcmp (breakdown->entries[i].value, value) == 0)
      return &breakdown->entries[i];
  }
  return NULL;
}

static gboolean
is_label (const char *value)
{
  return *value != '\0' && strlen (value) <= BREAKDOWN_MAX_BYTES && g_utf8_validate (value, -1, NULL);
}

static Entry *
find_or_append (Breakdown *breakdown, const char *value)
{
  Entry *entry = find (breakdown, value);

  if (entry == NULL && is_label (value) && breakdown_length (breakdown) < BREAKDOWN_MAX)
    entry = append (breakdown, value);
  if (entry == NULL)
    entry = find (breakdown, "other");
  return entry != NULL ? entry : append (breakdown, "other");
}

void
breakdown_add (Breakdown *breakdown, const char *value)
{
  atomic_fetch_add_explicit (&find_or_append (breakdown, value)->count, 1, memory_order_relaxed);
}

guint
breakdown_length (const Breakdown *breakdown)
{
  return atomic_load_explicit (&breakdown->length, memory_order_acquire);
}

guint64
breakdown_nth (const Breakdown *breakdown, guint i, const char **out_value)
{
  *out_value = breakdown->entries[i].value;
  return atomic_load_explicit (&breakdown->entries[i].count, memory_order_relaxed);
}

guint64
breakdown_sum (const Breakdown *breakdown)
{
  guint64 sum = 0;

  for (guint i = 0; i < breakdown_length (breakdown); i++)
    sum += atomic_load_explicit (&breakdown->entries[i].count, memory_order_relaxed);
  return sum;
}
