/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sink-test: a telemetry plugin as it was built, driven by hand: its host's clock, log and metrics are the test's.
 *
 *   SinkUnderTest sink ("jsonl");
 *   ASSERT_TRUE (sink.create ({ "path=/tmp/x" })) << sink.fault;
 *   sink.metrics = { SinkMetric::counter ("cenote.gets", { { "pool.name", "users" } }, 3) };
 *   sink.now_us += 1000000;
 *   sink.poll ();
 *
 * One thread.
 */
#ifndef CENOTE_TESTS_SINK_TEST_H
#define CENOTE_TESTS_SINK_TEST_H

#include <cenote/plugin.h>
#include <cenote/telemetry.h>
#include <glib.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "plugin-files.h"

struct SinkMetric {
  using Labels = std::vector<std::pair<std::string, std::string>>;
  using Buckets = std::vector<std::pair<int64_t, uint64_t>>; /* upper_ns, count */

  static SinkMetric counter (const char *name, Labels labels, int64_t value) { return { CENOTE_METRIC_COUNTER, name, labels, value, {} }; }
  static SinkMetric gauge (const char *name, Labels labels, int64_t value) { return { CENOTE_METRIC_GAUGE, name, labels, value, {} }; }
  static SinkMetric durations (const char *name, Labels labels, Buckets buckets) { return { CENOTE_METRIC_HISTOGRAM, name, labels, 0, buckets }; }

  CenoteMetricKind kind;
  std::string name;
  Labels labels;
  int64_t value;
  Buckets buckets;
};

class SinkUnderTest {
public:
  explicit SinkUnderTest (const char *name) : plugin_ (built_plugin (CENOTE_PLUGIN_TELEMETRY, name))
  {
    host_.table.struct_size = sizeof host_.table;
    host_.table.abi_minor = CENOTE_ABI_MINOR;
    host_.table.log = [] (const CenoteHost *host, uint32_t, const char *text) { self (host)->logged.push_back (text); };
    host_.table.now_us = [] (const CenoteHost *host) { return self (host)->now_us; };
    host_.table.fail = [] (const CenoteHost *host, CenoteFault *, const char *text) { self (host)->fault = text; };
    host_.table.read_metrics = [] (const CenoteHost *host, CenoteMetricFunc func, void *data) {
      for (const SinkMetric &metric : self (host)->metrics)
        read (metric, func, data);
    };
    host_.sink = this;
  }

  ~SinkUnderTest ()
  {
    destroy ();
    plugin_unref (plugin_);
  }

  SinkUnderTest (const SinkUnderTest &) = delete;
  SinkUnderTest &operator= (const SinkUnderTest &) = delete;

  /* SETTINGS: "name=text" as in a keyfile; the others have their defaults.  FALSE: see fault. */
  bool
  create (const std::vector<std::string> &settings)
  {
    const OptionTable *table = &plugin_->options;
    std::vector<CenoteValue> values (table->n_rows);
    CenoteOptions options = { sizeof options, table->n_rows, sizeof (CenoteValue), 0, values.data (), plugin_->name };
    bool good = true;

    destroy ();
    for (guint i = 0; i < table->n_rows; i++)
      good = read_value (i, settings, &values[i]) && good;
    if (good)
      state_ = ops ().create (&host_.table, &options, nullptr);
    for (CenoteValue &value : values)
      option_value_clear (&value);
    return state_ != nullptr;
  }

  void
  destroy ()
  {
    if (state_ != nullptr)
      ops ().destroy (state_);
    state_ = nullptr;
  }

  void handle (const CenoteEvent &event) { ops ().handle (state_, &event); }
  void flush () { ops ().flush (state_); }
  uint64_t interest () { return ops ().interest (state_); }
  int64_t poll (CenotePollReason why = CENOTE_POLL_DUE) { return ops ().poll (state_, now_us, why); }
  const CenoteTelemetryOps &ops () const { return plugin_->ops.telemetry; }

  /* One of KIND, flushed. */
  void
  tell (CenoteEventKind kind, const char *reason = nullptr)
  {
    CenoteEvent event = CENOTE_EVENT_INIT (kind);

    event.reason = reason;
    handle (event);
    flush ();
  }

  int64_t now_us = 1000000;
  std::vector<SinkMetric> metrics;
  std::vector<std::string> logged;
  std::string fault;

private:
  struct Host {
    CenoteHost table = {};
    SinkUnderTest *sink = nullptr;
  };

  static SinkUnderTest *self (const CenoteHost *host) { return reinterpret_cast<const Host *> (host)->sink; }

  static void
  read (const SinkMetric &metric, CenoteMetricFunc func, void *data)
  {
    std::vector<CenoteLabel> labels;
    std::vector<CenoteBucket> buckets;
    CenoteMetric out = {};

    for (const auto &[name, value] : metric.labels)
      labels.push_back ({ name.c_str (), value.c_str () });
    for (const auto &[upper_ns, count] : metric.buckets) {
      buckets.push_back ({ upper_ns, count });
      out.count += count;
      out.sum_ns += static_cast<uint64_t> (upper_ns) * count;
    }
    out.struct_size = sizeof out;
    out.kind = metric.kind;
    out.name = metric.name.c_str ();
    out.summary = "A metric.";
    out.labels = labels.data ();
    out.n_labels = static_cast<uint32_t> (labels.size ());
    out.label_size = sizeof (CenoteLabel);
    out.value = metric.value;
    out.buckets = buckets.data ();
    out.n_buckets = static_cast<uint32_t> (buckets.size ());
    out.bucket_size = sizeof (CenoteBucket);
    func (&out, data);
  }

  bool
  read_value (guint row, const std::vector<std::string> &settings, CenoteValue *out)
  {
    CenoteOption option;
    g_autofree char *problem = nullptr;

    option_table_row (&plugin_->options, row, &option);
    std::string head = std::string (option.name) + "=";
    const char *text = option.default_text;
    for (const std::string &setting : settings)
      if (setting.compare (0, head.size (), head) == 0)
        text = setting.c_str () + head.size ();
    if (text == nullptr || option_parse (&option, text, out, &problem))
      return true;
    fault = problem;
    return false;
  }

  Plugin *plugin_;
  Host host_;
  void *state_ = nullptr;
};

#endif
