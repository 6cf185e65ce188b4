/* SPDX-License-Identifier: Apache-2.0 */
/* event: pure; no lock, no allocation, any thread. */
#include "event.h"

#include <string.h>

#define CUT_MARK "…"

#define OTHERS_BYTES (EVENT_POOL_BYTES + 1 + EVENT_ADDRESS_BYTES + 1 + EVENT_REASON_BYTES + 1)
G_STATIC_ASSERT (EVENT_TEXT_BYTES >= OTHERS_BYTES + 350);

/* What is left of a cell's text. */
typedef struct Room {
  char *next;
  gsize bytes;
} Room;

gboolean
event_is_valid (const CenoteEvent *event)
{
  gsize needed = G_STRUCT_OFFSET (CenoteEvent, kind) + sizeof event->kind;

  return event->struct_size >= needed && event->kind < CENOTE_N_EVENTS;
}

void
event_copy (CenoteEvent *out_event, const CenoteEvent *event)
{
  const CenoteEvent absent = CENOTE_EVENT_INIT (event->kind);

  *out_event = absent;
  memcpy (out_event, event, MIN (event->struct_size, sizeof absent));
  out_event->struct_size = sizeof absent;
}

/* The bytes of TEXT, at most MAX, that end with a whole character. */
static gsize
whole_characters (const char *text, gsize max)
{
  while (max > 0 && ((guchar) text[max] & 0xc0) == 0x80)
    max--;
  return max;
}

/* Copies TEXT into ROOM, at most MAX bytes of it; NULL stays NULL. */
static const char *
put (Room *room, const char *text, gsize max)
{
  char *copy = room->next;
  gsize length;

  if (text == NULL)
    return NULL;

  length = strnlen (text, max + 1);
  if (length > max) {
    length = whole_characters (text, max - strlen (CUT_MARK));
    memcpy (copy, text, length);
    memcpy (copy + length, CUT_MARK, strlen (CUT_MARK));
    length += strlen (CUT_MARK);
  } else {
    memcpy (copy, text, length);
  }
  copy[length] = '\0';
  room->next += length + 1;
  room->bytes -= length + 1;
  return copy;
}

void
event_pack (EventCell *cell, const CenoteEvent *event, guint64 only)
{
  Room room = { cell->text, sizeof cell->text };
  CenoteEvent *copy = &cell->event;

  event_copy (copy, event);
  cell->only = only;
  copy->pool = put (&room, copy->pool, EVENT_POOL_BYTES);
  copy->address = put (&room, copy->address, EVENT_ADDRESS_BYTES);
  copy->reason = put (&room, copy->reason, EVENT_REASON_BYTES);
  copy->error = put (&room, copy->error, room.bytes - 1);
}
