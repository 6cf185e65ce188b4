/* SPDX-License-Identifier: Apache-2.0 */
/* stubs-test: what tests of stubs over a pool (<cenote/grpcpp.hpp>) have in common. */
#ifndef CENOTE_TESTS_STUBS_TEST_H
#define CENOTE_TESTS_STUBS_TEST_H

#include <cenote/cenote.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/servers/greeter.h"

namespace {

using greeter::Greeter;
using greeter::Greeting;
using greeter::Name;
using greeter::Often;

using Clock = std::chrono::system_clock;

constexpr auto a_minute = std::chrono::minutes (1);
constexpr char greet_method[] = "/greeter.Greeter/Greet";

Name
name_of (const std::string &text)
{
  Name name;

  name.set_name (text);
  return name;
}

/* A context whose deadline is no part of the test. */
struct Context : grpc::ClientContext {
  explicit Context (bool waits = false)
  {
    set_deadline (Clock::now () + a_minute);
    if (waits)
      set_wait_for_ready (true);
  }
};

/* A server and a pool to it. */
class Stubs : public testing::Test {
protected:
  GreeterServer server;
  std::optional<cenote::Runtime> runtime;
  std::optional<cenote::Pool> pool;

  /* A pool that is not waited for; where nobody serves, on a port that was served. */
  void
  open (const std::string &keys = "size=2\n", bool served = true)
  {
    ASSERT_TRUE (server.start ());
    if (!served)
      server.stop ();
    runtime = cenote::Runtime::from_data ("[cenote]\ntelemetry=\n[backoff:quick]\nplugin=constant\ndelay=20ms\n"
                                          "[pool:p]\nprofile=local\nbackoff=quick\ndrain-timeout=1s\ntarget=ipv4:127.0.0.1:" +
                                          std::to_string (server.port ()) + "\n" + keys);
    pool = runtime->pool ();
  }

  void
  open_ready (const std::string &keys = "size=2\n")
  {
    open (keys);
    pool->await_ready (a_minute);
  }

  /* TEST does something with the status of the pool, which is freed behind it. */
  template <typename Read>
  auto
  status (Read read)
  {
    std::unique_ptr<CenotePoolStatus, void (*) (CenotePoolStatus *)> now (cenote_pool_get_status (pool->raw ()),
                                                                          cenote_pool_status_free);

    return read (*now);
  }

  gint64
  in_flight ()
  {
    return status ([] (const CenotePoolStatus &now) { return now.in_flight; });
  }

  gint64
  waiters ()
  {
    return status ([] (const CenotePoolStatus &now) { return now.waiters; });
  }

  gint64
  failures ()
  {
    return status ([] (const CenotePoolStatus &now) {
      gint64 sum = 0;

      for (gsize i = 0; i < now.n_channels; i++)
        sum += now.channels[i]->failures;
      return sum;
    });
  }

  /* Until the pool has seen the end of all its connections. */
  void
  await_down ()
  {
    while (status ([] (const CenotePoolStatus &now) { return now.last_error == nullptr || now.current_size > 0; }))
      std::this_thread::yield ();
  }

  void
  await_waiters (gint64 n)
  {
    while (waiters () != n)
      std::this_thread::yield ();
  }
};

/* What a callback leaves, waited for. */
class Outcome {
public:
  void operator() (const grpc::Status &status) { promise_.set_value (status); }

  grpc::Status
  wait ()
  {
    auto future = promise_.get_future ();

    return future.wait_for (a_minute) == std::future_status::ready
             ? future.get ()
             : grpc::Status (grpc::StatusCode::UNKNOWN, "the call has not ended");
  }

private:
  std::promise<grpc::Status> promise_;
};

/* The next tag of QUEUE, which is EXPECTED. */
bool
next_is (grpc::CompletionQueue &queue, void *expected)
{
  void *tag = nullptr;
  bool ok = false;

  EXPECT_EQ (queue.AsyncNext (&tag, &ok, Clock::now () + a_minute), grpc::CompletionQueue::GOT_EVENT);
  EXPECT_EQ (tag, expected);
  return ok;
}

void
drain (grpc::CompletionQueue &queue)
{
  void *tag;
  bool ok;

  queue.Shutdown ();
  while (queue.Next (&tag, &ok))
    ;
}

/* Reactors that note how they ended. */
template <typename Reactor>
struct Ends : Reactor {
  Outcome outcome;
  void OnDone (const grpc::Status &status) override { outcome (status); }
};

/* Writes a name, reads its greeting, N times. */
struct Conversation : Ends<grpc::ClientBidiReactor<Name, Greeting>> {
  explicit Conversation (int n) : left (n) {}

  Name name = name_of ("you");
  Greeting greeting;
  int left, heard = 0;

  void
  begin ()
  {
    StartRead (&greeting);
    StartWrite (&name);
    StartCall ();
  }

  void
  OnWriteDone (bool ok) override
  {
    if (ok)
      go_on ();
  }

  void
  OnReadDone (bool ok) override
  {
    if (!ok)
      return;
    heard++;
    StartRead (&greeting);
    go_on ();
  }

private:
  /* Once a name was written and its greeting read. */
  void
  go_on ()
  {
    if (++steps % 2 != 0)
      return;
    if (--left > 0)
      StartWrite (&name);
    else
      StartWritesDone ();
  }

  std::atomic<int> steps{ 0 };
};

} // namespace

#endif
