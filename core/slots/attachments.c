/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attachments: what callers hang on a channel for as long as its slot has it.
 *
 * A list that only grows, by exchanges of its head, until the slot's last user takes it
 * whole.  Whoever reads it holds a lease, so it is not taken meanwhile.
 */
#include "slot-table.h"

struct Attachment {
  Attachment *next;
  gconstpointer key;
  gpointer data;
  GDestroyNotify notify;
  gboolean owns_channel;
};

static const Attachment *
find_key (const Attachment *attachment, gconstpointer key)
{
  while (attachment != NULL && attachment->key != key)
    attachment = attachment->next;
  return attachment;
}

static gboolean
have_owner (const Attachment *attachment)
{
  while (attachment != NULL && !attachment->owns_channel)
    attachment = attachment->next;
  return attachment != NULL;
}

/* Two owners would destroy one channel twice. */
static gboolean
may_attach (const Slot *slot, const Attachment *standing, gboolean owns_channel)
{
  return !owns_channel || (slot->give_up != NULL && !have_owner (standing));
}

/* Who loses the exchange looks again at what stands by then. */
static gpointer
attach_new (Slot *slot, Attachment *head, const Attachment *wish)
{
  Attachment *attachment = g_memdup2 (wish, sizeof *wish);
  const Attachment *standing = NULL;

  while ((standing = find_key (head, wish->key)) == NULL && may_attach (slot, head, wish->owns_channel)) {
    attachment->next = head;
    if (atomic_compare_exchange_weak_explicit (&slot->attachments, &head, attachment, memory_order_acq_rel,
                                               memory_order_acquire))
      return attachment->data;
  }
  g_free (attachment);
  return standing == NULL ? NULL : standing->data;
}

gpointer
slot_attach (Slot *slot, gconstpointer key, gpointer data, GDestroyNotify notify, gboolean owns_channel)
{
  const Attachment wish = { .key = key, .data = data, .notify = notify, .owns_channel = owns_channel };
  Attachment *head = atomic_load_explicit (&slot->attachments, memory_order_acquire);
  const Attachment *standing = find_key (head, key);

  if (standing != NULL)
    return standing->data;
  return data == NULL ? NULL : attach_new (slot, head, &wish);
}

Attachment *
slot_take_attachments (Slot *slot)
{
  return atomic_exchange_explicit (&slot->attachments, NULL, memory_order_acquire);
}

static void
end_one (Attachment *attachment)
{
  if (attachment->notify != NULL)
    attachment->notify (attachment->data);
  g_free (attachment);
}

/* The owner is the last: the others may still look at the channel. */
gboolean
attachments_end (Attachment *attachments)
{
  Attachment *owner = NULL;

  while (attachments != NULL) {
    Attachment *next = attachments->next;

    if (attachments->owns_channel)
      owner = attachments;
    else
      end_one (attachments);
    attachments = next;
  }
  if (owner != NULL)
    end_one (owner);
  return owner != NULL;
}
