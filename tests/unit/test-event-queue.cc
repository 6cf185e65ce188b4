/* SPDX-License-Identifier: Apache-2.0 */
/* event-queue: its bound, its order, its laps, and many producers at once. */
#include "core/telemetry/event-queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace {

struct QueueFree {
  void operator() (EventQueue *queue) const { event_queue_free (queue); }
};
typedef std::unique_ptr<EventQueue, QueueFree> QueuePtr;

bool
push (EventQueue *queue, gint64 count, guint64 channel = 0)
{
  CenoteEvent event = CENOTE_EVENT_INIT (CENOTE_EVENT_POOL_STATUS);

  event.count = count;
  event.channel = channel;
  event.pool = "users";
  return event_queue_push (queue, &event, 0);
}

TEST (EventQueue, CapacityIsAPowerOfTwo)
{
  const std::vector<std::pair<guint, guint>> cases = { { 0, 2 }, { 1, 2 }, { 2, 2 }, { 3, 4 }, { 4, 4 }, { 5, 8 },
                                                       { 1000, 1024 } };

  for (auto [asked, given] : cases)
    EXPECT_EQ (event_queue_get_capacity (QueuePtr (event_queue_new (asked)).get ()), given) << asked;
}

TEST (EventQueue, GivesBackInOrderWithPositions)
{
  QueuePtr queue (event_queue_new (4));
  EventCell cell;
  guint64 position;

  EXPECT_TRUE (event_queue_is_empty (queue.get ()));
  EXPECT_FALSE (event_queue_pop (queue.get (), &cell, &position));
  for (gint64 i = 0; i < 3; i++)
    EXPECT_TRUE (push (queue.get (), i));
  EXPECT_EQ (event_queue_get_tail (queue.get ()), 3u);
  for (gint64 i = 0; i < 3; i++) {
    ASSERT_TRUE (event_queue_pop (queue.get (), &cell, &position));
    EXPECT_EQ (cell.event.count, i);
    EXPECT_EQ (position, (guint64) i);
    EXPECT_STREQ (cell.event.pool, "users");
  }
  EXPECT_TRUE (event_queue_is_empty (queue.get ()));
}

TEST (EventQueue, RefusesWhatFindsNoRoom)
{
  QueuePtr queue (event_queue_new (4));
  EventCell cell;
  guint64 position;

  for (gint64 i = 0; i < 4; i++)
    EXPECT_TRUE (push (queue.get (), i));
  EXPECT_FALSE (push (queue.get (), 4));
  EXPECT_FALSE (push (queue.get (), 5));
  EXPECT_EQ (event_queue_get_tail (queue.get ()), 4u);
  ASSERT_TRUE (event_queue_pop (queue.get (), &cell, &position));
  EXPECT_TRUE (push (queue.get (), 6));
  EXPECT_FALSE (push (queue.get (), 7));
}

TEST (EventQueue, GoesRoundManyTimes)
{
  QueuePtr queue (event_queue_new (2));
  EventCell cell;
  guint64 position;
  gint64 in = 0, out = 0;

  for (int lap = 0; lap < 1000; lap++) {
    for (int i = 0; i < lap % 3; i++)
      in += push (queue.get (), in);
    while (event_queue_pop (queue.get (), &cell, &position))
      ASSERT_EQ (cell.event.count, out++);
  }
  EXPECT_EQ (in, out);
}

TEST (EventQueue, ManyProducersOneConsumer)
{
  const int n_producers = 4;
  const gint64 n_events = 30000;
  QueuePtr queue (event_queue_new (16));
  std::atomic<int> running{ n_producers };
  std::atomic<gint64> refused{ 0 };
  std::vector<std::thread> producers;
  std::vector<gint64> last (n_producers, -1);
  gint64 taken = 0;
  guint64 position, expected = 0;
  EventCell cell;

  for (int p = 0; p < n_producers; p++)
    producers.emplace_back ([&, p] {
      for (gint64 i = 0; i < n_events; i++)
        refused += !push (queue.get (), i, (guint64) p);
      running--;
    });
  for (bool over = false; !over;) {
    over = running == 0;
    for (; event_queue_pop (queue.get (), &cell, &position); taken++) {
      ASSERT_EQ (position, expected++);
      ASSERT_GT (cell.event.count, last[cell.event.channel]);
      last[cell.event.channel] = cell.event.count;
    }
  }
  for (std::thread &producer : producers)
    producer.join ();
  EXPECT_EQ (taken + refused, n_producers * n_events);
  EXPECT_EQ (event_queue_get_tail (queue.get ()), (guint64) taken);
}

}  // namespace
