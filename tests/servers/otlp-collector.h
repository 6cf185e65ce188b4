/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp-collector: tests/servers/otlp/collector.js, which reads what telemetry/otlp exports with
 * upstream's own definitions.
 */
#ifndef CENOTE_TESTS_OTLP_COLLECTOR_H
#define CENOTE_TESTS_OTLP_COLLECTOR_H

#include "node-server.h"

class OtlpCollector : public NodeServer {
public:
  /* Returns when it serves, or could not be started: then port() is 0. */
  OtlpCollector () : NodeServer ("otlp/collector.js") {}

  /* What it runs on and is not on this machine; nullptr: nothing. */
  static const char *
  missing ()
  {
    return missing_package ("@opentelemetry/otlp-grpc-exporter-base",
                            "otlp-grpc-exporter-base: not fetched (./bootstrap deps)");
  }

  /* Its answer to LINE; see there. */
  std::string ask (const std::string &line) { return NodeServer::ask (line, "(no answer)"); }

  int64_t exports () { return std::stoll (ask ("exports")); }

  /* Waits for N more exports.  FALSE: not within half a minute. */
  bool
  await_more (int64_t n)
  {
    const std::string answer = ask ("await " + std::to_string (exports () + n));

    return !answer.empty () && g_ascii_isdigit (answer[0]);
  }
};

#endif
