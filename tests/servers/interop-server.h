/* SPDX-License-Identifier: Apache-2.0 */
/*
 * interop-server: tests/servers/interop/server.js, a server on another implementation of gRPC.
 */
#ifndef CENOTE_TESTS_INTEROP_SERVER_H
#define CENOTE_TESTS_INTEROP_SERVER_H

#include "node-server.h"

class InteropServer : public NodeServer {
public:
  /* Returns when it serves, or could not be started: then port() is 0. */
  InteropServer () : NodeServer ("interop/server.js")
  {
    if (n_ports_ != 2)
      port_ = 0;
  }

  /* What it runs on and is not on this machine; nullptr: nothing. */
  static const char *missing () { return missing_grpc (); }

  gint64 calls () { return ask_number ("calls"); }
  gint64 cancelled () { return ask_number ("cancelled"); }
  /* Another server takes its place: returns when the old one has ended its last call. */
  bool renew () { return ask ("renew") == "renewed"; }
  /* STATUS: SERVING or NOT_SERVING. */
  bool serve (const std::string &status) { return ask ("serve " + status) == status; }

  /* Of the server that compresses though nobody asked. */
  unsigned compressing_port () const { return second_port_; }

private:
  gint64
  ask_number (const std::string &line)
  {
    std::string text = ask (line);

    return text.empty () ? -1 : g_ascii_strtoll (text.c_str (), nullptr, 10);
  }
};

#endif
