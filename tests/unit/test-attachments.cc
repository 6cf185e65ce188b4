/* SPDX-License-Identifier: Apache-2.0 */
/* What callers attach to a channel (core/slots/attachments.c, lease_attach()). */
#include "log-capture.h"
#include "slot-fixture.h"

#include <array>
#include <map>

namespace
{

const int key_one = 0, key_two = 0;

/* Something that is attached; knows whether its channel was still there at its end. */
struct Hung
{
  FakeChannel *channel = nullptr;
  int ended = 0;
  int channel_ended = -1;

  static void
  end (gpointer data)
  {
    auto *self = static_cast<Hung *> (data);

    self->ended++;
    if (self->channel != nullptr)
      self->channel_ended = self->channel->destroyed;
  }
};

class AttachTest : public SlotTest
{
protected:
  Hung one, two;
  std::atomic<int> given_up{ 0 };

  static void
  give_up (grpc_channel *channel, gpointer data)
  {
    (void) channel;
    (*static_cast<std::atomic<int> *> (data))++;
  }

  /* As open(), with a channel that may be owned. */
  void
  show_ownable ()
  {
    channels.push_back (std::make_unique<FakeChannel> ());
    slots.push_back (slot_open (table, channels.back ()->get (), FakeChannel::destroy, &given_up));
    slot_allow_owner (slots.back (), give_up);
    slot_show (slots.back ());
    publish ();
  }

  /* The channel's end, once no lease is held. */
  void
  free_slot (guint i)
  {
    slot_close (slots[i]);
    ASSERT_TRUE (slot_try_free (slots[i]));
    slots[i] = nullptr;
  }
};

TEST_P (AttachTest, StandsForTheChannelsLife)
{
  show (1);
  CenoteLease first = get ();

  EXPECT_EQ (lease_attach (&first, &key_one, nullptr, nullptr, FALSE), nullptr);
  EXPECT_EQ (lease_attach (&first, &key_one, &one, Hung::end, FALSE), &one);
  lease_release (&first, -1);
  CenoteLease second = get ();
  EXPECT_EQ (lease_attach (&second, &key_one, nullptr, nullptr, FALSE), &one);
  lease_release (&second, -1);
  EXPECT_EQ (one.ended, 0);
  one.channel = channels[0].get ();
  free_slot (0);
  EXPECT_EQ (one.ended, 1);
  EXPECT_EQ (one.channel_ended, 0) << "it may still look at the channel";
  EXPECT_EQ (channels[0]->destroyed, 1);
}

TEST_P (AttachTest, TheFirstUnderAKeyWins)
{
  show (1);
  CenoteLease lease = get ();

  EXPECT_EQ (lease_attach (&lease, &key_one, &one, Hung::end, FALSE), &one);
  EXPECT_EQ (lease_attach (&lease, &key_one, &two, Hung::end, FALSE), &one);
  lease_release (&lease, -1);
  free_slot (0);
  EXPECT_EQ (one.ended, 1);
  EXPECT_EQ (two.ended, 0);
}

TEST_P (AttachTest, KeysDoNotMeet)
{
  show (1);
  CenoteLease lease = get ();

  lease_attach (&lease, &key_one, &one, Hung::end, FALSE);
  EXPECT_EQ (lease_attach (&lease, &key_two, nullptr, nullptr, FALSE), nullptr);
  EXPECT_EQ (lease_attach (&lease, &key_two, &two, Hung::end, FALSE), &two);
  EXPECT_EQ (lease_attach (&lease, &key_one, nullptr, nullptr, FALSE), &one);
  lease_release (&lease, -1);
  free_slot (0);
  EXPECT_EQ (one.ended + two.ended, 2);
}

TEST_P (AttachTest, ChannelsDoNotMeet)
{
  show (2);
  CenoteLease leases[] = { get (), get () };

  ASSERT_NE (leases[0].channel, leases[1].channel);
  lease_attach (&leases[0], &key_one, &one, Hung::end, FALSE);
  EXPECT_EQ (lease_attach (&leases[1], &key_one, nullptr, nullptr, FALSE), nullptr);
  for (CenoteLease &lease : leases)
    lease_release (&lease, -1);
}

TEST_P (AttachTest, ASlotsNextChannelHasNothing)
{
  show (1);
  CenoteLease lease = get ();
  Slot *before = slots[0];

  lease_attach (&lease, &key_one, &one, Hung::end, FALSE);
  lease_release (&lease, -1);
  free_slot (0);
  show (1);
  ASSERT_EQ (slots.back (), before);
  lease = get ();
  EXPECT_EQ (lease_attach (&lease, &key_one, nullptr, nullptr, FALSE), nullptr);
  lease_release (&lease, -1);
}

TEST_P (AttachTest, AnOwnersNotifyTakesTheDestructionsPlace)
{
  show_ownable ();
  CenoteLease lease = get ();

  EXPECT_EQ (lease_attach (&lease, &key_one, &one, Hung::end, TRUE), &one);
  EXPECT_EQ (lease_attach (&lease, &key_two, &two, Hung::end, FALSE), &two);
  lease_release (&lease, -1);
  free_slot (0);
  EXPECT_EQ (one.ended, 1);
  EXPECT_EQ (two.ended, 1);
  EXPECT_EQ (channels[0]->destroyed, 0);
  EXPECT_EQ (given_up, 1);
}

TEST_P (AttachTest, AChannelHasOneOwner)
{
  show_ownable ();
  CenoteLease lease = get ();

  EXPECT_EQ (lease_attach (&lease, &key_one, &one, Hung::end, TRUE), &one);
  EXPECT_EQ (lease_attach (&lease, &key_two, &two, Hung::end, TRUE), nullptr);
  EXPECT_EQ (lease_attach (&lease, &key_two, nullptr, nullptr, FALSE), nullptr);
  lease_release (&lease, -1);
}

TEST_P (AttachTest, NobodyOwnsWhatMayNotBeOwned)
{
  show (1);
  CenoteLease lease = get ();

  EXPECT_EQ (lease_attach (&lease, &key_one, &one, Hung::end, TRUE), nullptr);
  EXPECT_EQ (lease_attach (&lease, &key_one, &one, Hung::end, FALSE), &one);
  lease_release (&lease, -1);
  free_slot (0);
  EXPECT_EQ (channels[0]->destroyed, 1);
}

TEST_P (AttachTest, AnOrphansEndComesWithItsLastLease)
{
  show_ownable ();
  CenoteLease lease = get ();

  lease_attach (&lease, &key_one, &one, Hung::end, TRUE);
  end_life ();
  EXPECT_EQ (lease_attach (&lease, &key_two, &two, Hung::end, FALSE), &two);
  EXPECT_EQ (one.ended + two.ended, 0);
  on_thread ([&] { lease_release (&lease, -1); });
  EXPECT_EQ (one.ended + two.ended, 2);
  EXPECT_EQ (channels[0]->destroyed, 0);
  EXPECT_EQ (given_up, 1);
}

TEST_P (AttachTest, LeasesThatAreNotHeldAreRefused)
{
  LogCapture log;

  show (1);
  CenoteLease lease = get ();
  CenoteLease copy = lease;
  CenoteLease none = CENOTE_LEASE_INIT;
  CenoteLease mocks = { channels[0]->get (), {} };
  CenoteLease foreign = { channels[0]->get (), { &one, nullptr, &two } };

  lease_release (&lease, -1);
  EXPECT_EQ (lease_attach (&copy, &key_one, &one, Hung::end, FALSE), nullptr);
  EXPECT_EQ (lease_attach (&none, &key_one, &one, Hung::end, FALSE), nullptr);
  EXPECT_EQ (lease_attach (&mocks, &key_one, &one, Hung::end, FALSE), nullptr);
  EXPECT_EQ (lease_attach (&foreign, &key_one, &one, Hung::end, FALSE), nullptr);
  EXPECT_EQ (log.count ("was released before"), 1u);
  EXPECT_EQ (log.count ("no pool made"), 1u);
  EXPECT_EQ (one.ended, 0);
}

/* Many threads, each with an object of its own for each channel. */
TEST_P (AttachTest, OfManyAtOnceOneWins)
{
  constexpr int n_threads = 4, n_channels = 200;
  std::vector<Hung> objects (n_threads * n_channels);
  std::vector<std::array<gpointer, n_threads>> answers (n_channels);
  std::atomic<int> ready{ 0 };
  std::map<grpc_channel *, int> numbers;
  std::vector<std::thread> threads;

  show (n_channels);
  for (int c = 0; c < n_channels; c++)
    numbers[channels[c]->get ()] = c;
  picker.choose = [] (const CenotePickView *view) { return static_cast<guint32> ((*view->scratch)++ % view->n_places); };
  for (int t = 0; t < n_threads; t++) {
    threads.emplace_back ([&, t] {
      for (ready++; ready < n_threads;)
        std::this_thread::yield ();
      for (int i = 0; i < n_channels; i++) {
        CenoteLease lease = get ();
        int c = numbers.at (lease.channel);

        answers[c][t] = lease_attach (&lease, &key_one, &objects[c * n_threads + t], Hung::end, FALSE);
        lease_release (&lease, -1);
      }
    });
  }
  for (std::thread &thread : threads)
    thread.join ();
  end_life ();
  for (int c = 0; c < n_channels; c++) {
    int ended = 0;

    for (int t = 0; t < n_threads; t++) {
      Hung &object = objects[c * n_threads + t];

      EXPECT_EQ (answers[c][t], answers[c][0]);
      EXPECT_EQ (object.ended, answers[c][0] == &object);
      ended += object.ended;
    }
    EXPECT_EQ (ended, 1);
  }
}

INSTANTIATE_TEST_SUITE_P (Barriers, AttachTest, testing::Bool (),
                          [] (const auto &info) { return info.param ? "asymmetric" : "symmetric"; });

} // namespace
