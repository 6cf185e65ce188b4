/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sink prometheus of a real runtime: its numbers are what was done, its health and status the pools', and it
 * comes and goes with its runtime whatever its clients do.
 */
#include <sys/wait.h>

#include <memory>
#include <sstream>

#include "telemetry-deeds.h"
#include "tests/servers/prometheus-daemon.h"
#include "tests/unit/http-client.h"
#include "tests/unit/log-capture.h"

namespace {

const char *const group = "[telemetry:prom]\nplugin=prometheus\nlisten=127.0.0.1:0\n";
const char *const open_metrics = "Accept: application/openmetrics-text\r\n"; /* Prometheus asks for it too */

class Prometheus : public ::testing::Test {
protected:
  void
  SetUp () override
  {
    g_autofree char *path = g_build_filename (g_getenv ("CENOTE_PLUGIN_PATH"), "telemetry-prometheus.so", nullptr);

    if (!g_file_test (path, G_FILE_TEST_EXISTS))
      GTEST_SKIP () << "telemetry-prometheus was left out";
  }

  /* Of the endpoint that was opened last. */
  unsigned
  port ()
  {
    const std::string words = "serves http://127.0.0.1:";
    unsigned last = 0;

    for (const LogRecord &record : log.records ()) {
      size_t at = record.message ().find (words);
      if (at != std::string::npos)
        last = static_cast<unsigned> (std::stoul (record.message ().substr (at + words.size ())));
    }
    EXPECT_NE (last, 0u);
    return last;
  }

  /* A pool that is to reach SERVER_PORT. */
  static std::string
  keyfile (unsigned server_port, const std::string &sink = group)
  {
    return "[cenote]\ntelemetry=prom\n" + sink + "[backoff:quick]\nplugin=constant\ndelay=20ms\n" +
           "[pool:test]\nprofile=local\nbackoff=quick\nsize=2\ntarget=ipv4:127.0.0.1:" + std::to_string (server_port) + "\n";
  }

  LogCapture log;
};

using Labels = std::map<std::string, std::string>; /* a metric's name is the label __name__ */
using Samples = std::map<Labels, double>;

/* SERIES: "name" or "name{label="value",…}". */
Labels
labels_of (const std::string &series)
{
  size_t at = series.find ('{');
  Labels labels = { { "__name__", series.substr (0, at) } };

  while (at != std::string::npos && series[at] != '}') {
    size_t value = series.find ("=\"", at) + 2, end = series.find ('"', value);

    labels[series.substr (at + 1, value - at - 3)] = series.substr (value, end - value);
    at = end + 1;
  }
  return labels;
}

/* Cenote's own of TEXT, in either format, which may have times, or been through Prometheus, which adds two labels. */
Samples
read_samples (const std::string &text)
{
  std::istringstream lines (text);
  Samples samples;

  for (std::string line; std::getline (lines, line);) {
    size_t brace = line.rfind ('}'), end = line.find (' ', brace == std::string::npos ? 0 : brace);

    if (line.rfind ("cenote_", 0) != 0)
      continue;
    Labels labels = labels_of (line.substr (0, end));
    labels.erase ("job");
    labels.erase ("instance");
    samples[labels] = std::stod (line.substr (end));
  }
  return samples;
}

std::string
underscored (std::string name)
{
  std::replace (name.begin (), name.end (), '.', '_');
  return name;
}

/* "cenote_gets_total" and so on, and the labels, of DEED's metric. */
Labels
spelled (const Deed &deed)
{
  const char *end = deed.is_durations () ? "_seconds_count" : deed.is_gauge () ? "" : "_total";
  Labels labels = { { "__name__", underscored (deed.metric) + end } };

  for (const auto &[name, value] : deed.labels ())
    labels[underscored (name)] = value;
  return labels;
}

/* The sum of all SAMPLES that are named, and labelled, as DEED's metric is; -1: there is none. */
double
value_of (const Samples &samples, const Deed &deed)
{
  const Labels labels = spelled (deed);
  double sum = -1;

  for (const auto &[found, value] : samples)
    if (std::includes (found.begin (), found.end (), labels.begin (), labels.end ()))
      sum = std::max (sum, 0.0) + value;
  return sum;
}

bool
shows (const Samples &samples, const Deed &deed)
{
  return !deed.is_metric () || value_of (samples, deed) == static_cast<double> (deed.count);
}

void
expect_shows (const Samples &samples, const std::vector<Deed> &done)
{
  for (const Deed &deed : done)
    EXPECT_TRUE (shows (samples, deed)) << deed.words () << ": " << value_of (samples, deed) << ", not " << deed.count;
}

/* Waits until what is told by events, which may come a little later or earlier, agrees with what PORT shows. */
void
settle (TelemetryDeeds *deeds, unsigned port)
{
  gint64 until_us = g_get_monotonic_time () + 60 * G_USEC_PER_SEC;
  bool agree = false;

  while (!agree && g_get_monotonic_time () < until_us) {
    Samples samples = read_samples (http_get (port, "/metrics").body);
    std::vector<Deed> done = deeds->done ();
    agree = std::all_of (done.begin (), done.end (), [&] (const Deed &deed) { return shows (samples, deed); });
    if (!agree)
      g_usleep (10000);
  }
}

TEST_F (Prometheus, ItsNumbersAreWhatWasDone)
{
  TelemetryDeeds deeds ("prom", group);

  ASSERT_TRUE (deeds.do_all ());
  deeds.rest ();
  settle (&deeds, port ());
  HttpReply text = http_get (port (), "/metrics");
  HttpReply open = http_get (port (), "/metrics", open_metrics);
  deeds.stop ();

  ASSERT_EQ (text.status, 200);
  expect_shows (read_samples (text.body), deeds.done ());
  expect_shows (read_samples (open.body), deeds.done ());
}

void
expect_same (const Samples &stored, const Samples &shown)
{
  EXPECT_EQ (stored.size (), shown.size ());
  for (const auto &[labels, value] : shown) {
    auto found = stored.find (labels);
    EXPECT_TRUE (found != stored.end () && found->second == value) << ::testing::PrintToString (labels) << ", not " << value;
  }
}

/* What was done, and all else that is shown. */
TEST_F (Prometheus, PrometheusItselfStoresWhatWasDone)
{
  if (!PrometheusDaemon::is_there ())
    GTEST_SKIP () << "prometheus (Debian's) is not here";
  TelemetryDeeds deeds ("prom", group);
  PrometheusDaemon daemon (port ());

  ASSERT_NE (daemon.port (), 0u);
  ASSERT_TRUE (deeds.do_all ());
  deeds.rest ();
  settle (&deeds, port ());
  Samples stored = read_samples (daemon.await_scrape ());
  expect_shows (stored, deeds.done ());
  expect_same (stored, read_samples (http_get (port (), "/metrics", open_metrics).body));
}

bool
promtool_likes (const std::string &text)
{
  g_autofree char *path = nullptr, *command = nullptr;
  int fd = g_file_open_tmp ("cenote-metrics-XXXXXX", &path, nullptr);

  close (fd);
  g_file_set_contents (path, text.c_str (), (gssize) text.size (), nullptr);
  command = g_strdup_printf ("promtool check metrics <%s", path);
  int status = system (command);
  unlink (path);
  return WIFEXITED (status) && WEXITSTATUS (status) == 0;
}

TEST_F (Prometheus, PromtoolFindsNoFault)
{
  g_autofree char *promtool = g_find_program_in_path ("promtool");

  if (promtool == nullptr)
    GTEST_SKIP () << "promtool (Debian's prometheus) is not here";
  EchoServer server;
  ASSERT_TRUE (server.start ());
  Client client (keyfile (server.port ()), CENOTE_EVENT_MASK_ALL);
  ASSERT_TRUE (cenote_pool_await_ready (client.pool, 60000, nullptr));
  std::string text = http_get (port (), "/metrics").body;
  EXPECT_TRUE (promtool_likes (text)) << text;
  EXPECT_FALSE (promtool_likes ("nonsense")) << "it looks";
}

/* Waits until PATH answers with STATUS. */
bool
await_status (unsigned port, const char *path, int status)
{
  gint64 until_us = g_get_monotonic_time () + 60 * G_USEC_PER_SEC;

  while (http_get (port, path).status != status)
    if (g_get_monotonic_time () > until_us)
      return false;
  return true;
}

TEST_F (Prometheus, HealthFollowsThePool)
{
  EchoServer server;
  Client client (keyfile (server.port ()), CENOTE_EVENT_MASK_ALL);

  EXPECT_TRUE (await_status (port (), "/healthz", 503));
  EXPECT_EQ (http_get (port (), "/healthz").body, "down: test\n");
  ASSERT_TRUE (server.start ());
  EXPECT_TRUE (await_status (port (), "/healthz", 200));
  server.kill ();
  EXPECT_TRUE (await_status (port (), "/healthz", 503));
}

TEST_F (Prometheus, TheStatusIsTheRuntimes)
{
  EchoServer server;
  ASSERT_TRUE (server.start ());
  Client client (keyfile (server.port ()), CENOTE_EVENT_MASK_ALL);
  ASSERT_TRUE (cenote_pool_await_ready (client.pool, 60000, nullptr));
  HttpReply reply = http_get (port (), "/status.json"), page = http_get (port (), "/page.json");

  EXPECT_EQ (reply.status, 200);
  EXPECT_EQ (reply.body.rfind ("{\"pools\":[{\"name\":\"test\",", 0), 0u) << reply.body;
  EXPECT_NE (page.body.find ("\"status\":{\"pools\":[{\"name\":\"test\","), std::string::npos) << page.body;
}

TEST_F (Prometheus, TheErrorsOfAnOutageAreToldWithWhy)
{
  Port nobody;
  Client client (keyfile (nobody.number ()), CENOTE_EVENT_MASK_ALL);
  gint64 until_us = g_get_monotonic_time () + 60 * G_USEC_PER_SEC;
  std::string body;

  while (body.find ("channel.connection_failed") == std::string::npos && g_get_monotonic_time () < until_us)
    body = http_get (port (), "/page.json").body;
  EXPECT_NE (body.find ("did not connect"), std::string::npos) << body;
  EXPECT_NE (body.find ("refused"), std::string::npos) << body;
}

TEST_F (Prometheus, TwoRuntimesHaveTwoEndpoints)
{
  Port nobody;
  auto first = std::make_unique<Client> (keyfile (nobody.number ()), CENOTE_EVENT_MASK_ALL);
  unsigned first_port = port ();
  Client second (keyfile (nobody.number ()), CENOTE_EVENT_MASK_ALL);
  unsigned second_port = port ();

  EXPECT_NE (first_port, second_port);
  EXPECT_EQ (http_get (first_port, "/metrics").status, 200);
  EXPECT_EQ (http_get (second_port, "/metrics").status, 200);
  first.reset ();
  EXPECT_FALSE (HttpConnection (first_port).is_connected ());
  EXPECT_EQ (http_get (second_port, "/metrics").status, 200);
}

TEST_F (Prometheus, APlaceThatIsTakenFailsTheRuntimeWithWhy)
{
  Port nobody;
  Client client (keyfile (nobody.number ()), CENOTE_EVENT_MASK_ALL);
  std::string place = "127.0.0.1:" + std::to_string (port ());
  g_autoptr (GError) error = nullptr;
  std::string text = keyfile (nobody.number (), "[telemetry:prom]\nplugin=prometheus\nlisten=" + place + "\n");
  g_autoptr (CenoteConfig) config = cenote_config_new_from_data (text.c_str (), -1, nullptr);
  CenoteRuntime *runtime = cenote_runtime_new (config, &error);

  ASSERT_EQ (runtime, nullptr);
  EXPECT_NE (std::string (error->message).find ("listen: " + place + " is in use"), std::string::npos) << error->message;
}

/* Again and again, at whatever moment the stop comes: clients that hang, and clients that ask for what only the
 * control thread can tell. */
TEST_F (Prometheus, ARuntimeStopsWhileItsClientsHang)
{
  Port nobody;

  for (unsigned i = 0; i < 20; i++) {
    Client client (keyfile (nobody.number ()), CENOTE_EVENT_MASK_ALL);
    std::vector<std::unique_ptr<HttpConnection>> held;

    for (unsigned n = 0; n < 20; n++) {
      held.push_back (std::make_unique<HttpConnection> (port ()));
      ASSERT_TRUE (held.back ()->send (n % 2 == 0 ? "GET /metr" : http_request ("/page.json")));
    }
    cenote_runtime_stop (client.runtime);
    cenote_pool_unref (g_steal_pointer (&client.pool));
    cenote_runtime_unref (g_steal_pointer (&client.runtime));
    for (const auto &connection : held)
      EXPECT_TRUE (connection->await_close ());
  }
}

}  // namespace
