/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log-capture: what the library says in the log while a LogCapture lives.
 *
 * A process has one log writer, so this one is installed once and for good; with
 * no capture it hands everything to GLib's own.
 */
#ifndef CENOTE_TESTS_LOG_CAPTURE_H
#define CENOTE_TESTS_LOG_CAPTURE_H

#include <glib.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <vector>

struct LogRecord {
  GLogLevelFlags level;
  std::map<std::string, std::string> fields;

  std::string message () const { return field ("MESSAGE"); }

  std::string
  field (const std::string &key) const
  {
    auto found = fields.find (key);
    return found == fields.end () ? "" : found->second;
  }
};

class LogCapture {
public:
  LogCapture ()
  {
    static std::once_flag once;
    std::call_once (once, [] { g_log_set_writer_func (write, nullptr, nullptr); });
    std::lock_guard<std::mutex> hold (lock ());
    current () = this;
  }

  ~LogCapture ()
  {
    std::lock_guard<std::mutex> hold (lock ());
    current () = nullptr;
  }

  LogCapture (const LogCapture &) = delete;
  LogCapture &operator= (const LogCapture &) = delete;

  std::vector<LogRecord>
  records () const
  {
    std::lock_guard<std::mutex> hold (lock ());
    return records_;
  }

  /* How many records' messages contain TEXT. */
  unsigned
  count (const std::string &text) const
  {
    std::lock_guard<std::mutex> hold (lock ());
    return count_locked (text);
  }

  /* Waits until a record's message contains TEXT.  FALSE: not within a minute. */
  bool
  await (const std::string &text)
  {
    std::unique_lock<std::mutex> hold (lock ());
    return changed_.wait_for (hold, std::chrono::minutes (1), [&] { return count_locked (text) > 0; });
  }

private:
  unsigned
  count_locked (const std::string &text) const
  {
    unsigned n = 0;
    for (const LogRecord &record : records_)
      n += record.message ().find (text) != std::string::npos;
    return n;
  }

  static std::mutex &
  lock ()
  {
    static std::mutex mutex;
    return mutex;
  }

  static LogCapture *&
  current ()
  {
    static LogCapture *capture;
    return capture;
  }

  static LogRecord
  record_of (GLogLevelFlags level, const GLogField *fields, gsize n_fields)
  {
    LogRecord record = { level, {} };
    for (gsize i = 0; i < n_fields; i++) {
      const char *value = static_cast<const char *> (fields[i].value);
      record.fields[fields[i].key] = fields[i].length < 0 ? std::string (value) : std::string (value, fields[i].length);
    }
    return record;
  }

  static GLogWriterOutput
  write (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer)
  {
    std::lock_guard<std::mutex> hold (lock ());
    if (current () == nullptr)
      return g_log_writer_default (level, fields, n_fields, nullptr);
    current ()->records_.push_back (record_of (level, fields, n_fields));
    current ()->changed_.notify_all ();
    return G_LOG_WRITER_HANDLED;
  }

  std::vector<LogRecord> records_;
  std::condition_variable changed_;
};

#endif
