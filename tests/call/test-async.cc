/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asynchronous calls and who drives them: the loop where it runs, the driver's thread where it
 * does not; and the deadlines of unary calls, which are kept by neither.
 */
#include <condition_variable>
#include <functional>
#include <list>
#include <memory>
#include <mutex>

#include "call-test.h"

extern "C" {
#include "core/call/driver.h"
}

namespace {

void
echo (http2::Connection &connection, const http2::Request &request)
{
  connection.reply (request.stream, request.text);
}

/* Calls one after another on a driver, each over at once: the channel is lame. */
class OneByOne {
public:
  /* ENDS: by whoever has the turn, as a call ends. */
  explicit OneByOne (std::function<void (Driver *driver)> ends = {})
      : ends_ (std::move (ends)), channel_ (grpc_lame_client_channel_create ("lame", GRPC_STATUS_UNAVAILABLE, "lame"))
  {
    const RpcPayload empty = {};

    driver_ = driver_new (nullptr);
    rpc_request_init (&request_, METHOD, nullptr, 0, &empty, nullptr);
    task_.task.advance = advance;
    task_.owner = this;
  }

  ~OneByOne ()
  {
    driver_end (driver_);
    driver_unref (driver_);
    rpc_request_clear (&request_);
    grpc_channel_destroy (channel_);
  }

  /* Until it is over.  Whether the turn was offered as it began. */
  bool
  call (bool has_loop)
  {
    std::unique_lock<std::mutex> lock (mutex_);
    bool offered;

    over_ = false;
    task_.task.rpc = rpc_new (channel_, driver_queue (driver_), &request_, g_get_monotonic_time (), G_MAXINT64);
    offered = driver_expect (driver_, has_loop);
    driver_start (driver_, &task_.task);
    changed_.wait (lock, [this] { return over_; });
    return offered;
  }

  /* As a loop that is awake. */
  void
  ask ()
  {
    guint n_under_way;

    driver_poll (driver_, &n_under_way);
  }

private:
  struct Task {
    DriverTask task;         /* first */
    OneByOne *owner;
  };

  static Progress
  advance (DriverTask *task)
  {
    OneByOne *self = reinterpret_cast<Task *> (task)->owner;

    if (!rpc_is_ended (task->rpc))
      return PROGRESS_NONE;
    if (self->ends_)
      self->ends_ (self->driver_);
    rpc_unref (task->rpc);
    std::lock_guard<std::mutex> lock (self->mutex_);
    self->over_ = true;
    self->changed_.notify_one ();
    return PROGRESS_CALL_OVER;
  }

  Task task_ = {};
  std::function<void (Driver *driver)> ends_;
  Driver *driver_;
  RpcRequest request_;
  grpc_channel *channel_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
};

/* The driver's thread has the turn, and in its time a loop is woken, finds that, and sleeps. */
void
come_and_go (Driver *driver)
{
  guint n_under_way;

  EXPECT_FALSE (driver_poll (driver, &n_under_way));
  driver_leave (driver);
}

/* Each time that it were would cost all calls 40 ms. */
TEST (Driver, ALoopThatHasGoneIsNotOfferedTheTurn)
{
  const int n = 500;

  grpc_init ();
  {
    OneByOne calls (come_and_go);
    gint64 begun_us = g_get_monotonic_time ();

    for (int i = 0; i < n; i++)
      calls.call (false);
    EXPECT_LT (g_get_monotonic_time () - begun_us, n * 5000);
  }
  grpc_shutdown ();
}

/* As a loop that asks before each, until the thread rests as one begins, which is then offered the turn. */
void
call_until_offered (OneByOne &calls)
{
  do
    calls.ask ();
  while (!calls.call (true));
}

TEST (Driver, ALoopThatDoesNotComeAsACallBeginsIsNotOfferedTheTurnUntilItAsks)
{
  grpc_init ();
  {
    OneByOne calls;

    call_until_offered (calls);
    EXPECT_FALSE (calls.call (true));
    EXPECT_FALSE (calls.call (true));
    call_until_offered (calls);
    EXPECT_FALSE (calls.call (false));
  }
  grpc_shutdown ();
}

/* One call whose callback is a function. */
class Task {
public:
  Task (CenotePool *pool, GMainContext *context, std::function<void ()> then = {}) : then_ (std::move (then))
  {
    cenote_call_unary_async (pool, METHOD, nullptr, nullptr, context, take, this, nullptr);
  }

  std::atomic<bool> done{ false };
  int code = -1;             /* 0: OK */

private:
  static void
  take (CenotePool *, GBytes *, const GError *error, gpointer data)
  {
    Task *self = static_cast<Task *> (data);

    self->code = error == nullptr ? 0 : error->code;
    if (self->then_)
      self->then_ ();
    self->done = true;
  }

  std::function<void ()> then_;
};

class Async : public CallTest {
protected:
  Async () : context_ (g_main_context_new ()) {}
  ~Async () override { g_main_context_unref (context_); }

  void
  run_until (const std::function<bool ()> &over)
  {
    while (!over ())
      g_main_context_iteration (context_, TRUE);
  }

  void
  await_no_lease ()
  {
    while (in_flight () > 0)
      std::this_thread::yield ();
  }

  GMainContext *context_;
};

TEST_F (Async, CallsEndWhileNobodyRunsTheirContext)
{
  open (echo);
  std::list<Task> tasks;

  for (int i = 0; i < 50; i++)
    tasks.emplace_back (pool (), context_);
  await_no_lease ();
  for (const Task &task : tasks)
    EXPECT_FALSE (task.done);
  run_until ([&] { return std::all_of (tasks.begin (), tasks.end (), [] (const Task &task) { return task.done.load (); }); });
  for (const Task &task : tasks)
    EXPECT_EQ (0, task.code);
}

/* The loop has the turn then, and does not use it. */
TEST_F (Async, CallsEndWhileACallbackBlocks)
{
  open (echo);
  std::list<Task> others;
  Task task (pool (), context_, [&] {
    for (int i = 0; i < 50; i++)
      others.emplace_back (pool (), context_);
    await_no_lease ();
  });

  run_until ([&] { return task.done && others.back ().done; });
  EXPECT_EQ (0, others.back ().code);
}

TEST_F (Async, ACallbackMayRunItsLoop)
{
  open (echo);
  std::list<Task> tasks;

  for (int depth = 0; depth < 20; depth++)
    tasks.emplace_back (pool (), context_, [this] {
      Task inner (pool (), context_);
      run_until ([&] { return inner.done.load (); });
    });
  run_until ([&] { return std::all_of (tasks.begin (), tasks.end (), [] (const Task &task) { return task.done.load (); }); });
}

/* Also one that came with it, and would be called back after it. */
TEST_F (Async, ACallbackMayWaitForAnyOther)
{
  open (echo);
  std::unique_ptr<Task> first, second;

  first = std::make_unique<Task> (pool (), context_, [&] { run_until ([&] { return second->done.load (); }); });
  second = std::make_unique<Task> (pool (), context_);
  await_no_lease ();
  run_until ([&] { return first->done && second->done; });
}

TEST_F (Async, ACallbackMayStopTheRuntime)
{
  std::atomic<bool> silent{ false };
  open ([&] (auto &connection, const auto &request) {
    if (!silent)
      echo (connection, request);
  }, "size=1\ndrain-timeout=100ms\n");
  std::list<Task> others;
  Task task (pool (), context_, [&] {
    silent = true;
    for (int i = 0; i < 10; i++)
      others.emplace_back (pool (), context_);
    cenote_runtime_stop (client_->runtime);
  });

  run_until ([&] { return task.done && others.back ().done; });
  for (const Task &other : others)
    EXPECT_EQ (UNAVAILABLE, other.code);
}

TEST_F (Async, CallsAreBegunOnAnyThread)
{
  open (echo, "size=2\n");
  AsyncCalls calls (pool ());
  std::atomic<int> begun{ 0 };
  std::vector<std::thread> threads;
  std::mutex lock;

  for (int k = 0; k < 4; k++)
    threads.emplace_back ([&] {
      for (int i = 0; i < 250; i++) {
        std::lock_guard<std::mutex> guard (lock);
        calls.begin (METHOD, "x");
        begun++;
      }
    });
  for (std::thread &thread : threads)
    thread.join ();
  calls.await_all ();
  EXPECT_EQ (1000u, calls.replies.size ());
  for (const Reply &reply : calls.replies)
    EXPECT_TRUE (reply.good) << reply.message;
}

unsigned
count_drivers ()
{
  GDir *directory = g_dir_open ("/proc/self/task", 0, nullptr);
  unsigned n = 0;

  while (const char *name = g_dir_read_name (directory)) {
    std::string path = std::string ("/proc/self/task/") + name + "/comm";
    g_autofree char *comm = nullptr;

    n += g_file_get_contents (path.c_str (), &comm, nullptr, nullptr) && strcmp (comm, "cenote-calls\n") == 0;
  }
  g_dir_close (directory);
  return n;
}

/* More contexts than drivers: one loop ends another's calls. */
TEST_F (Async, ThreadsDoNotGrowWithContexts)
{
  open (echo, "size=2\n");
  std::vector<std::thread> threads;
  std::atomic<unsigned> good{ 0 };

  for (int k = 0; k < 12; k++)
    threads.emplace_back ([&] {
      AsyncCalls calls (pool ());

      for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 20; i++)
          calls.begin (METHOD, std::to_string (i));
        calls.await_all ();
      }
      for (const Reply &reply : calls.replies)
        good += reply.good;
    });
  for (std::thread &thread : threads)
    thread.join ();
  EXPECT_EQ (12u * 200, good);
  EXPECT_GE (count_drivers (), 1u);
  EXPECT_LE (count_drivers (), g_get_num_processors ());
}

TEST_F (Async, TwoRuntimesShareAContext)
{
  open (echo);
  http2::Peer peer (echo);
  Client other (peer.port (), "size=1\nbackoff=quick\n");
  connect (other);
  Task one (pool (), context_), two (other.pool, context_);

  run_until ([&] { return one.done && two.done; });
  EXPECT_EQ (0, one.code);
  EXPECT_EQ (0, two.code);
}

TEST_F (Async, TwoMessagesAreInternalSoon)
{
  open ([] (auto &connection, const auto &request) {
    connection.headers (request.stream, http2::response_headers ());
    connection.send (http2::DATA, 0, request.stream, http2::message ("one") + http2::message ("two"));
  });
  AsyncCalls calls (pool ());
  CenoteCallOptions options = CENOTE_CALL_OPTIONS_INIT;

  options.timeout_ms = 300000;
  for (int i = 0; i < 20; i++)
    calls.begin (METHOD, "x", &options);
  calls.await_all ();
  for (const Reply &reply : calls.replies)
    EXPECT_EQ (INTERNAL, reply.code);
}

/* -------------------------------------------------------------- deadlines */

/* The longer one is Cenote's own to keep, the shorter one C-core's. */
class Deadlines : public Async, public ::testing::WithParamInterface<int> {
protected:
  void
  SetUp () override
  {
    open ([] (auto &, const auto &) {});
    options_.timeout_ms = GetParam ();
    begun_us_ = g_get_monotonic_time ();
  }

  void
  expect_expired (const Reply &reply)
  {
    gint64 took_us = g_get_monotonic_time () - begun_us_;

    EXPECT_EQ (DEADLINE_EXCEEDED, reply.code) << reply.message;
    EXPECT_GE (took_us, GetParam () * 1000 - 1000); /* C-core counts whole milliseconds */
    EXPECT_LT (took_us, 30 * G_USEC_PER_SEC);
  }

  CenoteCallOptions options_ = CENOTE_CALL_OPTIONS_INIT;
  gint64 begun_us_;
};

TEST_P (Deadlines, EndABlockingCall)
{
  expect_expired (call (pool (), METHOD, "x", &options_));
}

TEST_P (Deadlines, EndAsynchronousOnes)
{
  AsyncCalls calls (pool ());

  for (int i = 0; i < 20; i++)
    calls.begin (METHOD, "x", &options_);
  calls.await_all ();
  for (const Reply &reply : calls.replies)
    expect_expired (reply);
}

INSTANTIATE_TEST_SUITE_P (OfMs, Deadlines, ::testing::Values (30, 200));

} /* namespace */
