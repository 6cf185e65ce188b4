/* SPDX-License-Identifier: Apache-2.0 */
/* control: notes, timers and deferred work in their order; calls from other threads; the end. */
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <future>
#include <string>
#include <thread>
#include <vector>

extern "C" {
#include "core/runtime/control.h"
}

namespace {

/* ------------------------------------------------------------ without threads */

struct FakeWorld {
  World world; /* first */
  gint64 now_us;
};

class ControlWithoutThread : public testing::Test
{
protected:
  FakeWorld fake = {};
  Control *control = nullptr;
  std::vector<std::string> done;

  void
  SetUp () override
  {
    fake.world.now_us = [] (World *world) { return reinterpret_cast<FakeWorld *> (world)->now_us; };
    fake.now_us = 1000;
    control = control_new (&fake.world);
  }

  void
  TearDown () override
  {
    control_stop (control);
    control_unref (control);
  }

  struct Note {
    ControlNote note; /* first */
    ControlWithoutThread *test;
    std::string name;
    std::function<void ()> then;
  };

  struct Timer {
    ControlTimer timer;
    ControlWithoutThread *test;
    std::string name;
    std::function<void ()> then;
  };

  struct Deferred {
    ControlDeferred deferred;
    ControlWithoutThread *test;
    std::string name;
    std::function<void ()> then;
  };

  template <typename T>
  static void
  finish (T *what)
  {
    what->test->done.push_back (what->name);
    if (what->then)
      what->then ();
  }

  Note
  note (const std::string &name, std::function<void ()> then = nullptr)
  {
    return { { [] (ControlNote *made) { finish (reinterpret_cast<Note *> (made)); }, nullptr }, this, name, then };
  }

  void
  init (Timer &timer, const std::string &name, std::function<void ()> then = nullptr)
  {
    timer.timer = {};
    timer.timer.func = [] (gpointer data) { finish (static_cast<Timer *> (data)); };
    timer.timer.data = &timer;
    timer.test = this;
    timer.name = name;
    timer.then = then;
  }

  void
  init (Deferred &deferred, const std::string &name, std::function<void ()> then = nullptr)
  {
    deferred.deferred = {};
    deferred.deferred.func = [] (gpointer data) { finish (static_cast<Deferred *> (data)); };
    deferred.deferred.data = &deferred;
    deferred.test = this;
    deferred.name = name;
    deferred.then = then;
  }

  using Names = std::vector<std::string>;
};

TEST_F (ControlWithoutThread, HandlesNotesInTheOrderOfTheirComing)
{
  Note a = note ("a"), b = note ("b"), c = note ("c");

  control_note (control, &a.note);
  control_note (control, &b.note);
  control_note (control, &c.note);
  EXPECT_EQ (control_run (control), G_MAXINT64);
  EXPECT_EQ (done, (Names{ "a", "b", "c" }));
  control_run (control);
  EXPECT_EQ (done.size (), 3u);
}

TEST_F (ControlWithoutThread, ANoteThatComesMeanwhileIsForTheNextIteration)
{
  Note b = note ("b"), a = note ("a", [&] { control_note (control, &b.note); });

  control_note (control, &a.note);
  EXPECT_EQ (control_run (control), fake.now_us) << "there is something to do at once";
  EXPECT_EQ (done, (Names{ "a" }));
  EXPECT_EQ (control_run (control), G_MAXINT64);
  EXPECT_EQ (done, (Names{ "a", "b" }));
}

TEST_F (ControlWithoutThread, ANoteMayComeAgainOnceItIsHandled)
{
  Note a = note ("a");

  a.then = [&] {
    if (done.size () < 3)
      control_note (control, &a.note);
  };
  control_note (control, &a.note);
  while (control_run (control) <= fake.now_us)
    ;
  EXPECT_EQ (done.size (), 3u);
}

TEST_F (ControlWithoutThread, RunsTimersInTheOrderOfTheirTimes)
{
  Timer a, b, c, d;

  init (a, "a");
  init (b, "b");
  init (c, "c");
  init (d, "d");
  control_timer_set (control, &c.timer, 1300);
  control_timer_set (control, &a.timer, 1100);
  control_timer_set (control, &b.timer, 1200);
  control_timer_set (control, &d.timer, 1200);
  EXPECT_EQ (control_run (control), 1100);
  EXPECT_TRUE (done.empty ());
  fake.now_us = 1250;
  EXPECT_EQ (control_run (control), 1300);
  EXPECT_EQ (done, (Names{ "a", "b", "d" }));
  fake.now_us = 1300;
  EXPECT_EQ (control_run (control), G_MAXINT64);
  EXPECT_EQ (done.back (), "c");
}

TEST_F (ControlWithoutThread, ATimerRunsOnceForEachSetting)
{
  Timer a;

  init (a, "a");
  control_timer_set (control, &a.timer, 1100);
  control_timer_set (control, &a.timer, 1500);
  fake.now_us = 1200;
  EXPECT_EQ (control_run (control), 1500);
  EXPECT_TRUE (done.empty ());
  fake.now_us = 1500;
  control_run (control);
  control_run (control);
  EXPECT_EQ (done.size (), 1u);
  control_timer_unset (control, &a.timer);
  control_timer_set (control, &a.timer, 1600);
  control_timer_unset (control, &a.timer);
  fake.now_us = 2000;
  EXPECT_EQ (control_run (control), G_MAXINT64);
  EXPECT_EQ (done.size (), 1u);
}

TEST_F (ControlWithoutThread, ATimerMayUnsetAnotherThatIsDueToo)
{
  Timer a, b;

  init (b, "b");
  init (a, "a", [&] { control_timer_unset (control, &b.timer); });
  control_timer_set (control, &a.timer, 1000);
  control_timer_set (control, &b.timer, 1000);
  control_run (control);
  EXPECT_EQ (done, (Names{ "a" }));
}

TEST_F (ControlWithoutThread, ATimerThatSetsItselfForNowDoesNotKeepTheThread)
{
  Timer a;
  Note n = note ("n");

  init (a, "a", [&] {
    if (done.size () < 100)
      control_timer_set (control, &a.timer, fake.now_us);
  });
  control_timer_set (control, &a.timer, 1000);
  EXPECT_LE (control_run (control), fake.now_us);
  EXPECT_EQ (done.size (), 1u);
  control_note (control, &n.note);
  control_run (control);
  EXPECT_EQ (done, (Names{ "a", "n", "a" }));
  control_timer_unset (control, &a.timer);
}

TEST_F (ControlWithoutThread, RunsDeferredWorkOnceAtTheEndOfAnIteration)
{
  Deferred d, e;
  Timer t;
  Note n = note ("n", [&] {
    control_defer (control, &d.deferred);
    control_defer (control, &e.deferred);
    control_defer (control, &d.deferred);
  });

  init (d, "d");
  init (e, "e");
  init (t, "t", [&] { control_defer (control, &d.deferred); });
  control_timer_set (control, &t.timer, 1000);
  control_note (control, &n.note);
  EXPECT_EQ (control_run (control), G_MAXINT64);
  EXPECT_EQ (done, (Names{ "n", "t", "d", "e" }));
}

TEST_F (ControlWithoutThread, WorkThatIsDeferredMeanwhileIsForTheNextIteration)
{
  Deferred d;

  init (d, "d", [&] {
    if (done.size () < 3)
      control_defer (control, &d.deferred);
  });
  control_defer (control, &d.deferred);
  EXPECT_EQ (control_run (control), fake.now_us);
  EXPECT_EQ (done.size (), 1u);
  EXPECT_EQ (control_run (control), fake.now_us);
  EXPECT_EQ (control_run (control), G_MAXINT64);
  EXPECT_EQ (done.size (), 3u);
}

TEST_F (ControlWithoutThread, DeferredWorkCanBeTakenOut)
{
  Deferred d, e;

  init (d, "d");
  init (e, "e", [&] { control_undefer (control, &d.deferred); });
  control_defer (control, &e.deferred);
  control_defer (control, &d.deferred);
  control_undefer (control, &d.deferred);
  control_undefer (control, &d.deferred);
  control_run (control);
  EXPECT_EQ (done, (Names{ "e" }));
  control_defer (control, &e.deferred);
  control_defer (control, &d.deferred);
  control_run (control);
  EXPECT_EQ (done, (Names{ "e", "e" })) << "e took d out of the work of this iteration";
}

TEST_F (ControlWithoutThread, TheCheckSaysByWhenToComeAgain)
{
  static gint64 next_us;
  Timer a;

  init (a, "a");
  next_us = 1500;
  control_set_check (
    control,
    [] (gpointer data) {
      static_cast<Names *> (data)->push_back ("check");
      return next_us;
    },
    &done);
  EXPECT_EQ (control_run (control), 1500);
  control_timer_set (control, &a.timer, 1200);
  EXPECT_EQ (control_run (control), 1200);
  fake.now_us = 1200;
  next_us = G_MAXINT64;
  EXPECT_EQ (control_run (control), G_MAXINT64);
  EXPECT_EQ (done, (Names{ "check", "check", "a", "check" }));
}

TEST_F (ControlWithoutThread, CallsRunAtOnceAndPostsInTheNextIteration)
{
  const auto say = [] (gpointer data) { static_cast<Names *> (data)->push_back ("said"); };

  EXPECT_TRUE (control_is_here (control));
  EXPECT_TRUE (control_call (control, say, &done));
  EXPECT_EQ (done.size (), 1u);
  EXPECT_TRUE (control_post (control, say, &done));
  EXPECT_EQ (done.size (), 1u);
  control_run (control);
  EXPECT_EQ (done.size (), 2u);
  control_stop (control);
  EXPECT_FALSE (control_post (control, say, &done));
}

/* --------------------------------------------------------------- with a thread */

class ControlThread : public testing::Test
{
protected:
  Control *control = nullptr;

  void
  SetUp () override
  {
    control = control_new (world_real ());
  }

  void
  TearDown () override
  {
    control_stop (control);
    control_unref (control);
  }

  void
  start ()
  {
    ASSERT_TRUE (control_start (control, nullptr, nullptr, nullptr));
  }

  using Task = std::function<void ()>;

  static void
  perform (gpointer data)
  {
    (*static_cast<Task *> (data)) ();
  }

  bool
  call (Task task)
  {
    return control_call (control, perform, &task);
  }

  static void
  perform_and_delete (gpointer data)
  {
    auto *task = static_cast<Task *> (data);

    (*task) ();
    delete task;
  }

  bool
  post (Task task)
  {
    auto *copy = new Task (task);

    if (control_post (control, perform_and_delete, copy))
      return true;
    delete copy;
    return false;
  }
};

TEST_F (ControlThread, ACallRunsOnTheControlThreadAndIsWaitedFor)
{
  std::thread::id where;
  bool here = false, any = false;

  start ();
  EXPECT_FALSE (control_is_here (control));
  EXPECT_FALSE (control_on_any ());
  EXPECT_TRUE (call ([&] {
    where = std::this_thread::get_id ();
    here = control_is_here (control);
    any = control_on_any ();
  }));
  EXPECT_NE (where, std::this_thread::get_id ());
  EXPECT_TRUE (here);
  EXPECT_TRUE (any);
}

TEST_F (ControlThread, ACallOnTheControlThreadRunsAtOnce)
{
  bool inner = false;

  start ();
  call ([&] {
    call ([&] { inner = true; });
    EXPECT_TRUE (inner);
  });
  EXPECT_TRUE (inner);
}

TEST_F (ControlThread, CallsOfManyThreadsAreOneAfterAnother)
{
  const int n_threads = 4, n_calls = 500;
  std::vector<std::thread> threads;
  int n = 0; /* no lock */

  start ();
  for (int i = 0; i < n_threads; i++)
    threads.emplace_back ([&] {
      for (int k = 0; k < n_calls; k++)
        EXPECT_TRUE (call ([&] { n++; }));
    });
  for (std::thread &thread : threads)
    thread.join ();
  EXPECT_EQ (n, n_threads * n_calls);
}

TEST_F (ControlThread, PostsOfOneThreadKeepTheirOrder)
{
  std::vector<int> seen;

  start ();
  for (int i = 0; i < 1000; i++)
    EXPECT_TRUE (post ([&seen, i] { seen.push_back (i); }));
  call ([] {});
  ASSERT_EQ (seen.size (), 1000u);
  for (int i = 0; i < 1000; i++)
    ASSERT_EQ (seen[i], i);
}

/* What comes while the thread is busy is handled in one iteration: it is woken once. */
TEST_F (ControlThread, NotesThatComeTogetherAreHandledTogether)
{
  static std::atomic<int> n_iterations;
  std::promise<void> begun, go;
  int before = 0, after = 0;

  n_iterations = 0;
  control_set_check (
    control,
    [] (gpointer) {
      n_iterations++;
      return G_MAXINT64;
    },
    nullptr);
  start ();
  post ([&] {
    begun.set_value ();
    go.get_future ().wait ();
    before = n_iterations;
  });
  begun.get_future ().wait ();
  for (int i = 0; i < 1000; i++)
    post ([&] { after = n_iterations; });
  go.set_value ();
  call ([] {});
  EXPECT_LE (after - before, 1);
}

TEST_F (ControlThread, ATimerRunsNotBeforeItsTime)
{
  std::promise<gint64> ran;
  gint64 due_us = 0;
  ControlTimer timer = {};
  struct Shared {
    Control *control;
    std::promise<gint64> *ran;
  } shared = { control, &ran };

  timer.func = [] (gpointer data) {
    auto *s = static_cast<Shared *> (data);

    s->ran->set_value (control_now_us (s->control));
  };
  timer.data = &shared;
  start ();
  call ([&] {
    due_us = control_now_us (control) + 3000;
    control_timer_set (control, &timer, due_us);
  });
  EXPECT_GE (ran.get_future ().get (), due_us);
}

TEST_F (ControlThread, AnEarlierTimerShortensTheSleep)
{
  std::promise<void> ran;
  ControlTimer far = {}, near = {};

  far.func = [] (gpointer) { ADD_FAILURE (); };
  near.func = [] (gpointer data) { static_cast<std::promise<void> *> (data)->set_value (); };
  near.data = &ran;
  start ();
  call (
    [&] { control_timer_set (control, &far, control_now_us (control) + G_GINT64_CONSTANT (3600) * G_USEC_PER_SEC); });
  call ([&] { control_timer_set (control, &near, control_now_us (control) + 1000); });
  ran.get_future ().wait ();
  call ([&] { control_timer_unset (control, &far); });
}

TEST_F (ControlThread, WhatCameBeforeTheStopIsHandled)
{
  std::atomic<int> n{ 0 };

  start ();
  for (int i = 0; i < 100; i++)
    EXPECT_TRUE (post ([&] { n++; }));
  control_stop (control);
  EXPECT_EQ (n, 100);
}

TEST_F (ControlThread, NothingIsTakenAfterTheEnd)
{
  bool ran = false;

  start ();
  control_stop (control);
  EXPECT_FALSE (call ([&] { ran = true; }));
  EXPECT_FALSE (post ([&] { ran = true; }));
  EXPECT_FALSE (ran);
}

/* Every call is either run or refused, also while the thread ends. */
TEST_F (ControlThread, CallsThatMeetTheStopAreRunOrRefused)
{
  std::vector<std::thread> threads;
  std::atomic<int> n_taken{ 0 }, n_posted{ 0 }, n_run{ 0 };

  start ();
  for (int i = 0; i < 4; i++)
    threads.emplace_back ([&] {
      bool goes_on = true;

      while (goes_on) {
        goes_on = call ([&] { n_run++; });
        n_taken += goes_on;
        n_posted += post ([&] { n_run++; });
      }
    });
  while (n_taken < 100)
    std::this_thread::yield ();
  control_stop (control);
  for (std::thread &thread : threads)
    thread.join ();
  EXPECT_EQ (n_run, n_taken + n_posted);
}

TEST_F (ControlThread, OneThatNeverRanStopsToo)
{
  control_stop (control);
  EXPECT_FALSE (post ([] {}));
}

TEST_F (ControlThread, OutlivesItsEndForWhoeverHasAReference)
{
  Control *kept = control_ref (control);

  start ();
  control_stop (control);
  control_wake (kept);
  EXPECT_EQ (control_world (kept), world_real ());
  control_unref (kept);
}

} // namespace
