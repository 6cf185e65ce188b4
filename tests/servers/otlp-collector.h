/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp-collector: tests/servers/otlp/collector.js, which reads what telemetry/otlp exports with
 * upstream's own definitions.
 */
#ifndef CENOTE_TESTS_OTLP_COLLECTOR_H
#define CENOTE_TESTS_OTLP_COLLECTOR_H

#include <cstdio>
#include <string>

#include "child.h"
#include "interop-server.h"

class OtlpCollector {
public:
  /* Returns when it serves, or could not be started: then port() is 0. */
  OtlpCollector ()
  {
    std::string modules = "NODE_PATH=" + InteropServer::modules ();
    std::string program = std::string (g_getenv ("abs_top_srcdir")) + "/tests/servers/otlp/collector.js";
    const char *argv[] = { "env", modules.c_str (), "node", program.c_str (), nullptr };

    child_ = child_start (argv, nullptr);
    if (child_ == nullptr)
      return;
    g_autofree char *line = child_read (child_);
    if (line == nullptr || sscanf (line, "%u", &port_) != 1)
      port_ = 0;
  }

  ~OtlpCollector () { child_free (child_); }
  OtlpCollector (const OtlpCollector &) = delete;
  OtlpCollector &operator= (const OtlpCollector &) = delete;

  /* What it runs on and is not on this machine; nullptr: nothing. */
  static const char *
  missing ()
  {
    std::string package = InteropServer::modules () + "/@opentelemetry/otlp-grpc-exporter-base/package.json";

    if (InteropServer::missing () != nullptr)
      return InteropServer::missing ();
    return g_file_test (package.c_str (), G_FILE_TEST_EXISTS) ? nullptr
                                                              : "otlp-grpc-exporter-base: not fetched (./bootstrap deps)";
  }

  /* Its answer to LINE; see there. */
  std::string
  ask (const std::string &line)
  {
    g_autofree char *text = child_ask (child_, line.c_str ());

    return text == nullptr ? "(no answer)" : text;
  }

  int64_t exports () { return std::stoll (ask ("exports")); }

  /* Waits for N more exports.  FALSE: not within half a minute. */
  bool
  await_more (int64_t n)
  {
    const std::string answer = ask ("await " + std::to_string (exports () + n));

    return !answer.empty () && g_ascii_isdigit (answer[0]);
  }

  unsigned port () const { return port_; }

private:
  Child *child_ = nullptr;
  unsigned port_ = 0;
};

#endif
