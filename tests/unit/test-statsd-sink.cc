/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/statsd, as the built plugin: what a daemon has counted is what there was, whatever became of the packets. */
#include <thread>

#include "sink-test.h"
#include "tests/servers/statsd-receiver.h"

namespace {

const SinkMetric::Labels users = { { "pool.name", "users" } };

class StatsdSinkTest : public ::testing::Test {
protected:
  bool
  create (std::vector<std::string> settings = {})
  {
    settings.push_back ("address=" + receiver.address ());
    return sink.create (settings);
  }

  /* The next round, and what came of it. */
  void
  poll (CenotePollReason why = CENOTE_POLL_DUE)
  {
    sink.now_us += 10 * 1000000;
    sink.poll (why);
    receiver.receive ();
  }

  SinkUnderTest sink{ "statsd" };
  StatsdReceiver receiver;
};

/* ------------------------------------------------------------------ values */

TEST_F (StatsdSinkTest, CountersAreWhatCameSinceTheLast)
{
  ASSERT_TRUE (create ()) << sink.fault;
  sink.metrics = { SinkMetric::counter ("cenote.gets", users, 0) };
  poll ();
  EXPECT_EQ (receiver.lines, std::vector<std::string>{ "cenote.gets.users:0|c" }) << "it is there from the start";
  sink.metrics[0].value = 7;
  poll ();
  EXPECT_EQ (receiver.lines.back (), "cenote.gets.users:7|c");
  poll ();
  EXPECT_EQ (receiver.lines.size (), 2u) << "nothing came";
  sink.metrics[0].value = 10;
  poll ();
  EXPECT_EQ (receiver.lines.back (), "cenote.gets.users:3|c");
}

TEST_F (StatsdSinkTest, GaugesAreSentEachTimeUnlessThereIsNone)
{
  ASSERT_TRUE (create ()) << sink.fault;
  sink.metrics = { SinkMetric::gauge ("cenote.channel.count", { { "pool.name", "users" }, { "state", "ready" } }, 4),
                   SinkMetric::gauge ("cenote.channel.max", users, -1) };
  poll ();
  poll ();
  EXPECT_EQ (receiver.lines, (std::vector<std::string>{ "cenote.channel.count.users.ready:4|g",
                                                        "cenote.channel.count.users.ready:4|g" }));
}

TEST_F (StatsdSinkTest, DurationsAreMillisecondsAndCountedEach)
{
  ASSERT_TRUE (create ()) << sink.fault;
  sink.metrics = { SinkMetric::durations ("cenote.call.duration", users, { { 1500000, 1 }, { 2000000000, 13 }, { 77, 2 } }) };
  poll ();
  EXPECT_EQ (receiver.lines, (std::vector<std::string>{
    "cenote.call.duration.users:1.5|ms", "cenote.call.duration.users:2000|ms|@0.125",
    "cenote.call.duration.users:2000|ms|@0.25", "cenote.call.duration.users:2000|ms",
    "cenote.call.duration.users:0.000077|ms|@0.5" }));
  sink.metrics[0].buckets[0].second = 4;
  poll ();
  EXPECT_EQ (receiver.timings["cenote.call.duration.users"], 19);
  EXPECT_DOUBLE_EQ (receiver.timings_ms["cenote.call.duration.users"], 4 * 1.5 + 13 * 2000 + 2 * 0.000077);
}

TEST_F (StatsdSinkTest, ManyDurationsAreFewLinesAndExact)
{
  const uint64_t many = 5 * (UINT64_C (1) << 20) + 1234567;

  ASSERT_TRUE (create ()) << sink.fault;
  sink.metrics = { SinkMetric::durations ("cenote.call.duration", users, { { 1000000, many } }) };
  poll ();
  EXPECT_EQ (receiver.timings["cenote.call.duration.users"], static_cast<double> (many));
  EXPECT_LT (receiver.lines.size (), 30u);
}

/* ------------------------------------------------------------------- names */

TEST_F (StatsdSinkTest, NamesAreOfCharactersThatADaemonTakes)
{
  ASSERT_TRUE (create ({ "prefix=prod.app" })) << sink.fault;
  sink.metrics = { SinkMetric::counter ("cenote.calls", { { "pool.name", "a.b:c|d@é" }, { "status", "OK" } }, 1) };
  poll ();
  EXPECT_EQ (receiver.lines, std::vector<std::string>{ "prod.app.cenote.calls.a_b_c_d___.OK:1|c" });
}

TEST_F (StatsdSinkTest, PoolsThatAreSpelledAlikeAddUp)
{
  ASSERT_TRUE (create ()) << sink.fault;
  sink.metrics = { SinkMetric::counter ("cenote.gets", { { "pool.name", "a.b" } }, 5),
                   SinkMetric::counter ("cenote.gets", { { "pool.name", "a_b" } }, 3) };
  poll ();
  sink.metrics[0].value = 6;
  poll ();
  EXPECT_EQ (receiver.counts["cenote.gets.a_b"], 9);
}

TEST_F (StatsdSinkTest, LabelsMayBeTags)
{
  ASSERT_TRUE (create ({ "tags=dogstatsd", "prefix=app." })) << sink.fault;
  sink.metrics = { SinkMetric::gauge ("cenote.channel.count", { { "pool.name", "us,ers" }, { "state", "ready" } }, 4),
                   SinkMetric::counter ("cenote.telemetry.dropped", {}, 2),
                   SinkMetric::durations ("cenote.get_time", users, { { 1000000, 4 } }) };
  poll ();
  EXPECT_EQ (receiver.lines, (std::vector<std::string>{ "app.cenote.channel.count:4|g|#pool.name:us_ers,state:ready",
                                                        "app.cenote.telemetry.dropped:2|c",
                                                        "app.cenote.get_time:1|ms|@0.25|#pool.name:users" }));
}

/* ----------------------------------------------------------------- packets */

TEST_F (StatsdSinkTest, PacketsAreNoLargerThanTheyMay)
{
  for (const char *max : { "64B", "1432B", "65507B" }) {
    ASSERT_TRUE (create ({ std::string ("max-packet=") + max })) << sink.fault;
    sink.metrics.clear ();
    for (int pool = 0; pool < 200; pool++)
      sink.metrics.push_back (SinkMetric::counter ("cenote.gets", { { "pool.name", "pool-" + std::to_string (pool) } }, 1));
    receiver.largest = 0;
    receiver.counts.clear ();
    poll ();
    EXPECT_EQ (receiver.counts.size (), 200u);
    EXPECT_LE (receiver.largest, static_cast<size_t> (g_ascii_strtoull (max, nullptr, 10)));
    EXPECT_GT (receiver.largest, 40u);
  }
}

TEST_F (StatsdSinkTest, ALineThatFitsNoPacketHasItsOwn)
{
  std::string name (200, 'x');

  ASSERT_TRUE (create ({ "max-packet=64B" })) << sink.fault;
  sink.metrics = { SinkMetric::counter ("cenote.gets", { { "pool.name", name } }, 1), SinkMetric::counter ("cenote.panics", users, 2) };
  poll ();
  EXPECT_EQ (receiver.counts["cenote.gets." + name], 1);
  EXPECT_EQ (receiver.counts["cenote.panics.users"], 2);
}

/* -------------------------------------------------------------------- time */

TEST_F (StatsdSinkTest, SendsAtItsIntervalAndAtTheEnd)
{
  ASSERT_TRUE (create ({ "interval=30s" })) << sink.fault;
  EXPECT_EQ (sink.interest (), 0u) << "no event is made for it";
  sink.metrics = { SinkMetric::counter ("cenote.gets", users, 1) };
  EXPECT_EQ (sink.poll (), sink.now_us + 30 * 1000000);
  sink.now_us += 1000;
  sink.metrics[0].value = 2;
  EXPECT_EQ (sink.poll (), sink.now_us + 30 * 1000000 - 1000) << "not yet";
  receiver.receive ();
  EXPECT_EQ (receiver.counts["cenote.gets.users"], 1);
  sink.poll (CENOTE_POLL_LAST);
  receiver.receive ();
  EXPECT_EQ (receiver.counts["cenote.gets.users"], 2);
  sink.metrics[0].value = 3;
  sink.destroy ();
  receiver.receive ();
  EXPECT_EQ (receiver.counts["cenote.gets.users"], 3) << "what came while the runtime stopped";
}

/* -------------------------------------------------------------------- loss */

TEST_F (StatsdSinkTest, ADaemonThatWasAwayMissesNothing)
{
  unsigned port;
  {
    StatsdReceiver first;
    port = first.port ();
  }
  ASSERT_TRUE (sink.create ({ "address=127.0.0.1:" + std::to_string (port) })) << sink.fault;
  sink.metrics = { SinkMetric::counter ("cenote.gets", users, 5), SinkMetric::counter ("cenote.panics", users, 1),
                   SinkMetric::durations ("cenote.get_time", users, { { 1000, 3 } }) };
  for (int round = 0; round < 4; round++) {
    sink.metrics[0].value += 10;
    sink.metrics[2].buckets[0].second++;
    poll ();
  }
  ASSERT_EQ (sink.logged.size (), 1u) << "once a minute at most";
  EXPECT_EQ (sink.logged[0], "address: '127.0.0.1:" + std::to_string (port) + "': Connection refused (1 so far)");

  StatsdReceiver back (port);
  ASSERT_TRUE (back.is_there ());
  for (int round = 0; round < 2; round++) {
    poll ();
    back.receive ();
  }
  EXPECT_EQ (back.counts["cenote.gets.users"], 45);
  EXPECT_EQ (back.counts["cenote.panics.users"], 1);
  EXPECT_EQ (back.timings["cenote.get_time.users"], 7);
}

/* Its queue takes a few datagrams (net.unix.max_dgram_qlen): the rest is sent soon, not with the next interval. */
TEST_F (StatsdSinkTest, ADaemonThatIsSlowGetsTheRestSoon)
{
  Directory directory;
  StatsdReceiver slow (directory.file ("statsd.sock"));

  ASSERT_TRUE (slow.is_there ());
  ASSERT_TRUE (sink.create ({ "address=" + slow.address (), "max-packet=64B" })) << sink.fault;
  for (int pool = 0; pool < 1000; pool++)
    sink.metrics.push_back (SinkMetric::counter ("cenote.gets", { { "pool.name", std::to_string (pool) } }, pool));
  EXPECT_EQ (sink.poll (), sink.now_us + 100000) << "again in 100 ms";
  for (int round = 0; round < 10000 && slow.counts.size () < 1000; round++) {
    slow.receive ();
    sink.now_us += 100000;
    sink.poll ();
  }
  for (int pool = 0; pool < 1000; pool++)
    ASSERT_EQ (slow.counts["cenote.gets." + std::to_string (pool)], pool);
  EXPECT_TRUE (sink.logged.empty ()) << sink.logged[0];
}

TEST_F (StatsdSinkTest, AUnixSocketThatIsMadeAnewIsFound)
{
  Directory directory;
  std::string path = directory.file ("statsd.sock");

  ASSERT_TRUE (sink.create ({ "address=unix://" + path })) << sink.fault;
  sink.metrics = { SinkMetric::counter ("cenote.gets", users, 1) };
  poll ();
  ASSERT_EQ (sink.logged.size (), 1u);
  EXPECT_EQ (sink.logged[0], "address: 'unix://" + path + "': No such file or directory (1 so far)");
  double total = 0;
  for (int life = 0; life < 3; life++) {
    StatsdReceiver daemon (path);

    ASSERT_TRUE (daemon.is_there ());
    poll ();
    daemon.receive ();
    total += daemon.counts["cenote.gets.users"];
    sink.metrics[0].value += 5;
  }
  EXPECT_EQ (total, 11);
}

/* --------------------------------------------------------------- addresses */

TEST_F (StatsdSinkTest, AnAddressMayBeOfIpv6)
{
  StatsdReceiver six (0, AF_INET6);

  if (!six.is_there ())
    GTEST_SKIP () << "no IPv6 here";
  ASSERT_TRUE (sink.create ({ "address=" + six.address () })) << sink.fault;
  sink.metrics = { SinkMetric::counter ("cenote.gets", users, 1) };
  poll ();
  six.receive ();
  EXPECT_EQ (six.counts["cenote.gets.users"], 1);
}

TEST_F (StatsdSinkTest, ANameIsLookedUpBesideEverything)
{
  ASSERT_TRUE (sink.create ({ "address=localhost:" + std::to_string (receiver.port ()) })) << sink.fault;
  sink.metrics = { SinkMetric::counter ("cenote.gets", users, 3) };
  EXPECT_TRUE (receiver.await ([&] {
    sink.now_us += 100000;
    sink.poll ();
    return !sink.logged.empty () || receiver.counts["cenote.gets.users"] == 3;
  }));
}

TEST_F (StatsdSinkTest, ANameWithoutAnAddressIsToldAndHarmsNothing)
{
  ASSERT_TRUE (sink.create ({ "address=no-such-host.invalid" })) << sink.fault;
  sink.metrics = { SinkMetric::counter ("cenote.gets", users, 3) };
  gint64 until_us = g_get_monotonic_time () + 60 * G_USEC_PER_SEC;
  while (sink.logged.empty () && g_get_monotonic_time () < until_us) {
    sink.now_us += 100000;
    sink.poll ();
    std::this_thread::yield ();
  }
  ASSERT_EQ (sink.logged.size (), 1u);
  EXPECT_EQ (sink.logged[0].find ("address: 'no-such-host.invalid': 'no-such-host.invalid' has no address: "), 0u)
    << sink.logged[0];
}

TEST_F (StatsdSinkTest, RefusesWhatIsNoAddress)
{
  const std::string forms = " (HOST:PORT, [IPV6]:PORT or unix:///PATH)";

  for (const auto &[text, what] : std::initializer_list<std::pair<std::string, std::string>>{
         { "", "has no host" },
         { ":8125", "has no host" },
         { "host:", "has no port from 1 to 65535" },
         { "host:0", "has no port from 1 to 65535" },
         { "host:65536", "has no port from 1 to 65535" },
         { "host:x", "has no port from 1 to 65535" },
         { "host:\v1", "has no port from 1 to 65535" },
         { "::1", "has an IPv6 address without its brackets" },
         { "[::1", "has an IPv6 address without its brackets" },
         { "[::1]8125", "has an IPv6 address without its brackets" },
         { "[host]:8125", "has brackets without an IPv6 address" },
         { "[:x:]:8125", "has no IPv6 address in its brackets" },
         { "udp://host:8125", "has a scheme that is not unix" },
         { "unix://relative", "has no absolute path" },
         { "unix:/path", "has no absolute path" },
         { "unix:///" + std::string (108, 'x'), "has a longer path than a socket's can be" } }) {
    EXPECT_FALSE (sink.create ({ "address=" + text })) << text;
    EXPECT_EQ (sink.fault, "address: '" + text + "' " + what + forms);
  }
}

TEST_F (StatsdSinkTest, RefusesAPrefixThatNoNameHas)
{
  EXPECT_FALSE (create ({ "prefix=a:b" }));
  EXPECT_EQ (sink.fault, "prefix: 'a:b' has other characters than letters, digits, _, - and .");
}

} // namespace
