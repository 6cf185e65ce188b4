/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/log, as the built plugin: which events become records, and what stands in them. */
#include <cenote/event-text.h>
#include <cenote/plugin.h>
#include <dlfcn.h>
#include <glib.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <set>
#include <string>
#include <vector>

#include "log-capture.h"

/* The host's own; here the reason itself. */
struct CenoteFault {
  std::string text;
};

namespace {

const CenotePlugin *
load ()
{
  const char *directory = g_getenv ("CENOTE_PLUGIN_PATH");
  g_autofree char *path = g_build_filename (directory ? directory : "plugins/.libs", "telemetry-log.so", nullptr);
  void *module = dlopen (path, RTLD_NOW | RTLD_LOCAL);

  if (module == nullptr) {
    ADD_FAILURE () << dlerror ();
    return nullptr;
  }
  auto query = reinterpret_cast<CenotePluginQuery> (dlsym (module, CENOTE_PLUGIN_QUERY_SYMBOL));
  return query ((CENOTE_ABI_MAJOR << 16) | CENOTE_ABI_MINOR);
}

void
fail (const CenoteHost *, CenoteFault *fault, const char *text)
{
  fault->text = text;
}

class LogSinkTest : public ::testing::Test {
protected:
  void
  SetUp () override
  {
    plugin = load ();
    ASSERT_NE (plugin, nullptr);
    ops = static_cast<const CenoteTelemetryOps *> (plugin->ops);
    host.struct_size = sizeof host;
    host.fail = fail;
  }

  void
  TearDown () override
  {
    if (state != nullptr)
      ops->destroy (state);
  }

  /* LEVEL: the index of its word.  No EVENTS: not given. */
  void *
  create (int level = 1, std::initializer_list<const char *> events = {})
  {
    std::vector<const char *> list (events);
    CenoteValue values[2] = {};
    CenoteOptions options = { sizeof options, 2, sizeof (CenoteValue), 0, values, "log" };

    list.push_back (nullptr);
    values[0].is_set = true;
    values[0].number = level;
    values[1].is_set = events.size () > 0;
    values[1].list = list.data ();
    values[1].number = (int64_t) events.size ();
    return state = ops->create (&host, &options, &fault);
  }

  void
  hand (uint32_t kind, int64_t ok = -1)
  {
    CenoteEvent event = CENOTE_EVENT_INIT (kind);
    event.pool = "users";
    event.ok = ok;
    ops->handle (state, &event);
  }

  /* Names of the kinds that become records. */
  std::set<std::string>
  logged (int64_t ok = -1)
  {
    std::set<std::string> names;
    LogCapture log;

    for (uint32_t kind = 0; kind < CENOTE_N_EVENTS; kind++)
      hand (kind, ok);
    for (const LogRecord &record : log.records ())
      names.insert (record.field ("CENOTE_EVENT"));
    return names;
  }

  const CenotePlugin *plugin = nullptr;
  const CenoteTelemetryOps *ops = nullptr;
  CenoteHost host = {};
  CenoteFault fault;
  void *state = nullptr;
};

TEST_F (LogSinkTest, SaysWhatItIs)
{
  EXPECT_EQ (plugin->magic, CENOTE_PLUGIN_MAGIC);
  EXPECT_EQ (plugin->kind, (uint32_t) CENOTE_PLUGIN_TELEMETRY);
  EXPECT_STREQ (plugin->name, "log");
  EXPECT_EQ (plugin->n_options, 2u);
  EXPECT_STREQ (plugin->options[0].name, "level");
  EXPECT_STREQ (plugin->options[0].default_text, "info");
  EXPECT_STREQ (plugin->options[1].name, "events");
  EXPECT_EQ (ops->mask, CENOTE_EVENT_MASK_ALL);
}

TEST_F (LogSinkTest, ARecordHasALineAndAFieldForEachValue)
{
  LogCapture log;
  CenoteEvent event = CENOTE_EVENT_INIT (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED);

  ASSERT_NE (create (), nullptr);
  event.pool = "users";
  event.channel = 3;
  event.address = "dns:///users:443";
  event.error = "Connection refused";
  event.reason = "dial";
  event.attempt = 2;
  event.duration_ns = 1500000;
  event.time_us = 77;
  ops->handle (state, &event);

  ASSERT_EQ (log.records ().size (), 1u);
  LogRecord record = log.records ()[0];
  EXPECT_EQ (record.message (),
             "users: channel 3 to dns:///users:443 did not connect (attempt 2) in 1.5 ms: Connection refused");
  EXPECT_EQ (record.field ("GLIB_DOMAIN"), "Cenote");
  EXPECT_EQ (record.field ("PRIORITY"), "4");
  EXPECT_EQ (record.level, G_LOG_LEVEL_WARNING);
  EXPECT_EQ (record.field ("CENOTE_EVENT"), "channel.connection_failed");
  EXPECT_EQ (record.field ("CENOTE_POOL"), "users");
  EXPECT_EQ (record.field ("CENOTE_CHANNEL"), "3");
  EXPECT_EQ (record.field ("CENOTE_ADDRESS"), "dns:///users:443");
  EXPECT_EQ (record.field ("CENOTE_REASON"), "dial");
  EXPECT_EQ (record.field ("CENOTE_ERROR"), "Connection refused");
  EXPECT_EQ (record.field ("CENOTE_DURATION_NS"), "1500000");
  EXPECT_EQ (record.field ("CENOTE_ATTEMPT"), "2");
  EXPECT_EQ (record.field ("CENOTE_TIME_US"), "77");
  EXPECT_EQ (record.fields.count ("CENOTE_DELAY_MS"), 0u) << "absent values have no field";
  EXPECT_EQ (record.fields.count ("CENOTE_OK"), 0u);
}

TEST_F (LogSinkTest, ARecordHoldsEveryFieldAtOnce)
{
  LogCapture log;
  CenoteEvent event = CENOTE_EVENT_INIT (CENOTE_EVENT_POOL_INIT);

  ASSERT_NE (create (), nullptr);
  event.pool = event.address = event.reason = event.error = "x";
  event.channel = UINT64_C (1) << 62;
  for (int64_t *number = &event.duration_ns; number <= &event.ok; number++)
    *number = INT64_MIN;
  event.time_us = INT64_MAX;
  ops->handle (state, &event);
  ASSERT_EQ (log.records ().size (), 1u);
  EXPECT_EQ (log.records ()[0].fields.size (), 3u + 20u);
  EXPECT_EQ (log.records ()[0].field ("CENOTE_OK"), "-9223372036854775808");
  EXPECT_EQ (log.records ()[0].field ("CENOTE_TIME_US"), "9223372036854775807");
}

TEST_F (LogSinkTest, ByDefaultGoodNewsIsAMessageAndBadNewsAWarning)
{
  LogCapture log;

  ASSERT_NE (create (), nullptr);
  hand (CENOTE_EVENT_CHANNEL_CONNECTED);
  hand (CENOTE_EVENT_CHANNEL_DISCONNECTED);
  hand (CENOTE_EVENT_POOL_RELOAD, 1);
  hand (CENOTE_EVENT_POOL_RELOAD, 0);
  std::vector<GLogLevelFlags> levels;
  for (const LogRecord &record : log.records ())
    levels.push_back (record.level);
  EXPECT_EQ (levels, (std::vector<GLogLevelFlags>{ G_LOG_LEVEL_MESSAGE, G_LOG_LEVEL_WARNING, G_LOG_LEVEL_MESSAGE,
                                                   G_LOG_LEVEL_WARNING }));
}

TEST_F (LogSinkTest, LevelInfoLeavesOutDetail)
{
  ASSERT_NE (create (1), nullptr);
  auto names = logged (1);
  EXPECT_EQ (names.count ("channel.connected"), 1u);
  EXPECT_EQ (names.count ("pool.init"), 1u);
  EXPECT_EQ (names.count ("channel.state"), 0u);
  EXPECT_EQ (names.count ("channel.get"), 0u);
  EXPECT_EQ (names.count ("channel.ping"), 0u);
}

TEST_F (LogSinkTest, LevelWarningLogsWhatWentWrong)
{
  ASSERT_NE (create (2), nullptr);
  EXPECT_EQ (logged (0),
             (std::set<std::string>{ "channel.connection_failed", "channel.disconnected", "channel.ejected", "channel.health",
                                     "channel.ping", "lease.leak", "plugin.failed", "pool.reload", "telemetry.dropped" }));
}

TEST_F (LogSinkTest, LevelDebugLogsAllButTheFrequentOnes)
{
  ASSERT_NE (create (0), nullptr);
  auto names = logged ();
  EXPECT_EQ (names.size (), (size_t) CENOTE_N_EVENTS - 4);
  for (const char *frequent : { "channel.get", "pool.get_channel", "connector.dial", "pool.status" })
    EXPECT_EQ (names.count (frequent), 0u) << frequent;
}

TEST_F (LogSinkTest, EventsAreThoseThatAreNamed)
{
  ASSERT_NE (create (0, { "pool.status", "channel.get" }), nullptr);
  EXPECT_EQ (logged (), (std::set<std::string>{ "pool.status", "channel.get" }));
}

TEST_F (LogSinkTest, AllIsAll)
{
  ASSERT_NE (create (0, { "pool.status", "all" }), nullptr);
  EXPECT_EQ (logged ().size (), (size_t) CENOTE_N_EVENTS);
}

TEST_F (LogSinkTest, RefusesAnEventThatThereIsNot)
{
  EXPECT_EQ (create (1, { "pool.status", "channel.gets" }), nullptr);
  EXPECT_NE (fault.text.find ("events: 'channel.gets' is no event (all, channel.get, "), std::string::npos) << fault.text;
  EXPECT_NE (fault.text.find ("lease.leak)"), std::string::npos);
}

}  // namespace
