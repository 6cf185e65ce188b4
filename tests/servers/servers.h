/* SPDX-License-Identifier: Apache-2.0 */
/*
 * servers: the servers of the tests, each in a process of its own that ends with
 * its object.
 */
#ifndef CENOTE_TESTS_SERVERS_H
#define CENOTE_TESTS_SERVERS_H

#include <arpa/inet.h>
#include <glib/gstdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include "child.h"

/* A port of 127.0.0.1 that nobody else gets while this lives, and that refuses
 * connections unless one of our own servers, which share ports, listens on it. */
class Port {
public:
  explicit Port (bool shared = true)
  {
    sockaddr_in address = {};
    socklen_t size = sizeof address;
    int on = 1;

    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
    fd_ = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (shared)
      setsockopt (fd_, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (bind (fd_, reinterpret_cast<sockaddr *> (&address), sizeof address) == 0 &&
        getsockname (fd_, reinterpret_cast<sockaddr *> (&address), &size) == 0)
      number_ = ntohs (address.sin_port);
  }

  ~Port () { release (); }
  Port (const Port &) = delete;
  Port &operator= (const Port &) = delete;

  /* For a server that does not share; from here on somebody else might get it. */
  void
  release ()
  {
    if (fd_ >= 0)
      close (fd_);
    fd_ = -1;
  }

  /* Listens and never accepts: once the queue is full, nobody hears of a newcomer again. */
  void
  swallow ()
  {
    listen (fd_, 0);
  }

  unsigned number () const { return number_; }

private:
  int fd_ = -1;
  unsigned number_ = 0;
};

/* The demo's gRPC server, always on the same port. */
class EchoServer {
public:
  ~EchoServer () { child_free (child_); }

  /* Returns when it serves.  FILES: paths of a certificate and its key, for TLS, and perhaps of clients' CAs. */
  bool
  start (const std::vector<std::string> &files = {})
  {
    g_autofree char *program = child_program ("tests/integration/demo-server");
    std::string port = std::to_string (port_.number ());
    std::vector<const char *> argv = { program, port.c_str () };

    for (const std::string &file : files)
      argv.push_back (file.c_str ());
    argv.push_back (nullptr);
    child_free (child_);
    child_ = child_start (argv.data (), nullptr);
    if (child_ == nullptr)
      return false;
    g_autofree char *line = child_read (child_);
    return line != nullptr && port == line;
  }

  void kill () { child_kill (child_); }
  unsigned port () const { return port_.number (); }

private:
  Port port_;
  Child *child_ = nullptr;
};

#define WORK_ECHO_METHOD "/cenote.test.Work/Echo"
#define WORK_DEADLINE_METHOD "/cenote.test.Work/Deadline"
#define WORK_HOLD_METHOD "/cenote.test.Work/Hold"

/* tests/servers/health, always on the same port. */
class HealthServer {
public:
  ~HealthServer () { child_free (child_); }

  /* Returns when it serves, with OPTIONS of its own. */
  bool
  start (const std::vector<const char *> &options = {})
  {
    g_autofree char *program = child_program ("tests/servers/health");
    std::string port = std::to_string (port_.number ());
    std::vector<const char *> argv = { program, port.c_str () };

    argv.insert (argv.end (), options.begin (), options.end ());
    argv.push_back (nullptr);
    child_free (child_);
    child_ = child_start (argv.data (), nullptr);
    if (child_ == nullptr)
      return false;
    g_autofree char *line = child_read (child_);
    return line != nullptr && port == line;
  }

  /* A ServingStatus: 1 SERVING, 2 NOT_SERVING.  The number of watchers that are told. */
  gint64
  serve (int status)
  {
    return ask ("serve " + std::to_string (status));
  }

  gint64 break_watches () { return ask ("break"); }
  gint64 echoes () { return ask ("echoes"); }
  gint64 repeats () { return ask ("repeats"); }
  /* Echo answers so much later from now on; the number of echoes so far. */
  gint64 delay (int ms) { return ask ("delay " + std::to_string (ms)); }
  gint64 health_calls () { return ask ("health"); }
  gint64 others () { return ask ("others"); }
  gint64 holding () { return ask ("holding"); }
  gint64 release () { return ask ("release"); }
  /* It stops to run, and its connections stay; and runs on. */
  void freeze () { child_signal (child_, SIGSTOP); }
  void thaw () { child_signal (child_, SIGCONT); }
  void kill () { child_kill (child_); }
  unsigned port () const { return port_.number (); }

private:
  gint64
  ask (const std::string &line)
  {
    g_autofree char *text = child_ask (child_, line.c_str ());

    return text == nullptr ? -1 : g_ascii_strtoll (text, nullptr, 10);
  }

  Port port_;
  Child *child_ = nullptr;
};

/* tests/servers/peer in one of its modes. */
class Peer {
public:
  explicit Peer (const char *mode, unsigned upstream = 0)
  {
    g_autofree char *program = child_program ("tests/servers/peer");
    std::string port = std::to_string (upstream);
    const char *argv[] = { program, mode, port.c_str (), nullptr };

    child_ = child_start (argv, nullptr);
    if (child_ != nullptr)
      port_ = static_cast<unsigned> (answer (child_read (child_)));
  }

  ~Peer () { child_free (child_); }
  Peer (const Peer &) = delete;
  Peer &operator= (const Peer &) = delete;

  unsigned port () const { return port_; }

  /* The monotonic time in ns before connection K was cut; -1: there is none such. */
  gint64
  reset (unsigned k)
  {
    std::string line = "reset " + std::to_string (k);

    return answer (child_ask (child_, line.c_str ()));
  }

  /* The same, after a GOAWAY. */
  gint64
  goaway (unsigned k)
  {
    std::string line = "goaway " + std::to_string (k);

    return answer (child_ask (child_, line.c_str ()));
  }

  void greet () { answer (child_ask (child_, "greet")); }
  gint64 alive () { return answer (child_ask (child_, "alive")); }
  gint64 count () { return answer (child_ask (child_, "count")); }

private:
  static gint64
  answer (char *line)
  {
    g_autofree char *text = line;

    return text == nullptr || !g_ascii_isdigit (text[0]) ? -1 : g_ascii_strtoll (text, nullptr, 10);
  }

  Child *child_ = nullptr;
  unsigned port_ = 0;
};

/* nginx, which carries HTTP/2 to a gRPC server and says goodbye to a connection after so many calls. */
class Nginx {
public:
  Nginx (unsigned upstream, unsigned calls)
  {
    port_.release ();
    if (g_file_open_tmp ("cenote-nginx.XXXXXX", &file_, nullptr) >= 0)
      g_file_set_contents (file_, text (upstream, calls).c_str (), -1, nullptr);
  }

  ~Nginx ()
  {
    child_free (child_);
    unlink (file_);
    g_free (file_);
  }

  Nginx (const Nginx &) = delete;
  Nginx &operator= (const Nginx &) = delete;

  /* (nullable) (transfer full) */
  static char *
  program ()
  {
    char *path = g_find_program_in_path ("nginx");

    return path != nullptr || access ("/usr/sbin/nginx", X_OK) != 0 ? path : g_strdup ("/usr/sbin/nginx");
  }

  /* Returns at once: whoever dials sees when it serves. */
  bool
  start ()
  {
    g_autofree char *path = program ();
    const char *argv[] = { "setpriv", "--pdeathsig", "KILL", path, "-c", file_, nullptr };

    child_ = child_start (argv, "/dev/null");
    return child_ != nullptr;
  }

  unsigned port () const { return port_.number (); }

private:
  std::string
  text (unsigned upstream, unsigned calls) const
  {
    return "daemon off; master_process off; pid /dev/null; error_log stderr crit;\n"
           "events { worker_connections 1024; }\n"
           "http {\n"
           "  access_log off; client_body_temp_path /tmp; proxy_temp_path /tmp;\n"
           "  fastcgi_temp_path /tmp; uwsgi_temp_path /tmp; scgi_temp_path /tmp;\n"
           "  upstream served { server 127.0.0.1:" + std::to_string (upstream) + "; keepalive 64; keepalive_requests 1000000; }\n"
           "  server {\n"
           "    listen 127.0.0.1:" + std::to_string (port_.number ()) + " http2;\n"
           "    keepalive_requests " + std::to_string (calls) + ";\n"
           "    location / { grpc_pass grpc://served; }\n"
           "  }\n"
           "}\n";
  }

  Port port_{ false };
  char *file_ = nullptr;
  Child *child_ = nullptr;
};

/* etcd, with its data in a directory that goes with it. */
class Etcd {
public:
  Etcd ()
  {
    directory_ = g_dir_make_tmp ("cenote-etcd.XXXXXX", nullptr);
    client_.release ();
    peer_.release ();
  }

  ~Etcd ()
  {
    child_free (child_);
    std::string remove = std::string ("rm -rf '") + directory_ + "'";
    if (system (remove.c_str ()) != 0)
      g_printerr ("%s stays\n", directory_);
    g_free (directory_);
  }

  Etcd (const Etcd &) = delete;
  Etcd &operator= (const Etcd &) = delete;

  static bool
  is_there ()
  {
    g_autofree char *path = g_find_program_in_path ("etcd");

    return path != nullptr;
  }

  /* Returns at once: whoever dials sees when it serves.  FILES: paths of a certificate, its key and clients' CAs, for
   * mutual TLS.  etcd reads the first two anew for each connection. */
  bool
  start (const std::vector<std::string> &files = {})
  {
    std::string url = (files.empty () ? "http" : "https") + std::string ("://127.0.0.1:") +
                      std::to_string (client_.number ());
    std::string peer_url = "http://127.0.0.1:" + std::to_string (peer_.number ());
    std::string cluster = "default=" + peer_url;
    std::string data = std::string (directory_) + "/data";
    std::vector<const char *> argv = { "setpriv", "--pdeathsig", "KILL", "etcd",
                                       "--data-dir", data.c_str (),
                                       "--listen-client-urls", url.c_str (), "--advertise-client-urls", url.c_str (),
                                       "--listen-peer-urls", peer_url.c_str (),
                                       "--initial-advertise-peer-urls", peer_url.c_str (),
                                       "--initial-cluster", cluster.c_str () };

    if (!files.empty ())
      argv.insert (argv.end (), { "--cert-file", files[0].c_str (), "--key-file", files[1].c_str (),
                                  "--client-cert-auth", "--trusted-ca-file", files[2].c_str () });
    argv.push_back (nullptr);
    child_free (child_);
    child_ = child_start (argv.data (), log ().c_str ());
    return child_ != nullptr;
  }

  void kill () { child_kill (child_); }
  /* As its operator does: returns when it has ended by itself. */
  void end () { child_end (child_); }
  unsigned port () const { return client_.number (); }
  std::string log () const { return std::string (directory_) + "/log"; }

private:
  Port client_{ false }, peer_{ false };
  char *directory_ = nullptr;
  Child *child_ = nullptr;
};

#endif
