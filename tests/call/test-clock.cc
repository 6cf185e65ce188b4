/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A wall clock that is set back (FACTS 14): C-core's timers wait for a time that is now far away, and
 * what Cenote promises must hold all the same.
 */
#include <functional>

#include "call-test.h"
#include "tests/servers/wall-clock.h"
#include "watchdog-probe.h"

namespace {

/* A peer that never answers, and calls of all three kinds whose deadlines C-core has got wrong. */
class SteppedClock : public CallTest {
protected:
  void
  SetUp () override
  {
    open ([] (auto &, const auto &) {}, "size=1\ndrain-timeout=1s\n");
  }

  void
  TearDown () override
  {
    wall_clock_set_back ();
    cenote_runtime_stop (client_->runtime); /* what hangs, ends with it */
    forget_calls ();
    close ();
    await_end_of_ccore ();
  }

  /* Its timers' thread may sleep for an hour still; the next test's is a new one. */
  static void
  await_end_of_ccore ()
  {
    while (grpc_is_initialized ())
      std::this_thread::yield ();
  }

  /* Those that were made have ended. */
  void
  forget_calls ()
  {
    for (std::thread &thread : threads_)
      thread.join ();
    threads_.clear ();
    codes_.clear ();
  }

  /* An hour ahead while they begin, so that C-core waits until an hour after their deadlines. */
  void
  begin_calls_and_set_back (gint64 timeout_ms)
  {
    const unsigned before = peer_->asked ();

    wall_clock_run_ahead (3600);
    deadline_us_ = g_get_monotonic_time () + timeout_ms * 1000;
    begin (timeout_ms, [this] (const CenoteCallOptions &options) { return call (pool (), METHOD, "blocking", &options).code; });
    begin (timeout_ms, [this] (const CenoteCallOptions &options) {
      AsyncCalls calls (pool ());

      calls.begin (METHOD, "async", &options);
      calls.await_all ();
      return calls.replies[0].code;
    });
    begin (timeout_ms, [this] (const CenoteCallOptions &options) {
      g_autoptr (GBytes) message = g_bytes_new_static ("stream", 6), reply = nullptr;
      g_autoptr (GError) error = nullptr;
      g_autoptr (CenoteCall) stream = cenote_call_new (pool (), METHOD, &options, nullptr);

      cenote_call_write (stream, message, FALSE, nullptr);
      cenote_call_read (stream, -1, &reply, nullptr);
      cenote_call_finish (stream, &error);
      return error == nullptr ? 0 : error->code;
    });
    while (peer_->asked () < before + 3)
      std::this_thread::yield ();
    wall_clock_set_back ();
  }

  /* How many have ended within so long. */
  unsigned
  await_ends (unsigned n, gint64 ms)
  {
    std::unique_lock<std::mutex> hold (lock_);

    ended_.wait_for (hold, std::chrono::milliseconds (ms), [&] { return codes_.size () >= n; });
    return static_cast<unsigned> (codes_.size ());
  }

  void
  expect_ended_by_deadline ()
  {
    EXPECT_EQ (3u, await_ends (3, 30000)) << "one hangs";
    std::lock_guard<std::mutex> hold (lock_);
    for (int code : codes_)
      EXPECT_EQ (DEADLINE_EXCEEDED, code);
    EXPECT_GE (first_end_us_, deadline_us_) << "ended early";
    EXPECT_EQ (0, in_flight ());
  }

  gint64 deadline_us_ = 0;

private:
  void
  begin (gint64 timeout_ms, std::function<int (const CenoteCallOptions &)> make)
  {
    threads_.emplace_back ([this, timeout_ms, make] {
      CenoteCallOptions options = CENOTE_CALL_OPTIONS_INIT;
      options.timeout_ms = timeout_ms;
      int code = make (options);
      gint64 end_us = g_get_monotonic_time ();

      std::lock_guard<std::mutex> hold (lock_);
      if (codes_.empty ())
        first_end_us_ = end_us;
      codes_.push_back (code);
      ended_.notify_all ();
    });
  }

  std::vector<std::thread> threads_;
  std::mutex lock_;
  std::condition_variable ended_;
  std::vector<int> codes_;
  gint64 first_end_us_ = 0;
};

/* The watchdog alone: nobody else is told of the step.  The deadlines of unary calls are not C-core's, and end them;
 * without the watchdog the stream hangs, as is shown first.  Where
 * C-core's timer thread came to look at the clock only after it was set back, that shows nothing: once more. */
TEST_F (SteppedClock, TheWatchdogEndsWhatCcoreHasForgotten)
{
  g_autoptr (WatchdogProbe) watchdog = watchdog_probe_new (pool ());
  unsigned n_ended = 3;

  for (int i = 0; i < 30 && n_ended > 2; i++) {
    forget_calls ();
    begin_calls_and_set_back (200);
    ASSERT_LE (2u, await_ends (2, 30000));
    n_ended = await_ends (3, 1000);
    watchdog_probe_step (watchdog);
    expect_ended_by_deadline ();
  }
  EXPECT_EQ (2u, n_ended) << "C-core never forgot: this has shown nothing";
}

TEST_F (SteppedClock, TheWatchdogEndsNothingEarly)
{
  g_autoptr (WatchdogProbe) watchdog = watchdog_probe_new (pool ());

  begin_calls_and_set_back (500);
  watchdog_probe_step (watchdog);
  expect_ended_by_deadline ();
}

/* As it is in a process: the kernel tells the control thread, which does the rest. */
TEST_F (SteppedClock, ARuntimeThatIsToldEndsThemAll)
{
  begin_calls_and_set_back (500);
  wall_clock_tell ();
  expect_ended_by_deadline ();
}

/* A connection that is lost while C-core's timers stand still comes back. */
TEST_F (SteppedClock, APoolReconnects)
{
  begin_calls_and_set_back (300);
  wall_clock_tell ();
  client_->events.forget ();
  cenote_pool_reconnect (pool ());
  EXPECT_TRUE (client_->events.await (CENOTE_EVENT_CHANNEL_CONNECTED, 1));
  expect_ended_by_deadline ();
}

} /* namespace */
