/* SPDX-License-Identifier: Apache-2.0 */
/* load: threads that call over a pool all the time, one by Cenote's own calls and one on raw leases. */
#ifndef CENOTE_TESTS_LOAD_H
#define CENOTE_TESTS_LOAD_H

#include <atomic>
#include <mutex>
#include <thread>

#include "client.h"
#include "tools/raw-call.h"

class Load {
public:
  enum Kind { OWN_CALLS, OWN_CALLS_AND_LEASES };

  /* A channel may be lost under a raw lease that is just being called on; then there is to be none. */
  Load (CenotePool *pool, const char *method, Kind kind = OWN_CALLS_AND_LEASES) : pool_ (pool), method_ (method)
  {
    threads_.emplace_back ([this] { run (&Load::call); });
    if (kind == OWN_CALLS_AND_LEASES)
      threads_.emplace_back ([this] { run_raw (); });
  }

  ~Load () { stop (); }
  Load (const Load &) = delete;
  Load &operator= (const Load &) = delete;

  void
  stop ()
  {
    over_ = true;
    for (std::thread &thread : threads_)
      thread.join ();
    threads_.clear ();
  }

  /* Stops, and says what went wrong. */
  void
  expect_no_failure (const char *what)
  {
    stop ();
    printf ("%s: %u calls, %u failed\n", what, made.load (), failed.load ());
    EXPECT_GT (made, 0u) << what;
    EXPECT_EQ (failed, 0u) << what << ": " << first_;
  }

  std::atomic<unsigned> made{ 0 }, failed{ 0 };

private:
  void
  note (bool good, const std::string &what)
  {
    made++;
    if (good)
      return;
    std::lock_guard<std::mutex> hold (lock_);
    if (failed++ == 0)
      first_ = what;
  }

  void
  run (void (Load::*once) ())
  {
    while (!over_)
      (this->*once) ();
  }

  void
  call ()
  {
    CenoteCallOptions options = CENOTE_CALL_OPTIONS_INIT;
    g_autoptr (GBytes) request = g_bytes_new_static ("hello", 5);
    g_autoptr (GError) error = nullptr;

    options.retry = CENOTE_RETRY_UNSENT;
    options.wait_for_ready = TRUE;
    bool good = cenote_call_unary (pool_, method_, request, &options, nullptr, &error);
    note (good, good ? "" : error->message);
  }

  void
  call_raw (RawCaller *caller)
  {
    CenoteLease lease = CENOTE_LEASE_INIT;
    g_autoptr (GBytes) request = g_bytes_new_static ("hello", 5);
    g_autoptr (GError) error = nullptr;
    g_auto (RawReply) reply = {};

    if (!cenote_pool_get_channel (pool_, &lease, &error)) {
      note (false, error->message);
      return;
    }
    raw_caller_call (caller, lease.channel, method_, request, 30000, &reply);
    cenote_lease_release_with_status (&lease, reply.status);
    note (reply.status == GRPC_STATUS_OK, "on a lease: " + std::string (reply.details == nullptr ? "" : reply.details));
  }

  void
  run_raw ()
  {
    g_autoptr (RawCaller) caller = raw_caller_new ();

    while (!over_)
      call_raw (caller);
  }

  CenotePool *pool_;
  const char *method_;
  std::atomic<bool> over_{ false };
  std::mutex lock_;
  std::string first_;
  std::vector<std::thread> threads_;
};

#endif
