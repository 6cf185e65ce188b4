/* SPDX-License-Identifier: Apache-2.0 */
/*
 * interop-server: tests/servers/interop/server.js, a server on another implementation of gRPC.
 */
#ifndef CENOTE_TESTS_INTEROP_SERVER_H
#define CENOTE_TESTS_INTEROP_SERVER_H

#include <glib/gstdio.h>

#include <cstdio>
#include <string>

#include "child.h"

/* Its packages are where bootstrap has put them, in $CENOTE_TEST_NPM or the build tree's npm. */
class InteropServer {
public:
  /* Returns when it serves, or could not be started: then port() is 0. */
  InteropServer ()
  {
    std::string modules_path = "NODE_PATH=" + modules ();
    std::string program = std::string (g_getenv ("abs_top_srcdir")) + "/tests/servers/interop/server.js";
    const char *argv[] = { "env", modules_path.c_str (), "node", program.c_str (), nullptr };

    child_ = child_start (argv, nullptr);
    if (child_ == nullptr)
      return;
    g_autofree char *line = child_read (child_);
    if (line == nullptr || sscanf (line, "%u %u", &port_, &compressing_port_) != 2)
      port_ = 0;
  }

  ~InteropServer () { child_free (child_); }
  InteropServer (const InteropServer &) = delete;
  InteropServer &operator= (const InteropServer &) = delete;

  /* What it runs on and is not on this machine; nullptr: nothing. */
  static const char *
  missing ()
  {
    g_autofree char *node = g_find_program_in_path ("node");
    std::string package = modules () + "/@grpc/grpc-js/package.json";

    if (g_getenv ("abs_top_srcdir") == nullptr)
      return "abs_top_srcdir: make check sets it";
    if (node == nullptr)
      return "grpc-js: there is no node";
    return g_file_test (package.c_str (), G_FILE_TEST_EXISTS) ? nullptr : "grpc-js: not fetched (./bootstrap deps)";
  }

  /* Where its packages are, and those of other servers on node. */
  static std::string
  modules ()
  {
    const char *folder = g_getenv ("CENOTE_TEST_NPM");
    g_autofree char *built = child_program ("npm");

    return std::string (folder == nullptr ? built : folder) + "/node_modules";
  }

  gint64 calls () { return ask_number ("calls"); }
  gint64 cancelled () { return ask_number ("cancelled"); }
  /* Another server takes its place: returns when the old one has ended its last call. */
  bool renew () { return ask ("renew") == "renewed"; }
  /* STATUS: SERVING or NOT_SERVING. */
  bool serve (const std::string &status) { return ask ("serve " + status) == status; }

  unsigned port () const { return port_; }
  /* Of the server that compresses though nobody asked. */
  unsigned compressing_port () const { return compressing_port_; }

private:
  std::string
  ask (const std::string &line)
  {
    g_autofree char *text = child_ask (child_, line.c_str ());

    return text == nullptr ? "" : text;
  }

  gint64
  ask_number (const std::string &line)
  {
    std::string text = ask (line);

    return text.empty () ? -1 : g_ascii_strtoll (text.c_str (), nullptr, 10);
  }

  Child *child_ = nullptr;
  unsigned port_ = 0, compressing_port_ = 0;
};

#endif
