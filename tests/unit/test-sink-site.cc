/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sink-site: what a sink of a running runtime reads, from the telemetry thread and from a thread of
 * its own, and how that ends with the runtime.
 */
#include <cenote/cenote.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "metrics-reading.h"
#include "test-bus.h"

namespace {

/* The one sink `spy`: its state is this. */
struct Spy {
  const CenoteHost *host = nullptr;
  std::atomic<int> dones{ 0 }, begun{ 0 }, polls{ 0 }, lasts{ 0 };
  std::atomic<int> invalid{ 0 };          /* that ended as INVALID_ARGUMENT */
  std::atomic<bool> destroyed{ false }, late_done{ false }, stop{ false };
  std::string status_on_telemetry = "not asked";
  Gate polled;
  std::thread own;

  static Spy *now;

  static void
  done (void *data, int status, const char *message, const void *, size_t)
  {
    Spy *spy = static_cast<Spy *> (data);

    EXPECT_EQ (message == nullptr, status == 0);
    spy->late_done = spy->late_done || spy->destroyed;
    spy->invalid += status == 3;
    spy->dones++;
  }

  bool
  call (const char *pool, const char *method = "/a.B/C")
  {
    bool taken = host->call_async (host, pool, method, "x", 1, 10 * 1000 * 1000, done, this);

    begun += taken;
    return taken;
  }

  MetricsReading
  read ()
  {
    MetricsReading reading;

    host->read_metrics (host, MetricsReading::take, &reading);
    return reading;
  }

  std::string
  status ()
  {
    char *json = host->status_json (host);
    std::string text = json == nullptr ? "" : json;

    host->free_memory (host, json);
    return text;
  }
};

Spy *Spy::now;

void *
create (const CenoteHost *host, const CenoteOptions *, CenoteFault *)
{
  Spy::now->host = host;
  EXPECT_EQ (Spy::now->read ().at ("cenote.gets{pool.name=p}").value, 0) << "it may read from its create on";
  return Spy::now;
}

void
handle (void *, const CenoteEvent *)
{
}

int64_t
poll (void *state, int64_t now_us, uint32_t why)
{
  Spy *spy = static_cast<Spy *> (state);

  (why == CENOTE_POLL_LAST ? spy->lasts : spy->polls)++;
  spy->status_on_telemetry = spy->status ();
  spy->read ();
  EXPECT_TRUE (spy->call ("p")) << "its pools still take calls";
  spy->polled.open ();
  return now_us + 10 * 1000;
}

void
destroy (void *state)
{
  Spy *spy = static_cast<Spy *> (state);

  spy->stop = true;
  if (spy->own.joinable ())
    spy->own.join ();
  EXPECT_NE (spy->status ().find ("\"state\":\"stopped\""), std::string::npos) << "to the end of its destroy";
  EXPECT_FALSE (spy->call ("p")) << "the runtime has stopped";
  EXPECT_EQ (spy->read ().at ("cenote.channel.in_flight{pool.name=p}").value, 0);
  spy->destroyed = true;
}

const CenotePlugin *
spy_plugin ()
{
  static CenoteTelemetryOps ops = {};
  static CenotePlugin plugin = {};

  ops.struct_size = sizeof ops;
  ops.mask = CENOTE_EVENT_BIT (CENOTE_EVENT_POOL_INIT);
  ops.create = create;
  ops.handle = handle;
  ops.poll = poll;
  ops.destroy = destroy;
  plugin.magic = CENOTE_PLUGIN_MAGIC;
  plugin.abi_major = CENOTE_ABI_MAJOR;
  plugin.abi_minor = CENOTE_ABI_MINOR;
  plugin.struct_size = sizeof plugin;
  plugin.kind = CENOTE_PLUGIN_TELEMETRY;
  plugin.name = "spy";
  plugin.version = "1";
  plugin.summary = "Reads what a sink may";
  plugin.license = "Apache-2.0";
  plugin.ops = &ops;
  return &plugin;
}

class SinkSiteTest : public ::testing::Test
{
protected:
  void
  SetUp () override
  {
    g_autoptr (GError) error = nullptr;
    g_autoptr (CenoteRegistry) registry = cenote_registry_new ();
    g_autoptr (CenoteConfig) config = cenote_config_new_from_data (
      "[cenote]\ntelemetry=spy\n[pool:p]\ntransport=mock\ntarget=mock:a\nsize=2\n"
      "[pool:other]\ntransport=mock\ntarget=mock:b\nsize=1\ntelemetry=\n",
      -1, &error);

    Spy::now = &spy;
    ASSERT_TRUE (cenote_registry_add_static (registry, spy_plugin (), &error)) << error->message;
    runtime = cenote_runtime_new_full (config, registry, &error);
    ASSERT_NE (runtime, nullptr) << error->message;
    pool = cenote_runtime_get_pool (runtime, "p", nullptr);
    ASSERT_TRUE (cenote_pool_await_ready (pool, 60000, &error)) << error->message;
  }

  void
  TearDown () override
  {
    cenote_pool_unref (pool);
    cenote_runtime_unref (runtime);
    EXPECT_TRUE (spy.destroyed);
    EXPECT_FALSE (spy.late_done) << "each call ends before the sink's destroy";
    EXPECT_EQ (spy.dones, spy.begun) << "once each";
  }

  Spy spy;
  CenoteRuntime *runtime = nullptr;
  CenotePool *pool = nullptr;
};

TEST_F (SinkSiteTest, ReadsThePoolsThatNameIt)
{
  std::string status = spy.status ();
  MetricsReading reading = spy.read ();

  EXPECT_NE (status.find ("\"name\":\"p\""), std::string::npos) << status;
  EXPECT_EQ (status.find ("\"name\":\"other\""), std::string::npos) << status;
  EXPECT_EQ (reading.at ("cenote.channel.max{pool.name=p}").value, 2);
  EXPECT_EQ (reading.all.count ("cenote.channel.max{pool.name=other}"), 0u);
  EXPECT_EQ (reading.all.count ("cenote.telemetry.dropped"), 1u) << "the process's too";
}

TEST_F (SinkSiteTest, CallsOverAnyPoolAndIsToldTheEnd)
{
  EXPECT_FALSE (spy.call ("none"));
  EXPECT_TRUE (spy.call ("other", "no path"));
  while (spy.invalid == 0)
    std::this_thread::yield ();
  EXPECT_TRUE (spy.call ("other")) << "also one that does not name it; the mock transport carries none";
}

TEST_F (SinkSiteTest, IsPolledOnTheTelemetryThreadAndALastTime)
{
  spy.polled.pass ();
  cenote_runtime_stop (runtime);
  EXPECT_GE (spy.polls, 1);
  EXPECT_EQ (spy.lasts, 1);
  EXPECT_EQ (spy.status_on_telemetry, "") << "it would wait for the control thread";
}

/* Whatever it does there, from the start to its destroy, which joins it. */
TEST_F (SinkSiteTest, AThreadOfItsOwnReadsThroughTheStop)
{
  std::atomic<int> rounds{ 0 };

  spy.own = std::thread ([&] {
    do {
      EXPECT_NE (spy.status ().find ("\"pools\":["), std::string::npos);
      spy.read ();
      spy.call ("p");
      rounds++;
    } while (!spy.stop);
  });
  while (rounds < 3)
    std::this_thread::yield ();
  cenote_runtime_stop (runtime);
  EXPECT_GE (rounds, 3);
}

} // namespace
