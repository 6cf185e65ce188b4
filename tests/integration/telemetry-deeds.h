/* SPDX-License-Identifier: Apache-2.0 */
/*
 * telemetry-deeds: a runtime with sinks, against real servers, that does known things; then whatever the sinks have
 * told can be held against what was done, to the unit.
 *
 *   TelemetryDeeds deeds ("mine", "[telemetry:mine]\nplugin=jsonl\npath=/tmp/x\n");
 *   ASSERT_TRUE (deeds.do_all ());         gets, calls, dials, scaling, an outage: every event of the seeds
 *   deeds.rest ();                         from here on nothing happens any more, so gauges stay
 *   deeds.stop ();                         and from here on the sinks have told everything
 *   for (const Deed &deed : deeds.done ()) the table: what each event and metric has to say
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

enum class Told { COUNTER, DURATIONS, GAUGE, EVENT_ALONE };

/* A row of the table: one event or measurement of the seeds, and where it is seen.  Sinks that tell events (jsonl) have
 * EVENT of POOL, each with MEMBER; all sinks have METRIC. */
struct Deed {
  const char *seed;          /* as SEEDS calls it: "A1 channel,connected: duration"; nullptr: it is Cenote's own */
  int event;                 /* CenoteEventKind; -1: none is told */
  const char *member;        /* as jsonl spells it; nullptr: any event */
  int64_t n_events;          /* so many are told; -1: at least one */
  const char *pool;          /* of the event, and first label of the metric; nullptr: the runtime's */
  Told told;
  std::string metric;        /* "cenote.scaling"; a text is of an EVENT_ALONE */
  /* Its labels after pool.name, in its order: where it has more, all that begin so add up. */
  std::vector<std::pair<std::string, std::string>> more;
  int64_t count;             /* of a counter or gauge: its value; of durations: how many */

  std::vector<std::pair<std::string, std::string>>
  labels () const
  {
    std::vector<std::pair<std::string, std::string>> all = more;

    if (pool != nullptr)
      all.insert (all.begin (), { "pool.name", pool });
    return all;
  }

  bool is_durations () const { return told == Told::DURATIONS; }
  bool is_gauge () const { return told == Told::GAUGE; }
  bool is_metric () const { return told != Told::EVENT_ALONE; }

  std::string
  words () const
  {
    std::string out = seed != nullptr ? std::string (seed) + ": " + metric : metric;

    for (const auto &[name, value] : labels ())
      out += " " + name + "=" + value;
    return out;
  }
};

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
    return begin () && miss () && fail_to_connect () && connect () && ping () && scale () && call_methods () && dial () &&
           expire () && lose_all () && tell_status ("test") && tell_status ("cache");
  }

  /* Nobody dials, and nobody is pinged; what A5 has cached stands. */
  void
  rest ()
  {
    gint64 until_us = g_get_monotonic_time () + 60 * G_USEC_PER_SEC;

    for (CenotePool *pool : { client_->pool, calls_ }) {
      cenote_pool_disconnect (pool);
      while (is_busy (pool) && g_get_monotonic_time () < until_us)
        g_usleep (1000);
    }
  }

  void
  stop ()
  {
    rest ();
    cenote_runtime_stop (client_->runtime);
  }

  /* The table. */
  std::vector<Deed>
  done ()
  {
    const int64_t scaled = 1, by_two = 2, by_three = 3, answered = pings (1), unanswered = pings (0), dials = n_dials + 1;
    const int64_t n_counts = 4; /* 1 and 2 made, 1 let go, 0 at the end */
    std::vector<Deed> deeds = {
      /* seed                                      event, its member, how many of them                    pool, metric, its value */
      { "A1 channel,get: duration",                CENOTE_EVENT_CHANNEL_GET, "duration_ns", n_gets_,
        "test", Told::DURATIONS, "cenote.get_time", {}, n_gets_ },
      { "A1 pool,get_channel: duration",           CENOTE_EVENT_POOL_GET_CHANNEL, "duration_ns", n_gets_,
        "test", Told::COUNTER, "cenote.gets", {}, n_gets_ },
      { "A1 {:error,:not_connected}",              CENOTE_EVENT_POOL_GET_CHANNEL, "ok", n_gets_,
        "test", Told::COUNTER, "cenote.gets_refused", {}, n_refused_ },
      { "A2 pool,get_channel: available_channels", CENOTE_EVENT_POOL_GET_CHANNEL, "current_size", n_gets_,
        "test", Told::GAUGE, "cenote.pool.current_size", {}, 0 },
      { "A1, A2 pool,status: expected_size",       CENOTE_EVENT_POOL_STATUS, "expected_size", -1,
        "test", Told::GAUGE, "cenote.pool.expected_size", {}, size_at_end },
      { "A1, A2 pool,status: current_size",        CENOTE_EVENT_POOL_STATUS, "current_size", -1,
        "cache", Told::GAUGE, "cenote.pool.current_size", {}, 1 },
      { "A2 pool,init: pool_size",                 CENOTE_EVENT_POOL_INIT, "expected_size", -1,
        "calls", Told::GAUGE, "cenote.pool.expected_size", {}, 1 },
      { "A2 pool,init: endpoint",                  CENOTE_EVENT_POOL_INIT, "address", -1, "test", Told::EVENT_ALONE, "", {}, 0 },
      { "A2 pool,scale_up",                        CENOTE_EVENT_POOL_SCALE_UP, "new_size", scaled,
        "test", Told::COUNTER, "cenote.scaling", { { "direction", "up" } }, scaled },
      { "A2 pool,scale_up: requested, succeeded",  CENOTE_EVENT_POOL_SCALE_UP, "succeeded", scaled,
        "test", Told::COUNTER, "cenote.scaling.channels", { { "direction", "up" } }, by_two },
      { "A2 pool,scale_up: failed",                CENOTE_EVENT_POOL_SCALE_UP, "failed", scaled, "test", Told::EVENT_ALONE, "", {}, 0 },
      { "A2 pool,scale_up: duration",              CENOTE_EVENT_POOL_SCALE_UP, "duration_ns", scaled,
        "test", Told::DURATIONS, "cenote.scaling.time", {}, 2 * scaled },
      { "A2 pool,scale_down",                      CENOTE_EVENT_POOL_SCALE_DOWN, "new_size", scaled,
        "test", Told::COUNTER, "cenote.scaling", { { "direction", "down" } }, scaled },
      { "A2 pool,scale_down: requested, terminated", CENOTE_EVENT_POOL_SCALE_DOWN, "succeeded", scaled,
        "test", Told::COUNTER, "cenote.scaling.channels", { { "direction", "down" } }, by_three },
      { "A2 pool,scale_down: duration",            CENOTE_EVENT_POOL_SCALE_DOWN, "duration_ns", scaled,
        "test", Told::DURATIONS, "cenote.scaling.time", {}, 2 * scaled },
      { "A2 channel,ping: duration",               CENOTE_EVENT_CHANNEL_PING, "duration_ns", answered + unanswered,
        "test", Told::DURATIONS, "cenote.channel.ping_time", {}, answered },
      { "A2 channel,ping: result :ok",             CENOTE_EVENT_CHANNEL_PING, "ok", answered + unanswered,
        "test", Told::COUNTER, "cenote.channel.pings", { { "result", "ok" } }, answered },
      { "A2 channel,ping: result :error",          CENOTE_EVENT_CHANNEL_PING, "ok", answered + unanswered,
        "test", Told::COUNTER, "cenote.channel.pings", { { "result", "failed" } }, unanswered },
      { "A5 OnConnect(addr)",                      CENOTE_EVENT_CONNECTOR_DIAL, "address", dials,
        "cache", Told::COUNTER, "cenote.connector.dials", {}, dials },
      { "A5 OnCacheMiss(addr)",                    CENOTE_EVENT_CONNECTOR_CACHE_MISS, "address", 2,
        "cache", Told::COUNTER, "cenote.connector.cache_misses", {}, 2 },
      { "A5 OnConnectionCountUpdate(n)",           CENOTE_EVENT_CONNECTOR_CONNECTION_COUNT, "count", n_counts,
        "cache", Told::GAUGE, "cenote.connector.connections", {}, 1 },
      { nullptr, -1, nullptr, 0, "test", Told::DURATIONS, "cenote.lease.use_time", {}, n_gets_ - n_refused_ },
      { nullptr, -1, nullptr, 0, "calls", Told::COUNTER, "cenote.calls", { { "status", "OK" } }, n_good_calls },
      { nullptr, -1, nullptr, 0, "calls", Told::COUNTER, "cenote.calls", { { "status", "UNIMPLEMENTED" } }, n_bad_calls },
      { nullptr, -1, nullptr, 0, "calls", Told::COUNTER, "cenote.calls", { { "status", "INTERNAL" } }, 0 },
      { nullptr, -1, nullptr, 0, "calls", Told::DURATIONS, "cenote.call.duration", {}, n_good_calls + n_bad_calls },
      { nullptr, -1, nullptr, 0, nullptr, Told::COUNTER, "cenote.telemetry.dropped", {}, 0 }
    };

    for (const char *pool : { "test", "cache", "calls" })
      add_connections (&deeds, pool);
    return deeds;
  }

  /* Events of KIND that the pool named POOL told. */
  int64_t
  count (CenoteEventKind kind, const std::string &pool)
  {
    return static_cast<int64_t> (events.count_of (kind, pool));
  }

  CenoteRuntime *runtime () { return client_->runtime; }

private:
  static const int64_t size_at_end = 1, n_dials = 5, n_good_calls = 7, n_bad_calls = 2;

  static std::string
  keyfile (const std::string &sinks, const std::string &groups, unsigned port)
  {
    const std::string common = "profile=local\nbackoff=quick\nstatus-interval=100ms\ntelemetry-sample-rate=1\n";
    const std::string fixed = common + "initialization=manual\ntarget=ipv4:127.0.0.1:" + std::to_string (port) + "\n";

    return "[cenote]\ntelemetry=" + sinks + "\n" + groups + "[backoff:quick]\nplugin=constant\ndelay=20ms\n" +
           "[pool:test]\n" + fixed + "size=2\nping-interval=1s\n[pool:calls]\n" + fixed + "size=1\n" +
           "[pool:cache]\n" + common + "connector=caching\n";
  }

  static std::string
  address_of (const EchoServer &server)
  {
    return "ipv4:127.0.0.1:" + std::to_string (server.port ());
  }

  bool
  await_count (CenoteEventKind kind, const char *pool, int64_t n)
  {
    const bool came = events.await_of (kind, pool, static_cast<size_t> (n));

    EXPECT_TRUE (came) << pool << ": no " << n << " of " << cenote_event_kind_to_string (kind);
    return came;
  }

  bool
  get (bool gives)
  {
    n_gets_++;
    n_refused_ += !gives;
    return client_->gets () == gives;
  }

  /* A get is sampled from when the pool knows that somebody wants its time: whoever asks for its status is behind that. */
  bool
  begin ()
  {
    return other_.start () && client_->status () != nullptr;
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
  dials (const EchoServer &server)
  {
    const std::string address = address_of (server);
    g_auto (CenoteLease) lease = CENOTE_LEASE_INIT;

    return cenote_pool_dial (cache_, address.c_str (), 60000, &lease, nullptr);
  }

  /* One of A5's connections is made for many, another for one. */
  bool
  dial ()
  {
    for (int64_t i = 0; i < n_dials; i++)
      if (!dials (server_))
        return false;
    return dials (other_);
  }

  /* The first is let go: an outage is nothing to this pool. */
  bool
  expire ()
  {
    const std::string address = address_of (server_);

    if (!cenote_pool_close_on_release (cache_, address.c_str ()))
      return false;
    g_strfreev (cenote_pool_expire (cache_));
    return await_count (CENOTE_EVENT_CONNECTOR_CONNECTION_COUNT, "cache", 3);
  }

  bool
  lose_all ()
  {
    server_.kill ();
    return await_count (CENOTE_EVENT_CHANNEL_DISCONNECTED, "test", 1) &&
           await_count (CENOTE_EVENT_CHANNEL_DISCONNECTED, "calls", 1);
  }

  /* Once more, after all that was told so far. */
  bool
  tell_status (const char *pool)
  {
    return await_count (CENOTE_EVENT_POOL_STATUS, pool, count (CENOTE_EVENT_POOL_STATUS, pool) + 1);
  }

  void
  add_connections (std::vector<Deed> *deeds, const char *pool)
  {
    const int64_t connected = count (CENOTE_EVENT_CHANNEL_CONNECTED, pool);
    const int64_t failed = count (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED, pool);
    const int64_t lost = count (CENOTE_EVENT_CHANNEL_DISCONNECTED, pool);
    const int64_t put_off = count (CENOTE_EVENT_CHANNEL_RECONNECT_SCHEDULED, pool);

    deeds->insert (deeds->end (), {
      { "A1, A2 channel,connected: duration",         CENOTE_EVENT_CHANNEL_CONNECTED, "duration_ns", connected,
        pool, Told::DURATIONS, "cenote.channel.create_time", {}, connected },
      { "A1, A2 channel,connected",                   CENOTE_EVENT_CHANNEL_CONNECTED, "address", connected,
        pool, Told::COUNTER, "cenote.channel.connection_attempts_succeeded", {}, connected },
      { "A1, A2 channel,connection_failed: duration", CENOTE_EVENT_CHANNEL_CONNECTION_FAILED, "duration_ns", failed,
        pool, Told::DURATIONS, "cenote.channel.failed_time", {}, failed },
      { "A1, A2 channel,connection_failed: error",    CENOTE_EVENT_CHANNEL_CONNECTION_FAILED, "error", failed,
        pool, Told::COUNTER, "cenote.channel.connection_attempts_failed", {}, failed },
      { "A1, A2 channel,disconnected: duration",      CENOTE_EVENT_CHANNEL_DISCONNECTED, "duration_ns", lost,
        pool, Told::DURATIONS, "cenote.channel.connected_time", {}, lost },
      { "A2 channel,disconnected, gun_*: reason",     CENOTE_EVENT_CHANNEL_DISCONNECTED, "reason", lost,
        pool, Told::COUNTER, "cenote.channel.disconnections", {}, lost },
      { "A2 channel,reconnect_scheduled: delay_ms",   CENOTE_EVENT_CHANNEL_RECONNECT_SCHEDULED, "delay_ms", put_off,
        pool, Told::DURATIONS, "cenote.channel.reconnect_delay", {}, put_off },
      { "A2 channel,reconnect_scheduled: reason",     CENOTE_EVENT_CHANNEL_RECONNECT_SCHEDULED, "reason", put_off,
        pool, Told::COUNTER, "cenote.channel.reconnects_scheduled", {}, put_off },
      { "A2 channel,reconnect_scheduled: attempt",    CENOTE_EVENT_CHANNEL_RECONNECT_SCHEDULED, "attempt", put_off,
        pool, Told::EVENT_ALONE, "", {}, 0 }
    });
  }

  /* Of "test": those that were answered (1), or not (0). */
  int64_t
  pings (int64_t ok)
  {
    return static_cast<int64_t> (events.count (CENOTE_EVENT_CHANNEL_PING, ok));
  }

  static bool
  is_busy (CenotePool *pool)
  {
    g_autoptr (CenotePoolStatus) status = cenote_pool_get_status (pool);

    return status->connecting > 0 || status->current_size > 0;
  }

  EchoServer server_, other_;
  std::unique_ptr<Client> client_;
  CenotePool *cache_ = nullptr, *calls_ = nullptr;
  int64_t n_gets_ = 0, n_refused_ = 0;

public:
  EventLog &events;
};

#endif
