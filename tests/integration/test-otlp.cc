/* SPDX-License-Identifier: Apache-2.0 */
/* The sink otlp of a real runtime, into a collector that reads with upstream's own definitions. */
#include <gmock/gmock.h>

#include "telemetry-deeds.h"
#include "tests/servers/otlp-collector.h"
#include "tests/unit/log-capture.h"

namespace {

using ::testing::MatchesRegex;

class Otlp : public ::testing::Test {
protected:
  void
  SetUp () override
  {
    if (OtlpCollector::missing () != nullptr)
      GTEST_SKIP () << OtlpCollector::missing ();
    collector_ = std::make_unique<OtlpCollector> ();
    ASSERT_NE (0u, collector_->port ());
  }

  /* The sink, and the pool that leads to the collector: which is told of as the others are. */
  std::string
  groups (const std::string &pool = "collector", const std::string &interval = "1s") const
  {
    return "[telemetry:otlp]\npool=" + pool + "\ninterval=" + interval + "\nservice-name=deeds\n" +
           "[pool:collector]\nprofile=local\ninitialization=manual\nstatus-interval=100ms\ntarget=ipv4:127.0.0.1:" +
           std::to_string (collector_->port ()) + "\n";
  }

  std::string
  keyfile (const std::string &groups) const
  {
    return "[cenote]\ntelemetry=otlp\n" + groups + "[pool:test]\nprofile=local\ninitialization=manual\n" +
           "status-interval=100ms\ntarget=ipv4:127.0.0.1:" + std::to_string (collector_->port ()) + "\n";
  }

  static void
  connect (CenoteRuntime *runtime)
  {
    g_autoptr (CenotePool) pool = cenote_runtime_get_pool (runtime, "collector", nullptr);
    g_autoptr (GError) error = nullptr;

    ASSERT_TRUE (cenote_pool_connect (pool, 60000, &error)) << error->message;
  }

  std::string
  sum (const Deed &deed)
  {
    std::string line = "sum " + deed.metric;

    for (const auto &[name, value] : deed.labels ())
      line += " " + name + "=" + value;
    return collector_->ask (line);
  }

  std::unique_ptr<OtlpCollector> collector_;
};

/* It is the only one: on a busy machine an export takes so long that the sink is set aside, and loses events. */
TEST_F (Otlp, TheLastExportSaysWhatWasDoneToTheUnit)
{
  const gint64 before_us = g_get_real_time ();
  TelemetryDeeds deeds ("otlp", groups ("collector", "24h"));

  connect (deeds.runtime ());
  ASSERT_TRUE (deeds.do_all ());
  deeds.stop ();
  for (const Deed &deed : deeds.done ())
    if (deed.is_metric ()) {
      EXPECT_EQ (sum (deed), std::to_string (deed.count)) << deed.words ();
    }
  EXPECT_EQ (collector_->ask ("strange"), "0") << "upstream knows every field";

  gint64 start_ns = 0, time_ns = 0;
  const std::string times = collector_->ask ("times cenote.gets");
  ASSERT_EQ (sscanf (times.c_str (), "%" G_GINT64_FORMAT " %" G_GINT64_FORMAT, &start_ns, &time_ns), 2) << times;
  /* Wall and monotonic time are read one after the other. */
  EXPECT_GE (start_ns, (before_us - G_USEC_PER_SEC) * 1000);
  EXPECT_LT (start_ns, time_ns);
  EXPECT_LE (time_ns, (g_get_real_time () + G_USEC_PER_SEC) * 1000);
  EXPECT_EQ (collector_->ask ("form cenote.gets"), "sum cumulative monotonic");
  EXPECT_EQ (collector_->ask ("form cenote.channel.count"), "gauge");
  EXPECT_EQ (collector_->ask ("form cenote.call.duration"), "histogram cumulative s");
  EXPECT_EQ (collector_->ask ("resource service.name"), "deeds");
  EXPECT_THAT (collector_->ask ("resource service.instance.id"), MatchesRegex ("[0-9a-f-]{36}"));
}

TEST_F (Otlp, ThePoolThatExportsIsToldOfToo)
{
  Client client (keyfile (groups ()), 0);

  connect (client.runtime);
  ASSERT_TRUE (collector_->await_more (2));
  cenote_runtime_stop (client.runtime);
  const int64_t exports = collector_->exports ();
  ASSERT_GE (exports, 3);
  const int64_t calls = std::stoll (collector_->ask ("sum cenote.calls pool.name=collector status=OK"));
  EXPECT_GE (calls, exports - 2) << "the last does not know of itself, nor of one that it was sent beside";
  EXPECT_LE (calls, exports - 1);
}

TEST_F (Otlp, AnOutageOfTheCollectorLosesNothing)
{
  LogCapture log;
  Client client (keyfile (groups ()), 0);

  connect (client.runtime);
  for (unsigned i = 0; i < 3; i++)
    EXPECT_FALSE (client.gets ());
  collector_->ask ("answer 14");
  ASSERT_TRUE (log.await ("pool collector: export failed: UNAVAILABLE (14)"));
  for (unsigned i = 0; i < 4; i++)
    EXPECT_FALSE (client.gets ());
  collector_->ask ("answer 0");
  ASSERT_TRUE (log.await ("pool collector: the collector takes exports again"));
  EXPECT_EQ (collector_->ask ("sum cenote.gets_refused pool.name=test"), "7");
  collector_->ask ("reject 5 too many labels");
  ASSERT_TRUE (log.await ("pool collector: the collector rejected 5 data points: too many labels"));
}

TEST_F (Otlp, AKeyfileThatNamesNoSuchPoolIsTold)
{
  LogCapture log;
  Client client (keyfile (groups ("colector")), 0);

  ASSERT_TRUE (log.await ("export failed: there is no [pool:colector], or the runtime stops"));
}

} // namespace
