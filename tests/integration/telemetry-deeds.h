/* SPDX-License-Identifier: Apache-2.0 */
/*
 * telemetry-deeds: a runtime with sinks, against a real server, that does known things; then whatever the sinks have
 * told can be held against what was done, to the unit.
 *
 *   TelemetryDeeds deeds ("mine", "[telemetry:mine]\nplugin=jsonl\npath=/tmp/x\n");
 *   ASSERT_TRUE (deeds.do_all ());         gets, calls, dials, scaling, an outage: every event of the seeds
 *   deeds.stop ();                         from here on the sinks have told everything
 *   for (const Deed &deed : deeds.done ()) its metric has that value, with these labels
 *   deeds.events                           what a sink of the program was told: the same, in the same order
 *
 * Pools: "test" (A1, A2: two channels, then four, then one), "cache" (A5: by dial()) and "calls" (Cenote's own calls).
 * All of them use the sinks, and each get is told (telemetry-sample-rate=1).
 */
#ifndef CENOTE_TESTS_TELEMETRY_DEEDS_H
#define CENOTE_TESTS_TELEMETRY_DEEDS_H

#include <cenote/event-text.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/servers/calls.h"
#include "tests/servers/client.h"
#include "tests/servers/servers.h"
#include "tools/demo-server.h"

/* What a metric has to say at the end. */
struct Deed {
  std::string metric;        /* "cenote.scaling" */
  /* Its first labels, in its order: where it has more, all that begin so add up. */
  std::vector<std::pair<std::string, std::string>> labels;
  int64_t count;             /* of a counter; of durations, how many */
  bool is_duration;
};

/* Each event and measurement of the seeds' tables (A1, A2, A5), by our names; what is absent in some of a kind is
 * not here. */
struct SeedEvent {
  CenoteEventKind kind;
  std::vector<const char *> members; /* besides pool */
};

static inline const std::vector<SeedEvent> &
seed_events ()
{
  static const std::vector<SeedEvent> events = {
    { CENOTE_EVENT_CHANNEL_GET, { "duration_ns", "ok" } },
    { CENOTE_EVENT_CHANNEL_CONNECTED, { "channel", "address", "duration_ns" } },
    { CENOTE_EVENT_CHANNEL_CONNECTION_FAILED, { "channel", "address", "duration_ns", "error" } },
    { CENOTE_EVENT_CHANNEL_DISCONNECTED, { "channel", "address", "duration_ns", "reason" } },
    { CENOTE_EVENT_CHANNEL_RECONNECT_SCHEDULED, { "address", "delay_ms", "attempt", "reason" } },
    { CENOTE_EVENT_CHANNEL_PING, { "channel", "duration_ns", "ok" } },
    { CENOTE_EVENT_POOL_INIT, { "expected_size" } },
    { CENOTE_EVENT_POOL_GET_CHANNEL, { "duration_ns", "ok", "current_size" } },
    { CENOTE_EVENT_POOL_STATUS, { "expected_size", "current_size" } },
    { CENOTE_EVENT_POOL_SCALE_UP, { "duration_ns", "requested", "succeeded", "failed", "new_size" } },
    { CENOTE_EVENT_POOL_SCALE_DOWN, { "duration_ns", "requested", "succeeded", "new_size" } },
    { CENOTE_EVENT_CONNECTOR_DIAL, { "address" } },
    { CENOTE_EVENT_CONNECTOR_CACHE_MISS, { "address" } },
    { CENOTE_EVENT_CONNECTOR_CONNECTION_COUNT, { "count" } }
  };

  return events;
}

class TelemetryDeeds {
public:
  /* SINKS: for the key telemetry; GROUPS: of the keyfile, for them. */
  TelemetryDeeds (const std::string &sinks, const std::string &groups)
    : client_ (std::make_unique<Client> (keyfile (sinks, groups, server_.port ()), CENOTE_EVENT_MASK_ALL)),
      events (client_->events)
  {
    cache_ = cenote_runtime_get_pool (client_->runtime, "cache", nullptr);
    calls_ = cenote_runtime_get_pool (client_->runtime, "calls", nullptr);
  }

  ~TelemetryDeeds ()
  {
    cenote_pool_unref (cache_);
    cenote_pool_unref (calls_);
  }

  /* FALSE: something did not happen within a minute. */
  bool
  do_all ()
  {
    return miss () && fail_to_connect () && connect () && ping () && scale () && call_methods () && dial () && lose_all ();
  }

  /* Nothing happens any more when the sinks are asked for the last time: nobody dials, and nobody is pinged. */
  void
  stop ()
  {
    for (CenotePool *pool : { client_->pool, cache_, calls_ })
      cenote_pool_disconnect (pool);
    cenote_runtime_stop (client_->runtime);
  }

  /* After stop(). */
  std::vector<Deed>
  done ()
  {
    std::vector<Deed> deeds = {
      { "cenote.gets", { { "pool.name", "test" } }, n_gets_, false },
      { "cenote.gets_refused", { { "pool.name", "test" } }, n_refused_, false },
      { "cenote.scaling", { { "pool.name", "test" }, { "direction", "up" } }, 1, false },
      { "cenote.scaling", { { "pool.name", "test" }, { "direction", "down" } }, 1, false },
      { "cenote.channel.pings", { { "pool.name", "test" }, { "result", "ok" } }, count (CENOTE_EVENT_CHANNEL_PING, "test"), false },
      { "cenote.channel.ping_time", { { "pool.name", "test" } }, count (CENOTE_EVENT_CHANNEL_PING, "test"), true },
      { "cenote.connector.dials", { { "pool.name", "cache" } }, n_dials, false },
      { "cenote.connector.cache_misses", { { "pool.name", "cache" } }, 1, false },
      { "cenote.calls", { { "pool.name", "calls" }, { "status", "OK" } }, n_good_calls, false },
      { "cenote.calls", { { "pool.name", "calls" }, { "status", "UNIMPLEMENTED" } }, n_bad_calls, false },
      { "cenote.calls", { { "pool.name", "calls" }, { "status", "INTERNAL" } }, 0, false },
      { "cenote.call.duration", { { "pool.name", "calls" } }, n_good_calls + n_bad_calls, true },
      { "cenote.telemetry.dropped", {}, 0, false }
    };

    for (const char *pool : { "test", "cache", "calls" })
      add_connections (&deeds, pool);
    return deeds;
  }

  /* Events of KIND that the pool named POOL told. */
  int64_t
  count (CenoteEventKind kind, const std::string &pool)
  {
    int64_t n = 0;

    for (const Event &event : events.of (kind))
      n += event.pool == pool;
    return n;
  }

  CenoteRuntime *runtime () { return client_->runtime; }

private:
  static const int64_t n_dials = 5, n_good_calls = 7, n_bad_calls = 2;

  static std::string
  keyfile (const std::string &sinks, const std::string &groups, unsigned port)
  {
    const std::string address = "ipv4:127.0.0.1:" + std::to_string (port);
    const std::string common = "profile=local\nbackoff=quick\nstatus-interval=100ms\ntelemetry-sample-rate=1\n";
    const std::string fixed = common + "initialization=manual\ntarget=" + address + "\n";

    return "[cenote]\ntelemetry=" + sinks + "\n" + groups + "[backoff:quick]\nplugin=constant\ndelay=20ms\n" +
           "[pool:test]\n" + fixed + "size=2\nping-interval=1s\n[pool:calls]\n" + fixed + "size=1\n" +
           "[pool:cache]\n" + common + "connector=caching\n";
  }

  /* Waits until as many of POOL's channels as N have been told to be connected. */
  bool
  await_count (CenoteEventKind kind, const char *pool, int64_t n)
  {
    gint64 until_us = g_get_monotonic_time () + 60 * G_USEC_PER_SEC;

    while (count (kind, pool) < n) {
      if (g_get_monotonic_time () > until_us) {
        ADD_FAILURE () << pool << ": no " << n << " of " << cenote_event_kind_to_string (kind);
        return false;
      }
      events.await (kind, events.of (kind).size () + 1);
    }
    return true;
  }

  bool
  get (bool gives)
  {
    n_gets_++;
    n_refused_ += !gives;
    return client_->gets () == gives;
  }

  bool
  miss ()
  {
    return get (false) && get (false) && get (false);
  }

  bool
  fail_to_connect ()
  {
    client_->connect ();
    return await_count (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED, "test", 2);
  }

  bool
  connect ()
  {
    if (!server_.start () || !await_count (CENOTE_EVENT_CHANNEL_CONNECTED, "test", 2))
      return false;
    for (unsigned i = 0; i < 10; i++)
      if (!get (true))
        return false;
    return true;
  }

  bool
  ping ()
  {
    return await_count (CENOTE_EVENT_CHANNEL_PING, "test", 1);
  }

  bool
  scale ()
  {
    return cenote_pool_scale_up (client_->pool, 2, nullptr) == 4 &&
           await_count (CENOTE_EVENT_CHANNEL_CONNECTED, "test", 4) &&
           cenote_pool_scale_down (client_->pool, 3, nullptr) == 1 &&
           await_count (CENOTE_EVENT_CHANNEL_DRAINED, "test", 3);
  }

  bool
  call_methods ()
  {
    CenoteCallOptions options = CENOTE_CALL_OPTIONS_INIT;
    bool good = true;

    options.wait_for_ready = TRUE;
    cenote_pool_connect (calls_, 0, nullptr);
    if (!await_count (CENOTE_EVENT_CHANNEL_CONNECTED, "calls", 1))
      return false;
    for (int64_t i = 0; i < n_good_calls; i++)
      good = call (calls_, DEMO_ECHO_METHOD, "hello", &options).good && good;
    for (int64_t i = 0; i < n_bad_calls; i++)
      good = call (calls_, "/none.Such/Method", "hello", &options).code == UNIMPLEMENTED && good;
    return good;
  }

  bool
  dial ()
  {
    const std::string address = "ipv4:127.0.0.1:" + std::to_string (server_.port ());

    for (int64_t i = 0; i < n_dials; i++) {
      g_auto (CenoteLease) lease = CENOTE_LEASE_INIT;

      if (!cenote_pool_dial (cache_, address.c_str (), 60000, &lease, nullptr))
        return false;
    }
    return true;
  }

  bool
  lose_all ()
  {
    server_.kill ();
    return await_count (CENOTE_EVENT_CHANNEL_DISCONNECTED, "test", 1) &&
           await_count (CENOTE_EVENT_CHANNEL_DISCONNECTED, "calls", 1) &&
           await_count (CENOTE_EVENT_CHANNEL_DISCONNECTED, "cache", 1);
  }

  void
  add_connections (std::vector<Deed> *deeds, const char *pool)
  {
    const int64_t connected = count (CENOTE_EVENT_CHANNEL_CONNECTED, pool);
    const int64_t lost = count (CENOTE_EVENT_CHANNEL_DISCONNECTED, pool);
    const decltype (Deed::labels) labels = { { "pool.name", pool } };

    deeds->push_back ({ "cenote.channel.connection_attempts_succeeded", labels, connected, false });
    deeds->push_back ({ "cenote.channel.create_time", labels, connected, true });
    deeds->push_back ({ "cenote.channel.connection_attempts_failed", labels,
                        count (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED, pool), false });
    deeds->push_back ({ "cenote.channel.disconnections", labels, lost, false });
    deeds->push_back ({ "cenote.channel.connected_time", labels, lost, true });
  }

  EchoServer server_;
  std::unique_ptr<Client> client_;
  CenotePool *cache_ = nullptr, *calls_ = nullptr;
  int64_t n_gets_ = 0, n_refused_ = 0;

public:
  EventLog &events;
};

#endif
