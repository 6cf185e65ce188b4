/* SPDX-License-Identifier: Apache-2.0 */
#include "scratch.h"

#include <stdlib.h>

static void *
take (void *data, size_t size)
{
  Scratch *scratch = data;
  guint8 *taken = scratch->room + scratch->used;

  if (size >= SCRATCH_BYTES - scratch->used) {
    scratch->spilled = TRUE;
    return malloc (size);
  }
  scratch->used = (scratch->used + size + SCRATCH_ALIGNMENT - 1) & ~(gsize) (SCRATCH_ALIGNMENT - 1);
  return taken;
}

static void
give (void *data, void *taken)
{
  Scratch *scratch = data;
  gsize at = (gsize) taken - (gsize) scratch->room;

  if (at >= SCRATCH_BYTES)
    free (taken);
}

void
scratch_init (Scratch *scratch)
{
  scratch->allocator = (ProtobufCAllocator) { take, give, scratch };
  scratch->used = 0;
  scratch->spilled = FALSE;
}

void
scratch_clear (Scratch *scratch, ProtobufCMessage *message)
{
  if (message != NULL && scratch->spilled)
    protobuf_c_message_free_unpacked (message, &scratch->allocator);
}
