/* SPDX-License-Identifier: Apache-2.0 */
/* What pickers see of a get and are told of a release (core/slots/lease.c). */
#include <pthread.h>

#include <set>

#include "log-capture.h"
#include "slot-fixture.h"

class LeasePickersTest : public SlotTest
{
public:
  using SlotTest::try_get;

protected:
  LeaseFaults before = lease_get_faults ();

  guint64 n_out_of_range () { return lease_get_faults ().picks_out_of_range - before.picks_out_of_range; }
};

/* ------------------------------------------------------------------- choosing */

TEST_P (LeasePickersTest, APickerSeesThePlaces)
{
  CenotePickView seen = {};

  ready_since_us = 77;
  show (2);
  picker.choose = [&] (const CenotePickView *view) {
    seen = *view;
    return 1u;
  };
  CenoteLease lease = get ();
  EXPECT_EQ (lease.channel, channels[1]->get ());
  EXPECT_EQ (seen.struct_size, sizeof seen);
  EXPECT_EQ (seen.place_size, sizeof (CenotePlace));
  EXPECT_EQ (seen.n_places, 2u);
  EXPECT_EQ (seen.attempt, 0u);
  EXPECT_EQ (seen.avoid, CENOTE_PICK_NONE);
  EXPECT_EQ (seen.has_key, 0u);
  EXPECT_EQ (cenote_pick_place (&seen, 1)->channel_id, 2u);
  EXPECT_EQ (cenote_pick_place (&seen, 1)->weight, 1u);
  EXPECT_EQ (cenote_pick_place (&seen, 1)->ready_since_us, ready_since_us);
  lease_release (&lease, -1);
}

TEST_P (LeasePickersTest, APickerSeesTheNewViewAfterAPublication)
{
  guint32 n = 0;

  picker.choose = [&] (const CenotePickView *view) {
    n = view->n_places;
    return 0u;
  };
  for (guint k = 1; k < 20; k++) {
    show (1);
    EXPECT_EQ (try_get (), LEASE_GOT);
    EXPECT_EQ (n, k);
  }
}

TEST_P (LeasePickersTest, APickerIsAskedAgainWithWhatToAvoid)
{
  std::vector<std::pair<guint32, guint32>> asked;

  show (3);
  slot_hide (slots[2]);
  picker.choose = [&] (const CenotePickView *view) {
    asked.emplace_back (view->attempt, view->avoid);
    return view->attempt == 0 ? 2u : 1u;
  };
  CenoteLease lease = get ();
  EXPECT_EQ (lease.channel, channels[1]->get ());
  EXPECT_EQ (asked, (std::vector<std::pair<guint32, guint32>>{ { 0, CENOTE_PICK_NONE }, { 1, 2 } }));
  lease_release (&lease, -1);
}

/* A retry's wish: channel ids are places and 1 (SlotTest::publish_places). */
TEST_P (LeasePickersTest, APickerIsToldOfTheChannelThatACallerAvoids)
{
  const LeaseWish wish = { 0, 2, nullptr, FALSE };
  std::vector<std::pair<guint32, guint32>> asked;
  CenoteLease lease = CENOTE_LEASE_INIT;

  show (3);
  picker.choose = [&] (const CenotePickView *view) {
    asked.emplace_back (view->attempt, view->avoid);
    return 0u;
  };
  EXPECT_EQ (lease_get (table, &wish, FALSE, &lease), LEASE_GOT);
  EXPECT_EQ (lease_channel_id (&lease), 1u);
  lease_release (&lease, -1);
  EXPECT_EQ (try_get (), LEASE_GOT);
  EXPECT_EQ (asked, (std::vector<std::pair<guint32, guint32>>{ { 1, 1 }, { 0, CENOTE_PICK_NONE } }));
}

TEST_P (LeasePickersTest, AStubbornPickerIsOverruled)
{
  const LeaseWish wish = { 0, 2, nullptr, FALSE };
  CenoteLease lease = CENOTE_LEASE_INIT;

  show (3);
  picker.choose = [] (const CenotePickView *) { return 1u; };
  for (int i = 0; i < 10; i++) {
    EXPECT_EQ (lease_get (table, &wish, FALSE, &lease), LEASE_GOT);
    EXPECT_NE (lease_channel_id (&lease), 2u);
    lease_release (&lease, -1);
  }
  slot_hide (slots[2]);
  EXPECT_EQ (lease_get (table, &wish, FALSE, &lease), LEASE_GOT);
  EXPECT_EQ (lease_channel_id (&lease), 1u) << "what is gone is no choice";
  lease_release (&lease, -1);
}

TEST_P (LeasePickersTest, WhatIsAvoidedIsBetterThanNothing)
{
  const LeaseWish wish = { 0, 2, nullptr, FALSE }, stranger = { 0, 77, nullptr, FALSE };
  CenoteLease lease = CENOTE_LEASE_INIT;

  show (3);
  EXPECT_EQ (lease_get (table, &stranger, FALSE, &lease), LEASE_GOT) << "it has left the rotation";
  lease_release (&lease, -1);
  slot_hide (slots[0]);
  slot_hide (slots[2]);
  EXPECT_EQ (lease_get (table, &wish, FALSE, &lease), LEASE_GOT);
  EXPECT_EQ (lease_channel_id (&lease), 2u);
  lease_release (&lease, -1);
  slot_hide (slots[1]);
  EXPECT_EQ (lease_get (table, &wish, FALSE, &lease), LEASE_NONE);
}

TEST_P (LeasePickersTest, AnIndexOutOfRangeIsCounted)
{
  show (3);
  for (guint32 wild : { 3u, 1000u, CENOTE_PICK_NONE - 1 }) {
    guint64 was = n_out_of_range ();

    picker.choose = [=] (const CenotePickView *) { return wild; };
    EXPECT_EQ (try_get (), LEASE_GOT);
    EXPECT_EQ (n_out_of_range (), was + 1);
  }
  picker.choose = [] (const CenotePickView *) { return CENOTE_PICK_NONE; };
  EXPECT_EQ (try_get (), LEASE_GOT);
  EXPECT_GE (n_out_of_range (), 4u);
}

TEST_P (LeasePickersTest, LuckIsNeverTheSameTwice)
{
  std::set<guint64> seen;

  show (1);
  picker.choose = [&] (const CenotePickView *view) {
    seen.insert (cenote_pick_luck (view));
    seen.insert (cenote_pick_luck (view));
    return 0u;
  };
  for (int i = 0; i < 100; i++)
    EXPECT_EQ (try_get (), LEASE_GOT);
  on_thread ([&] { EXPECT_EQ (try_get (), LEASE_GOT); });
  EXPECT_EQ (seen.size (), 202u);
}

/* Pickers take bits from anywhere in it: each is set half the time, and no two go together. */
TEST_P (LeasePickersTest, EachBitOfLuckIsLuck)
{
  const int n = 20000;
  guint64 word = 1;
  CenotePickView view = {};
  std::vector<int> ones (64), pairs (64);

  view.luck = &word;
  for (int i = 0; i < 100; i++)
    cenote_pick_luck (&view);
  for (int i = 0; i < n; i++) {
    guint64 luck = cenote_pick_luck (&view);

    for (guint bit = 0; bit < 64; bit++) {
      ones[bit] += luck >> bit & 1;
      pairs[bit] += ((luck >> bit) ^ (luck >> (bit + 32) % 64)) & 1;
    }
  }
  for (guint bit = 0; bit < 64; bit++) {
    EXPECT_NEAR (ones[bit], n / 2, 400) << "bit " << bit;
    EXPECT_NEAR (pairs[bit], n / 2, 400) << "bit " << bit;
  }
}

TEST_P (LeasePickersTest, KeysAreHandedOver)
{
  std::vector<std::pair<guint32, guint64>> seen;
  CenoteLease lease = CENOTE_LEASE_INIT;
  guint64 hash = lease_hash_key ("user-7");
  const LeaseWish wish = { hash, 0, nullptr, FALSE };

  show (1);
  picker.choose = [&] (const CenotePickView *view) {
    seen.emplace_back (view->has_key, view->key_hash);
    return 0u;
  };
  EXPECT_EQ (lease_get (table, &wish, FALSE, &lease), LEASE_GOT);
  lease_release (&lease, -1);
  EXPECT_EQ (try_get (), LEASE_GOT);
  EXPECT_EQ (seen, (std::vector<std::pair<guint32, guint64>>{ { 1, hash }, { 0, 0 } }));
}

TEST_P (LeasePickersTest, KeysHashAsFnv1a)
{
  EXPECT_EQ (lease_hash_key (""), G_GUINT64_CONSTANT (0xcbf29ce484222325));
  EXPECT_EQ (lease_hash_key ("a"), G_GUINT64_CONSTANT (0xaf63dc4c8601ec8c));
  EXPECT_EQ (lease_hash_key ("foobar"), G_GUINT64_CONSTANT (0x85944171f73967e8));
}

TEST_P (LeasePickersTest, ScratchIsTheThreads)
{
  std::vector<guint64> starts;

  show (1);
  picker.choose = [&] (const CenotePickView *view) {
    starts.push_back (*view->scratch);
    *view->scratch = 42;
    return 0u;
  };
  EXPECT_EQ (try_get (), LEASE_GOT);
  EXPECT_EQ (try_get (), LEASE_GOT);
  on_thread ([&] { EXPECT_EQ (try_get (), LEASE_GOT); });
  EXPECT_EQ (starts[1], 42u);
  EXPECT_NE (starts[2], 42u);
  EXPECT_NE (starts[0], starts[2]);
}

/* ------------------------------------------------------------------- outcomes */

TEST_P (LeasePickersTest, OutcomesAreToldToThoseWhoNeedThem)
{
  picker_flags = CENOTE_PICKER_NEEDS_OUTCOME;
  show (2);
  picker.choose = [] (const CenotePickView *) { return 1u; };
  CenoteLease lease = get (), other = get (), untold = get ();

  lease_release (&untold, -1);
  EXPECT_EQ (picker.n_done, 0);
  lease_release (&lease, 14);
  EXPECT_EQ (picker.n_done, 1);
  EXPECT_EQ (picker.done_number, 101u);
  EXPECT_EQ (picker.done_status, 14);
  EXPECT_EQ (picker.done_latency_us, -1);
  on_thread ([&] { lease_release (&other, 0); });
  EXPECT_EQ (picker.n_done, 2);
  EXPECT_EQ (picker.done_status, 0);
  EXPECT_EQ (slot_table_uses (table), 3u);
}

TEST_P (LeasePickersTest, LatenciesAreToldToThoseWhoNeedThem)
{
  picker_flags = CENOTE_PICKER_NEEDS_LATENCY;
  show (1);
  CenoteLease lease = get ();
  now_us += 250;
  CenoteLease second = get ();
  now_us += 50;
  lease_release (&lease, -1);
  EXPECT_EQ (picker.n_done, 1);
  EXPECT_EQ (picker.done_status, -1);
  EXPECT_EQ (picker.done_latency_us, 300);
  on_thread ([&] { lease_release (&second, 0); });
  EXPECT_EQ (picker.n_done, 2);
  EXPECT_EQ (picker.done_status, 0);
  EXPECT_EQ (picker.done_latency_us, 50);
}

TEST_P (LeasePickersTest, TheClockIsReadTwiceForThoseWhoNeedLatencies)
{
  gint64 told_us = 0;

  picker_flags = CENOTE_PICKER_NEEDS_LATENCY;
  show (3);
  slot_hide (slots[0]);
  picker.choose = [&] (const CenotePickView *view) {
    told_us = view->now_us;
    return view->attempt;
  };
  n_clock_reads = 0;
  CenoteLease lease = get (); /* the second pick's */
  EXPECT_EQ (n_clock_reads, 1);
  EXPECT_EQ (told_us, now_us);
  lease_release (&lease, 0);
  EXPECT_EQ (n_clock_reads, 2);
}

TEST_P (LeasePickersTest, TheClockIsNotReadForOthers)
{
  for (guint32 flags : { 0u, 0u + CENOTE_PICKER_NEEDS_OUTCOME, 0u + CENOTE_PICKER_NEEDS_LOAD }) {
    picker_flags = flags;
    show (1);
    n_clock_reads = 0;
    CenoteLease lease = get (), other = get ();
    lease_release (&lease, 0);
    lease_release (&other, -1);
    EXPECT_EQ (n_clock_reads, 0) << flags;
  }
}

TEST_P (LeasePickersTest, LatenciesAreNotLeftBehind)
{
  picker_flags = CENOTE_PICKER_NEEDS_LATENCY;
  show (1);
  EXPECT_EQ (try_get (), LEASE_GOT);
  picker_flags = CENOTE_PICKER_NEEDS_OUTCOME;
  publish ();
  CenoteLease lease = get ();
  lease_release (&lease, 0);
  EXPECT_EQ (picker.n_done, 2);
  EXPECT_EQ (picker.done_latency_us, -1);
}

TEST_P (LeasePickersTest, NothingIsToldToThoseWhoNeedNothing)
{
  show (1);
  CenoteLease lease = get ();
  lease_release (&lease, 14);
  EXPECT_EQ (picker.n_done, 0);
  EXPECT_EQ (slot_failures (slots[0]), 1);
}

TEST_P (LeasePickersTest, OutcomesOfACopyAreNotTold)
{
  LogCapture log;

  picker_flags = CENOTE_PICKER_NEEDS_OUTCOME;
  show (1);
  CenoteLease lease = get ();
  CenoteLease copy = lease;
  lease_release (&lease, 0);
  lease_release (&copy, 14);
  EXPECT_EQ (picker.n_done, 1);
  EXPECT_EQ (slot_failures (slots[0]), 0);
}

/* ----------------------------------------------------------------- cancellation */

/* A thread that ends inside a get, as a cancelled one does, leaves its row fit for use. */
TEST_P (LeasePickersTest, AThreadMayEndInsideAGet)
{
  show (1);
  pthread_t thread;
  picker.choose = [] (const CenotePickView *) -> guint32 { pthread_exit (nullptr); };
  auto body = [] (void *data) -> void * {
    static_cast<LeasePickersTest *> (data)->try_get ();
    return nullptr;
  };
  ASSERT_EQ (pthread_create (&thread, nullptr, body, this), 0);
  pthread_join (thread, nullptr);
  picker.choose = nullptr;
  EXPECT_EQ (slot_table_in_flight (table), 0);
  on_thread ([&] { EXPECT_EQ (try_get (), LEASE_GOT); });
  publish ();
  EXPECT_FALSE (slot_table_reclaim (table));
}

INSTANTIATE_TEST_SUITE_P (Barriers, LeasePickersTest, testing::Bool (),
                          [] (const auto &info) { return info.param ? "asymmetric" : "symmetric"; });
