/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Servers that recycle their connections, and end: each call carries an id, by which the
 * server sees whether it runs one twice.
 */
#include <map>

#include "tests/servers/calls.h"
#include "tests/servers/servers.h"

namespace {

/* Eight threads, each with a call at a time. */
class Recycle : public ::testing::Test {
protected:
  void
  open (unsigned port, const std::string &keys)
  {
    client_.reset (new Client (port, "backoff=quick\nsize=4\n" + keys));
    connect (*client_);
  }

  /* N calls, and on from there until MORE says that it is enough. */
  void
  call_from_eight_threads (unsigned n, const CenoteCallOptions &options, const std::function<bool ()> &more)
  {
    std::vector<std::thread> threads;

    for (int t = 0; t < 8; t++)
      threads.emplace_back ([&] {
        for (unsigned id = next_++; id < n || !more (); id = next_++) {
          Reply reply = call (client_->pool, WORK_ECHO_METHOD, std::to_string (id), &options);

          made_++;
          failed_ += !reply.good;
          if (!reply.good)
            note_failure (reply.message);
        }
      });
    for (std::thread &thread : threads)
      thread.join ();
  }

  void
  note_failure (const std::string &message)
  {
    std::lock_guard<std::mutex> hold (lock_);
    failures_[message]++;
  }

  size_t losses () { return client_->events.of (CENOTE_EVENT_CHANNEL_DISCONNECTED).size (); }

  void
  expect_no_failure ()
  {
    EXPECT_EQ (0u, failed_) << "of " << made_;
    for (const auto &[message, n] : failures_)
      ADD_FAILURE () << n << " times: " << message;
    printf ("%u calls, %zu connections lost, %u failures\n", made_.load (), losses (), failed_.load ());
  }

  void
  expect_each_once (HealthServer &server)
  {
    expect_no_failure ();
    EXPECT_EQ (0, server.repeats ());
    EXPECT_EQ (made_, server.echoes ());
    EXPECT_EQ (0, server.others ());
  }

  std::unique_ptr<Client> client_;
  std::atomic<unsigned> next_{ 0 }, made_{ 0 }, failed_{ 0 };
  std::mutex lock_;
  std::map<std::string, int> failures_;
};

/* Each of four channels is recycled three times at least. */
TEST_F (Recycle, ConnectionsThatGrowOld)
{
  std::string age = "max-age=" + std::to_string (scaled (1000, 50));
  CenoteCallOptions options = CENOTE_CALL_OPTIONS_INIT;
  HealthServer server;

  ASSERT_TRUE (server.start ({ age.c_str (), "ids" }));
  open (server.port (), "");
  call_from_eight_threads (scaled (20000, 2000), options, [this] { return losses () >= 12; });
  expect_each_once (server);
}

/* Without any grace: calls under way are cut, and nothing says how far they came.  And C-core's own server may
 * run a stream above the last that its GOAWAY names.  So only who allows a call to run twice has no failures. */
TEST_F (Recycle, ConnectionsThatAreCutWhenTheyAreOld)
{
  std::string age = "max-age=" + std::to_string (scaled (1000, 50));
  CenoteCallOptions options = CENOTE_CALL_OPTIONS_INIT;
  HealthServer server;

  options.retry = CENOTE_RETRY_IDEMPOTENT;
  ASSERT_TRUE (server.start ({ age.c_str (), "grace=0", "ids" }));
  open (server.port (), "");
  call_from_eight_threads (scaled (20000, 2000), options, [this] { return losses () >= 12; });
  expect_no_failure ();
  EXPECT_EQ (made_, server.echoes () - server.repeats ()) << "each ran";
  printf ("%" G_GINT64_FORMAT " ran more than once\n", server.repeats ());
}

TEST_F (Recycle, ConnectionsThatEndAfterTenCalls)
{
  CenoteCallOptions options = CENOTE_CALL_OPTIONS_INIT;
  g_autofree char *program = Nginx::program ();
  HealthServer server;

  if (program == nullptr)
    GTEST_SKIP () << "nginx";
  ASSERT_TRUE (server.start ({ "ids" }));
  Nginx nginx (server.port (), 10);
  ASSERT_TRUE (nginx.start ());
  open (nginx.port (), "");
  call_from_eight_threads (scaled (20000, 2000), options, [] { return true; });
  expect_each_once (server);
  EXPECT_GE (losses (), made_ / 20);
}

} /* namespace */
