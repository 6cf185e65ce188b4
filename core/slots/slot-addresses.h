/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slot-addresses: which place of a view an address has: for gets that name one.
 *
 * Made with its view, immutable, freed with it: a get reads it without a lock.
 * Open addressing at most half full, with the whole hash beside each place, so that
 * a get compares one string.  Where two places have one address (a channel and its
 * replacement), the first is found.
 */
#ifndef CENOTE_CORE_SLOT_ADDRESSES_H
#define CENOTE_CORE_SLOT_ADDRESSES_H

#include <string.h>

#include "slots.h"

#define SLOT_NO_PLACE G_MAXUINT32

typedef struct SlotAddress {
  guint64 hash;              /* 0: nothing here */
  const char *text;          /* in `texts` */
  gsize length;
  guint32 place;
} SlotAddress;

typedef struct SlotAddresses {
  guint32 mask;
  char *texts;
  SlotAddress entries[];
} SlotAddresses;

/* (nullable): NULL where no place has an address. */
SlotAddresses *slot_addresses_new (const SlotPlace *places, guint n_places);
void slot_addresses_free (SlotAddresses *addresses);

/* The LENGTH bytes at TEXT, eight at a time; never 0.  (Multiply and fold, as many hashes do: Lemire 2018.) */
static inline guint64
slot_address_hash (const char *text, gsize length)
{
  guint64 hash = length * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15), word;

  for (; length >= sizeof word; text += sizeof word, length -= sizeof word) {
    memcpy (&word, text, sizeof word);
    hash = (hash ^ word) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
    hash ^= hash >> 32;
  }
  word = 0;
  memcpy (&word, text, length);
  hash = (hash ^ word) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  hash ^= hash >> 29;
  return hash == 0 ? 1 : hash;
}

/* ADDRESSES: nullable. */
static inline guint32
slot_addresses_find (const SlotAddresses *addresses, const char *text)
{
  gsize length = strlen (text);
  guint64 hash = slot_address_hash (text, length);
  guint32 i;

  if (addresses == NULL)
    return SLOT_NO_PLACE;
  for (i = (guint32) hash & addresses->mask; addresses->entries[i].hash != 0; i = (i + 1) & addresses->mask) {
    const SlotAddress *entry = &addresses->entries[i];

    if (entry->hash == hash && entry->length == length && memcmp (entry->text, text, length) == 0)
      return entry->place;
  }
  return SLOT_NO_PLACE;
}

#endif
