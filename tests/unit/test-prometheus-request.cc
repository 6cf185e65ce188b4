/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/prometheus: what it reads: requests, the place to listen at; and who has to go when it is full. */
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <string>
#include <vector>

extern "C" {
#include "plugins/telemetry/prometheus-connections.h"
#include "plugins/telemetry/prometheus-listen.h"
#include "plugins/telemetry/prometheus-request.h"
}

namespace {

/* ----------------------------------------------------------------- requests */

TEST (PrometheusRequest, OpenMetricsIsForWhoAsksForIt)
{
  /* Prometheus 2.42's, and 3's. */
  EXPECT_EQ (request_format ("application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
                             "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"), FORMAT_OPENMETRICS);
  EXPECT_EQ (request_format ("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
                             "text/plain;version=1.0.0;q=0.3,*/*;q=0.2"), FORMAT_OPENMETRICS);
  EXPECT_EQ (request_format ("Application/OpenMetrics-Text ; version=\"1.0.0\""), FORMAT_OPENMETRICS);
  EXPECT_EQ (request_format ("application/openmetrics-text"), FORMAT_OPENMETRICS);
}

TEST (PrometheusRequest, OthersGetText)
{
  for (const char *accept : { "", "*/*", "text/plain", "text/html,application/xhtml+xml,*/*;q=0.8", "application/json",
                              "application/openmetrics-text;q=0", "application/openmetrics-text;version=2.0.0",
                              "application/openmetrics-text;version=0.0.1", "application/openmetrics-text;q=0.5,text/plain",
                              "application/openmetrics-text;q=nan", ",;,;=;q=,=" })
    EXPECT_EQ (request_format (accept), FORMAT_TEXT) << accept;
  EXPECT_EQ (request_format (nullptr), FORMAT_TEXT);
}

TEST (PrometheusRequest, ANameOfSomebodyElsesIsNotOurs)
{
  const char *const names[] = { "metrics.example.com", nullptr };
  const char *const any[] = { "*", nullptr };

  for (const char *host : { "localhost", "LOCALHOST:9464", "127.0.0.1", "127.0.0.1:9464", "[::1]:9464", "[::1]", "10.1.2.3:80",
                            "Metrics.example.com:9464" })
    EXPECT_TRUE (request_host_is_ours (host, names)) << host;
  for (const char *host : { "", "evil.example", "evil.example:9464", "localhost.evil.example", "127.0.0.1.evil.example",
                            "[evil]:9464", "[::1", "::1", "metrics.example.com.evil" })
    EXPECT_FALSE (request_host_is_ours (host, names)) << host;
  EXPECT_TRUE (request_host_is_ours (nullptr, nullptr)) << "HTTP/1.0";
  EXPECT_TRUE (request_host_is_ours ("whatever", any));
  EXPECT_FALSE (request_host_is_ours ("metrics.example.com", nullptr));
}

Request
get (const char *path)
{
  Request request = {};

  request.method = "GET";
  request.path = path;
  request.host = "localhost";
  return request;
}

TEST (PrometheusRequest, EachPathHasItsRoute)
{
  const std::vector<std::pair<const char *, Route>> routes = {
    { "/", ROUTE_PAGE }, { "/metrics", ROUTE_METRICS }, { "/healthz", ROUTE_HEALTH }, { "/status.json", ROUTE_STATUS },
    { "/page.json", ROUTE_PAGE_DATA }, { "/metrics/", ROUTE_NOT_FOUND }, { "", ROUTE_NOT_FOUND }, { "//", ROUTE_NOT_FOUND },
    { "/../metrics", ROUTE_NOT_FOUND }, { "*", ROUTE_NOT_FOUND }
  };

  for (const auto &[path, route] : routes) {
    Request request = get (path);
    EXPECT_EQ (request_route (&request, 8192, nullptr), route) << path;
    request.method = "HEAD";
    EXPECT_EQ (request_route (&request, 8192, nullptr), route) << path;
  }
}

TEST (PrometheusRequest, WhatIsWrongComesBeforeWhatIsAskedFor)
{
  Request request = get ("/metrics");

  request.method = "POST";
  EXPECT_EQ (request_route (&request, 8192, nullptr), ROUTE_BAD_METHOD);
  request.path = "/nowhere";
  EXPECT_EQ (request_route (&request, 8192, nullptr), ROUTE_NOT_FOUND);
  request = get ("/metrics");
  request.has_body = TRUE;
  EXPECT_EQ (request_route (&request, 8192, nullptr), ROUTE_HAS_BODY);
  request.host = "evil.example";
  EXPECT_EQ (request_route (&request, 8192, nullptr), ROUTE_BAD_HOST);
  request.head_size = 8193;
  EXPECT_EQ (request_route (&request, 8192, nullptr), ROUTE_TOO_LARGE);
  request = get ("/metrics");
  request.head_size = 8192;
  EXPECT_EQ (request_route (&request, 8192, nullptr), ROUTE_METRICS);
}

TEST (PrometheusRequest, SinceIsANumber)
{
  EXPECT_EQ (request_since ("17"), 17u);
  EXPECT_EQ (request_since ("18446744073709551615"), G_MAXUINT64);
  for (const char *since : { "", "-1", "+1", " 1", "\v1", "1x", "0x10", "18446744073709551616" })
    EXPECT_EQ (request_since (since), 0u) << since;
  EXPECT_EQ (request_since (nullptr), 0u);
}

/* ------------------------------------------------------------------- listen */

std::string
wrong_with (const char *text)
{
  ListenAddress address;
  g_autofree char *wrong = listen_address_read (text, &address);

  listen_address_clear (&address);
  return wrong == nullptr ? "" : wrong;
}

TEST (PrometheusListen, ReadsAddresses)
{
  ListenAddress address;

  ASSERT_EQ (listen_address_read ("127.0.0.2:9464", &address), nullptr);
  EXPECT_EQ (address.socket.ss_family, AF_INET);
  EXPECT_EQ (ntohs (reinterpret_cast<sockaddr_in *> (&address.socket)->sin_port), 9464);
  ASSERT_EQ (listen_address_read ("[::1]:1", &address), nullptr);
  EXPECT_EQ (address.socket.ss_family, AF_INET6);
  ASSERT_EQ (listen_address_read ("localhost:0", &address), nullptr);
  EXPECT_EQ (ntohl (reinterpret_cast<sockaddr_in *> (&address.socket)->sin_addr.s_addr), INADDR_LOOPBACK);
  ASSERT_EQ (listen_address_read ("unix:///run/app.sock", &address), nullptr);
  EXPECT_STREQ (address.path, "/run/app.sock");
  EXPECT_STREQ (reinterpret_cast<sockaddr_un *> (&address.socket)->sun_path, "/run/app.sock");
  listen_address_clear (&address);
}

TEST (PrometheusListen, SaysWhatIsWrongAndWhatWouldBeRight)
{
  for (const char *text : { "", ":", "9464", ":9464", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
                            "127.0.0.1:\v1", "127.0.0.1:http", "::1:9464", "[::1]", "[127.0.0.1]:1", "metrics.example.com:9464",
                            "http://127.0.0.1:9464", "256.0.0.1:1", "[]:1" })
    EXPECT_EQ (wrong_with (text), std::string ("listen: '") + text + "' is no address to listen at "
               "(127.0.0.1:9464, [::1]:9464, 0.0.0.0:9464 for all, or unix:///run/app.sock)");
  EXPECT_EQ (wrong_with ("unix://app.sock"),
             "listen: 'app.sock' is no path for a unix socket (an absolute one of at most 107 bytes)");
  EXPECT_NE (wrong_with (("unix:///" + std::string (107, 'x')).c_str ()), "");
  EXPECT_EQ (wrong_with (("unix:///" + std::string (106, 'x')).c_str ()), "");
}

class Listener {
public:
  explicit Listener (const std::string &text)
  {
    g_autofree char *wrong = listen_address_read (text.c_str (), &address_), *why_not = nullptr;

    EXPECT_EQ (wrong, nullptr);
    fd = listen_open (&address_, &why_not);
    why = why_not == nullptr ? "" : why_not;
  }

  ~Listener ()
  {
    end ();
    listen_address_clear (&address_);
  }

  void
  end ()
  {
    if (fd >= 0)
      listen_close (&address_, fd);
    fd = -1;
  }

  std::string
  url ()
  {
    g_autofree char *text = listen_url (&address_, fd);
    return text;
  }

  int fd = -1;
  std::string why;

private:
  ListenAddress address_ = {};
};

TEST (PrometheusListen, APlaceThatIsTakenIsNamed)
{
  Listener first ("127.0.0.1:0");
  std::string url = first.url (), place = url.substr (7, url.size () - 8);
  Listener second (place);

  ASSERT_GE (first.fd, 0) << first.why;
  EXPECT_LT (second.fd, 0);
  EXPECT_EQ (second.why, "listen: " + place + " is in use: somebody else listens there "
                         "(take another port, or port 0 for a free one)");
  first.end ();
  EXPECT_GE (Listener (place).fd, 0) << "and is free again";
}

TEST (PrometheusListen, APlaceElsewhereIsNamed)
{
  EXPECT_EQ (Listener ("192.0.2.1:9464").why,
             "listen: 192.0.2.1:9464 is no address of this machine (127.0.0.1:9464, or 0.0.0.0:9464 for all)");
  EXPECT_EQ (Listener ("unix:///nowhere/at/all.sock").why,
             "listen: unix:///nowhere/at/all.sock cannot be listened at: No such file or directory");
}

TEST (PrometheusListen, ASocketFileIsTakenOverFromTheDeadAlone)
{
  g_autofree char *folder = g_dir_make_tmp ("cenote-XXXXXX", nullptr);
  std::string path = std::string (folder) + "/s", place = "unix://" + path;

  {
    Listener first (place);
    ASSERT_GE (first.fd, 0) << first.why;
    EXPECT_EQ (first.url (), place);
    Listener second (place);
    EXPECT_NE (second.why.find ("is in use"), std::string::npos) << second.why;
    close (first.fd); /* as if its process had died */
    first.fd = -1;
    Listener third (place);
    EXPECT_GE (third.fd, 0) << third.why;
    EXPECT_TRUE (g_file_test (path.c_str (), G_FILE_TEST_EXISTS));
  }
  EXPECT_FALSE (g_file_test (path.c_str (), G_FILE_TEST_EXISTS));
  g_file_set_contents (path.c_str (), "mine", -1, nullptr);
  EXPECT_LT (Listener (place).fd, 0);
  EXPECT_TRUE (g_file_test (path.c_str (), G_FILE_TEST_EXISTS)) << "a file of somebody's is left alone";
  unlink (path.c_str ());
  rmdir (folder);
}

/* -------------------------------------------------------------- connections */

class PrometheusConnections : public ::testing::Test {
protected:
  PrometheusConnections () { connections_init (&all, 3, 5000, 100); }

  ~PrometheusConnections () override
  {
    while (all.all.head != nullptr)
      connections_remove (&all, static_cast<Connection *> (all.all.head->data));
  }

  Connection *
  add (Phase phase, gint64 now_us = 0)
  {
    Connection *connection = connections_add (&all, ++fd, nullptr, now_us);

    connection_enter (&all, connection, phase, now_us);
    return connection;
  }

  Connections all;
  int fd = 0;
};

TEST_F (PrometheusConnections, NobodyGoesWhileThereIsRoom)
{
  add (PHASE_SILENT);
  add (PHASE_REQUEST);
  EXPECT_EQ (connections_victim (&all), nullptr);
  add (PHASE_CLOSING);
  EXPECT_EQ (connections_victim (&all), nullptr) << "who goes already takes no place";
}

TEST_F (PrometheusConnections, TheOldestWithoutAWholeRequestGoesFirst)
{
  add (PHASE_REPLY);
  Connection *second = add (PHASE_REQUEST);
  Connection *third = add (PHASE_SILENT);

  EXPECT_EQ (connections_victim (&all), second);
  connection_enter (&all, second, PHASE_CLOSING, 0);
  add (PHASE_WAITING);
  EXPECT_EQ (connections_victim (&all), third);
}

TEST_F (PrometheusConnections, WhereAllHaveOneTheOldestGoes)
{
  Connection *first = add (PHASE_REPLY);
  add (PHASE_WAITING);
  add (PHASE_REPLY);
  EXPECT_EQ (connections_victim (&all), first);
}

TEST_F (PrometheusConnections, EachPhaseHasItsTimeFromItsBeginning)
{
  Connection *one = add (PHASE_SILENT, 1000);

  EXPECT_EQ (connections_next_us (&all), 6000);
  EXPECT_EQ (connections_expired (&all, 5999), nullptr);
  EXPECT_EQ (connections_expired (&all, 6000), one);
  connection_enter (&all, one, PHASE_REQUEST, 3000);
  EXPECT_EQ (connections_expired (&all, 7999), nullptr);
  EXPECT_EQ (connections_expired (&all, 8000), one);
  connection_enter (&all, one, PHASE_CLOSING, 8000);
  EXPECT_EQ (connections_expired (&all, 99999), nullptr);
  EXPECT_EQ (connections_next_us (&all), G_MAXINT64);
}

TEST_F (PrometheusConnections, RepliesTogetherHaveABound)
{
  Connection *first = add (PHASE_REPLY), *second = add (PHASE_REPLY), *third = add (PHASE_REPLY);

  connection_hold (&all, first, 60);
  connection_hold (&all, second, 40);
  EXPECT_EQ (connections_reply_victim (&all, second), nullptr);
  connection_hold (&all, third, 1);
  EXPECT_EQ (connections_reply_victim (&all, third), first);
  EXPECT_EQ (connections_reply_victim (&all, first), second);
  connections_remove (&all, first);
  EXPECT_EQ (all.reply_bytes, 41u);
  EXPECT_EQ (connections_reply_victim (&all, third), nullptr);
  connection_hold (&all, third, 1000);
  connection_hold (&all, second, 0);
  EXPECT_EQ (connections_reply_victim (&all, third), nullptr) << "one that is larger than all is sent nevertheless";
}

}  // namespace
