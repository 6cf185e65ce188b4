/* SPDX-License-Identifier: Apache-2.0 */
/*
 * statsd-receiver: a statsd daemon's ear: a socket for its datagrams, and what all of them together say.
 *
 *   StatsdReceiver receiver;               an UDP port of 127.0.0.1, or ("/path") a Unix socket
 *   ... "address=" + receiver.address () ...
 *   receiver.receive ();                   what has arrived
 *   receiver.counts["cenote.gets.users"]
 *
 * Lines are checked as the npm daemon checks them; what it would refuse is a failure.
 */
#ifndef CENOTE_TESTS_STATSD_RECEIVER_H
#define CENOTE_TESTS_STATSD_RECEIVER_H

#include <arpa/inet.h>
#include <glib.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <map>
#include <regex>
#include <string>
#include <vector>

class StatsdReceiver {
public:
  explicit StatsdReceiver (unsigned port = 0, int family = AF_INET)
  {
    sockaddr_in v4 = {};
    sockaddr_in6 v6 = {};
    socklen_t size = family == AF_INET ? sizeof v4 : sizeof v6;
    sockaddr *address = family == AF_INET ? reinterpret_cast<sockaddr *> (&v4) : reinterpret_cast<sockaddr *> (&v6);
    int room = 4 << 20;

    v4.sin_family = AF_INET;
    v4.sin_port = htons (static_cast<uint16_t> (port));
    v4.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = v4.sin_port;
    v6.sin6_addr = in6addr_loopback;
    fd_ = socket (family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    setsockopt (fd_, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (fd_ >= 0 && bind (fd_, address, size) == 0 && getsockname (fd_, address, &size) == 0)
      port_ = ntohs (family == AF_INET ? v4.sin_port : v6.sin6_port);
    address_ = (family == AF_INET ? "127.0.0.1:" : "[::1]:") + std::to_string (port_);
  }

  explicit StatsdReceiver (const std::string &path) : address_ ("unix://" + path), path_ (path)
  {
    sockaddr_un address = {};

    address.sun_family = AF_UNIX;
    g_strlcpy (address.sun_path, path.c_str (), sizeof address.sun_path);
    fd_ = socket (AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    port_ = fd_ >= 0 && bind (fd_, reinterpret_cast<sockaddr *> (&address), sizeof address) == 0;
  }

  ~StatsdReceiver ()
  {
    if (fd_ >= 0)
      close (fd_);
    if (!path_.empty ())
      unlink (path_.c_str ());
  }

  StatsdReceiver (const StatsdReceiver &) = delete;
  StatsdReceiver &operator= (const StatsdReceiver &) = delete;

  bool is_there () const { return port_ != 0; }
  unsigned port () const { return port_; }
  const std::string &address () const { return address_; }

  /* Takes what has arrived; how many datagrams that were. */
  unsigned
  receive ()
  {
    char bytes[65536];
    unsigned n = 0;
    ssize_t size;

    while ((size = recv (fd_, bytes, sizeof bytes, 0)) >= 0) {
      n++;
      largest = std::max (largest, static_cast<size_t> (size));
      take_packet (std::string (bytes, static_cast<size_t> (size)));
    }
    return n;
  }

  /* Waits until HOLDS, taking what arrives.  FALSE: not within a minute. */
  template <typename Holds>
  bool
  await (Holds holds)
  {
    gint64 until_us = g_get_monotonic_time () + 60 * G_USEC_PER_SEC;

    for (receive (); !holds (); receive ()) {
      pollfd ready = { fd_, POLLIN, 0 };

      if (g_get_monotonic_time () > until_us)
        return false;
      ::poll (&ready, 1, 100);
    }
    return true;
  }

  std::map<std::string, double> counts; /* of counters: the sum */
  std::map<std::string, double> gauges; /* the last */
  std::map<std::string, double> timings; /* how many durations */
  std::map<std::string, double> timings_ms; /* their sum */
  std::map<std::string, std::string> tags; /* the last */
  size_t largest = 0;        /* datagram */
  std::vector<std::string> lines;

private:
  void
  take_packet (const std::string &packet)
  {
    size_t from = 0, to;

    for (; from <= packet.size (); from = to + 1) {
      to = std::min (packet.find ('\n', from), packet.size ());
      take_line (packet.substr (from, to - from));
    }
  }

  void
  take_line (const std::string &line)
  {
    static const std::regex form ("([A-Za-z0-9_.-]+):([0-9]+(?:\\.[0-9]+)?)\\|(c|g|ms)(?:\\|@([0-9.]+))?(?:\\|#(.+))?");
    std::smatch match;

    lines.push_back (line);
    if (!std::regex_match (line, match, form)) {
      ADD_FAILURE () << "no line of statsd's: " << line;
      return;
    }
    std::string name = match[1], kind = match[3], rate = match[4];
    double value = g_ascii_strtod (match[2].str ().c_str (), nullptr);
    double times = rate.empty () ? 1 : 1 / g_ascii_strtod (rate.c_str (), nullptr);

    tags[name] = match[5];
    if (kind == "c")
      counts[name] += value * times;
    else if (kind == "g")
      gauges[name] = value;
    else {
      timings[name] += times;
      timings_ms[name] += value * times;
    }
  }

  int fd_ = -1;
  unsigned port_ = 0;
  std::string address_, path_;
};

#endif
