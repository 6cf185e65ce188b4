/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sinks jsonl and statsd of a real runtime that does known things: every event and measurement of
 * the seeds (the table of telemetry-deeds.h) is told, and what is counted is what was done, to the unit.
 */
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <thread>

#include "telemetry-deeds.h"
#include "tests/servers/folder.h"
#include "tests/servers/interop-server.h"
#include "tests/servers/statsd-receiver.h"
#include "tools/json-reader.h"

namespace {

/* ------------------------------------------------------------------- jsonl */

struct Unref {
  void operator() (GVariant *value) const { g_variant_unref (value); }
};
using Object = std::unique_ptr<GVariant, Unref>;

std::vector<Object>
read_lines (const std::string &path)
{
  std::vector<Object> objects;
  g_autofree char *text = nullptr;

  if (!g_file_get_contents (path.c_str (), &text, nullptr, nullptr)) {
    ADD_FAILURE () << path;
    return objects;
  }
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  for (char **line = lines; *line != nullptr; line++) {
    g_autoptr (GError) error = nullptr;
    GVariant *object = **line != '\0' ? json_read (*line, &error) : nullptr;

    if (object != nullptr)
      objects.emplace_back (g_variant_ref_sink (object));
    else
      EXPECT_TRUE (**line == '\0' && line[1] == nullptr) << (error != nullptr ? error->message : "an empty line");
  }
  return objects;
}

std::string
text_of (const Object &object, const char *member)
{
  const char *text = json_get_string (object.get (), member);

  return text == nullptr ? "" : text;
}

bool
has (const Object &object, const char *member)
{
  g_autoptr (GVariant) value = g_variant_lookup_value (object.get (), member, nullptr);

  return value != nullptr;
}

/* OBJECT says EVENT, each of its values. */
void
expect_line_of (const Object &object, const Event &event)
{
  const std::pair<const char *, int64_t> numbers[] = {
    { "time_us", event.raw.time_us }, { "duration_ns", event.raw.duration_ns }, { "delay_ms", event.raw.delay_ms },
    { "attempt", event.raw.attempt }, { "expected_size", event.raw.expected_size },
    { "current_size", event.raw.current_size }, { "in_flight", event.raw.in_flight },
    { "waiters", event.raw.waiters }, { "requested", event.raw.requested }, { "succeeded", event.raw.succeeded },
    { "failed", event.raw.failed }, { "new_size", event.raw.new_size }, { "count", event.raw.count },
    { "channel", event.channel != 0 ? static_cast<int64_t> (event.channel) : -1 } };
  g_autoptr (GDateTime) time = g_date_time_new_from_iso8601 (text_of (object, "time").c_str (), nullptr);
  gboolean ok = FALSE;

  ASSERT_EQ (text_of (object, "event"), cenote_event_kind_to_string (event.kind));
  for (const auto &[name, number] : numbers)
    EXPECT_EQ (json_get_int64 (object.get (), name, -1), number) << text_of (object, "event") << " " << name;
  EXPECT_EQ (g_variant_lookup (object.get (), "ok", "b", &ok) ? ok : -1, event.raw.ok);
  EXPECT_EQ (text_of (object, "pool"), event.pool);
  EXPECT_EQ (text_of (object, "address"), event.address);
  EXPECT_EQ (text_of (object, "reason"), event.reason);
  EXPECT_EQ (text_of (object, "error"), event.error);
  ASSERT_NE (time, nullptr) << text_of (object, "time");
  EXPECT_EQ (g_date_time_to_unix (time) * G_USEC_PER_SEC + g_date_time_get_microsecond (time), event.raw.wall_us);
}

/* The kinds that both were told in the same order; the others may come before a sink of a program is there. */
bool
is_compared (CenoteEventKind kind)
{
  return kind != CENOTE_EVENT_POOL_INIT && kind != CENOTE_EVENT_PLUGIN_LOADED && kind != CENOTE_EVENT_POOL_STATUS;
}

void
expect_same_events (const std::vector<Object> &lines, TelemetryDeeds *deeds)
{
  for (int kind = 0; kind < CENOTE_N_EVENTS; kind++) {
    std::vector<Event> events = deeds->events.of (static_cast<CenoteEventKind> (kind));
    size_t next = 0;

    if (!is_compared (static_cast<CenoteEventKind> (kind)))
      continue;
    for (const Object &line : lines)
      if (text_of (line, "event") == cenote_event_kind_to_string (static_cast<uint32_t> (kind))) {
        ASSERT_LT (next, events.size ()) << text_of (line, "event");
        expect_line_of (line, events[next++]);
      }
    EXPECT_EQ (next, events.size ()) << cenote_event_kind_to_string (static_cast<uint32_t> (kind));
  }
}

/* LINES of DEED's events. */
std::vector<const Object *>
events_of (const std::vector<Object> &lines, const Deed &deed)
{
  std::vector<const Object *> found;

  for (const Object &line : lines)
    if (text_of (line, "event") == cenote_event_kind_to_string (static_cast<uint32_t> (deed.event)) &&
        text_of (line, "pool") == deed.pool)
      found.push_back (&line);
  return found;
}

/* So many, each with its member; what is a gauge elsewhere, one of them says. */
void
expect_events_of (const std::vector<Object> &lines, const Deed &deed)
{
  const std::vector<const Object *> found = events_of (lines, deed);
  auto is_at_end = [&] (const Object *line) { return json_get_int64 (line->get (), deed.member, -1) == deed.count; };

  EXPECT_TRUE (deed.n_events == -1 ? !found.empty () : found.size () == static_cast<size_t> (deed.n_events))
    << deed.words () << ": " << found.size ();
  for (const Object *line : found)
    EXPECT_TRUE (has (*line, deed.member)) << deed.words ();
  EXPECT_TRUE (!deed.is_gauge () || std::any_of (found.begin (), found.end (), is_at_end)) << deed.words ();
}

/* Whether METRIC, a line, has all labels of DEED. */
bool
is_of (const Object &metric, const Deed &deed)
{
  Object labels (g_variant_lookup_value (metric.get (), "labels", G_VARIANT_TYPE_VARDICT));

  for (const auto &[name, value] : deed.labels ())
    if (text_of (labels, name.c_str ()) != value)
      return false;
  return text_of (metric, "name") == deed.metric;
}

/* The last that LINES of metrics say of DEED. */
int64_t
value_of (const std::vector<Object> &lines, const Deed &deed)
{
  int64_t last_us = 0, sum = -1;

  for (const Object &line : lines)
    if (text_of (line, "event") == "metrics")
      last_us = json_get_int64 (line.get (), "time_us", -1);
  for (const Object &line : lines)
    if (text_of (line, "event") == "metrics" && json_get_int64 (line.get (), "time_us", -1) == last_us && is_of (line, deed))
      sum = std::max<int64_t> (sum, 0) + json_get_int64 (line.get (), deed.is_durations () ? "count" : "value", -1);
  return sum;
}

/* Its last metrics are from after the pools' end, which is the end of gauges. */
TEST (SinkJsonl, HasEachEventOfTheSeedsAndCountsToTheUnit)
{
  Folder folder;
  const std::string path = folder / "events.jsonl";
  TelemetryDeeds deeds ("mine", "[telemetry:mine]\nplugin=jsonl\nevents=all\nmetrics-interval=24h\npath=" + path + "\n");

  ASSERT_TRUE (deeds.do_all ());
  deeds.stop ();
  std::vector<Object> lines = read_lines (path);
  expect_same_events (lines, &deeds);
  for (const Deed &deed : deeds.done ()) {
    if (deed.event != -1)
      expect_events_of (lines, deed);
    if (deed.is_metric ()) {
      EXPECT_EQ (value_of (lines, deed), deed.is_gauge () ? 0 : deed.count) << deed.words ();
    }
  }
}

/* logrotate's way: the file is renamed, the process gets SIGHUP, which ends it where no sink minds it. */
TEST (SinkJsonl, SighupIsFollowedByANewFile)
{
  Folder folder;
  Port nobody;
  const std::string path = folder / "events.jsonl", old = folder / "events.jsonl.1";
  Client client ("[cenote]\ntelemetry=mine\n[telemetry:mine]\nplugin=jsonl\nevents=pool.scale_up\npath=" + path +
                   "\n[pool:test]\nprofile=local\ninitialization=manual\nsize=1\ntarget=ipv4:127.0.0.1:" +
                   std::to_string (nobody.number ()) + "\n",
                 CENOTE_EVENT_BIT (CENOTE_EVENT_POOL_SCALE_UP));
  auto await_file = [&] (const std::string &file) {
    gint64 until_us = g_get_monotonic_time () + 60 * G_USEC_PER_SEC;
    GStatBuf status;

    while ((g_stat (file.c_str (), &status) != 0 || status.st_size == 0) && g_get_monotonic_time () < until_us)
      std::this_thread::yield ();
    return read_lines (file).size ();
  };

  ASSERT_EQ (cenote_pool_scale_up (client.pool, 1, nullptr), 2);
  ASSERT_EQ (await_file (path), 1u);
  ASSERT_EQ (rename (path.c_str (), old.c_str ()), 0);
  ASSERT_EQ (kill (getpid (), SIGHUP), 0);
  ASSERT_EQ (cenote_pool_scale_up (client.pool, 1, nullptr), 3);
  EXPECT_EQ (await_file (path), 1u);
  EXPECT_EQ (await_file (old), 1u);
}

/* ------------------------------------------------------------------ statsd */

/* The sum of what TOTALS have under the spelling of DEED, and of what has more labels; -1: nothing. */
double
total_of (const std::map<std::string, double> &totals, const Deed &deed)
{
  std::string name = deed.metric;
  double sum = -1;

  for (const auto &[label, value] : deed.labels ())
    name += "." + value;
  for (const auto &[found, value] : totals)
    if (found == name || found.compare (0, name.size () + 1, name + ".") == 0)
      sum = std::max (sum, 0.0) + value;
  return sum;
}

/* What was never counted by a label of its own, and durations that there were none of, are not there at all. */
void
expect_totals (const std::vector<Deed> &done, const std::map<std::string, double> &counts,
               const std::map<std::string, double> &timings)
{
  for (const Deed &deed : done) {
    double total = total_of (deed.is_durations () ? timings : counts, deed);

    if (deed.is_metric () && !deed.is_gauge ()) {
      EXPECT_EQ (deed.count == 0 ? std::max (total, 0.0) : total, static_cast<double> (deed.count)) << deed.words ();
    }
  }
}

/* A daemon keeps the last of them. */
bool
shows_gauges (const std::map<std::string, double> &gauges, const std::vector<Deed> &done)
{
  return std::all_of (done.begin (), done.end (), [&] (const Deed &deed) {
    return !deed.is_gauge () || total_of (gauges, deed) == static_cast<double> (deed.count);
  });
}

/* All the while somebody takes what comes to RECEIVER: a Unix socket's queue is short.  Gauges end with their pools, so
 * they are looked at before. */
void
expect_counts_at (StatsdReceiver *receiver)
{
  ASSERT_TRUE (receiver->is_there ());
  TelemetryDeeds deeds ("mine", "[telemetry:mine]\nplugin=statsd\ninterval=100ms\naddress=" + receiver->address () + "\n");
  std::atomic<bool> rests{ false }, over{ false };
  std::promise<void> seen;
  std::thread ear ([&] {
    EXPECT_TRUE (receiver->await ([&] { return rests && shows_gauges (receiver->gauges, deeds.done ()); })) << "gauges";
    seen.set_value ();
    EXPECT_TRUE (receiver->await ([&] { return over.load (); }));
  });
  bool did_all = deeds.do_all ();

  deeds.rest ();
  rests = true;
  seen.get_future ().wait ();
  deeds.stop ();
  over = true;
  ear.join ();
  receiver->receive ();
  ASSERT_TRUE (did_all);
  expect_totals (deeds.done (), receiver->counts, receiver->timings);
}

TEST (SinkStatsd, CountsToTheUnitByUdp)
{
  StatsdReceiver receiver;

  expect_counts_at (&receiver);
}

TEST (SinkStatsd, CountsToTheUnitOverAUnixSocket)
{
  Folder folder;
  StatsdReceiver receiver (folder / "statsd.sock");

  expect_counts_at (&receiver);
}

/* Its daemon, with a backend of ours. */
class StatsdDaemon {
public:
  StatsdDaemon ()
  {
    const std::string backend = std::string (g_getenv ("abs_top_srcdir")) + "/tests/servers/statsd/totals.js";
    const std::string config = "{ port: " + std::to_string (udp_.number ()) + ", mgmt_port: " +
                               std::to_string (management_.number ()) + ", address: '127.0.0.1', mgmt_address: '127.0.0.1', " +
                               "flushInterval: 500, backends: ['" + backend + "'] }\n";
    const std::string program = InteropServer::modules () + "/statsd/stats.js";
    const std::string file = folder_.write ("config.js", config);
    const char *argv[] = { "node", program.c_str (), file.c_str (), nullptr };

    management_.release ();
    child_ = child_start (argv, nullptr);
  }

  ~StatsdDaemon () { child_free (child_); }
  StatsdDaemon (const StatsdDaemon &) = delete;
  StatsdDaemon &operator= (const StatsdDaemon &) = delete;

  /* nullptr: nothing is missing. */
  static const char *
  missing ()
  {
    const std::string program = InteropServer::modules () + "/statsd/stats.js";
    g_autofree char *node = g_find_program_in_path ("node");

    if (g_getenv ("abs_top_srcdir") == nullptr)
      return "abs_top_srcdir: make check sets it";
    if (node == nullptr)
      return "statsd: there is no node";
    return g_file_test (program.c_str (), G_FILE_TEST_EXISTS) ? nullptr : "statsd: not fetched (./bootstrap deps)";
  }

  /* Waits until it has flushed what had been sent to it before: on one machine
   * datagrams stay in their order.  FALSE: it has ended. */
  bool
  flush_all ()
  {
    const std::string line = "mark:1|c";
    sockaddr_in address = {};
    int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool sent;

    address.sin_family = AF_INET;
    address.sin_port = htons (static_cast<uint16_t> (udp_.number ()));
    address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
    sent = sendto (fd, line.data (), line.size (), 0, reinterpret_cast<sockaddr *> (&address), sizeof address) > 0;
    close (fd);
    return sent && flush_until ([&] { return counts["mark"] > 0; });
  }

  /* Waits until what it has flushed HOLDS.  FALSE: not within a minute, or it has ended. */
  template <typename Holds>
  bool
  flush_until (Holds holds)
  {
    gint64 until_us = g_get_monotonic_time () + 60 * G_USEC_PER_SEC;

    while (g_get_monotonic_time () < until_us && flush ())
      if (holds ())
        return true;
    return false;
  }

  /* Waits for the next line of its backend.  FALSE: there is none. */
  bool
  flush ()
  {
    g_autofree char *line = nullptr;

    do {
      g_free (line);
      line = child_ == nullptr ? nullptr : child_read (child_);
    } while (line != nullptr && line[0] != '{');
    if (line == nullptr)
      return false;
    Object object (g_variant_ref_sink (json_read (line, nullptr)));
    counts = numbers (object, "counters");
    timings = numbers (object, "timers");
    gauges = numbers (object, "gauges");
    bad = json_get_int64 (object.get (), "bad", -1);
    return true;
  }

  std::string address () const { return "127.0.0.1:" + std::to_string (udp_.number ()); }

  std::map<std::string, double> counts, timings, gauges;
  gint64 bad = -1;

private:
  static std::map<std::string, double>
  numbers (const Object &object, const char *member)
  {
    std::map<std::string, double> result;
    g_autoptr (GVariant) dictionary = g_variant_lookup_value (object.get (), member, G_VARIANT_TYPE_VARDICT);
    GVariantIter iter;
    const char *name;
    GVariant *value;

    if (dictionary == nullptr)
      return result;
    g_variant_iter_init (&iter, dictionary);
    while (g_variant_iter_loop (&iter, "{&sv}", &name, &value))
      result[name] = g_variant_is_of_type (value, G_VARIANT_TYPE_INT64) ? static_cast<double> (g_variant_get_int64 (value))
                                                                        : g_variant_get_double (value);
    return result;
  }

  Port udp_{ false }, management_{ false }; /* TCP's: UDP's of the same number is as free */
  Folder folder_;
  Child *child_ = nullptr;
};

TEST (SinkStatsd, TheNpmDaemonCountsToTheUnit)
{
  if (StatsdDaemon::missing () != nullptr)
    GTEST_SKIP () << StatsdDaemon::missing ();
  StatsdDaemon daemon;
  ASSERT_TRUE (daemon.flush ()) << "the daemon does not run";
  TelemetryDeeds deeds ("mine", "[telemetry:mine]\nplugin=statsd\ninterval=200ms\naddress=" + daemon.address () + "\n");

  ASSERT_TRUE (deeds.do_all ());
  deeds.rest ();
  ASSERT_TRUE (daemon.flush_until ([&] { return shows_gauges (daemon.gauges, deeds.done ()); })) << "gauges";
  deeds.stop ();
  ASSERT_TRUE (daemon.flush_all ());
  expect_totals (deeds.done (), daemon.counts, daemon.timings);
  EXPECT_EQ (daemon.bad, 0);
}

} // namespace
