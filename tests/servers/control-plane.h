/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control-plane: tests/servers/xds/control-plane.js, which tells C-core's xDS client of one
 * name's endpoints.
 *
 * C-core reads where it is from a file that the environment names.  It does so with
 * the first channel to xds:, and again when there was none left meanwhile.
 */
#ifndef CENOTE_TESTS_CONTROL_PLANE_H
#define CENOTE_TESTS_CONTROL_PLANE_H

#include <string>
#include <vector>

#include "folder.h"
#include "node-server.h"

class ControlPlane : public NodeServer {
public:
  /* Returns when it serves xds:///NAME, or could not be started: then port() is 0. */
  explicit ControlPlane (const std::string &name) : NodeServer ("xds/control-plane.js", name.c_str ()) {}

  /* What it runs on and is not on this machine; nullptr: nothing. */
  static const char *
  missing ()
  {
    return missing_package ("@grpc/grpc-js-xds", "grpc-js-xds: not fetched (./bootstrap deps)");
  }

  /* What C-core is to read. */
  std::string
  bootstrap () const
  {
    return R"({"node":{"id":"cenote"},"xds_servers":[{"server_features":["xds_v3"],)"
           R"("channel_creds":[{"type":"insecure"}],"server_uri":"127.0.0.1:)" + std::to_string (port_) + R"("}]})";
  }

  /* The name's endpoints from now on.  FALSE: it has ended. */
  bool
  tell (const std::vector<unsigned> &ports)
  {
    std::string line = "endpoints";

    for (unsigned port : ports)
      line += " " + std::to_string (port);
    return g_ascii_isdigit (ask (line)[0]);
  }

  /* Nobody can connect to it, and nobody is any more. */
  bool leave () { return ask ("leave") == "left"; }
  /* It serves again, at the same port. */
  bool come_back () { return ask ("return") == std::to_string (port_); }
};

#endif
