/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client: one pool in a runtime of its own, and what it tells.
 */
#ifndef CENOTE_TESTS_CLIENT_H
#define CENOTE_TESTS_CLIENT_H

#include <cenote/cenote.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tests/scale.h"

struct Event {
  CenoteEventKind kind;
  gint64 time_us;
  guint64 channel;
  gint64 delay_ms;
  std::string reason;
  std::string error;
  CenoteEvent raw;           /* its strings are gone */
  std::string pool;
  std::string address;
};

/* A sink that keeps what it is told, and wakes whoever waits for it. */
class EventLog {
public:
  static void
  take (const CenoteEvent *event, gpointer data)
  {
    EventLog *self = static_cast<EventLog *> (data);
    auto text = [] (const char *string) { return std::string (string == nullptr ? "" : string); };
    Event kept = { static_cast<CenoteEventKind> (event->kind), event->time_us, event->channel, event->delay_ms,
                   text (event->reason), text (event->error), *event, text (event->pool), text (event->address) };
    std::lock_guard<std::mutex> hold (self->lock_);

    if (event->time_us < self->since_us_)
      return;
    self->events_.push_back (std::move (kept));
    self->changed_.notify_all ();
  }

  /* From here on what happened before is not there, also where it is told later: who sees
   * it otherwise, by a status or a call, may be ahead of the telling. */
  void
  forget ()
  {
    std::lock_guard<std::mutex> hold (lock_);
    std::vector<Event> ().swap (events_);
    since_us_ = g_get_monotonic_time ();
  }

  std::vector<Event>
  of (CenoteEventKind kind)
  {
    std::lock_guard<std::mutex> hold (lock_);
    std::vector<Event> result;

    std::copy_if (events_.begin (), events_.end (), std::back_inserter (result),
                  [&] (const Event &event) { return event.kind == kind; });
    return result;
  }

  /* Those of them whose `ok` is OK. */
  size_t
  count (CenoteEventKind kind, gint64 ok)
  {
    std::lock_guard<std::mutex> hold (lock_);
    return count_locked (kind, [&] (const Event &event) { return event.raw.ok == ok; });
  }

  /* Those of POOL. */
  size_t
  count_of (CenoteEventKind kind, const std::string &pool)
  {
    std::lock_guard<std::mutex> hold (lock_);
    return count_locked (kind, [&] (const Event &event) { return event.pool == pool; });
  }

  /* Waits until there have been N whose `ok` is OK.  FALSE: not within a minute. */
  bool
  await_ok (CenoteEventKind kind, gint64 ok, size_t n)
  {
    return await_such (kind, n, [&] (const Event &event) { return event.raw.ok == ok; });
  }

  /* The same of POOL. */
  bool
  await_of (CenoteEventKind kind, const std::string &pool, size_t n)
  {
    return await_such (kind, n, [&] (const Event &event) { return event.pool == pool; });
  }

  /* The same of any. */
  bool
  await (CenoteEventKind kind, size_t n)
  {
    return await_such (kind, n, [] (const Event &) { return true; });
  }

private:
  template <typename Is>
  bool
  await_such (CenoteEventKind kind, size_t n, Is is)
  {
    std::unique_lock<std::mutex> hold (lock_);
    return changed_.wait_for (hold, std::chrono::minutes (1), [&] { return count_locked (kind, is) >= n; });
  }

  /* No copies: take(), which must be short, may be waiting for the lock. */
  template <typename Is>
  size_t
  count_locked (CenoteEventKind kind, Is is) const
  {
    return static_cast<size_t> (std::count_if (events_.begin (), events_.end (),
                                               [&] (const Event &event) { return event.kind == kind && is (event); }));
  }

  std::mutex lock_;
  std::condition_variable changed_;
  std::vector<Event> events_;
  gint64 since_us_ = 0;
};

/* [pool:test] to 127.0.0.1:PORT with the lines of KEYS, dialled by connect(); it tells
 * events everything of MASK. */
class Client {
public:
  explicit Client (unsigned port, const std::string &keys = "",
                   guint64 mask = CENOTE_EVENT_MASK_ALL & ~CENOTE_EVENT_BIT (CENOTE_EVENT_POOL_STATUS) &
                                  ~CENOTE_EVENT_BIT (CENOTE_EVENT_POOL_GET_CHANNEL) &
                                  ~CENOTE_EVENT_BIT (CENOTE_EVENT_CHANNEL_GET))
    : Client (text (port, keys), mask)
  {
  }

  Client (const std::string &keyfile, guint64 mask)
  {
    g_autoptr (GError) error = nullptr;
    g_autoptr (CenoteConfig) config = cenote_config_new_from_data (keyfile.c_str (), -1, &error);

    if (config != nullptr)
      runtime = cenote_runtime_new (config, &error);
    if (runtime != nullptr)
      pool = cenote_runtime_get_pool (runtime, "test", &error);
    if (pool == nullptr) {
      ADD_FAILURE () << error->message;
      abort ();
    }
    cenote_runtime_add_sink (runtime, mask, EventLog::take, &events, nullptr);
  }

  ~Client ()
  {
    cenote_pool_unref (pool);
    cenote_runtime_unref (runtime);
  }

  Client (const Client &) = delete;
  Client &operator= (const Client &) = delete;

  static std::string
  text (unsigned port, const std::string &keys)
  {
    const char *modules = g_getenv ("CENOTE_TEST_PLUGINS");
    bool quick = keys.find ("backoff=quick") != std::string::npos;

    return "[cenote]\ntelemetry=\n" + (modules == nullptr ? "" : "plugin-path=" + std::string (modules) + "\n") +
           (quick ? "[backoff:quick]\nplugin=constant\ndelay=20ms\n" : "") +
           "[pool:test]\nprofile=local\ninitialization=manual\ntarget=ipv4:127.0.0.1:" + std::to_string (port) + "\n" +
           keys + "\n";
  }

  /* Begins to dial, and does not wait. */
  void
  connect ()
  {
    cenote_pool_connect (pool, 0, nullptr);
  }

  bool
  get (CenoteLease *out_lease)
  {
    return cenote_pool_get_channel (pool, out_lease, nullptr);
  }

  /* Whether a get succeeds. */
  bool
  gets ()
  {
    g_auto (CenoteLease) lease = CENOTE_LEASE_INIT;

    return get (&lease);
  }

  std::unique_ptr<CenotePoolStatus, decltype (&cenote_pool_status_free)>
  status ()
  {
    return { cenote_pool_get_status (pool), cenote_pool_status_free };
  }

  EventLog events;
  CenoteRuntime *runtime = nullptr;
  CenotePool *pool = nullptr;
};

#endif
