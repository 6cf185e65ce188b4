/* SPDX-License-Identifier: Apache-2.0 */
/* metrics: metrics as a sink reads them, made by a test. */
#ifndef CENOTE_TESTS_METRICS_H
#define CENOTE_TESTS_METRICS_H

#include <cenote/telemetry.h>

#include <string>
#include <utility>
#include <vector>

class Metric {
public:
  using Labels = std::vector<std::pair<std::string, std::string>>;

  Metric (uint32_t kind, std::string name, Labels labels, int64_t value = 0)
    : kind_ (kind), name_ (std::move (name)), labels_ (std::move (labels)), value_ (value)
  {
  }

  /* BUCKETS: upper bound in ns, and how many; their sum is taken at the bounds. */
  static Metric
  histogram (std::string name, Labels labels, std::vector<CenoteBucket> buckets)
  {
    Metric metric (CENOTE_METRIC_HISTOGRAM, std::move (name), std::move (labels));

    metric.buckets_ = std::move (buckets);
    return metric;
  }

  void set (int64_t value) { value_ = value; }
  void set (std::vector<CenoteBucket> buckets) { buckets_ = std::move (buckets); }

  /* Calls FUNC as the host does: what it gets lives as long as the call. */
  void
  read (CenoteMetricFunc func, void *data) const
  {
    std::vector<CenoteLabel> labels;
    CenoteMetric metric = {};

    for (const auto &[name, value] : labels_)
      labels.push_back ({ name.c_str (), value.c_str () });
    metric.struct_size = sizeof metric;
    metric.kind = kind_;
    metric.name = name_.c_str ();
    metric.summary = "What it says, \\ and more.";
    metric.labels = labels.data ();
    metric.n_labels = static_cast<uint32_t> (labels.size ());
    metric.label_size = sizeof (CenoteLabel);
    metric.value = value_;
    metric.buckets = buckets_.data ();
    metric.n_buckets = static_cast<uint32_t> (buckets_.size ());
    metric.bucket_size = sizeof (CenoteBucket);
    for (const CenoteBucket &bucket : buckets_) {
      metric.count += bucket.count;
      metric.sum_ns += static_cast<uint64_t> (bucket.upper_ns) * bucket.count;
    }
    func (&metric, data);
  }

private:
  uint32_t kind_;
  std::string name_;
  Labels labels_;
  int64_t value_;
  std::vector<CenoteBucket> buckets_;
};

inline Metric
counter (const std::string &name, const Metric::Labels &labels, int64_t value)
{
  return Metric (CENOTE_METRIC_COUNTER, name, labels, value);
}

inline Metric
gauge (const std::string &name, const Metric::Labels &labels, int64_t value)
{
  return Metric (CENOTE_METRIC_GAUGE, name, labels, value);
}

#endif
