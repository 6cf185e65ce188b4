/* SPDX-License-Identifier: Apache-2.0 */
/* metrics-reading: what read_metrics() tells, kept by name and labels: "cenote.calls{pool.name=p,status=OK}". */
#ifndef CENOTE_TESTS_UNIT_METRICS_READING_H
#define CENOTE_TESTS_UNIT_METRICS_READING_H

#include <cenote/telemetry.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

struct MetricReading {
  uint32_t kind;
  int64_t value;
  uint64_t count;
  uint64_t sum_ns;
  int64_t median_ns;
};

class MetricsReading
{
public:
  /* A CenoteMetricFunc; DATA is a MetricsReading. */
  static void
  take (const CenoteMetric *metric, void *data)
  {
    auto *self = static_cast<MetricsReading *> (data);
    std::string key = metric->name;
    uint64_t in_buckets = 0;

    for (uint32_t i = 0; i < metric->n_labels; i++) {
      const CenoteLabel *label = cenote_metric_label (metric, i);

      key += std::string (i == 0 ? "{" : ",") + label->name + "=" + label->value;
    }
    key += metric->n_labels > 0 ? "}" : "";
    for (uint32_t i = 0; i < metric->n_buckets; i++)
      in_buckets += cenote_metric_bucket (metric, i)->count;
    EXPECT_EQ (in_buckets, metric->count) << key;
    EXPECT_EQ (metric->struct_size, sizeof *metric);
    EXPECT_TRUE (self->all
                   .insert ({ key,
                              { metric->kind, metric->value, metric->count, metric->sum_ns,
                                cenote_metric_quantile (metric, 0.5) } })
                   .second)
      << key << " was told twice";
    self->keys.push_back (key);
    if (self->names.empty () || self->names.back () != metric->name)
      self->names.push_back (metric->name);
  }

  const MetricReading &
  at (const std::string &key) const
  {
    static const MetricReading none = { 99, -1, 0, 0, -1 };
    auto found = all.find (key);

    EXPECT_NE (found, all.end ()) << key << " was not told";
    return found == all.end () ? none : found->second;
  }
  /* Of the pool `p`: NAME, and LABELS besides pool.name ("state=ready"). */
  const MetricReading &
  of_p (const std::string &name, const std::string &labels = "") const
  {
    return at ("cenote." + name + "{pool.name=p" + (labels.empty () ? "" : ",") + labels + "}");
  }
  int64_t
  value (const std::string &name, const std::string &labels = "") const
  {
    return of_p (name, labels).value;
  }

  std::map<std::string, MetricReading> all;
  std::vector<std::string> keys;  /* in the order of telling */
  std::vector<std::string> names; /* the same, runs of one name once */
};

#endif
