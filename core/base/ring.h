/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring: what has a RingLink within it, one after the other, and a head.
 *
 * For what every call enters and leaves: GQueue's functions are pages of another library,
 * which between two calls have left the caches (see hot.h); these are a few instructions.
 */
#ifndef CENOTE_CORE_RING_H
#define CENOTE_CORE_RING_H

typedef struct RingLink RingLink;
struct RingLink {
  RingLink *next;
  RingLink *previous;
};

/* HEAD of an empty ring is its own next. */
static inline void
ring_init (RingLink *head)
{
  head->next = head->previous = head;
}

static inline void
ring_insert_after (RingLink *before, RingLink *link)
{
  link->next = before->next;
  link->previous = before;
  before->next->previous = link;
  before->next = link;
}

static inline void
ring_remove (RingLink *link)
{
  link->previous->next = link->next;
  link->next->previous = link->previous;
}

#endif
