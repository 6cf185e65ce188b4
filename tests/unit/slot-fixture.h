/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slot-fixture: a table with channels that count their destruction, a clock that
 * the test turns, and pickers that remember what they saw.
 */
#ifndef CENOTE_TESTS_SLOT_FIXTURE_H
#define CENOTE_TESTS_SLOT_FIXTURE_H

#include <gtest/gtest.h>

#include <pthread.h>

#include <atomic>
#include <cstring>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "core/slots/slots.h"
#include "core/base/world-barrier.h"
#include "slot-probe.h"

/* Stands in for a grpc_channel. */
struct FakeChannel
{
  std::atomic<int> destroyed{ 0 };

  grpc_channel *get () { return reinterpret_cast<grpc_channel *> (this); }

  static void
  destroy (grpc_channel *channel, gpointer data)
  {
    (void) data;
    reinterpret_cast<FakeChannel *> (channel)->destroyed++;
  }
};

/* What a picker was shown and told. */
struct FakePicker
{
  std::function<guint32 (const CenotePickView *)> choose;
  std::function<void ()> on_done;
  std::atomic<int> n_picks{ 0 };
  std::atomic<int> n_done{ 0 };
  guint32 done_number = 0;
  int done_status = 0;
  gint64 done_latency_us = 0;

  static guint32
  round_robin (const CenotePickView *view)
  {
    guint64 due = *view->scratch % view->n_places;

    if (due == view->avoid)
      due = (due + 1) % view->n_places;
    *view->scratch = due + 1;
    return static_cast<guint32> (due);
  }

  static guint32
  pick (void *state, const CenotePickView *view)
  {
    auto *self = static_cast<FakePicker *> (state);

    self->n_picks++;
    return self->choose ? self->choose (view) : round_robin (view);
  }

  static void
  done (void *state, guint32 number, int status, gint64 latency_us)
  {
    auto *self = static_cast<FakePicker *> (state);

    self->done_number = number;
    self->done_status = status;
    self->done_latency_us = latency_us;
    self->n_done++;
    if (self->on_done)
      self->on_done ();
  }
};

/* A thread's key destructor that runs when its rows are gone: in the second round
 * of destructors, for certain. */
class Epilogue
{
public:
  explicit Epilogue (std::function<void ()> body) : body_ (std::move (body)) { pthread_key_create (&key_, run); }
  ~Epilogue () { pthread_key_delete (key_); }

  void arm () { pthread_setspecific (key_, this); }

private:
  static void
  run (void *data)
  {
    auto *self = static_cast<Epilogue *> (data);

    if (++self->round_ == 1)
      self->arm ();
    else
      self->body_ ();
  }

  std::function<void ()> body_;
  pthread_key_t key_;
  int round_ = 0;
};

/* One table; the test's thread is its control thread.  The parameter: whether
 * leases rest on the asymmetric barrier. */
class SlotTest : public testing::TestWithParam<bool>
{
protected:
  SlotTable *table = nullptr;
  FakePicker picker;
  guint32 picker_flags = 0;
  gint64 now_us = 5 * G_USEC_PER_SEC;
  std::atomic<int> n_clock_reads{ 0 };
  gint64 ready_since_us = 0;       /* of the places that are published: warm */
  const LeaseWish any = {};
  std::atomic<int> n_wakes{ 0 };
  std::vector<std::unique_ptr<FakeChannel>> channels;
  std::vector<Slot *> slots;       /* open; nullptr: freed by the test */

  static void
  wake (gpointer data)
  {
    static_cast<SlotTest *> (data)->n_wakes++;
  }

  static guint64
  random (gpointer data)
  {
    static std::atomic<guint64> next{ 1 };

    (void) data;
    return next.fetch_add (1) * G_GUINT64_CONSTANT (6364136223846793005) ^ G_GUINT64_CONSTANT (0x5851f42d4c957f2d);
  }

  static gint64
  now (gpointer data)
  {
    static_cast<SlotTest *> (data)->n_clock_reads++;
    return static_cast<SlotTest *> (data)->now_us;
  }

  SlotWorld
  world ()
  {
    return { GetParam (), GetParam () ? barrier_heavy : barrier_own, random, now, this };
  }

  void
  SetUp () override
  {
    if (GetParam () && !barrier_available ())
      GTEST_SKIP () << "this kernel has no membarrier";
    begin_life ();
  }

  void
  TearDown () override
  {
    if (table != nullptr)
      end_life ();
  }

  void
  begin_life ()
  {
    SlotWorld w = world ();

    table = slot_table_new (&w, wake, this);
  }

  /* As a pool ends: nothing in rotation, each slot freed or orphaned. */
  void
  end_life ()
  {
    publish_places ({}, VIEW_STOPPED);
    for (Slot *slot : slots) {
      if (slot == nullptr)
        continue;
      slot_close (slot);
      if (!slot_try_free (slot))
        slot_orphan (slot);
    }
    slots.clear ();
    slot_table_unref (table);
    table = nullptr;
  }

  Slot *
  open ()
  {
    channels.push_back (std::make_unique<FakeChannel> ());
    slots.push_back (slot_open (table, channels.back ()->get (), FakeChannel::destroy, nullptr));
    return slots.back ();
  }

  /* N more slots, shown and in rotation with all others. */
  void
  show (guint n)
  {
    while (n-- > 0)
      slot_show (open ());
    publish ();
  }

  void
  publish (guint32 flags = 0, guint32 sample_rate = 0)
  {
    publish_places (slots, flags, sample_rate);
  }

  void
  publish_places (const std::vector<Slot *> &rotation, guint32 flags = 0, guint32 sample_rate = 0)
  {
    SlotPicker how = { FakePicker::pick, FakePicker::done, &picker, picker_flags };
    std::vector<SlotPlace> places;

    for (Slot *slot : rotation) {
      if (slot != nullptr)
        places.push_back ({ slot, places.size () + 1, static_cast<guint32> (100 + places.size ()), 1, nullptr,
                            ready_since_us });
    }
    slot_table_publish (table, places.data (), static_cast<guint> (places.size ()), &how, flags, sample_rate);
  }

  CenoteLease
  get ()
  {
    CenoteLease lease = CENOTE_LEASE_INIT;

    EXPECT_EQ (lease_get (table, &any, FALSE, &lease), LEASE_GOT);
    return lease;
  }

  LeaseResult
  try_get ()
  {
    CenoteLease lease = CENOTE_LEASE_INIT;
    LeaseResult result = lease_get (table, &any, FALSE, &lease);

    lease_release (&lease, -1);
    return result;
  }

  static bool
  is_init (const CenoteLease &lease)
  {
    CenoteLease init = CENOTE_LEASE_INIT;

    return std::memcmp (&lease, &init, sizeof init) == 0;
  }

  static void
  on_thread (std::function<void ()> body)
  {
    std::thread (body).join ();
  }
};

#endif
