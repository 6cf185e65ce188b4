/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sink-host: a telemetry plugin as it was built, with a host that shows it metrics and a status of the test's.
 */
#ifndef CENOTE_TESTS_SINK_HOST_H
#define CENOTE_TESTS_SINK_HOST_H

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "metrics.h"
#include "plugin-files.h"

extern "C" {
#include "core/registry/host.h"
}

class SinkHost {
public:
  explicit SinkHost (const char *name) : plugin_ (built_plugin (CENOTE_PLUGIN_TELEMETRY, name))
  {
    const HostServices services = { now_us, random, nullptr, nullptr, nullptr, nullptr, nullptr,
                                    read_metrics, status_json, nullptr, this };

    if (plugin_ != nullptr)
      host_ = host_new (plugin_, name, nullptr, &services);
  }

  ~SinkHost ()
  {
    destroy ();
    host_free (host_);
    if (plugin_ != nullptr)
      plugin_unref (plugin_);
  }

  SinkHost (const SinkHost &) = delete;
  SinkHost &operator= (const SinkHost &) = delete;

  bool is_built () const { return plugin_ != nullptr; }
  const CenoteTelemetryOps *ops () const { return &plugin_->ops.telemetry; }

  /* SETTINGS: "key=value" each; the rest has its defaults.  "": the state is there; else why not. */
  std::string
  create (const std::vector<std::string> &settings)
  {
    const OptionTable *table = &plugin_->options;
    std::vector<CenoteValue> values (table->n_rows);
    CenoteOptions options = { sizeof options, table->n_rows, sizeof (CenoteValue), 0, values.data (), "sink" };
    g_autoptr (GError) error = nullptr;

    destroy ();
    for (guint i = 0; i < table->n_rows; i++)
      parse_row (table, i, settings, &values[i]);
    state_ = host_create_state (host_, &options, &error);
    for (CenoteValue &value : values)
      option_value_clear (&value);
    return state_ != nullptr ? "" : error->message;
  }

  void
  destroy ()
  {
    if (state_ != nullptr)
      host_destroy_state (host_, state_);
    state_ = nullptr;
  }

  void handle (const CenoteEvent *event) { ops ()->handle (state_, event); }

  void
  set_metrics (std::vector<Metric> metrics)
  {
    std::lock_guard<std::mutex> hold (lock_);
    metrics_ = std::move (metrics);
  }

  void
  set_status (const std::string &json)
  {
    std::lock_guard<std::mutex> hold (lock_);
    status_ = json;
  }

  /* Whoever asks for the status waits until it is let go. */
  void
  hold_status (bool held)
  {
    std::lock_guard<std::mutex> hold (lock_);
    held_ = held;
    changed_.notify_all ();
  }

  /* How often the status was asked for. */
  unsigned
  status_calls ()
  {
    std::lock_guard<std::mutex> hold (lock_);
    return status_calls_;
  }

  void
  await_status_calls (unsigned n)
  {
    std::unique_lock<std::mutex> hold (lock_);
    ASSERT_TRUE (changed_.wait_for (hold, std::chrono::minutes (1), [&] { return status_calls_ >= n; }));
  }

private:
  static void
  parse_row (const OptionTable *table, guint i, const std::vector<std::string> &settings, CenoteValue *out)
  {
    CenoteOption row;
    g_autofree char *problem = nullptr;

    option_table_row (table, i, &row);
    std::string head = std::string (row.name) + "=";
    const char *text = row.default_text;
    for (const std::string &setting : settings)
      if (setting.rfind (head, 0) == 0)
        text = setting.c_str () + head.size ();
    EXPECT_TRUE (text == nullptr || option_parse (&row, text, out, &problem)) << row.name << ": " << problem;
  }

  static gint64 now_us (gpointer) { return g_get_monotonic_time (); }
  static guint64 random (gpointer) { return (guint64) g_random_int () << 32 | g_random_int (); }

  static void
  read_metrics (gpointer data, CenoteMetricFunc func, void *func_data)
  {
    SinkHost *self = static_cast<SinkHost *> (data);
    std::lock_guard<std::mutex> hold (self->lock_);

    for (const Metric &metric : self->metrics_)
      metric.read (func, func_data);
  }

  static char *
  status_json (gpointer data)
  {
    SinkHost *self = static_cast<SinkHost *> (data);
    std::unique_lock<std::mutex> hold (self->lock_);

    self->status_calls_++;
    self->changed_.notify_all ();
    self->changed_.wait (hold, [&] { return !self->held_; });
    return self->status_.empty () ? nullptr : g_strdup (self->status_.c_str ());
  }

  Plugin *plugin_;
  CenoteHost *host_ = nullptr;
  gpointer state_ = nullptr;
  std::mutex lock_;
  std::condition_variable changed_;
  std::vector<Metric> metrics_;
  std::string status_ = "{\"pools\":[]}";
  bool held_ = false;
  unsigned status_calls_ = 0;
};

#endif
