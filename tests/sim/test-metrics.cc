/* SPDX-License-Identifier: Apache-2.0 */
/* What sinks read is what was done, to the unit, from the first reading on. */
#include <set>

#include "sim-test.h"
#include "tests/unit/metrics-reading.h"

namespace {

class MetricsTest : public SimTest
{
protected:
  MetricsReading
  read ()
  {
    MetricsReading reading;

    sim_read_metrics (sim, MetricsReading::take, &reading);
    return reading;
  }

  void
  refuse_first ()
  {
    make ("size=1");
    peer_next (peer, PEER_REFUSES, SIM_MS, 0, "refused");
    sim_start (sim);
  }

  void
  pool_want_samples_of_p ()
  {
    sim_want_samples (sim, 0);
    settle ();
  }
};

TEST_F (MetricsTest, CountersAreThereFromTheStartWithZero)
{
  make ("size=3");
  MetricsReading reading = read ();

  for (const auto &metric : reading.all) {
    EXPECT_EQ (metric.second.count, 0u) << metric.first;
    if (metric.second.kind == CENOTE_METRIC_COUNTER && metric.first.find ("pool.name=p") != std::string::npos) {
      EXPECT_EQ (metric.second.value, 0) << metric.first;
    }
  }
  for (const char *key : { "calls{pool.name=p,status=OK}", "calls{pool.name=p,status=NO_CHANNEL}",
                           "channel.disconnections{pool.name=p,grpc.disconnect_error=unknown}",
                           "channel.disconnections{pool.name=p,grpc.disconnect_error=GOAWAY ENHANCE_YOUR_CALM}",
                           "scaling{pool.name=p,direction=up,reason=resize}", "channel.pings{pool.name=p,result=failed}",
                           "telemetry.dropped", "lease.double_releases" })
    reading.at (std::string ("cenote.") + key);
}

/* Prometheus wants it so: all of one name together, over all pools, and each time in the same order. */
TEST_F (MetricsTest, MetricsOfOneNameComeOneAfterAnother)
{
  make ("size=1", "[pool:other]\ntransport=peers\ntarget=sim:b\nsize=2\n");
  MetricsReading reading = read ();
  std::set<std::string> names (reading.names.begin (), reading.names.end ());

  EXPECT_EQ (names.size (), reading.names.size ()) << "a name came back after another";
  EXPECT_EQ (reading.at ("cenote.channel.max{pool.name=other}").value, 0) << "before the start nothing is wanted";
  sim_start (sim);
  run (SIM_S);
  EXPECT_EQ (read ().keys, reading.keys);
  EXPECT_EQ (read ().at ("cenote.pool.current_size{pool.name=other}").value, 2);
}

TEST_F (MetricsTest, GaugesFollowTheChannels)
{
  open ("size=3");
  run (SIM_S);
  MetricsReading reading = read ();
  EXPECT_EQ (reading.value ("channel.count", "state=ready"), 3);
  EXPECT_EQ (reading.value ("channel.count", "state=connecting"), 0);
  EXPECT_EQ (reading.value ("pool.expected_size"), 3);
  EXPECT_EQ (reading.value ("pool.current_size"), 3);
  EXPECT_EQ (reading.value ("channel.max"), 3);
  EXPECT_EQ (reading.value ("channel.min"), 3);
  CenoteLease held = get ();
  EXPECT_EQ (cenote_pool_resize (pool, 1, nullptr), 1);
  run (SIM_MS);
  reading = read ();
  EXPECT_EQ (reading.value ("channel.in_flight"), 1);
  EXPECT_EQ (reading.value ("pool.expected_size"), 1);
  EXPECT_EQ (reading.value ("channel.max"), 1);
  EXPECT_EQ (reading.value ("channel.count", "state=ready") + reading.value ("channel.count", "state=draining"),
             (int64_t) Status (pool).raw->n_channels);
  cenote_lease_release (&held);
  peer_always (peer, PEER_REFUSES, SIM_MS, 0, "refused");
  peer_lose_all (peer, "gone");
  run (SIM_S + 50 * SIM_MS);
  reading = read ();
  EXPECT_EQ (reading.value ("channel.count", "state=ready"), 0);
  EXPECT_EQ (reading.value ("channel.count", "state=transient_failure"), 1);
  EXPECT_EQ (reading.value ("pool.current_size"), 0);
  acquire (200);
  run (SIM_MS);
  EXPECT_EQ (read ().value ("pending_requests"), 1);
  run (SIM_S);
  EXPECT_EQ (read ().value ("pending_requests"), 0);
}

TEST_F (MetricsTest, AStopLeavesNoChannelAndTheCounts)
{
  open ("size=3");
  run (SIM_S);
  EXPECT_TRUE (can_get ());
  cenote_pool_stop (pool);
  run (SIM_S);
  MetricsReading reading = read ();
  for (const char *state : { "idle", "connecting", "ready", "transient_failure", "draining" })
    EXPECT_EQ (reading.value ("channel.count", std::string ("state=") + state), 0) << state;
  EXPECT_EQ (reading.value ("pool.expected_size"), 0);
  EXPECT_EQ (reading.value ("gets"), 1);
  EXPECT_EQ (reading.value ("channel.connection_attempts_succeeded"), 3);
}

TEST_F (MetricsTest, LossesByWhatTheyWere)
{
  open ("size=2");
  run (SIM_S);
  peer_lose_all (peer, "recvmsg:Connection reset by peer");
  run (SIM_S);
  peer_lose_all (peer, nullptr);
  run (SIM_S);
  MetricsReading reading = read ();
  EXPECT_EQ (reading.value ("channel.disconnections", "grpc.disconnect_error=connection reset"), 2);
  EXPECT_EQ (reading.value ("channel.disconnections", "grpc.disconnect_error=unknown"), 2);
  EXPECT_EQ (reading.of_p ("channel.connected_time").count, 4u);
  EXPECT_EQ (reading.of_p ("channel.create_time").count, 6u);
  EXPECT_EQ (count (CENOTE_EVENT_CHANNEL_DISCONNECTED), 4u);
  uint64_t told_ns = 0;
  for (const ToldEvent &told : events)
    told_ns += told.event.kind == CENOTE_EVENT_CHANNEL_DISCONNECTED ? (uint64_t) told.event.duration_ns : 0;
  EXPECT_EQ (reading.of_p ("channel.connected_time").sum_ns, told_ns);
}

TEST_F (MetricsTest, ScalingByDirectionAndReason)
{
  open ("size=3");
  run (SIM_S);
  cenote_pool_scale_up (pool, 2, nullptr);
  cenote_pool_scale_up (pool, 1, nullptr);
  cenote_pool_resize (pool, 4, nullptr);
  cenote_pool_scale_down (pool, 1, nullptr);
  run (SIM_S);
  MetricsReading reading = read ();
  EXPECT_EQ (reading.value ("scaling", "direction=up,reason=scale_up"), 2);
  EXPECT_EQ (reading.value ("scaling", "direction=up,reason=resize"), 0);
  EXPECT_EQ (reading.value ("scaling", "direction=down,reason=resize"), 1);
  EXPECT_EQ (reading.value ("scaling", "direction=down,reason=scale_down"), 1);
  EXPECT_EQ (reading.value ("scaling.channels", "direction=up"), 3);
  EXPECT_EQ (reading.value ("scaling.channels", "direction=down"), 3);
  EXPECT_EQ (reading.of_p ("scaling.time").count, 4u);
  EXPECT_EQ (count (CENOTE_EVENT_POOL_SCALE_UP) + count (CENOTE_EVENT_POOL_SCALE_DOWN), 4u);
}

/* A connector that chooses says why in its own words. */
TEST_F (MetricsTest, ScalingByAConnector)
{
  open ("connector=lazy\nsize=2\nidle-timeout=1s");
  run (SIM_S);
  acquire ();
  run (100 * SIM_MS);
  ASSERT_TRUE (acquires.back ().got ());
  cenote_lease_release (&acquires.back ().lease);
  run (10 * SIM_S);
  MetricsReading reading = read ();
  EXPECT_EQ (reading.value ("scaling", "direction=up,reason=asked-for"), 1);
  EXPECT_EQ (reading.value ("scaling", "direction=down,reason=idle-timeout"), 1);
}

/* Who gets a channel at once does not wait; who waits is counted however it ends. */
TEST_F (MetricsTest, EachWaitHasItsTime)
{
  make ("size=1");
  peer_next (peer, PEER_REFUSES, SIM_MS, 0, "refused");
  listen ();
  sim_start (sim);
  acquire (10); /* times out */
  acquire (10 * 1000);
  guint cancelled = acquire (10 * 1000).id;
  run (SIM_MS);
  EXPECT_TRUE (cenote_pool_cancel (pool, cancelled));
  run (SIM_S);
  acquire ();
  run (SIM_S);
  MetricsReading reading = read ();
  EXPECT_EQ (reading.of_p ("acquire.wait_time").count, 3u);
  EXPECT_EQ (reading.value ("acquire.timeouts"), 1);
  EXPECT_EQ (reading.value ("channel.reconnects_scheduled"), (int64_t) count (CENOTE_EVENT_CHANNEL_RECONNECT_SCHEDULED));
  EXPECT_GE (reading.value ("channel.reconnects_scheduled"), 1);
  EXPECT_EQ (reading.of_p ("channel.reconnect_delay").count, count (CENOTE_EVENT_CHANNEL_RECONNECT_SCHEDULED));
  EXPECT_EQ (reading.value ("channel.connection_attempts_failed"), 1);
  EXPECT_EQ (reading.of_p ("channel.failed_time").count, 1u);
  EXPECT_EQ (reading.of_p ("channel.failed_time").sum_ns, (uint64_t) SIM_MS * 1000);
}

/* A caller's get is one, whatever the pool tries for those who wait. */
TEST_F (MetricsTest, GetsAreTheCallersAlone)
{
  make ("size=1");
  peer_next (peer, PEER_REFUSES, SIM_MS, 0, "refused");
  sim_start (sim);
  for (int i = 0; i < 4; i++)
    acquire (10 * 1000);
  run (SIM_S);
  for (int i = 0; i < 3; i++)
    EXPECT_TRUE (can_get ());
  MetricsReading reading = read ();
  EXPECT_EQ (reading.value ("gets"), 7);
  EXPECT_EQ (reading.value ("gets_refused"), 4);
  EXPECT_EQ (reading.value ("connector.dials"), 0);
}

TEST_F (MetricsTest, PingsByTheirResult)
{
  open ("size=1\nping-interval=1s");
  run (10 * SIM_S + 500 * SIM_MS);
  MetricsReading reading = read ();
  guint pings = count (CENOTE_EVENT_CHANNEL_PING);

  EXPECT_GE (pings, 9u);
  EXPECT_EQ (reading.value ("channel.pings", "result=ok"), (int64_t) pings);
  EXPECT_EQ (reading.value ("channel.pings", "result=failed"), 0);
  EXPECT_EQ (reading.of_p ("channel.ping_time").count, pings);
}

/* Sampled as its rate says: each get here, for as long as it is held. */
TEST_F (MetricsTest, GetsAndUsesAreSampledWhereSomebodyReads)
{
  make ("size=2\ntelemetry-sample-rate=1");
  sim_start (sim);
  run (SIM_S);
  for (int i = 0; i < 5; i++)
    EXPECT_TRUE (can_get ());
  EXPECT_EQ (read ().of_p ("get_time").count, 0u) << "nobody asked";
  pool_want_samples_of_p ();
  for (int i = 0; i < 3; i++) {
    CenoteLease lease = get ();

    run (10 * SIM_MS);
    if (i == 0)
      cenote_lease_release_with_status (&lease, 14);
    cenote_lease_release (&lease);
  }
  CenoteLease held = get ();
  MetricsReading reading = read ();
  EXPECT_EQ (reading.of_p ("get_time").count, 4u);
  EXPECT_EQ (reading.of_p ("lease.use_time").count, 3u) << "one is held";
  EXPECT_EQ (reading.of_p ("lease.use_time").sum_ns, (uint64_t) (3 * 10 * SIM_MS) * 1000);
  cenote_pool_stop (pool);
  run (SIM_MS);
  cenote_lease_release (&held);
}

/* Which of a thread's gets are sampled is no matter of chance: each third, whether it finds a channel or not. */
TEST_F (MetricsTest, OneInTheSampleRateIsSampled)
{
  make ("size=1\ntelemetry-sample-rate=3");
  sim_start (sim);
  pool_want_samples_of_p ();
  EXPECT_FALSE (can_get ());
  run (SIM_S);
  uint64_t before = read ().of_p ("get_time").count; /* 1 or none: a thread counts on from what it did before */
  for (int i = 1; i < 10; i++)
    EXPECT_TRUE (can_get ());
  MetricsReading reading = read ();
  EXPECT_EQ (reading.value ("gets"), 10);
  EXPECT_EQ (reading.of_p ("get_time").count, before + 3);
  EXPECT_EQ (reading.of_p ("lease.use_time").count, 3u) << "the first found none";
}

/* What a status shows is what sinks read. */
TEST_F (MetricsTest, TheStatusHasTheSameDurations)
{
  refuse_first ();
  acquire (10 * 1000);
  run (SIM_S);
  Status status (pool);
  MetricsReading reading = read ();
  g_autofree char *json = cenote_pool_status_to_json (status.raw);

  EXPECT_EQ (status.raw->wait.count, 1);
  EXPECT_EQ ((uint64_t) status.raw->wait.sum_ns, reading.of_p ("acquire.wait_time").sum_ns);
  EXPECT_NEAR ((double) status.raw->wait.p50_ns, (double) status.raw->wait.sum_ns, 0.01 * (double) status.raw->wait.sum_ns);
  EXPECT_EQ (status.raw->create.count, 1);
  EXPECT_EQ (status.raw->call.count, 0);
  EXPECT_EQ (status.raw->call.p99_ns, -1);
  EXPECT_NE (strstr (json, "\"call\":{\"count\":0,\"sum_ns\":0,\"p50_ns\":null,\"p90_ns\":null,\"p99_ns\":null}"), nullptr) << json;
}

} // namespace
