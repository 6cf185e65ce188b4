/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/prometheus: what it writes: metrics in both formats, bounds, history and errors of the page. */
#include <gtest/gtest.h>

#include "metrics.h"

extern "C" {
#include "plugins/telemetry/bounds.h"
#include "plugins/telemetry/prometheus-errors.h"
#include "plugins/telemetry/prometheus-exposition.h"
#include "plugins/telemetry/prometheus-history.h"
}

namespace {

using Metrics = std::vector<Metric>;

std::string
text_of (GBytes *bytes)
{
  gsize size;
  const char *data = static_cast<const char *> (g_bytes_get_data (bytes, &size));
  std::string text (data, size);

  g_bytes_unref (bytes);
  return text;
}

std::string
exposed (const Metrics &metrics, Format format = FORMAT_TEXT, std::vector<const char *> list = { "1ms", "1s" })
{
  Bounds bounds;
  Exposition exposition;

  list.push_back (nullptr);
  EXPECT_EQ (bounds_read (list.data (), &bounds), nullptr);
  exposition_init (&exposition, format, &bounds);
  for (const Metric &metric : metrics)
    metric.read (exposition_add, &exposition);
  return text_of (exposition_end (&exposition));
}

/* -------------------------------------------------------------- exposition */

TEST (PrometheusText, ACounterEndsInTotal)
{
  EXPECT_EQ (exposed ({ counter ("cenote.acquire.timeouts", { { "pool.name", "users" } }, 3) }),
             "# HELP cenote_acquire_timeouts_total What it says, \\\\ and more.\n"
             "# TYPE cenote_acquire_timeouts_total counter\n"
             "cenote_acquire_timeouts_total{pool_name=\"users\"} 3\n");
}

TEST (PrometheusText, OpenMetricsNamesTheFamilyWithoutTotalAndSaysWhereItEnds)
{
  EXPECT_EQ (exposed ({ counter ("cenote.gets", {}, 3) }, FORMAT_OPENMETRICS),
             "# HELP cenote_gets What it says, \\\\ and more.\n"
             "# TYPE cenote_gets counter\n"
             "cenote_gets_total 3\n"
             "# EOF\n");
}

TEST (PrometheusText, AFamilyHasItsHeadOnce)
{
  std::string text = exposed ({ gauge ("cenote.channel.in_flight", { { "pool.name", "a" } }, 1),
                                gauge ("cenote.channel.in_flight", { { "pool.name", "b" } }, -2),
                                gauge ("cenote.channel.max", { { "pool.name", "a" } }, 9) });

  EXPECT_EQ (text, "# HELP cenote_channel_in_flight What it says, \\\\ and more.\n"
                   "# TYPE cenote_channel_in_flight gauge\n"
                   "cenote_channel_in_flight{pool_name=\"a\"} 1\n"
                   "cenote_channel_in_flight{pool_name=\"b\"} -2\n"
                   "# HELP cenote_channel_max What it says, \\\\ and more.\n"
                   "# TYPE cenote_channel_max gauge\n"
                   "cenote_channel_max{pool_name=\"a\"} 9\n");
}

TEST (PrometheusText, AGaugeOfACountIsAPlural)
{
  std::string text = exposed ({ gauge ("cenote.channel.count", { { "pool.name", "a" }, { "state", "ready" } }, 5) });

  EXPECT_NE (text.find ("\ncenote_channels{pool_name=\"a\",state=\"ready\"} 5\n"), std::string::npos) << text;
}

TEST (PrometheusText, LabelsAreEscaped)
{
  std::string text = exposed ({ counter ("x", { { "grpc.disconnect_error", "a\"b\\c\nd\xc3\xa9\xff" } }, 1) });

  EXPECT_NE (text.find ("\nx_total{grpc_disconnect_error=\"a\\\"b\\\\c\\ndé\xef\xbf\xbd\"} 1\n"), std::string::npos) << text;
}

TEST (PrometheusText, AHistogramIsCumulativeAndInSeconds)
{
  Metric waits = Metric::histogram ("cenote.acquire.wait_time", { { "pool.name", "a" } },
                                    { { 500000, 2 }, { 1000000, 1 }, { 1000001, 4 }, { G_GINT64_CONSTANT (3000000000), 1 } });

  EXPECT_EQ (exposed ({ waits }),
             "# HELP cenote_acquire_wait_time_seconds What it says, \\\\ and more.\n"
             "# TYPE cenote_acquire_wait_time_seconds histogram\n"
             "cenote_acquire_wait_time_seconds_bucket{pool_name=\"a\",le=\"0.001\"} 3\n"
             "cenote_acquire_wait_time_seconds_bucket{pool_name=\"a\",le=\"1\"} 7\n"
             "cenote_acquire_wait_time_seconds_bucket{pool_name=\"a\",le=\"+Inf\"} 8\n"
             "cenote_acquire_wait_time_seconds_sum{pool_name=\"a\"} 3.006000004\n"
             "cenote_acquire_wait_time_seconds_count{pool_name=\"a\"} 8\n");
}

TEST (PrometheusText, OpenMetricsSaysUnitsAndCanonicalBounds)
{
  std::string text = exposed ({ Metric::histogram ("cenote.get_time", {}, {}) }, FORMAT_OPENMETRICS);

  EXPECT_NE (text.find ("# TYPE cenote_get_time_seconds histogram\n# UNIT cenote_get_time_seconds seconds\n"
                        "cenote_get_time_seconds_bucket{le=\"0.001\"} 0\n"
                        "cenote_get_time_seconds_bucket{le=\"1.0\"} 0\n"
                        "cenote_get_time_seconds_bucket{le=\"+Inf\"} 0\n"
                        "cenote_get_time_seconds_sum 0\n"
                        "cenote_get_time_seconds_count 0\n# EOF\n"),
             std::string::npos)
    << text;
}

TEST (PrometheusText, AKindThatIsNewerThanItIsLeftOut)
{
  EXPECT_EQ (exposed ({ Metric (77, "x", {}, 1) }), "");
}

/* ------------------------------------------------------------------ bounds */

std::string
wrong_bounds_with (std::vector<const char *> list)
{
  Bounds bounds;

  list.push_back (nullptr);
  g_autofree char *wrong = bounds_read (list.data (), &bounds);
  return wrong == nullptr ? "" : wrong;
}

TEST (PrometheusBounds, AreDurations)
{
  const char *list[] = { "1ns", "2.5us", "1ms", "0.5s", "2s", "1min", "1h", nullptr };
  Bounds bounds;

  ASSERT_EQ (bounds_read (list, &bounds), nullptr);
  EXPECT_EQ (std::vector<gint64> (bounds.ns, bounds.ns + bounds.n),
             (std::vector<gint64>{ 1, 2500, 1000000, 500000000, G_GINT64_CONSTANT (2000000000),
                                   G_GINT64_CONSTANT (60000000000), G_GINT64_CONSTANT (3600000000000) }));
}

TEST (PrometheusBounds, SayWhatIsWrongAndWhatWouldBeRight)
{
  for (const char *text : { "", "1", "ms", "1 ms", "-1ms", "1.2.3ms", ".ms", "1d", "0s", "1e9h", "99999999h", "nanms" })
    EXPECT_EQ (wrong_bounds_with ({ text }), std::string ("buckets: '") + text +
                                        "' is no duration (a number and ns, us, ms, s, min or h: 2.5ms)");
  EXPECT_EQ (wrong_bounds_with ({ "1ms", "5ms", "5ms" }),
             "buckets: '5ms' is not above the one before it (durations ascend: 1ms;5ms;25ms)");
  std::vector<std::string> many;
  std::vector<const char *> list;
  for (int i = 1; i <= 65; i++)
    many.push_back (std::to_string (i) + "ms");
  for (const std::string &text : many)
    list.push_back (text.c_str ());
  EXPECT_EQ (wrong_bounds_with (list), "buckets: there are more than 64 (at most 64 durations, ascending)");
  list.pop_back ();
  EXPECT_EQ (wrong_bounds_with (list), "");
}

/* ----------------------------------------------------------------- history */

class PrometheusHistory : public ::testing::Test {
protected:
  void TearDown () override { history_free (history); }

  void
  sample (gint64 now_us, const Metrics &metrics)
  {
    history_begin (history, now_us);
    for (const Metric &metric : metrics)
      metric.read (history_add, history);
    history_end (history);
  }

  std::string
  json (guint64 since = 0)
  {
    GString *out = g_string_new (nullptr);

    history_append_json (history, since, out);
    return text_of (g_string_free_to_bytes (out));
  }

  /* The numbers of SERIES of POOL. */
  std::string
  series (const std::string &name, guint64 since = 0)
  {
    std::string text = json (since), head = "\"" + name + "\":[";
    size_t at = text.find (head);

    return at == std::string::npos ? "none" : text.substr (at + head.size (), text.find (']', at) - at - head.size ());
  }

  static Metrics
  gets (int64_t n)
  {
    return { counter ("cenote.gets", { { "pool.name", "a" } }, n) };
  }

  History *history = history_new (3);
};

TEST_F (PrometheusHistory, IsEmptyAtFirst)
{
  EXPECT_EQ (json (), "\"last\":0,\"keep\":3,\"at_ms\":[],\"series\":{}");
}

TEST_F (PrometheusHistory, CountersBecomeWhatWasAdded)
{
  sample (1000000, gets (7));
  sample (2000000, gets (7));
  sample (3500000, gets (17));
  EXPECT_EQ (series ("gets"), "null,0,10");
  EXPECT_EQ (series ("at_ms"), "1000,2000,3500");
  EXPECT_EQ (series ("calls"), "null,null,null");
}

TEST_F (PrometheusHistory, KeepsItsLastSamplesAndTellsThoseThatAReaderHasNot)
{
  for (int i = 1; i <= 5; i++)
    sample (i * 1000000, gets (i * i));
  EXPECT_EQ (series ("gets"), "5,7,9");
  EXPECT_EQ (series ("gets", 3), "7,9");
  EXPECT_EQ (series ("gets", 4), "9");
  EXPECT_EQ (series ("gets", 5), "");
  EXPECT_EQ (series ("gets", 1000), "5,7,9") << "of another process";
  EXPECT_EQ (series ("gets", G_MAXUINT64), "5,7,9");
}

TEST_F (PrometheusHistory, APoolMayComeAndGo)
{
  sample (1000000, gets (1));
  sample (2000000, { counter ("cenote.gets", { { "pool.name", "b" } }, 1) });
  sample (3000000, gets (4));
  sample (4000000, gets (6));
  EXPECT_EQ (series ("gets"), "null,null,2");
  EXPECT_NE (json ().find ("\"b\":{\"gets\":[null,null,null]"), std::string::npos) << json ();
}

TEST_F (PrometheusHistory, CallsAreGoodOrFailed)
{
  auto calls = [] (int64_t good, int64_t lost, int64_t refused) -> Metrics {
    return { counter ("cenote.calls", { { "pool.name", "a" }, { "status", "OK" } }, good),
             counter ("cenote.calls", { { "pool.name", "a" }, { "status", "UNAVAILABLE" } }, lost),
             counter ("cenote.gets_refused", { { "pool.name", "a" } }, refused) };
  };

  sample (1000000, calls (10, 1, 0));
  sample (2000000, calls (13, 2, 4));
  EXPECT_EQ (series ("calls"), "null,3");
  EXPECT_EQ (series ("failed"), "null,5");
}

TEST_F (PrometheusHistory, QuantilesAreOfWhatIsNew)
{
  Metric calls = Metric::histogram ("cenote.call.duration", { { "pool.name", "a" } }, { { 100, 100 } });

  sample (1000000, { calls });
  calls.set ({ { 50, 98 }, { 100, 100 }, { 900, 2 } });
  sample (2000000, { calls });
  sample (3000000, { calls });
  EXPECT_EQ (series ("call_p50_ns"), "100,50,null");
  EXPECT_EQ (series ("call_p99_ns"), "100,900,null");
  EXPECT_EQ (series ("lease_p50_ns"), "null,null,null");
}

TEST_F (PrometheusHistory, GaugesAreAsTheyAre)
{
  sample (1000000, { gauge ("cenote.channel.in_flight", { { "pool.name", "a" } }, 4),
                     gauge ("cenote.pending_requests", { { "pool.name", "a" } }, 2),
                     gauge ("cenote.channel.count", { { "pool.name", "a" }, { "state", "ready" } }, 5),
                     gauge ("cenote.channel.count", { { "pool.name", "a" }, { "state", "idle" } }, 1) });
  EXPECT_EQ (series ("in_flight"), "4");
  EXPECT_EQ (series ("waiting"), "2");
  EXPECT_EQ (series ("ready"), "5");
}

TEST_F (PrometheusHistory, NamesAreEscaped)
{
  sample (1000000, { counter ("cenote.gets", { { "pool.name", "a\"\\\n\x01\xff" } }, 1) });
  EXPECT_NE (json ().find ("{\"a\\\"\\\\\\n\\u0001\xef\xbf\xbd\":{"), std::string::npos) << json ();
}

/* ------------------------------------------------------------------ errors */

class PrometheusErrors : public ::testing::Test {
protected:
  void TearDown () override { errors_free (errors); }

  void
  take (CenoteEventKind kind, const char *address, const char *error, int64_t ok = -1, const char *pool = "users")
  {
    CenoteEvent event = CENOTE_EVENT_INIT (kind);

    event.pool = pool;
    event.address = address;
    event.error = error;
    event.ok = ok;
    event.failed = 0;
    event.wall_us = ++n * 1000;
    errors_take (errors, &event);
  }

  std::string
  json ()
  {
    GString *out = g_string_new (nullptr);

    errors_append_json (errors, out);
    return text_of (g_string_free_to_bytes (out));
  }

  Errors *errors = errors_new ();
  gint64 n = 0;
};

TEST_F (PrometheusErrors, KeepBadNewsAlone)
{
  take (CENOTE_EVENT_CHANNEL_CONNECTED, "a", nullptr);
  take (CENOTE_EVENT_CHANNEL_PING, "a", nullptr, 1);
  take (CENOTE_EVENT_POOL_SCALE_UP, "a", nullptr, 1);
  EXPECT_EQ (json (), "[]");
  take (CENOTE_EVENT_CHANNEL_PING, "a", "no answer", 0);
  EXPECT_EQ (json (), "[{\"at_ms\":4,\"count\":1,\"kind\":\"channel.ping\",\"pool\":\"users\","
                      "\"text\":\"a channel to a did not answer a ping: no answer\"}]");
}

TEST_F (PrometheusErrors, CountWhatComesAgain)
{
  take (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED, "a", "refused");
  take (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED, "b", "refused");
  take (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED, "a", "timed out");
  EXPECT_EQ (json (), "[{\"at_ms\":3,\"count\":2,\"kind\":\"channel.connection_failed\",\"pool\":\"users\","
                      "\"text\":\"a channel to a did not connect: timed out\"},"
                      "{\"at_ms\":2,\"count\":1,\"kind\":\"channel.connection_failed\",\"pool\":\"users\","
                      "\"text\":\"a channel to b did not connect: refused\"}]");
}

TEST_F (PrometheusErrors, KeepTheLast40)
{
  for (int i = 0; i < 100; i++)
    take (CENOTE_EVENT_CHANNEL_DISCONNECTED, std::to_string (i).c_str (), "gone");
  std::string text = json ();
  EXPECT_EQ (std::count (text.begin (), text.end (), '{'), 40);
  EXPECT_NE (text.find ("to 99 "), std::string::npos);
  EXPECT_EQ (text.find ("to 59 "), std::string::npos);
}

TEST_F (PrometheusErrors, TakeAnEventWithNothingInIt)
{
  take (CENOTE_EVENT_PLUGIN_FAILED, nullptr, nullptr, -1, nullptr);
  EXPECT_NE (json ().find ("\"pool\":null"), std::string::npos) << json ();
}

}  // namespace
