/* SPDX-License-Identifier: Apache-2.0 */
#include "slot-addresses.h"

static gsize
measure (const SlotPlace *places, guint n_places, guint *out_n)
{
  gsize size = 0;
  guint i;

  *out_n = 0;
  for (i = 0; i < n_places; i++) {
    if (places[i].address == NULL)
      continue;
    size += strlen (places[i].address);
    (*out_n)++;
  }
  return size;
}

static guint32
table_size (guint n)
{
  guint32 size = 4;

  while (size < 2 * n)
    size *= 2;
  return size;
}

/* Behind what is there: the first of two that are equal stays first. */
static void
put (SlotAddresses *addresses, const SlotAddress *address)
{
  guint32 i = (guint32) address->hash & addresses->mask;

  while (addresses->entries[i].hash != 0)
    i = (i + 1) & addresses->mask;
  addresses->entries[i] = *address;
}

SlotAddresses *
slot_addresses_new (const SlotPlace *places, guint n_places)
{
  SlotAddresses *addresses;
  gsize bytes;
  char *end;
  guint n, i;

  bytes = measure (places, n_places, &n);
  if (n == 0)
    return NULL;
  addresses = g_malloc0 (sizeof (SlotAddresses) + table_size (n) * sizeof (SlotAddress));
  addresses->mask = table_size (n) - 1;
  addresses->texts = end = g_malloc (bytes);
  for (i = 0; i < n_places; i++) {
    gsize length = places[i].address == NULL ? 0 : strlen (places[i].address);

    if (places[i].address == NULL)
      continue;
    memcpy (end, places[i].address, length);
    put (addresses, &(SlotAddress) { slot_address_hash (end, length), end, length, i });
    end += length;
  }
  return addresses;
}

void
slot_addresses_free (SlotAddresses *addresses)
{
  if (addresses == NULL)
    return;
  g_free (addresses->texts);
  g_free (addresses);
}
