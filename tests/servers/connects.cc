/* SPDX-License-Identifier: Apache-2.0 */
#include "connects.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>

namespace {

struct Connects {
  std::mutex lock;
  std::condition_variable changed;
  std::map<unsigned, std::vector<gint64>> times;
};

/* Never destroyed: C-core's threads may outlive main(). */
Connects &
connects ()
{
  static Connects *const instance = new Connects;
  return *instance;
}

/* getaddrinfo() connects datagram sockets, to see which way an address goes. */
bool
is_stream (int fd)
{
  int type = 0;
  socklen_t size = sizeof type;

  return getsockopt (fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

/* 0: not TCP. */
unsigned
port_of (int fd, const sockaddr *address)
{
  if (!is_stream (fd))
    return 0;
  if (address->sa_family == AF_INET)
    return ntohs (reinterpret_cast<const sockaddr_in *> (address)->sin_port);
  if (address->sa_family == AF_INET6)
    return ntohs (reinterpret_cast<const sockaddr_in6 *> (address)->sin6_port);
  return 0;
}

void
note (unsigned port)
{
  std::lock_guard<std::mutex> hold (connects ().lock);
  connects ().times[port].push_back (g_get_monotonic_time ());
  connects ().changed.notify_all ();
}

/* The ports of the tests before come again. */
class Forgets : public testing::EmptyTestEventListener {
  void
  OnTestStart (const testing::TestInfo &) override
  {
    std::lock_guard<std::mutex> hold (connects ().lock);
    connects ().times.clear ();
  }
};

[[maybe_unused]] const bool forgets = (testing::UnitTest::GetInstance ()->listeners ().Append (new Forgets), true);

} // namespace

extern "C" __attribute__ ((visibility ("default"))) int
connect (int fd, const sockaddr *address, socklen_t length)
{
  if (unsigned port = port_of (fd, address))
    note (port);
  return static_cast<int> (syscall (SYS_connect, fd, address, length));
}

std::vector<gint64>
connects_to (unsigned port)
{
  std::lock_guard<std::mutex> hold (connects ().lock);
  return connects ().times[port];
}

bool
connects_await (unsigned port, size_t n)
{
  std::unique_lock<std::mutex> hold (connects ().lock);
  return connects ().changed.wait_for (hold, std::chrono::minutes (1),
                                       [&] { return connects ().times[port].size () >= n; });
}
