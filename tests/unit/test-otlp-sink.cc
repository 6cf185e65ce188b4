/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/otlp, as the built plugin: what it exports and when, and what it tells of how that went. */
#include <cenote/telemetry.h>
#include <cenote/version.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "otlp.pb-c.h"
#include "plugin-files.h"

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t SECOND = 1000000;
constexpr int64_t START_US = 50 * SECOND;
/* Of 2023, less than what has passed since the machine began. */
constexpr int64_t WALL_OFFSET_US = INT64_C (1700000000) * SECOND;

using Labels = std::vector<CenoteLabel>;
using Buckets = std::vector<CenoteBucket>;
using Request = std::unique_ptr<Otlp__ExportMetricsServiceRequest, void (*) (Otlp__ExportMetricsServiceRequest *)>;

struct Metric {
  uint32_t kind;
  const char *name;
  Labels labels;
  int64_t value;
  Buckets buckets;
};

/* An export that the sink began. */
struct Call {
  std::string pool, method, request;
  int64_t timeout_us;
  CenoteCallDone done;
  void *data;

  void end (int status, const char *message = nullptr) { done (data, status, message, nullptr, 0); }
  void answer (const std::string &response) { done (data, 0, nullptr, response.data (), response.size ()); }
  Request read () const
  {
    return { otlp__export_metrics_service_request__unpack (nullptr, request.size (),
                                                          reinterpret_cast<const uint8_t *> (request.data ())),
             [] (Otlp__ExportMetricsServiceRequest *message) {
               otlp__export_metrics_service_request__free_unpacked (message, nullptr);
             } };
  }
};

std::string
partial_success (int64_t rejected, const char *message)
{
  Otlp__ExportMetricsServiceResponse response;
  Otlp__ExportMetricsPartialSuccess partial;

  otlp__export_metrics_service_response__init (&response);
  otlp__export_metrics_partial_success__init (&partial);
  partial.rejected_data_points = rejected;
  partial.error_message = const_cast<char *> (message);
  response.partial_success = &partial;
  std::string bytes (otlp__export_metrics_service_response__get_packed_size (&response), '\0');
  otlp__export_metrics_service_response__pack (&response, reinterpret_cast<uint8_t *> (&bytes[0]));
  return bytes;
}

/* "pool.name=users state=ready" */
std::string
text_of (Otlp__KeyValue **attributes, size_t n)
{
  std::string text;

  for (size_t i = 0; i < n; i++)
    text += (i > 0 ? " " : "") + std::string (attributes[i]->key) + "=" + attributes[i]->value->string_value;
  return text;
}

class OtlpSinkTest : public ::testing::Test {
protected:
  OtlpSinkTest ()
  {
    host_.self = this;
    host_.table.struct_size = sizeof host_.table;
    host_.table.abi_minor = CENOTE_ABI_MINOR;
    host_.table.log = [] (const CenoteHost *host, uint32_t level, const char *text) {
      self (host)->logged.push_back (std::to_string (level) + " " + text);
    };
    host_.table.now_us = [] (const CenoteHost *host) { return self (host)->now_us; };
    host_.table.random = [] (const CenoteHost *host) { return self (host)->luck; };
    host_.table.fail = [] (const CenoteHost *host, CenoteFault *, const char *text) { self (host)->fault = text; };
    host_.table.read_metrics = [] (const CenoteHost *host, CenoteMetricFunc func, void *data) {
      for (const Metric &metric : self (host)->metrics)
        hand (metric, func, data);
    };
    host_.table.call_async = [] (const CenoteHost *host, const char *pool, const char *method, const void *request,
                                 size_t size, int64_t timeout_us, CenoteCallDone done, void *data) {
      if (!self (host)->takes_calls)
        return false;
      self (host)->calls.push_back (
        { pool, method, std::string (static_cast<const char *> (request), size), timeout_us, done, data });
      return true;
    };
  }

  void SetUp () override { ASSERT_NE (plugin_, nullptr); }

  void
  TearDown () override
  {
    destroy ();
    plugin_unref (plugin_);
  }

  /* SETTINGS: "key=value"; what is not there has its default. */
  bool
  create (std::vector<std::string> settings = {})
  {
    const OptionTable *table = &plugin_->options;
    std::vector<CenoteValue> values (table->n_rows);
    CenoteOptions options = { sizeof options, table->n_rows, sizeof (CenoteValue), 0, values.data (), "otlp" };

    settings.push_back ("pool=collector");
    for (guint i = 0; i < table->n_rows; i++)
      read_value (i, settings, &values[i]);
    state_ = ops ().create (&host_.table, &options, nullptr);
    for (CenoteValue &value : values)
      option_value_clear (&value);
    return state_ != nullptr;
  }

  /* What the wall clock says, as an event has it. */
  void
  tell_wall (int64_t offset_us = WALL_OFFSET_US)
  {
    CenoteEvent event = CENOTE_EVENT_INIT (CENOTE_EVENT_POOL_STATUS);

    event.time_us = now_us;
    event.wall_us = now_us + offset_us;
    ops ().handle (state_, &event);
  }

  void hand_event (const CenoteEvent &event) { ops ().handle (state_, &event); }

  void
  destroy ()
  {
    if (state_ != nullptr)
      ops ().destroy (state_);
    state_ = nullptr;
  }

  int64_t poll (CenotePollReason why = CENOTE_POLL_DUE) { return ops ().poll (state_, now_us, why); }

  /* The next export, as the collector reads it. */
  Request
  export_next ()
  {
    now_us = poll ();
    poll ();
    return calls.empty () ? Request (nullptr, nullptr) : calls.back ().read ();
  }

  /* A sink that knows the time, and its first export. */
  Request
  export_first (const std::vector<std::string> &settings = {})
  {
    EXPECT_TRUE (create (settings)) << fault;
    tell_wall ();
    return export_next ();
  }

  static Otlp__ResourceMetrics *whole (const Request &request) { return request->resource_metrics[0]; }
  static Otlp__ScopeMetrics *scope (const Request &request) { return whole (request)->scope_metrics[0]; }
  static Otlp__Metric *metric (const Request &request, size_t i) { return scope (request)->metrics[i]; }

  static std::map<std::string, std::string>
  resource (const Request &request)
  {
    std::map<std::string, std::string> attributes;

    for (size_t i = 0; i < whole (request)->resource->n_attributes; i++) {
      Otlp__KeyValue *attribute = whole (request)->resource->attributes[i];
      attributes[attribute->key] = attribute->value->string_value;
    }
    return attributes;
  }

  int64_t now_us = START_US;
  uint64_t luck = UINT64_C (0x0123456789abcdef);
  std::vector<Metric> metrics = { { CENOTE_METRIC_COUNTER, "cenote.gets", { { "pool.name", "users" } }, 3, {} } };
  bool takes_calls = true;
  std::vector<Call> calls;
  std::vector<std::string> logged;
  std::string fault;

private:
  struct Host {
    CenoteHost table = {};
    OtlpSinkTest *self = nullptr;
  };

  const CenoteTelemetryOps &ops () const { return plugin_->ops.telemetry; }

  static OtlpSinkTest *self (const CenoteHost *host) { return reinterpret_cast<const Host *> (host)->self; }

  static void
  hand (const Metric &metric, CenoteMetricFunc func, void *data)
  {
    CenoteMetric out = {};

    out.struct_size = sizeof out;
    out.kind = metric.kind;
    out.name = metric.name;
    out.summary = "What it counts.";
    out.labels = metric.labels.data ();
    out.n_labels = (uint32_t) metric.labels.size ();
    out.label_size = sizeof (CenoteLabel);
    out.value = metric.value;
    out.buckets = metric.buckets.data ();
    out.n_buckets = (uint32_t) metric.buckets.size ();
    out.bucket_size = sizeof (CenoteBucket);
    for (const CenoteBucket &bucket : metric.buckets) {
      out.count += bucket.count;
      out.sum_ns += (uint64_t) bucket.upper_ns * bucket.count;
    }
    func (&out, data);
  }

  void
  read_value (guint i, const std::vector<std::string> &settings, CenoteValue *value)
  {
    CenoteOption row;
    g_autofree char *problem = nullptr;

    option_table_row (&plugin_->options, i, &row);
    const std::string head = std::string (row.name) + "=";
    std::string text = row.default_text != nullptr ? head + row.default_text : "";
    for (size_t at = settings.size (); at-- > 0;)
      if (settings[at].compare (0, head.size (), head) == 0)
        text = settings[at];
    if (!text.empty ()) {
      EXPECT_TRUE (option_parse (&row, text.c_str () + head.size (), value, &problem)) << problem;
    }
  }

  Host host_;
  Plugin *plugin_ = built_plugin (CENOTE_PLUGIN_TELEMETRY, "otlp");
  void *state_ = nullptr;
};

/* ------------------------------------------------------------ what is sent */

TEST_F (OtlpSinkTest, ACallGoesToTheMetricsServiceOverTheNamedPool)
{
  export_first ({ "timeout=3s" });
  ASSERT_EQ (calls.size (), 1u);
  EXPECT_EQ (calls[0].pool, "collector");
  EXPECT_EQ (calls[0].method, "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export");
  EXPECT_EQ (calls[0].timeout_us, 3 * SECOND);
}

TEST_F (OtlpSinkTest, ACounterIsAMonotonicCumulativeSum)
{
  Request request = export_first ();
  Otlp__Metric *sum = metric (request, 0);

  EXPECT_STREQ (sum->name, "cenote.gets");
  EXPECT_STREQ (sum->description, "What it counts.");
  EXPECT_STREQ (sum->unit, "");
  ASSERT_EQ (sum->data_case, OTLP__METRIC__DATA_SUM);
  EXPECT_TRUE (sum->sum->is_monotonic);
  EXPECT_EQ (sum->sum->aggregation_temporality, OTLP__AGGREGATION_TEMPORALITY__AGGREGATION_TEMPORALITY_CUMULATIVE);
  ASSERT_EQ (sum->sum->n_data_points, 1u);
  Otlp__NumberDataPoint *point = sum->sum->data_points[0];
  ASSERT_EQ (point->value_case, OTLP__NUMBER_DATA_POINT__VALUE_AS_INT);
  EXPECT_EQ (point->as_int, 3);
  EXPECT_EQ (text_of (point->attributes, point->n_attributes), "pool.name=users");
  EXPECT_EQ (point->start_time_unix_nano, (uint64_t) (START_US + WALL_OFFSET_US) * 1000);
  EXPECT_EQ (point->time_unix_nano, (uint64_t) (START_US + 10 * SECOND + WALL_OFFSET_US) * 1000);
}

TEST_F (OtlpSinkTest, OneMetricHasAPointForEachSetOfLabels)
{
  metrics = { { CENOTE_METRIC_GAUGE, "cenote.channel.count", { { "pool.name", "a" }, { "state", "ready" } }, 2, {} },
              { CENOTE_METRIC_GAUGE, "cenote.channel.count", { { "pool.name", "a" }, { "state", "idle" } }, 0, {} },
              { CENOTE_METRIC_GAUGE, "cenote.channel.max", { { "pool.name", "a" } }, -1, {} } };
  Request request = export_first ();

  ASSERT_EQ (scope (request)->n_metrics, 2u);
  ASSERT_EQ (metric (request, 0)->data_case, OTLP__METRIC__DATA_GAUGE);
  Otlp__Gauge *count = metric (request, 0)->gauge, *max = metric (request, 1)->gauge;
  ASSERT_EQ (count->n_data_points, 2u);
  EXPECT_EQ (count->data_points[0]->as_int, 2);
  EXPECT_EQ (text_of (count->data_points[0]->attributes, 2), "pool.name=a state=ready");
  EXPECT_EQ (count->data_points[1]->value_case, OTLP__NUMBER_DATA_POINT__VALUE_AS_INT) << "0 is a value too";
  EXPECT_EQ (text_of (count->data_points[1]->attributes, 2), "pool.name=a state=idle");
  EXPECT_EQ (count->data_points[0]->start_time_unix_nano, 0u) << "what does not add up has no start";
  EXPECT_GT (count->data_points[0]->time_unix_nano, 0u);
  ASSERT_EQ (max->n_data_points, 1u);
  EXPECT_EQ (max->data_points[0]->as_int, -1);
}

TEST_F (OtlpSinkTest, AHistogramCountsEachBucketByItselfInSeconds)
{
  metrics = { { CENOTE_METRIC_HISTOGRAM,
                "cenote.call.duration",
                { { "pool.name", "users" } },
                0,
                { { 900000, 5 }, { 1000000, 2 }, { 1000001, 1 }, { 9000000, 3 }, { 60000000000, 4 } } } };
  Request request = export_first ({ "buckets=1ms;2ms;10ms" });
  Otlp__Metric *histogram = metric (request, 0);

  EXPECT_STREQ (histogram->unit, "s");
  ASSERT_EQ (histogram->data_case, OTLP__METRIC__DATA_HISTOGRAM);
  EXPECT_EQ (histogram->histogram->aggregation_temporality,
             OTLP__AGGREGATION_TEMPORALITY__AGGREGATION_TEMPORALITY_CUMULATIVE);
  ASSERT_EQ (histogram->histogram->n_data_points, 1u);
  Otlp__HistogramDataPoint *point = histogram->histogram->data_points[0];
  EXPECT_THAT (std::vector<double> (point->explicit_bounds, point->explicit_bounds + point->n_explicit_bounds),
               ElementsAre (0.001, 0.002, 0.01));
  EXPECT_THAT (std::vector<uint64_t> (point->bucket_counts, point->bucket_counts + point->n_bucket_counts),
               ElementsAre (7, 1, 3, 4));
  EXPECT_EQ (point->count, 15u);
  EXPECT_DOUBLE_EQ (point->sum, (5 * 900000 + 2 * 1000000 + 1000001 + 3 * 9000000 + 4 * 60e9) / 1e9);
  EXPECT_EQ (text_of (point->attributes, point->n_attributes), "pool.name=users");
  EXPECT_EQ (point->start_time_unix_nano, (uint64_t) (START_US + WALL_OFFSET_US) * 1000);
  EXPECT_EQ (point->time_unix_nano, (uint64_t) (now_us + WALL_OFFSET_US) * 1000);
}

TEST_F (OtlpSinkTest, AnEmptyHistogramHasABucketForEachBoundAndASum)
{
  metrics = { { CENOTE_METRIC_HISTOGRAM, "cenote.get_time", {}, 0, {} } };
  Request request = export_first ();
  Otlp__HistogramDataPoint *point = metric (request, 0)->histogram->data_points[0];

  EXPECT_EQ (point->count, 0u);
  EXPECT_EQ (point->sum_presence_case, OTLP__HISTOGRAM_DATA_POINT__SUM_PRESENCE_SUM);
  EXPECT_EQ (point->n_explicit_bounds, 22u);
  EXPECT_EQ (point->n_bucket_counts, 23u);
}

TEST_F (OtlpSinkTest, AMetricOfALaterHostsKindIsLeftAlone)
{
  metrics.push_back ({ 77, "cenote.later", {}, 0, {} });
  Request request = export_first ();

  EXPECT_EQ (scope (request)->n_metrics, 1u);
  EXPECT_THAT (logged, IsEmpty ());
}

TEST_F (OtlpSinkTest, TheResourceIsTheServiceAndThisInstanceOfIt)
{
  Request request = export_first ({ "service-name=shop", "attributes=deployment.environment.name:test;url:http://x:1/" });

  EXPECT_EQ (resource (request),
             (std::map<std::string, std::string> { { "service.name", "shop" },
                                                   { "deployment.environment.name", "test" },
                                                   { "url", "http://x:1/" },
                                                   { "service.instance.id", "01234567-89ab-4def-8123-456789abcdef" } }));
  EXPECT_STREQ (scope (request)->scope->name, "cenote");
  EXPECT_STREQ (scope (request)->scope->version, CENOTE_VERSION_STRING);
}

TEST_F (OtlpSinkTest, AnInstanceMayHaveANameOfItsOwnAndAServiceHasThePrograms)
{
  Request request = export_first ({ "attributes=service.instance.id:shop-1" });

  EXPECT_EQ (resource (request)["service.instance.id"], "shop-1");
  EXPECT_EQ (resource (request)["service.name"],
             g_get_prgname () != nullptr ? g_get_prgname () : program_invocation_short_name);
}

TEST_F (OtlpSinkTest, ARequestIsNoLargerThanAllowedAndWhatIsLeftOutIsToldOnce)
{
  std::vector<std::string> names;

  for (int i = 0; i < 2000; i++)
    names.push_back ("pool-" + std::to_string (i));
  metrics.clear ();
  for (const std::string &name : names)
    metrics.push_back ({ CENOTE_METRIC_COUNTER, "cenote.gets", { { "pool.name", name.c_str () } }, 1, {} });
  Request request = export_first ({ "max-request-size=64KiB" });
  const size_t sent = metric (request, 0)->sum->n_data_points;

  EXPECT_LE (calls[0].request.size (), 64u * 1024);
  EXPECT_GT (calls[0].request.size (), 48u * 1024) << "what may be sent is";
  EXPECT_LT (sent, 2000u);
  ASSERT_EQ (logged.size (), 1u);
  EXPECT_THAT (logged[0], HasSubstr ("4 pool collector: " + std::to_string (2000 - sent) + " data points have no room in "
                                     "max-request-size=65536"));

  calls[0].answer ("");
  export_next ();
  EXPECT_EQ (logged.size (), 1u) << "the same again is no news";
}

TEST_F (OtlpSinkTest, AMetricWithoutRoomForAPointIsNotThere)
{
  const std::string large (70 * 1024, 'x');

  metrics.insert (metrics.begin (), { CENOTE_METRIC_COUNTER, "cenote.large", { { "pool.name", large.c_str () } }, 1, {} });
  Request request = export_first ({ "max-request-size=64KiB" });
  ASSERT_EQ (scope (request)->n_metrics, 1u);
  EXPECT_STREQ (metric (request, 0)->name, "cenote.gets") << "what is smaller goes";
  EXPECT_THAT (logged, ElementsAre (HasSubstr ("1 data points have no room")));
}

/* ----------------------------------------------------------------- schedule */

TEST_F (OtlpSinkTest, AnExportIsDueEachInterval)
{
  ASSERT_TRUE (create ({ "interval=2s" }));
  tell_wall ();
  EXPECT_EQ (poll (), START_US + 2 * SECOND);
  EXPECT_EQ (calls.size (), 0u) << "the first is due an interval after the beginning";
  now_us = START_US + 2 * SECOND;
  EXPECT_EQ (poll (), START_US + 4 * SECOND);
  EXPECT_EQ (calls.size (), 1u);
  calls[0].answer ("");
  now_us = START_US + 9 * SECOND;
  EXPECT_EQ (poll (), START_US + 10 * SECOND) << "what was missed is not made up for";
  EXPECT_EQ (calls.size (), 2u);
}

TEST_F (OtlpSinkTest, OneIsUnderWayAtATime)
{
  export_first ();
  export_next ();
  export_next ();
  EXPECT_EQ (calls.size (), 1u);
  calls[0].answer ("");
  Request request = export_next ();
  ASSERT_EQ (calls.size (), 2u);
  EXPECT_EQ (metric (request, 0)->sum->data_points[0]->time_unix_nano, (uint64_t) (now_us + WALL_OFFSET_US) * 1000);
}

TEST_F (OtlpSinkTest, TheLastIsSentBesideOneThatIsUnderWay)
{
  export_first ();
  now_us += 1;
  metrics[0].value = 4;
  poll (CENOTE_POLL_LAST);
  ASSERT_EQ (calls.size (), 2u);
  EXPECT_EQ (metric (calls[1].read (), 0)->sum->data_points[0]->as_int, 4);
  calls[1].answer ("");
  calls[0].end (1, "the runtime stops");
}

TEST_F (OtlpSinkTest, NothingIsSentBeforeAnEventToldTheWallTime)
{
  CenoteEvent timeless = CENOTE_EVENT_INIT (CENOTE_EVENT_POOL_STATUS);

  ASSERT_TRUE (create ());
  hand_event (timeless);
  export_next ();
  poll (CENOTE_POLL_LAST);
  EXPECT_EQ (calls.size (), 0u);
  tell_wall ();
  export_next ();
  EXPECT_EQ (calls.size (), 1u);
}

TEST_F (OtlpSinkTest, AWallClockThatIsSetMovesTheTimeAndNotTheStart)
{
  constexpr int64_t hour = 3600 * SECOND;

  export_first ();
  calls[0].answer ("");
  tell_wall (WALL_OFFSET_US + hour);
  Request ahead = export_next ();
  Otlp__NumberDataPoint *point = metric (ahead, 0)->sum->data_points[0];
  EXPECT_EQ (point->start_time_unix_nano, (uint64_t) (START_US + WALL_OFFSET_US) * 1000);
  EXPECT_EQ (point->time_unix_nano, (uint64_t) (now_us + WALL_OFFSET_US + hour) * 1000);

  calls[1].answer ("");
  tell_wall (WALL_OFFSET_US - hour);
  Request behind = export_next ();
  point = metric (behind, 0)->sum->data_points[0];
  EXPECT_EQ (point->start_time_unix_nano, (uint64_t) (START_US + WALL_OFFSET_US) * 1000);
  EXPECT_EQ (point->time_unix_nano, point->start_time_unix_nano) << "never before the start";
}

/* ----------------------------------------------------------------- outcomes */

TEST_F (OtlpSinkTest, AnOutageIsToldOnceAndItsEndOnce)
{
  export_first ();
  calls[0].end (14, "no connection");
  EXPECT_THAT (logged, ElementsAre ("4 pool collector: export failed: UNAVAILABLE (14): no connection; "
                                    "the next one has all that adds up"));
  export_next ();
  calls[1].end (4, "Deadline Exceeded");
  EXPECT_EQ (logged.size (), 1u);
  export_next ();
  calls[2].answer ("");
  export_next ();
  calls[3].answer ("");
  ASSERT_EQ (logged.size (), 2u);
  EXPECT_EQ (logged[1], "6 pool collector: the collector takes exports again");
  export_next ();
  calls[4].end (14);
  ASSERT_EQ (logged.size (), 3u);
  EXPECT_THAT (logged[2], HasSubstr ("UNAVAILABLE (14): no reason given"));
}

TEST_F (OtlpSinkTest, WhatWillNotGetBetterByItselfIsAnError)
{
  const std::vector<int> better = { 1, 4, 8, 10, 11, 14, 15 }; /* OTLP's own list */

  for (int status = 1; status <= 18; status++) {
    logged.clear ();
    calls.clear ();
    export_first ();
    calls[0].end (status, "why");
    ASSERT_EQ (logged.size (), 1u);
    EXPECT_EQ (logged[0][0], std::count (better.begin (), better.end (), status) > 0 ? '4' : '3') << logged[0];
    destroy ();
  }
}

TEST_F (OtlpSinkTest, WhatTheCollectorRejectsIsToldOnce)
{
  export_first ();
  calls[0].answer (partial_success (2, "too many labels"));
  EXPECT_THAT (logged, ElementsAre ("4 pool collector: the collector rejected 2 data points: too many labels"));
  export_next ();
  calls[1].answer (partial_success (2, "too many labels"));
  EXPECT_EQ (logged.size (), 1u);
  export_next ();
  calls[2].answer (partial_success (0, ""));
  EXPECT_THAT (logged, ElementsAre (::testing::_, HasSubstr ("takes exports again"))) << "an empty one is none";
  export_next ();
  calls[3].answer (partial_success (0, "use a newer protocol"));
  EXPECT_THAT (logged.back (), HasSubstr ("rejected 0 data points: use a newer protocol"));
}

TEST_F (OtlpSinkTest, AReplyOfSomethingElseIsAFailure)
{
  export_first ();
  calls[0].answer ("\xff\xff\xff");
  EXPECT_THAT (logged, ElementsAre (HasSubstr ("3 pool collector: export failed: the reply is no ExportMetricsService")));
}

TEST_F (OtlpSinkTest, APoolThatThereIsNotIsNamed)
{
  takes_calls = false;
  export_first ();
  export_next ();
  EXPECT_THAT (logged,
               ElementsAre ("3 pool collector: export failed: there is no [pool:collector], or the runtime stops"));
  takes_calls = true;
  export_next ();
  EXPECT_EQ (calls.size (), 1u) << "one that was refused is not under way";
}

TEST_F (OtlpSinkTest, ACallThatEndsRightBeforeDestroyIsToldOf)
{
  export_first ();
  calls[0].end (1, "the runtime stops");
  destroy ();
  EXPECT_THAT (logged, ElementsAre (HasSubstr ("CANCELLED (1): the runtime stops")));
}

/* ------------------------------------------------------------------ options */

TEST_F (OtlpSinkTest, WrongOptionsAreRefusedByNameAndValue)
{
  const std::vector<std::pair<const char *, const char *>> wrong = {
    { "pool=", "pool: it is empty (the NAME of a [pool:NAME])" },
    { "service-name=", "service-name: it is empty (a name, or without the key the program's)" },
    { "attributes=a:1;b", "attributes: 'b' is not KEY:VALUE, as in deployment.environment.name:production" },
    { "attributes=:1", "attributes: ':1' is not KEY:VALUE, as in deployment.environment.name:production" },
    { "attributes=a:1;a:2", "attributes: 'a:2' is the second with the key a (each key once)" },
    { "attributes=service.name:x", "attributes: 'service.name:x' is what service-name=x says" },
    { "buckets=1ms;soon", "buckets: 'soon' is no duration (a number and ns, us, ms, s, min or h: 2.5ms)" },
    { "buckets=5ms;1ms", "buckets: '1ms' is not above the one before it (durations ascend: 1ms;5ms;25ms)" },
  };

  for (const auto &[setting, expected] : wrong) {
    EXPECT_FALSE (create ({ setting })) << setting;
    EXPECT_EQ (fault, expected);
  }
}

} // namespace
