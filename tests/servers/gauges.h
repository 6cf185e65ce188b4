/* SPDX-License-Identifier: Apache-2.0 */
/* gauges: what this process holds. */
#ifndef CENOTE_TESTS_GAUGES_H
#define CENOTE_TESTS_GAUGES_H

#include <glib.h>
#include <malloc.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <ostream>
#include <thread>

#include "tests/sanitizers.h"

struct Gauges {
  unsigned descriptors;
  unsigned threads;
  gint64 resident_kb;        /* after free memory went back */
  gint64 allocated_kb;       /* by malloc, not freed */

  static Gauges
  read ()
  {
    malloc_trim (0);
    return { entries_of ("/proc/self/fd"), entries_of ("/proc/self/task"), read_resident_kb (),
             static_cast<gint64> (mallinfo2 ().uordblks / 1024) };
  }

  /* The same, once the connections of this process are N, those of earlier pools among
   * them: C-core closes a descriptor up to a keepalive-time after its connection's end.
   * Without N within a minute: as they are then. */
  static Gauges
  read_with_connections (unsigned n)
  {
    gint64 until_us = g_get_monotonic_time () + 60 * G_USEC_PER_SEC;

    while (connections () != n && g_get_monotonic_time () < until_us)
      std::this_thread::yield ();
    return read ();
  }

  /* Descriptors of TCP sockets that are, were or will be connected. */
  static unsigned
  connections ()
  {
    GDir *directory = g_dir_open ("/proc/self/fd", 0, nullptr);
    unsigned n = 0;

    while (const char *name = g_dir_read_name (directory))
      n += is_connection (atoi (name));
    g_dir_close (directory);
    return n;
  }

  /* Waits until the process has N threads.  FALSE: not within a minute. */
  static bool
  await_threads (unsigned n)
  {
    gint64 until_us = g_get_monotonic_time () + 60 * G_USEC_PER_SEC;

    while (entries_of ("/proc/self/task") != n && g_get_monotonic_time () < until_us)
      std::this_thread::yield ();
    return entries_of ("/proc/self/task") == n;
  }

  /* Those that the library has started. */
  static unsigned
  own_threads ()
  {
    GDir *tasks = g_dir_open ("/proc/self/task", 0, nullptr);
    unsigned n = 0;

    while (const char *task = g_dir_read_name (tasks)) {
      g_autofree char *path = g_build_filename ("/proc/self/task", task, "comm", nullptr);
      g_autofree char *name = nullptr;

      n += g_file_get_contents (path, &name, nullptr, nullptr) && g_str_has_prefix (name, "cenote-");
    }
    g_dir_close (tasks);
    return n;
  }

  /* A sanitizer keeps what was freed. */
  static constexpr bool
  memory_tells ()
  {
    return !UNDER_ASAN && !UNDER_TSAN;
  }

private:
  static int
  option_of (int fd, int name)
  {
    int value = -1;
    socklen_t size = sizeof value;

    return getsockopt (fd, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
  }

  /* Our own Ports are bound with SO_REUSEPORT; they are never connected. */
  static bool
  is_connection (int fd)
  {
    int domain = option_of (fd, SO_DOMAIN);

    return (domain == AF_INET || domain == AF_INET6) && option_of (fd, SO_TYPE) == SOCK_STREAM &&
           option_of (fd, SO_REUSEPORT) == 0;
  }

  static unsigned
  entries_of (const char *path)
  {
    GDir *directory = g_dir_open (path, 0, nullptr);
    unsigned n = 0;

    while (g_dir_read_name (directory) != nullptr)
      n++;
    g_dir_close (directory);
    return n;
  }

  static gint64
  read_resident_kb ()
  {
    long pages = 0;
    FILE *file = fopen ("/proc/self/statm", "r");

    if (file == nullptr || fscanf (file, "%*d %ld", &pages) != 1)
      pages = 0;
    if (file != nullptr)
      fclose (file);
    return pages * sysconf (_SC_PAGESIZE) / 1024;
  }
};

static inline std::ostream &
operator<< (std::ostream &out, const Gauges &gauges)
{
  return out << gauges.resident_kb << " kB resident, " << gauges.allocated_kb << " kB allocated, "
             << gauges.descriptors << " descriptors, " << gauges.threads << " threads";
}

#endif
