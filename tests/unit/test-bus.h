/* SPDX-License-Identifier: Apache-2.0 */
/* test-bus.h: a clock that a test sets, a gate that it opens, and a sink that remembers. */
#ifndef CENOTE_TESTS_TEST_BUS_H
#define CENOTE_TESTS_TEST_BUS_H

#include "core/telemetry/bus.h"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

struct TestClock {
  std::atomic<gint64> now_us{ 1000 };
  std::atomic<gint64> wall_us{ 5000 };

  static gint64 now (gpointer data) { return static_cast<TestClock *> (data)->now_us; }
  static gint64 wall (gpointer data) { return static_cast<TestClock *> (data)->wall_us; }
};

/* Closed until it is opened, then open for good. */
class Gate {
public:
  void
  open ()
  {
    std::lock_guard<std::mutex> hold (lock_);
    open_ = true;
    changed_.notify_all ();
  }

  void
  pass ()
  {
    std::unique_lock<std::mutex> hold (lock_);
    changed_.wait (hold, [this] { return open_; });
  }

private:
  std::mutex lock_;
  std::condition_variable changed_;
  bool open_ = false;
};

struct SeenEvent {
  unsigned kind;
  std::string pool, address, reason, error;
  guint64 channel;
  gint64 time_us, wall_us, count;
};

/* Remembers what it is handed; HOOK, where set, runs first in each call. */
class RecordingSink {
public:
  std::function<void (const CenoteEvent *)> hook;
  /* Where it is set when the sink is added, the sink's poll. */
  std::function<gint64 (gint64 now_us, CenotePollReason why)> on_poll;

  guint
  add_to (Bus *bus, const char *name, guint64 mask = CENOTE_EVENT_MASK_ALL, const char *const *pools = nullptr)
  {
    const BusSinkFuncs funcs = { handle, flush, destroy, on_poll ? poll : nullptr };
    return bus_add_sink (bus, name, mask, pools, &funcs, this);
  }

  std::vector<SeenEvent>
  seen ()
  {
    std::lock_guard<std::mutex> hold (lock_);
    return seen_;
  }

  /* How many of KIND. */
  unsigned
  count (unsigned kind)
  {
    unsigned n = 0;
    for (const SeenEvent &event : seen ())
      n += event.kind == kind;
    return n;
  }

  /* The losses that it was told. */
  gint64
  told ()
  {
    gint64 sum = 0;
    for (const SeenEvent &event : seen ())
      sum += event.kind == CENOTE_EVENT_TELEMETRY_DROPPED ? event.count : 0;
    return sum;
  }

  int flushes () { std::lock_guard<std::mutex> hold (lock_); return flushes_; }
  int destroyed () { std::lock_guard<std::mutex> hold (lock_); return destroyed_; }

  void
  await_seen (size_t n)
  {
    std::unique_lock<std::mutex> hold (lock_);
    changed_.wait (hold, [&] { return seen_.size () >= n; });
  }

  void
  await_told (gint64 n)
  {
    std::unique_lock<std::mutex> hold (lock_);
    changed_.wait (hold, [&] { return told_ >= n; });
  }

  void
  await_destroyed ()
  {
    std::unique_lock<std::mutex> hold (lock_);
    changed_.wait (hold, [&] { return destroyed_ > 0; });
  }

private:
  static std::string text (const char *string) { return string != nullptr ? string : ""; }

  static void
  handle (gpointer data, const CenoteEvent *event)
  {
    RecordingSink *sink = static_cast<RecordingSink *> (data);
    if (sink->hook)
      sink->hook (event);
    std::lock_guard<std::mutex> hold (sink->lock_);
    sink->seen_.push_back ({ event->kind, text (event->pool), text (event->address), text (event->reason),
                             text (event->error), event->channel, event->time_us, event->wall_us, event->count });
    sink->told_ += event->kind == CENOTE_EVENT_TELEMETRY_DROPPED ? event->count : 0;
    sink->changed_.notify_all ();
  }

  static gint64
  poll (gpointer data, gint64 now_us, CenotePollReason why)
  {
    return static_cast<RecordingSink *> (data)->on_poll (now_us, why);
  }

  static void
  flush (gpointer data)
  {
    RecordingSink *sink = static_cast<RecordingSink *> (data);
    std::lock_guard<std::mutex> hold (sink->lock_);
    sink->flushes_++;
    sink->changed_.notify_all ();
  }

  static void
  destroy (gpointer data)
  {
    RecordingSink *sink = static_cast<RecordingSink *> (data);
    std::lock_guard<std::mutex> hold (sink->lock_);
    sink->destroyed_++;
    sink->changed_.notify_all ();
  }

  std::mutex lock_;
  std::condition_variable changed_;
  std::vector<SeenEvent> seen_;
  gint64 told_ = 0;
  int flushes_ = 0;
  int destroyed_ = 0;
};

static inline void
emit (Bus *bus, CenoteEventKind kind, const char *pool = nullptr, gint64 count = -1)
{
  CenoteEvent event = CENOTE_EVENT_INIT (kind);
  event.pool = pool;
  event.count = count;
  bus_emit (bus, &event);
}

#endif
