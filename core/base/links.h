/* SPDX-License-Identifier: Apache-2.0 */
/*
 * links: a ring of what has a Link within it, and a head.
 *
 * For what every call enters and leaves: GQueue's functions are pages of another library,
 * which between two calls have left the caches (see hot.h); these are a few instructions.
 */
#ifndef CENOTE_CORE_LINKS_H
#define CENOTE_CORE_LINKS_H

typedef struct Link Link;
struct Link {
  Link *next;
  Link *previous;
};

/* HEAD of an empty ring is its own next. */
static inline void
link_init (Link *head)
{
  head->next = head->previous = head;
}

static inline void
link_insert_after (Link *before, Link *link)
{
  link->next = before->next;
  link->previous = before;
  before->next->previous = link;
  before->next = link;
}

static inline void
link_remove (Link *link)
{
  link->previous->next = link->next;
  link->next->previous = link->previous;
}

#endif
