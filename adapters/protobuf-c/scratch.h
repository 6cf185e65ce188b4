/* SPDX-License-Identifier: Apache-2.0 */
/*
 * protobuf-c/scratch: memory for one message that lives no longer than the closure it is handed to.
 *
 * What fits lies side by side and is given up at once; the rest is malloc()'s.
 */
#ifndef CENOTE_ADAPTERS_SCRATCH_H
#define CENOTE_ADAPTERS_SCRATCH_H

#include <glib.h>
#include <protobuf-c/protobuf-c.h>

#define SCRATCH_BYTES 1024
#define SCRATCH_ALIGNMENT 16

/* On the stack, and not moved. */
typedef struct Scratch {
  ProtobufCAllocator allocator; /* to unpack with */
  gsize used;
  gboolean spilled;          /* not all of it did fit */
  _Alignas (SCRATCH_ALIGNMENT) guint8 room[SCRATCH_BYTES];
} Scratch;

void scratch_init (Scratch *scratch);
/* MESSAGE (nullable), the one that was unpacked, is gone. */
void scratch_clear (Scratch *scratch, ProtobufCMessage *message);

#endif
