/* SPDX-License-Identifier: Apache-2.0 */
#include "wall-clock.h"

#include <dlfcn.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <ctime>

namespace {

const int n_descriptors = 1024;

std::atomic<long> ahead_s{ 0 };
/* By descriptor: it is a timerfd of the wall clock's, and its next read() is to say ECANCELED. */
std::atomic<bool> watches[n_descriptors], cancelled[n_descriptors];

bool
in_range (int fd)
{
  return fd >= 0 && fd < n_descriptors;
}

} /* namespace */

void
wall_clock_run_ahead (long seconds)
{
  ahead_s = seconds;
}

void
wall_clock_set_back (void)
{
  ahead_s = 0;
}

/* It expires at once, so that poll() says the same as it does of a cancelled one. */
void
wall_clock_tell (void)
{
  itimerspec now = {};

  now.it_value.tv_nsec = 1;
  for (int fd = 0; fd < n_descriptors; fd++) {
    if (!watches[fd])
      continue;
    cancelled[fd] = true;
    timerfd_settime (fd, 0, &now, nullptr);
  }
}

extern "C" {

/* In place of libc's, for C-core too. */
int
clock_gettime (clockid_t clock, timespec *out)
{
  using Real = int (*) (clockid_t, timespec *);
  static const Real real = reinterpret_cast<Real> (dlsym (RTLD_NEXT, "clock_gettime"));
  int result = real != nullptr ? real (clock, out) : static_cast<int> (syscall (SYS_clock_gettime, clock, out));

  if (clock == CLOCK_REALTIME)
    out->tv_sec += ahead_s.load (std::memory_order_relaxed);
  return result;
}

/* In place of what the library calls (--wrap). */
int __real_timerfd_create (int clock, int flags);
ssize_t __real_read (int fd, void *bytes, size_t n);
int __wrap_timerfd_create (int clock, int flags);
ssize_t __wrap_read (int fd, void *bytes, size_t n);

int
__wrap_timerfd_create (int clock, int flags)
{
  int fd = __real_timerfd_create (clock, flags);

  if (in_range (fd))
    watches[fd] = clock == CLOCK_REALTIME;
  return fd;
}

ssize_t
__wrap_read (int fd, void *bytes, size_t n)
{
  ssize_t result = __real_read (fd, bytes, n);

  if (!in_range (fd) || !cancelled[fd].exchange (false))
    return result;
  errno = ECANCELED;
  return -1;
}
}
