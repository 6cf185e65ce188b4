/* SPDX-License-Identifier: Apache-2.0 */
/* pool: what it tells: status, observers, events; and when it rests. */
#include "pool-test.h"

namespace {

/* ------------------------------------------------------------------ status */

TEST_F (PoolTest, StatusOfAPool)
{
  CenoteLease lease;

  open ("size=3\ntargets=sim:a;sim:b");
  peer_always (peers_get (sim_peers (sim), "sim:b"), PEER_REFUSES, 0, 0, "refused");
  run (2050 * SIM_MS);
  lease = get ();
  Status status (pool);
  EXPECT_STREQ (status->name, "p");
  EXPECT_STREQ (status->target, "sim:a;sim:b");
  EXPECT_EQ (status->state, CENOTE_POOL_HEALTHY);
  EXPECT_EQ (status->expected_size, 3);
  EXPECT_EQ (status->current_size, 3);
  EXPECT_EQ (status->connecting, 0);
  EXPECT_EQ (status->draining, 0);
  EXPECT_EQ (status->in_flight, 1);
  EXPECT_EQ (status->waiters, 0);
  EXPECT_STREQ (status->last_error, "refused");
  EXPECT_EQ (status->last_error_age_ms, 50);
  ASSERT_EQ (status->n_channels, 4u) << "one tries sim:b";
  for (gsize i = 0; i < status->n_channels; i++) {
    const CenoteChannelStatus *channel = status->channels[i];
    bool good = channel->state == CENOTE_CHANNEL_READY;

    EXPECT_GT (channel->id, i == 0 ? 0 : status->channels[i - 1]->id);
    EXPECT_STREQ (channel->address, good ? "sim:a" : "sim:b");
    EXPECT_EQ (channel->attempts, good ? 1 : 20) << "the first attempt was another channel's";
    EXPECT_EQ (channel->age_ms >= 0, good);
    EXPECT_EQ (channel->next_attempt_ms, good ? -1 : 50);
    EXPECT_EQ (channel->last_error == nullptr, good);
  }
  EXPECT_EQ (status->channels[0]->in_flight + status->channels[1]->in_flight + status->channels[2]->in_flight, 1);
  cenote_lease_release (&lease);
}

TEST_F (PoolTest, TheStateOfAPool)
{
  open ("size=2\nmax-concurrent-dials=1");
  EXPECT_EQ (Status (pool)->state, CENOTE_POOL_DOWN);
  run (1500);
  EXPECT_EQ (Status (pool)->state, CENOTE_POOL_DEGRADED);
  EXPECT_EQ (Status (pool)->connecting, 1);
  run (SIM_S);
  EXPECT_EQ (Status (pool)->state, CENOTE_POOL_HEALTHY);
  cenote_pool_stop (pool);
  EXPECT_EQ (Status (pool)->state, CENOTE_POOL_STOPPED);
}

TEST_F (PoolTest, StatusAsJson)
{
  g_autofree char *json = nullptr;

  open ("size=1");
  connect_all ();
  json = cenote_pool_status_to_json (Status (pool).raw);
  EXPECT_TRUE (contains (json, "\"state\":\"healthy\"")) << json;
  EXPECT_TRUE (contains (json, "\"last_error\":null")) << json;
  EXPECT_TRUE (contains (json, "\"channels\":[{\"id\":1")) << json;
}

/* --------------------------------------------------------------- observers */

struct Watcher {
  std::vector<std::string> told;
  int n_notified = 0;

  static CenoteObserver
  observer ()
  {
    CenoteObserver funcs = CENOTE_OBSERVER_INIT;

    funcs.connect_requested = [] (CenotePool *, const char *address, gpointer data) {
      say (data, std::string ("dial ") + address);
    };
    funcs.connected = [] (CenotePool *, guint64 id, const char *, gpointer data) {
      say (data, "connected " + std::to_string (id));
    };
    funcs.disconnected = [] (CenotePool *, guint64 id, const char *, gpointer data) {
      say (data, "lost " + std::to_string (id));
    };
    funcs.connection_failed = [] (CenotePool *, guint64 id, const char *, const GError *error, gpointer data) {
      say (data, "failed " + std::to_string (id) + " " + error->message);
    };
    return funcs;
  }

  static void
  say (gpointer data, const std::string &what)
  {
    static_cast<Watcher *> (data)->told.push_back (what);
  }
  static void
  notify (gpointer data)
  {
    static_cast<Watcher *> (data)->n_notified++;
  }
};

TEST_F (PoolTest, ObserversAreToldInOrder)
{
  Watcher watcher;
  CenoteObserver funcs = Watcher::observer ();
  guint id;

  make ("size=1");
  id = cenote_pool_add_observer (pool, &funcs, &watcher, Watcher::notify);
  peer_next (peer, PEER_REFUSES, SIM_MS, 0, "refused");
  peer_next (peer, PEER_ACCEPTS, SIM_MS, 1500 * SIM_MS, "went away");
  sim_start (sim);
  run (1700 * SIM_MS);
  EXPECT_EQ (watcher.told, (std::vector<std::string>{ "dial sim:a", "failed 1 refused", "dial sim:a", "connected 1",
                                                      "lost 1", "dial sim:a", "connected 1" }));
  cenote_pool_remove_observer (pool, id);
  peer_lose_all (peer, "gone");
  run (SIM_S);
  EXPECT_EQ (watcher.told.size (), 7u);
  EXPECT_EQ (watcher.n_notified, 1);
}

TEST_F (PoolTest, ObserversAreGivenUpWithThePool)
{
  Watcher watcher, late;
  CenoteObserver funcs = Watcher::observer ();

  open ("size=1");
  EXPECT_NE (cenote_pool_add_observer (pool, &funcs, &watcher, Watcher::notify), 0u);
  run (SIM_S);
  EXPECT_TRUE (sim_end (sim, SIM_S));
  EXPECT_EQ (watcher.n_notified, 1);
  cenote_pool_add_observer (pool, &funcs, &late, Watcher::notify);
  EXPECT_EQ (late.n_notified, 0) << "that is for the callback thread, not for the caller's";
  settle ();
  EXPECT_EQ (late.n_notified, 1);
}

/* Resizes, gets and stops from inside of a callback. */
TEST_F (PoolTest, AnObserverMayCallBack)
{
  static CenotePool *watched;
  CenoteObserver funcs = CENOTE_OBSERVER_INIT;

  make ("size=1");
  watched = pool;
  funcs.connected = [] (CenotePool *told, guint64 id, const char *, gpointer) {
    EXPECT_EQ (told, watched);
    if (id < 6)
      EXPECT_EQ (cenote_pool_scale_up (told, 1, nullptr), (int) id + 1);
    else
      cenote_pool_stop (told);
  };
  cenote_pool_add_observer (pool, &funcs, nullptr, nullptr);
  sim_start (sim);
  run (SIM_S);
  EXPECT_EQ (peer->n_accepted, 6u);
  EXPECT_EQ (sim_n_over (sim), 1u);
}

/* --------------------------------------------------------------- telemetry */

TEST_F (PoolTest, TellsWhatHappensToAChannel)
{
  open ("size=1");
  peer_next (peer, PEER_ACCEPTS, 5 * SIM_MS, 3 * SIM_S, "went away");
  run (2 * SIM_S);
  ASSERT_NE (last (CENOTE_EVENT_POOL_INIT), nullptr);
  EXPECT_EQ (last (CENOTE_EVENT_POOL_INIT)->event.expected_size, 1);
  EXPECT_EQ (last (CENOTE_EVENT_POOL_INIT)->address, "sim:a");
  ASSERT_EQ (count (CENOTE_EVENT_CHANNEL_CONNECTED), 1u);
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_CONNECTED)->event.duration_ns, 5 * SIM_MS * 1000);
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_CONNECTED)->event.attempt, 1);
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_CONNECTED)->event.channel, 1u);
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_CONNECTED)->address, "sim:a");
  run (1500 * SIM_MS);
  ASSERT_EQ (count (CENOTE_EVENT_CHANNEL_DISCONNECTED), 1u);
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_DISCONNECTED)->event.duration_ns, 3 * SIM_S * 1000);
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_DISCONNECTED)->reason, "went away");
}

TEST_F (PoolTest, TellsEachStepOfAChannel)
{
  std::vector<std::string> steps;

  open ("size=1");
  peer_next (peer, PEER_REFUSES, SIM_MS, 0, "refused");
  peer_next (peer, PEER_ACCEPTS, SIM_MS, 2 * SIM_S, "gone");
  run (2300 * SIM_MS);
  cenote_pool_stop (pool);
  settle ();
  for (const ToldEvent &told : events)
    if (told.event.kind == CENOTE_EVENT_CHANNEL_STATE)
      steps.push_back (told.reason);
  EXPECT_EQ (steps, (std::vector<std::string>{ "idle -dial-> connecting", "connecting -failed-> transient_failure",
                                               "transient_failure -dial-> connecting", "connecting -ready-> ready",
                                               "ready -lost-> idle", "idle -dial-> connecting",
                                               "connecting -ready-> ready", "ready -drain-> shutdown" }));
}

TEST_F (PoolTest, TellsItsStatusAtItsInterval)
{
  open ("size=2\nstatus-interval=10s");
  run (60500 * SIM_MS);
  EXPECT_EQ (count (CENOTE_EVENT_POOL_STATUS), 7u);
  EXPECT_EQ (last (CENOTE_EVENT_POOL_STATUS)->event.expected_size, 2);
  EXPECT_EQ (last (CENOTE_EVENT_POOL_STATUS)->event.current_size, 2);
  EXPECT_EQ (last (CENOTE_EVENT_POOL_STATUS)->event.in_flight, 0);
  EXPECT_EQ (last (CENOTE_EVENT_POOL_STATUS)->event.waiters, 0);
}

TEST_F (PoolTest, SampledGetsAreTold)
{
  open ("size=1\ntelemetry-sample-rate=4");
  connect_all ();
  for (int i = 0; i < 40; i++)
    EXPECT_TRUE (can_get ());
  settle ();
  EXPECT_EQ (count (CENOTE_EVENT_POOL_GET_CHANNEL), 10u);
  EXPECT_EQ (last (CENOTE_EVENT_POOL_GET_CHANNEL)->event.ok, 1);
  EXPECT_EQ (last (CENOTE_EVENT_POOL_GET_CHANNEL)->event.current_size, 1);
  EXPECT_EQ (last (CENOTE_EVENT_POOL_GET_CHANNEL)->event.channel, 1u);
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_GET)->event.channel, 1u);
}

TEST_F (PoolTest, GetsThatFindNothingAreToldToo)
{
  make ("size=1\ntelemetry-sample-rate=1");
  peer_always (peer, PEER_REFUSES, SIM_MS, 0, "refused");
  listen ();
  sim_start (sim);
  EXPECT_FALSE (can_get ());
  settle ();
  EXPECT_EQ (count (CENOTE_EVENT_CHANNEL_GET), 1u);
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_GET)->event.ok, 0);
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_GET)->event.channel, 0u);
  EXPECT_EQ (last (CENOTE_EVENT_POOL_GET_CHANNEL)->event.current_size, 0);
}

TEST_F (PoolTest, NoneAreToldWithASampleRateOfZero)
{
  open ("size=1\ntelemetry-sample-rate=0");
  connect_all ();
  for (int i = 0; i < 5000; i++)
    EXPECT_TRUE (can_get ());
  settle ();
  EXPECT_EQ (count (CENOTE_EVENT_POOL_GET_CHANNEL), 0u);
}

/* ------------------------------------------------------------ rest and ticks */

TEST_F (PoolTest, AnIdlePoolSleeps)
{
  make ("size=5\nstatus-interval=off");
  sim_start (sim);
  run (5 * SIM_S);
  EXPECT_EQ (current (), 5);
  EXPECT_TRUE (sim_count (sim, 0).parked);
  EXPECT_EQ (sim_next_us (sim), G_MAXINT64);
}

TEST_F (PoolTest, AGetWakesItOnceAndItTicksWhileUsed)
{
  CenoteLease lease;

  make ("size=1\nstatus-interval=off");
  sim_start (sim);
  run (5 * SIM_S);
  lease = get ();
  settle ();
  EXPECT_FALSE (sim_count (sim, 0).parked);
  EXPECT_LE (sim_next_us (sim) - now (), 10 * SIM_MS);
  run (60 * SIM_S);
  EXPECT_FALSE (sim_count (sim, 0).parked) << "a lease is held";
  cenote_lease_release (&lease);
  run (SIM_S);
  EXPECT_TRUE (sim_count (sim, 0).parked);
  EXPECT_EQ (sim_next_us (sim), G_MAXINT64);
}

/* ---------------------------------------------------------- several pools */

TEST_F (PoolTest, PoolsDoNotDisturbEachOther)
{
  g_autoptr (GError) error = nullptr;
  CenotePool *other;

  sim = sim_new (
    "[cenote]\ntelemetry=\n[pool:p]\ntarget=sim:a\ntransport=peers\n[pool:q]\ntarget=sim:b\ntransport=peers\nsize=2\n",
    1, &error);
  ASSERT_NE (sim, nullptr) << error->message;
  pool = sim_pool (sim, 0);
  other = sim_pool (sim, 1);
  peer = peers_get (sim_peers (sim), "sim:a");
  sim_start (sim);
  run (2 * SIM_S);
  EXPECT_EQ (current (), 5);
  EXPECT_EQ (Status (other)->current_size, 2);
  cenote_pool_stop (pool);
  run (SIM_S);
  EXPECT_EQ (sim_n_over (sim), 1u);
  EXPECT_EQ (Status (other)->current_size, 2);
  EXPECT_EQ (Status (other)->state, CENOTE_POOL_HEALTHY);
}

} // namespace
