/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node-server: a server of tests/servers on node: a child that says its ports in its first line
 * and answers lines.
 *
 * Its packages are where bootstrap has put them, in $CENOTE_TEST_NPM or the build tree's npm.
 */
#ifndef CENOTE_TESTS_NODE_SERVER_H
#define CENOTE_TESTS_NODE_SERVER_H

#include <glib.h>

#include <cstdio>
#include <string>

#include "child.h"
#include "command.h"

class NodeServer {
public:
  NodeServer (const NodeServer &) = delete;
  NodeServer &operator= (const NodeServer &) = delete;

  /* Where the packages are. */
  static std::string
  modules ()
  {
    const char *folder = g_getenv ("CENOTE_TEST_NPM");
    g_autofree char *built = child_program ("npm");

    return std::string (folder == nullptr ? built : folder) + "/node_modules";
  }

  /* 0: it could not be started. */
  unsigned port () const { return port_; }

  /* Of node; 0: there is none. */
  static unsigned node_version () { return command_number ("node --version | tr -d v"); }

protected:
  /* SCRIPT below tests/servers; ARGUMENT is nullable.  Returns when it serves, or could not be started. */
  explicit NodeServer (const char *script, const char *argument = nullptr)
  {
    std::string modules_path = "NODE_PATH=" + modules ();
    std::string program = std::string (g_getenv ("abs_top_srcdir")) + "/tests/servers/" + script;
    const char *argv[] = { "env", modules_path.c_str (), "node", program.c_str (), argument, nullptr };

    child_ = child_start (argv, nullptr);
    if (child_ == nullptr)
      return;
    g_autofree char *line = child_read (child_);
    n_ports_ = line == nullptr ? 0 : sscanf (line, "%u %u", &port_, &second_port_);
    if (n_ports_ < 1)
      port_ = 0;
  }

  ~NodeServer () { child_free (child_); }

  /* What all of them run on and is not on this machine; nullptr: nothing. */
  static const char *
  missing_grpc ()
  {
    g_autofree char *node = g_find_program_in_path ("node");

    if (g_getenv ("abs_top_srcdir") == nullptr)
      return "abs_top_srcdir: make check sets it";
    if (node == nullptr)
      return "grpc-js: there is no node";
    return has_package ("@grpc/grpc-js") ? nullptr : "grpc-js: not fetched (./bootstrap deps)";
  }

  /* The same, and WHAT where PACKAGE is not there. */
  static const char *
  missing_package (const char *package, const char *what)
  {
    const char *missing = missing_grpc ();

    return missing != nullptr || has_package (package) ? missing : what;
  }

  /* Its answer to LINE, or OTHERWISE where it has ended. */
  std::string
  ask (const std::string &line, const char *otherwise = "")
  {
    g_autofree char *text = child_ask (child_, line.c_str ());

    return text == nullptr ? otherwise : text;
  }

  Child *child_ = nullptr;
  int n_ports_ = 0;
  unsigned port_ = 0, second_port_ = 0;

private:
  static bool
  has_package (const char *package)
  {
    return g_file_test ((modules () + "/" + package + "/package.json").c_str (), G_FILE_TEST_EXISTS);
  }
};

#endif
