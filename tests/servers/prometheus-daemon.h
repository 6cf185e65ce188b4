/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prometheus-daemon: Prometheus itself, which scrapes one endpoint each second and
 * says what it has stored.
 */
#ifndef CENOTE_TESTS_PROMETHEUS_DAEMON_H
#define CENOTE_TESTS_PROMETHEUS_DAEMON_H

#include <cstdio>
#include <cstring>
#include <string>

#include "child.h"
#include "folder.h"
#include "tests/unit/http-client.h"

class PrometheusDaemon {
public:
  /* TARGET: a port of 127.0.0.1.  Returns when it serves, or could not be started: then port() is 0.  It first scrapes
   * some five seconds later: so long it collects its targets. */
  explicit PrometheusDaemon (unsigned target)
  {
    const std::string config = "--config.file=" + folder_.write ("prometheus.yml", configuration (target));
    const std::string storage = "--storage.tsdb.path=" + (folder_ / "stored");
    const char *argv[] = { "setpriv", "--pdeathsig", "KILL", "sh", "-c", "exec prometheus \"$@\" 2>&1", "sh",
                           config.c_str (), storage.c_str (), "--web.listen-address=127.0.0.1:0", nullptr };

    child_ = child_start (argv, nullptr);
    port_ = child_ == nullptr ? 0 : read_port ();
  }

  ~PrometheusDaemon () { child_free (child_); }
  PrometheusDaemon (const PrometheusDaemon &) = delete;
  PrometheusDaemon &operator= (const PrometheusDaemon &) = delete;

  static bool
  is_there ()
  {
    g_autofree char *path = g_find_program_in_path ("prometheus");

    return path != nullptr;
  }

  unsigned port () const { return port_; }

  /* Waits for a scrape that began after this call, and succeeded: all that is stored since then, in the text format,
   * with labels and series of Prometheus' own.  Empty: there was none within a minute. */
  std::string
  await_scrape () const
  {
    const gint64 until_us = g_get_monotonic_time () + 60 * G_USEC_PER_SEC, since_ms = g_get_real_time () / 1000;
    std::string stored = read_stored ();

    while (scraped_ms (stored) <= since_ms) {
      if (g_get_monotonic_time () > until_us)
        return "";
      g_usleep (20000);
      stored = read_stored ();
    }
    return stored;
  }

private:
  static std::string
  configuration (unsigned target)
  {
    return "global: { scrape_interval: 1s, scrape_timeout: 1s }\n"
           "scrape_configs: [ { job_name: cenote, static_configs: [ { targets: [ '127.0.0.1:" +
           std::to_string (target) + "' ] } ] } ]\n";
  }

  /* Its own, as its log says; 0: it has ended. */
  unsigned
  read_port ()
  {
    const char *const words = "msg=\"Listening on\" address=127.0.0.1:";
    const char *found = nullptr;
    g_autofree char *line = nullptr;

    do {
      g_free (line);
      line = child_read (child_);
    } while (line != nullptr && (found = strstr (line, words)) == nullptr);
    return found == nullptr ? 0 : static_cast<unsigned> (g_ascii_strtoull (found + strlen (words), nullptr, 10));
  }

  /* Each series with its last value and that one's time, as it is for another Prometheus.  HTTP 1.0 knows no chunks. */
  std::string
  read_stored () const
  {
    return http_send (port_, "GET /federate?match%5B%5D=%7Bjob%3D%22cenote%22%7D HTTP/1.0\r\n\r\n").body;
  }

  /* When the last scrape in STORED began; -1: it failed, or there was none. */
  static gint64
  scraped_ms (const std::string &stored)
  {
    const char *series = strstr (stored.c_str (), "\nup{"), *values = series == nullptr ? nullptr : strstr (series, "} ");
    gint64 ms = -1;

    return values != nullptr && sscanf (values, "} 1 %" G_GINT64_FORMAT, &ms) == 1 ? ms : -1;
  }

  Folder folder_;
  Child *child_ = nullptr;
  unsigned port_ = 0;
};

#endif
