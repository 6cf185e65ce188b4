/* SPDX-License-Identifier: Apache-2.0 */
/* sinks: claims go on where another stopped, and what passes a busy or resting sink is its loss. */
#include "core/telemetry/sinks.h"

#include <gtest/gtest.h>

namespace {

const guint64 ALL = CENOTE_EVENT_MASK_ALL;

class SinksTest : public ::testing::Test {
protected:
  void
  SetUp () override
  {
    drops = drops_new ();
    sinks = sinks_new (drops);
  }

  void
  TearDown () override
  {
    sinks_free (sinks);
    drops_free (drops);
    EXPECT_EQ (destroyed, added);
  }

  Sink *
  add (const char *name, guint64 mask = ALL, const char *const *pools = nullptr, guint64 position = 0)
  {
    const BusSinkFuncs funcs = { nullptr, nullptr, [] (gpointer data) { ++*static_cast<int *> (data); }, nullptr };

    added++;
    return sinks_add (sinks, name, mask, pools, &funcs, &destroyed, position);
  }

  Sink *
  claim (guint64 position, gint64 now_us = 0, bool give_up = false, CenoteEventKind kind = CENOTE_EVENT_POOL_INIT,
         guint64 only = 0)
  {
    EventCell cell;

    cell.event = CENOTE_EVENT_INIT (kind);
    cell.only = only;
    return sinks_claim_for_event (sinks, &cell, position, now_us, give_up);
  }

  static void
  give_back (Sink *sink)
  {
    sink_release (sink);
    sink_unref (sink);
  }

  guint64
  take_loss (Sink *expected, gint64 now_us = 0)
  {
    guint64 count = 0;
    Sink *sink = sinks_claim_for_loss (sinks, now_us, &count);

    EXPECT_EQ (sink, expected);
    if (sink != nullptr)
      give_back (sink);
    return sink != nullptr ? count : 0;
  }

  Drops *drops = nullptr;
  Sinks *sinks = nullptr;
  int added = 0, destroyed = 0;
};

TEST_F (SinksTest, OffersAnEventToEachOnce)
{
  Sink *first = add ("first"), *second = add ("second");

  EXPECT_EQ (claim (0), first);
  EXPECT_EQ (claim (0), second) << "the first is still busy with it";
  EXPECT_EQ (claim (0), nullptr);
  give_back (first);
  give_back (second);
  EXPECT_EQ (claim (0), nullptr);
  EXPECT_EQ (take_loss (nullptr), 0u);
}

TEST_F (SinksTest, OffersNothingFromBeforeItsPosition)
{
  Sink *sink = add ("sink", ALL, nullptr, 3);

  EXPECT_EQ (claim (2), nullptr);
  EXPECT_EQ (claim (3), sink);
  give_back (sink);
}

TEST_F (SinksTest, WhatPassesABusySinkIsItsLoss)
{
  Sink *sink = add ("sink", CENOTE_EVENT_BIT (CENOTE_EVENT_POOL_INIT));

  EXPECT_EQ (claim (0), sink);
  EXPECT_EQ (claim (1), nullptr);
  EXPECT_EQ (claim (2, 0, false, CENOTE_EVENT_POOL_RELOAD), nullptr);
  EXPECT_EQ (claim (3), nullptr);
  EXPECT_EQ (take_loss (nullptr), 0u) << "not while it is busy";
  give_back (sink);
  EXPECT_EQ (take_loss (sink), 2u);
  EXPECT_EQ (take_loss (nullptr), 0u);
}

TEST_F (SinksTest, WhatPassesARestingSinkIsItsLoss)
{
  Sink *sink = add ("sink");

  sink->rest_until_us = 100;
  EXPECT_EQ (claim (0, 99), nullptr);
  EXPECT_EQ (take_loss (nullptr, 99), 0u);
  EXPECT_EQ (claim (1, 100), sink);
  give_back (sink);
  EXPECT_EQ (take_loss (sink, 100), 1u);
}

TEST_F (SinksTest, GivingUpLosesForAll)
{
  Sink *first = add ("first");

  add ("second", CENOTE_EVENT_BIT (CENOTE_EVENT_POOL_RELOAD));
  EXPECT_EQ (claim (0, 0, true), nullptr);
  EXPECT_EQ (take_loss (first), 1u);
  EXPECT_EQ (take_loss (nullptr), 0u);
}

TEST_F (SinksTest, LossesAreThoseOfTheQueueToo)
{
  const char *const pools[] = { "users", nullptr };

  drops_count (drops, "users", CENOTE_EVENT_POOL_INIT);
  Sink *sink = add ("sink", ALL, pools);
  EXPECT_EQ (take_loss (nullptr), 0u) << "that was before it came";
  drops_count (drops, "users", CENOTE_EVENT_POOL_INIT);
  drops_count (drops, "orders", CENOTE_EVENT_POOL_INIT);
  EXPECT_EQ (take_loss (sink), 1u);
}

TEST_F (SinksTest, FlushesWhoWasHandedSomething)
{
  Sink *sink = add ("sink");

  add ("idle", CENOTE_EVENT_BIT (CENOTE_EVENT_POOL_RELOAD));
  EXPECT_EQ (sinks_claim_for_flush (sinks, 0), nullptr);
  give_back (claim (0));
  EXPECT_EQ (sinks_claim_for_flush (sinks, 0), sink);
  EXPECT_EQ (sinks_claim_for_flush (sinks, 0), nullptr);
  give_back (sink);
}

TEST_F (SinksTest, ARemovedSinkLivesUntilItIsGivenBack)
{
  Sink *sink = add ("sink");

  EXPECT_EQ (claim (0), sink);
  Sink *removed = sinks_remove (sinks, sink->id);
  EXPECT_EQ (removed, sink);
  EXPECT_EQ (sinks_remove (sinks, sink->id), nullptr);
  EXPECT_EQ (claim (1), nullptr);
  sink_unref (removed);
  EXPECT_EQ (destroyed, 0);
  give_back (sink);
  EXPECT_EQ (destroyed, 1);
}

TEST_F (SinksTest, WantsTheKindsOfAll)
{
  EXPECT_EQ (sinks_wanted (sinks), 0u);
  Sink *first = add ("first", 1);
  add ("second", 6);
  EXPECT_EQ (sinks_wanted (sinks), 7u);
  sink_unref (sinks_remove (sinks, first->id));
  EXPECT_EQ (sinks_wanted (sinks), 6u);
}

TEST_F (SinksTest, AnIdIsNeverZeroNorGivenTwice)
{
  Sink *first = add ("first"), *second = add ("second");

  EXPECT_NE (first->id, 0u);
  EXPECT_NE (second->id, 0u);
  EXPECT_NE (first->id, second->id);
}

}  // namespace
