/* SPDX-License-Identifier: Apache-2.0 */
/* callbacks: order, exactly once, re-entry, and an end that always comes. */
#include "core/telemetry/callbacks.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "log-capture.h"
#include "test-bus.h"

namespace {

struct Job {
  std::function<void ()> run;
  std::function<void ()> destroy;
};

void
run_job (gpointer data)
{
  static_cast<Job *> (data)->run ();
}

void
destroy_job (gpointer data)
{
  Job *job = static_cast<Job *> (data);

  if (job->destroy)
    job->destroy ();
  delete job;
}

void
post (Callbacks *callbacks, std::function<void ()> run, std::function<void ()> destroy = nullptr)
{
  callbacks_post (callbacks, "job", run_job, new Job{ run, destroy }, destroy_job);
}

class CallbacksTest : public ::testing::Test {
protected:
  void SetUp () override { callbacks = callbacks_new (); }
  void TearDown () override { callbacks_free (callbacks); }

  Callbacks *callbacks = nullptr;
  std::vector<int> order;
};

TEST_F (CallbacksTest, DispatchRunsInOrderAndDestroysAfter)
{
  for (int i = 0; i < 3; i++)
    post (callbacks, [this, i] { order.push_back (i); }, [this, i] { order.push_back (10 + i); });
  EXPECT_TRUE (order.empty ());
  EXPECT_EQ (callbacks_dispatch (callbacks), 3u);
  EXPECT_EQ (order, (std::vector<int>{ 0, 10, 1, 11, 2, 12 }));
  EXPECT_EQ (callbacks_dispatch (callbacks), 0u);
}

TEST_F (CallbacksTest, WhatACallbackPostsRunsBehindTheRest)
{
  post (callbacks, [this] {
    order.push_back (1);
    post (callbacks, [this] { order.push_back (3); });
  });
  post (callbacks, [this] { order.push_back (2); });
  EXPECT_EQ (callbacks_dispatch (callbacks), 3u);
  EXPECT_EQ (order, (std::vector<int>{ 1, 2, 3 }));
}

TEST_F (CallbacksTest, ACallbackMayDispatchFlushAndStop)
{
  post (callbacks, [this] {
    EXPECT_TRUE (callbacks_on_thread ());
    EXPECT_EQ (callbacks_dispatch (callbacks), 0u);
    callbacks_flush (callbacks);
    callbacks_stop (callbacks);
    order.push_back (1);
  });
  post (callbacks, [this] { order.push_back (2); });
  EXPECT_FALSE (callbacks_on_thread ());
  callbacks_dispatch (callbacks);
  EXPECT_EQ (order, (std::vector<int>{ 1, 2 }));
  EXPECT_FALSE (callbacks_on_thread ());
}

TEST_F (CallbacksTest, AnothersDispatchKeepsWhoseThreadItIs)
{
  Callbacks *inner = callbacks_new ();

  post (inner, [this] { order.push_back (1); });
  post (callbacks, [&] {
    callbacks_dispatch (inner);
    EXPECT_TRUE (callbacks_on_thread ());
    callbacks_flush (callbacks);
  });
  callbacks_dispatch (callbacks);
  EXPECT_EQ (order, (std::vector<int>{ 1 }));
  callbacks_free (inner);
}

TEST_F (CallbacksTest, TheThreadRunsAllInOrder)
{
  const int n = 10000;
  std::thread::id where;

  ASSERT_TRUE (callbacks_start (callbacks));
  post (callbacks, [&] { where = std::this_thread::get_id (); });
  for (int i = 0; i < n; i++)
    post (callbacks, [this, i] { order.push_back (i); });
  callbacks_flush (callbacks);
  EXPECT_NE (where, std::this_thread::get_id ());
  ASSERT_EQ (order.size (), (size_t) n);
  for (int i = 0; i < n; i++)
    ASSERT_EQ (order[i], i);
}

TEST_F (CallbacksTest, ManyMayPost)
{
  const int n_threads = 4, n = 5000;
  std::vector<std::thread> threads;
  int ran = 0, destroyed = 0;

  ASSERT_TRUE (callbacks_start (callbacks));
  for (int t = 0; t < n_threads; t++)
    threads.emplace_back ([&] {
      for (int i = 0; i < n; i++)
        post (callbacks, [&] { ran++; }, [&] { destroyed++; });
      callbacks_flush (callbacks);
    });
  for (std::thread &thread : threads)
    thread.join ();
  callbacks_stop (callbacks);
  EXPECT_EQ (ran, n_threads * n);
  EXPECT_EQ (destroyed, n_threads * n);
}

TEST_F (CallbacksTest, StopRunsWhatWaitsAlsoWhatIsPostedMeanwhile)
{
  ASSERT_TRUE (callbacks_start (callbacks));
  Gate gate;
  post (callbacks, [&] {
    gate.pass ();
    post (callbacks, [this] { order.push_back (2); });
  });
  post (callbacks, [this] { order.push_back (1); });
  gate.open ();
  callbacks_stop (callbacks);
  EXPECT_EQ (order, (std::vector<int>{ 1, 2 }));
  callbacks_stop (callbacks);
}

TEST_F (CallbacksTest, WithoutAThreadStopRunsWhatWaits)
{
  post (callbacks, [this] { order.push_back (1); });
  callbacks_stop (callbacks);
  EXPECT_EQ (order, (std::vector<int>{ 1 }));
}

TEST_F (CallbacksTest, AfterTheEndAPostIsDestroyedAtOnce)
{
  ASSERT_TRUE (callbacks_start (callbacks));
  callbacks_stop (callbacks);
  post (callbacks, [this] { order.push_back (1); }, [this] { order.push_back (2); });
  EXPECT_EQ (order, (std::vector<int>{ 2 }));
  callbacks_flush (callbacks);
}

TEST_F (CallbacksTest, WithoutAFunctionOnlyDestroyRuns)
{
  callbacks_post (callbacks, "drop", nullptr, new Job{ nullptr, [this] { order.push_back (1); } }, destroy_job);
  callbacks_post (callbacks, "nothing", nullptr, nullptr, nullptr);
  EXPECT_EQ (callbacks_dispatch (callbacks), 2u);
  EXPECT_EQ (order, (std::vector<int>{ 1 }));
}

TEST_F (CallbacksTest, OnItsOwnThreadFreeIsSafe)
{
  Gate posted, freed;
  Callbacks *own = callbacks_new ();

  ASSERT_TRUE (callbacks_start (own));
  post (own, [&] {
    posted.pass ();
    callbacks_free (own);
  }, nullptr);
  post (own, [&] { freed.open (); });
  posted.open ();
  freed.pass ();
}

TEST_F (CallbacksTest, NamesACallbackThatTakesTooLong)
{
  LogCapture log;

  callbacks_set_limits (callbacks, -1, G_USEC_PER_SEC);
  callbacks_post (callbacks, "observer connected", run_job, new Job{ [] {}, nullptr }, destroy_job);
  callbacks_dispatch (callbacks);
  EXPECT_EQ (log.count ("callback observer connected took"), 1u);
  EXPECT_EQ (log.records ().at (0).field ("CENOTE_CALLBACK"), "observer connected");
  EXPECT_EQ (callbacks_get_slow (callbacks), 1u);
}

TEST_F (CallbacksTest, StopLeavesACallbackBehindThatNeverReturns)
{
  LogCapture log;
  Gate entered, leave, finished;

  callbacks_set_limits (callbacks, G_USEC_PER_SEC * 600, 1000);
  ASSERT_TRUE (callbacks_start (callbacks));
  post (callbacks, [&] { entered.open (); leave.pass (); });
  post (callbacks, [&] { order.push_back (1); }, [&] { finished.open (); });
  entered.pass ();
  callbacks_free (g_steal_pointer (&callbacks));
  EXPECT_EQ (log.count ("callback job does not return"), 1u);
  EXPECT_TRUE (order.empty ());
  leave.open ();
  finished.pass ();
  EXPECT_EQ (order, (std::vector<int>{ 1 })) << "what was posted still runs";
}

}  // namespace
