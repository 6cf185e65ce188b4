/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake-pool: a pool as a connector sees it: addresses and channels that a test
 * sets, a plan that is recorded as text and can be carried out.
 *
 * The rows that it shows are longer than the header's, as a newer host's are.
 */
#ifndef CENOTE_TOOLS_FAKE_POOL_H
#define CENOTE_TOOLS_FAKE_POOL_H

#include <cenote/plugin.h>
#include <glib.h>

G_BEGIN_DECLS

/* The order of a plan's carrying out. */
typedef enum { FAKE_REVIVE, FAKE_OPEN, FAKE_DRAIN, FAKE_CLOSE, FAKE_REFUSE, FAKE_FORGET } FakeActionType;

typedef struct FakeAction {
  FakeActionType type;
  guint32 address;
  guint32 n;
  guint64 channel;           /* FAKE_OPEN: that is replaced */
  char *why;
} FakeAction;

typedef struct FakePool {
  GPtrArray *addresses;      /* of CenoteAddressView (and more behind it) */
  GPtrArray *channels;       /* of CenoteChannelView (and more behind it) */
  GPtrArray *actions;        /* of FakeAction: the last plan */
  GString *faults;           /* what a plan did that no plan may do */
  gint64 wake_at_us;         /* that the last plan asked for; 0: none */
  gint64 now_us;
  gint64 expected;           /* that the last plan said; -1: nothing */
  char *expected_why;
  guint wanted;
  guint min;                 /* 1 and 100000 to begin with */
  guint max;
  guint waiters;
  guint64 acquired;          /* since the last plan, as are those refused */
  guint64 refused;
  gint64 idle_timeout_us;    /* CENOTE_OFF to begin with */
  guint max_streams;         /* 100 to begin with */
  guint32 verb_address;
  CenoteVerb verb;
  guint32 next_address;
  guint64 next_channel;
} FakePool;

FakePool *fake_pool_new (guint wanted);
void fake_pool_free (FakePool *pool);

CenoteAddressView *fake_pool_add_address (FakePool *pool, const char *address);
CenoteChannelView *fake_pool_add_channel (FakePool *pool, guint32 address, CenoteChannelState state);
/* (nullable) */
CenoteChannelView *fake_pool_find_channel (FakePool *pool, guint64 id);
void fake_pool_set_state (FakePool *pool, CenoteChannelView *channel, CenoteChannelState state);

/* (transfer full): the plan in words: "revive CHANNEL", "open ADDRESS xN", "open ADDRESS for CHANNEL",
 * "drain CHANNEL (why)", "close CHANNEL (why)", "forget ADDRESS"; joined by "; " in the order in which
 * a host carries a plan out. */
char *fake_pool_plan (FakePool *pool, const CenoteConnectorOps *ops, gpointer state);
/* Carries the last plan out. */
void fake_pool_apply (FakePool *pool);
/* What happens by itself: channels connect unless their address is down, what has been replaced
 * drains, what drains without leases is gone. */
void fake_pool_settle (FakePool *pool);
/* Plans, applies and settles until a plan is empty: the number of plans that were not, at most LIMIT. */
guint fake_pool_run (FakePool *pool, const CenoteConnectorOps *ops, gpointer state, guint limit);

guint fake_pool_count (FakePool *pool, CenoteChannelState state);
guint fake_pool_count_at (FakePool *pool, guint32 address, CenoteChannelState state);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (FakePool, fake_pool_free)

G_END_DECLS

#endif
