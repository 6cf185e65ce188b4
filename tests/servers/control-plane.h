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

#include <cstdio>
#include <string>
#include <vector>

#include "child.h"
#include "folder.h"
#include "interop-server.h"

class ControlPlane {
public:
  /* Returns when it serves xds:///NAME, or could not be started: then port() is 0. */
  explicit ControlPlane (const std::string &name)
  {
    std::string modules = "NODE_PATH=" + InteropServer::modules ();
    std::string program = std::string (g_getenv ("abs_top_srcdir")) + "/tests/servers/xds/control-plane.js";
    const char *argv[] = { "env", modules.c_str (), "node", program.c_str (), name.c_str (), nullptr };

    child_ = child_start (argv, nullptr);
    if (child_ == nullptr)
      return;
    g_autofree char *line = child_read (child_);
    if (line == nullptr || sscanf (line, "%u", &port_) != 1)
      port_ = 0;
  }

  ~ControlPlane () { child_free (child_); }
  ControlPlane (const ControlPlane &) = delete;
  ControlPlane &operator= (const ControlPlane &) = delete;

  /* What it runs on and is not on this machine; nullptr: nothing. */
  static const char *
  missing ()
  {
    std::string package = InteropServer::modules () + "/@grpc/grpc-js-xds/package.json";

    if (InteropServer::missing () != nullptr)
      return InteropServer::missing ();
    return g_file_test (package.c_str (), G_FILE_TEST_EXISTS) ? nullptr : "grpc-js-xds: not fetched (./bootstrap deps)";
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
    g_autofree char *answer = child_ask (child_, line.c_str ());
    return answer != nullptr && g_ascii_isdigit (*answer);
  }

  void kill () { child_kill (child_); }
  unsigned port () const { return port_; }

private:
  Child *child_ = nullptr;
  unsigned port_ = 0;
};

#endif
