/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/prometheus, as the built plugin: its endpoint, asked over real sockets, and what it does with clients
 * that are slow, rude or many. */
#include <fcntl.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <memory>
#include <thread>

#include "http-client.h"
#include "log-capture.h"
#include "sink-host.h"

namespace {

class PrometheusSink : public ::testing::Test {
protected:
  void
  SetUp () override
  {
    if (!sink.is_built ())
      GTEST_SKIP () << "telemetry-prometheus was left out";
  }

  /* Listens at a free port, and remembers which. */
  void
  create (std::vector<std::string> settings = {})
  {
    settings.insert (settings.begin (), "listen=127.0.0.1:0");
    ASSERT_EQ (sink.create (settings), "");
    for (const LogRecord &record : log.records ()) {
      std::string text = record.message ();
      size_t at = text.find ("serves http://127.0.0.1:");
      if (at != std::string::npos)
        port = static_cast<unsigned> (std::stoul (text.substr (at + strlen ("serves http://127.0.0.1:"))));
    }
    ASSERT_NE (port, 0u) << "the port is logged";
  }

  HttpReply get (const std::string &path, const std::string &headers = "") { return http_get (port, path, headers); }

  static Metric::Labels of (const char *pool) { return { { "pool.name", pool } }; }

  static std::vector<Metric>
  sizes (int expected, int current)
  {
    return { gauge ("cenote.pool.expected_size", of ("users"), expected), gauge ("cenote.pool.expected_size", of ("idle"), 0),
             gauge ("cenote.pool.current_size", of ("users"), current), gauge ("cenote.pool.current_size", of ("idle"), 0) };
  }

  LogCapture log;
  SinkHost sink { "prometheus" };
  unsigned port = 0;
};

/* ------------------------------------------------------------------ answers */

TEST_F (PrometheusSink, MetricsInBothFormats)
{
  create ();
  sink.set_metrics ({ counter ("cenote.gets", of ("users"), 42) });
  HttpReply text = get ("/metrics"), open = get ("/metrics", "Accept: application/openmetrics-text;version=1.0.0\r\n");

  EXPECT_EQ (text.status, 200);
  EXPECT_EQ (text.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_NE (text.body.find ("cenote_gets_total{pool_name=\"users\"} 42\n"), std::string::npos) << text.body;
  EXPECT_EQ (open.status, 200);
  EXPECT_EQ (open.headers["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
  EXPECT_EQ (open.body.substr (open.body.size () - 6), "# EOF\n");
}

TEST_F (PrometheusSink, BucketsAreThoseOfTheOption)
{
  create ({ "buckets=1ms;1s" });
  sink.set_metrics ({ Metric::histogram ("cenote.get_time", of ("users"), { { 500, 2 } }) });
  std::string body = get ("/metrics").body;
  EXPECT_NE (body.find ("le=\"0.001\"} 2\ncenote_get_time_seconds_bucket{pool_name=\"users\",le=\"1\"} 2\n"), std::string::npos)
    << body;
}

TEST_F (PrometheusSink, HealthIsAboutPoolsThatAreDown)
{
  create ();
  EXPECT_EQ (get ("/healthz").status, 200) << "without a pool";
  sink.set_metrics (sizes (5, 5));
  EXPECT_EQ (get ("/healthz").body, "ok\n");
  sink.set_metrics (sizes (5, 1));
  EXPECT_EQ (get ("/healthz").status, 200) << "degraded";
  sink.set_metrics (sizes (5, 0));
  EXPECT_EQ (get ("/healthz").status, 503);
  EXPECT_EQ (get ("/healthz").body, "down: users\n");
}

TEST_F (PrometheusSink, StatusIsTheHosts)
{
  create ();
  sink.set_status ("{\"pools\":[{\"name\":\"users\"}]}");
  HttpReply reply = get ("/status.json");
  EXPECT_EQ (reply.status, 200);
  EXPECT_EQ (reply.headers["content-type"], "application/json");
  EXPECT_EQ (reply.body, "{\"pools\":[{\"name\":\"users\"}]}");
  sink.set_status ("");
  EXPECT_EQ (get ("/status.json").status, 503);
}

TEST_F (PrometheusSink, ThePageBringsEverythingAndMayDoNothingElse)
{
  create ();
  HttpReply reply = get ("/");
  std::string policy = reply.headers["content-security-policy"];

  EXPECT_EQ (reply.status, 200);
  EXPECT_EQ (reply.headers["content-type"], "text/html; charset=utf-8");
  EXPECT_EQ (policy.rfind ("default-src 'none'; style-src 'sha256-", 0), 0u) << policy;
  EXPECT_NE (policy.find ("script-src 'sha256-"), std::string::npos);
  EXPECT_EQ (policy.find ("unsafe"), std::string::npos);
  EXPECT_EQ (reply.body.find ("<script></script>"), std::string::npos);
  EXPECT_EQ (reply.body.find ("<style></style>"), std::string::npos);
  EXPECT_EQ (reply.body.find ("innerHTML"), std::string::npos);
  EXPECT_EQ (reply.body.find (" src="), std::string::npos);
  EXPECT_EQ (reply.body.find ("@import"), std::string::npos);
  EXPECT_LT (reply.body.size (), 64u * 1024);
}

TEST_F (PrometheusSink, ThePagesDataIsStatusHistoryAndErrors)
{
  CenoteEvent event = CENOTE_EVENT_INIT (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED);

  create ();
  event.pool = "users";
  event.error = "<script>alert(1)</script>";
  event.wall_us = 5000;
  sink.handle (&event);
  std::string body = get ("/page.json?since=0").body;
  EXPECT_EQ (body.rfind ("{\"born\":\"", 0), 0u) << body;
  EXPECT_NE (body.find ("\"keep\":120"), std::string::npos) << body;
  EXPECT_NE (body.find ("\"errors\":[{\"at_ms\":5,\"count\":1,"), std::string::npos) << body;
  EXPECT_NE (body.find (",\"status\":{\"pools\":[]}}"), std::string::npos) << body;
}

TEST_F (PrometheusSink, WithoutHistoryThePagesDataHasNone)
{
  create ({ "history=off" });
  std::string body = get ("/page.json").body;
  EXPECT_EQ (body.find ("at_ms"), std::string::npos) << body;
  EXPECT_NE (body.find ("\"errors\":[],\"status\":"), std::string::npos) << body;
}

TEST_F (PrometheusSink, EveryReplyIsSafe)
{
  create ();
  for (const char *path : { "/", "/metrics", "/healthz", "/status.json", "/page.json", "/nowhere" }) {
    HttpReply reply = get (path);
    EXPECT_EQ (reply.headers["cache-control"], "no-store") << path;
    EXPECT_EQ (reply.headers["x-content-type-options"], "nosniff") << path;
    EXPECT_EQ (reply.headers["cross-origin-resource-policy"], "same-origin") << path;
    EXPECT_EQ (reply.headers["referrer-policy"], "no-referrer") << path;
    EXPECT_EQ (reply.headers["connection"], "close") << path;
    EXPECT_EQ (reply.headers.count ("access-control-allow-origin"), 0u) << path;
  }
}

TEST_F (PrometheusSink, HeadIsGetWithoutABody)
{
  create ();
  HttpReply got = get ("/healthz"), reply = http_send (port, http_request ("/healthz", "", "HEAD"));
  EXPECT_EQ (reply.status, 200);
  EXPECT_EQ (reply.body, "");
  EXPECT_EQ (reply.headers["content-length"], std::to_string (got.body.size ()));
  EXPECT_EQ (http_send (port, http_request ("/status.json", "", "HEAD")).status, 200);
}

TEST_F (PrometheusSink, WhatThereIsNotSaysWhatThereIs)
{
  create ();
  EXPECT_EQ (get ("/nowhere").status, 404);
  EXPECT_EQ (get ("/nowhere").body, "there is nothing here; there are /, /metrics, /status.json and /healthz\n");
  HttpReply post = http_send (port, http_request ("/metrics", "Content-Length: 3\r\n", "POST") + "abc");
  EXPECT_EQ (post.status, 405);
  EXPECT_EQ (post.headers["allow"], "GET, HEAD");
  EXPECT_EQ (http_send (port, http_request ("/metrics", "", "DELETE")).status, 405);
  EXPECT_EQ (http_send (port, http_request ("/status.json", "Content-Length: 3\r\n") + "abc").status, 413);
  EXPECT_EQ (http_send (port, http_request ("/metrics", "Transfer-Encoding: chunked\r\n") + "0\r\n\r\n").status, 413);
  EXPECT_EQ (http_send (port, http_request ("/metrics", "Content-Length: 0\r\n")).status, 200);
}

TEST_F (PrometheusSink, ANameThatIsNotOursIsRefused)
{
  create ({ "hosts=metrics.example.com" });
  EXPECT_EQ (http_send (port, "GET /status.json HTTP/1.1\r\nHost: evil.example:9464\r\n\r\n").status, 421);
  EXPECT_EQ (http_send (port, "GET /status.json HTTP/1.1\r\nHost: metrics.example.com\r\n\r\n").status, 200);
  EXPECT_EQ (http_send (port, "GET /metrics HTTP/1.1\r\nHost: [::1]:9464\r\n\r\n").status, 200);
  EXPECT_EQ (http_send (port, "GET /metrics HTTP/1.0\r\n\r\n").status, 200);
}

/* ------------------------------------------------------------------- limits */

/* A request of SIZE bytes in all. */
std::string
request_of_size (size_t size)
{
  size_t rest = size - http_request ("/metrics", "X: \r\n").size ();

  return http_request ("/metrics", "X: " + std::string (rest, 'x') + "\r\n");
}

TEST_F (PrometheusSink, ARequestMayBeAsLargeAsTheOptionSays)
{
  create ();
  EXPECT_EQ (http_send (port, http_request ("/metrics", "X: " + std::string (7000, 'x') + "\r\n")).status, 200);
  for (size_t size : { (size_t) 8193, (size_t) 12000, (size_t) 100000 }) {
    HttpConnection connection (port);
    (void) connection.send (http_request ("/metrics", "X: " + std::string (size, 'x') + "\r\n"));
    std::string text = connection.read_all ();
    EXPECT_TRUE (text.empty () || HttpReply::parse (text).status == 431 || HttpReply::parse (text).status == 413) << text;
  }
  EXPECT_EQ (http_send (port, http_request ("/metrics", "X: " + std::string (8192, 'x') + "\r\n")).status, 431);
}

TEST_F (PrometheusSink, ARequestOfExactlyTheLargestSizeIsAnswered)
{
  create ({ "max-request-size=2KiB" });
  ASSERT_EQ (request_of_size (2048).size (), 2048u);
  EXPECT_EQ (http_send (port, request_of_size (2048)).status, 200);
  EXPECT_EQ (http_send (port, request_of_size (2049)).status, 431);
}

TEST_F (PrometheusSink, ManyHeadersAreNoWayAroundIt)
{
  create ();
  std::string headers;
  for (int i = 0; i < 1500; i++)
    headers += "a:b\r\n";
  HttpConnection connection (port);
  (void) connection.send (http_request ("/metrics", headers));
  EXPECT_TRUE (connection.await_close ());
  EXPECT_EQ (get ("/metrics").status, 200);
}

/* A byte each 10 ms would keep a timer of inactivity from ever ending. */
TEST_F (PrometheusSink, WhoDripsIsCutOffAtTheTimeout)
{
  create ({ "request-timeout=300ms" });
  HttpConnection connection (port);
  gint64 begun_us = g_get_monotonic_time ();

  ASSERT_TRUE (connection.send ("GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: "));
  while (!connection.is_closed () && g_get_monotonic_time () < begun_us + 60 * G_USEC_PER_SEC) {
    (void) connection.send ("x");
    g_usleep (10000);
  }
  EXPECT_TRUE (connection.is_closed ());
  EXPECT_GE (g_get_monotonic_time () - begun_us, 300000);
  EXPECT_EQ (connection.read_all (), "");
}

TEST_F (PrometheusSink, WhoSaysNothingIsCutOffToo)
{
  create ({ "request-timeout=100ms" });
  HttpConnection connection (port);
  EXPECT_TRUE (connection.await_close ());
}

/* More than the sockets' buffers hold. */
TEST_F (PrometheusSink, WhoDoesNotTakeHisReplyIsCutOff)
{
  create ({ "request-timeout=100ms" });
  sink.set_metrics (std::vector<Metric> (200000, counter ("cenote.gets", of ("a-pool-with-a-long-name"), 1)));
  HttpConnection connection (port);
  ASSERT_TRUE (connection.send (http_request ("/metrics")));
  pollfd watched = { connection.fd (), POLLRDHUP, 0 };
  EXPECT_EQ (poll (&watched, 1, 60000), 1);
  EXPECT_TRUE (connection.await_close ());
  EXPECT_LT (HttpReply::parse (connection.read_all ()).body.size (), 8000000u);
}

TEST_F (PrometheusSink, AtTheLimitTheOldestWithoutARequestGoes)
{
  create ({ "max-connections=4", "request-timeout=1min" });
  std::vector<std::unique_ptr<HttpConnection>> held;
  for (int i = 0; i < 4; i++) {
    held.push_back (std::make_unique<HttpConnection> (port));
    ASSERT_TRUE (held.back ()->send ("GET /"));
  }
  EXPECT_EQ (get ("/healthz").status, 200);
  EXPECT_TRUE (held[0]->await_close ());
  EXPECT_EQ (get ("/healthz").status, 200);
  for (int i = 1; i < 4; i++) {
    EXPECT_FALSE (held[i]->is_closed ()) << "there is room once the answer is taken: " << i;
    EXPECT_TRUE (held[i]->send ("healthz HTTP/1.0\r\n\r\n"));
    EXPECT_EQ (HttpReply::parse (held[i]->read_all ()).status, 200) << i;
  }
}

/* Asks again and again while others do their worst; the slowest answer, in microseconds. */
gint64
slowest_scrape (unsigned port, int n)
{
  gint64 slowest_us = 0;

  for (int i = 0; i < n; i++) {
    gint64 begun_us = g_get_monotonic_time ();
    EXPECT_EQ (http_get (port, "/metrics").status, 200);
    slowest_us = std::max (slowest_us, g_get_monotonic_time () - begun_us);
  }
  return slowest_us;
}

/* Of this process, what is in memory. */
gint64
resident_bytes ()
{
  std::ifstream file ("/proc/self/statm");
  gint64 size = 0, resident = 0;

  file >> size >> resident;
  return resident * sysconf (_SC_PAGESIZE);
}

/* 1000 half requests, of which at most 256 stay, each in a memory of its own that does not grow. */
TEST_F (PrometheusSink, AThousandHalfRequestsKeepNobodyOut)
{
  create ({ "request-timeout=1min" });
  std::vector<std::unique_ptr<HttpConnection>> held;
  gint64 slowest_us = 0, before = resident_bytes ();

  for (int i = 0; i < 1000; i++) {
    held.push_back (std::make_unique<HttpConnection> (port));
    ASSERT_TRUE (held.back ()->is_connected ()) << i;
    (void) held.back ()->send ("GET /metrics HTTP/1.1\r\nHo");
    if (i % 50 == 49)
      slowest_us = std::max (slowest_us, slowest_scrape (port, 1));
  }
  gint64 grown = resident_bytes () - before;
  printf ("slowest good scrape among 1000 half requests: %.1f ms; %.1f MiB more\n", (double) slowest_us / 1000,
          (double) grown / (1 << 20));
  EXPECT_LT (grown, 64 << 20);
  size_t open = 0;
  for (const auto &connection : held)
    open += !connection->is_closed ();
  EXPECT_LE (open, 256u);
  EXPECT_GE (open, 250u);
  EXPECT_LT (slowest_us, 30 * G_USEC_PER_SEC);
}

TEST_F (PrometheusSink, SlowClientsKeepNobodyWaiting)
{
  create ({ "request-timeout=1min" });
  std::vector<std::unique_ptr<HttpConnection>> held;
  std::atomic<bool> over { false };

  sink.set_metrics (std::vector<Metric> (500, counter ("cenote.gets", of ("users"), 1)));
  for (int i = 0; i < 200; i++)
    held.push_back (std::make_unique<HttpConnection> (port));
  std::thread drips ([&] {
    while (!over)
      for (const auto &connection : held) {
        (void) connection->send ("G");
        g_usleep (20);
      }
  });
  gint64 slowest_us = slowest_scrape (port, 100);
  over = true;
  drips.join ();
  printf ("slowest of 100 good scrapes among 200 slow clients: %.1f ms\n", (double) slowest_us / 1000);
  EXPECT_LT (slowest_us, 30 * G_USEC_PER_SEC);
}

/* ------------------------------------------------------------ a slow status */

TEST_F (PrometheusSink, AStatusThatTakesItsTimeHoldsUpNobodyElse)
{
  create ({ "request-timeout=1min" });
  sink.hold_status (true);
  HttpConnection waiting (port);
  ASSERT_TRUE (waiting.send (http_request ("/status.json")));
  sink.await_status_calls (1);
  EXPECT_EQ (get ("/metrics").status, 200);
  EXPECT_EQ (get ("/healthz").status, 200);
  sink.hold_status (false);
  EXPECT_EQ (HttpReply::parse (waiting.read_all ()).status, 200);
}

TEST_F (PrometheusSink, AStatusThatDoesNotComeInTimeIsSaidSo)
{
  create ({ "request-timeout=100ms" });
  sink.hold_status (true);
  EXPECT_EQ (get ("/status.json").status, 503);
  std::string body = get ("/page.json").body;
  EXPECT_NE (body.find ("\"status\":null"), std::string::npos) << body;
  sink.hold_status (false);
  EXPECT_EQ (get ("/status.json").status, 200);
}

TEST_F (PrometheusSink, AnyNumberOfReadersCostsAFewReadings)
{
  create ({ "request-timeout=1min" });
  std::vector<std::unique_ptr<HttpConnection>> held;

  sink.hold_status (true);
  for (int i = 0; i < 100; i++) {
    held.push_back (std::make_unique<HttpConnection> (port));
    ASSERT_TRUE (held.back ()->send (http_request ("/status.json")));
  }
  sink.await_status_calls (1);
  EXPECT_EQ (get ("/healthz").status, 200) << "all have been read";
  sink.hold_status (false);
  for (const auto &connection : held)
    EXPECT_EQ (HttpReply::parse (connection->read_all ()).status, 200);
  EXPECT_LE (sink.status_calls (), 3u);
}

/* ---------------------------------------------------------- beginning and end */

TEST_F (PrometheusSink, APortThatIsInUseIsAClearError)
{
  create ();
  SinkHost other ("prometheus");
  std::string place = "127.0.0.1:" + std::to_string (port);
  std::string why = other.create ({ "listen=" + place });
  EXPECT_NE (why.find ("listen: " + place + " is in use: somebody else listens there"), std::string::npos) << why;
}

TEST_F (PrometheusSink, WrongOptionsAreNamed)
{
  EXPECT_NE (sink.create ({ "listen=nowhere" }).find ("listen: 'nowhere' is no address to listen at"), std::string::npos);
  EXPECT_NE (sink.create ({ "listen=127.0.0.1:0", "buckets=1ms;soon" }).find ("buckets: 'soon' is no duration"),
             std::string::npos);
}

TEST_F (PrometheusSink, EndsWhileClientsHang)
{
  create ({ "request-timeout=1min" });
  HttpConnection silent (port), half (port);
  ASSERT_TRUE (half.send ("GET /metrics HT"));
  EXPECT_EQ (get ("/healthz").status, 200);
  sink.destroy ();
  EXPECT_TRUE (silent.await_close ());
  EXPECT_TRUE (half.await_close ());
  EXPECT_FALSE (HttpConnection (port).is_connected ());
}

TEST_F (PrometheusSink, EndsWhileOneWaitsForTheStatus)
{
  create ({ "request-timeout=1min" });
  sink.hold_status (true);
  HttpConnection waiting (port);
  ASSERT_TRUE (waiting.send (http_request ("/page.json")));
  sink.await_status_calls (1);
  std::thread control ([this] { sink.hold_status (false); });
  sink.destroy ();
  control.join ();
  EXPECT_TRUE (waiting.await_close ());
}

TEST_F (PrometheusSink, ItsPortIsFreeAtOnceAfterwards)
{
  create ();
  for (int i = 0; i < 20; i++) {
    EXPECT_EQ (get ("/metrics").status, 200);
    EXPECT_EQ (sink.create ({ "listen=127.0.0.1:" + std::to_string (port) }), "");
  }
}

TEST_F (PrometheusSink, AForkedChildKeepsNothingOfIt)
{
  create ();
  HttpConnection half (port);
  int gate[2], born[2];
  char byte = 0;
  ASSERT_TRUE (half.send ("GET /metrics HT"));
  EXPECT_EQ (get ("/healthz").status, 200);
  ASSERT_EQ (pipe2 (gate, O_CLOEXEC), 0);
  ASSERT_EQ (pipe2 (born, O_CLOEXEC), 0);

  pid_t child = fork ();
  if (child == 0) {
    close (gate[1]);
    (void) !write (born[1], &byte, 1); /* what a fork does to the child is done */
    (void) !read (gate[0], &byte, 1);  /* until the parent has looked */
    _exit (0);
  }
  close (gate[0]);
  ASSERT_EQ (read (born[0], &byte, 1), 1);
  close (born[0]);
  close (born[1]);
  EXPECT_EQ (get ("/metrics").status, 200) << "the parent serves on";
  sink.destroy ();
  EXPECT_TRUE (half.await_close ());
  EXPECT_EQ (sink.create ({ "listen=127.0.0.1:" + std::to_string (port) }), "") << "while the child lives";
  close (gate[1]);
  int status = -1;
  ASSERT_EQ (waitpid (child, &status, 0), child);
  EXPECT_EQ (status, 0);
}

TEST_F (PrometheusSink, AUnixSocketIsAPlaceToo)
{
  Directory directory;
  std::string path = directory.file ("metrics.sock");
  sockaddr_un address = {};

  ASSERT_EQ (sink.create ({ "listen=unix://" + path }), "");
  address.sun_family = AF_UNIX;
  strcpy (address.sun_path, path.c_str ());
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ (connect (fd, reinterpret_cast<sockaddr *> (&address), sizeof address), 0);
  std::string request = http_request ("/healthz"), text;
  ASSERT_EQ (write (fd, request.data (), request.size ()), (ssize_t) request.size ());
  char buffer[4096];
  ssize_t n;
  while ((n = read (fd, buffer, sizeof buffer)) > 0)
    text.append (buffer, static_cast<size_t> (n));
  close (fd);
  EXPECT_EQ (HttpReply::parse (text).status, 200) << text;
  sink.destroy ();
  EXPECT_FALSE (g_file_test (path.c_str (), G_FILE_TEST_EXISTS));
}

}  // namespace
