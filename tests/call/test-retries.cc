/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which calls are made again, each for a peer that ends it in just that way: one test for
 * each of C-core's texts in core/call/retry.c, and for those that look like them.
 */
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

#include <future>
#include <map>

#include "call-test.h"
#include "tests/servers/servers.h"

namespace {

/* Answers a text for the first time as the test says, and echoes it from then on. */
class Retries : public CallTest {
protected:
  using Fault = std::function<void (http2::Connection &connection, uint32_t stream)>;

  void
  open (Fault fault, const std::string &keys = "size=2\n")
  {
    fault_ = std::move (fault);
    CallTest::open ([this] (auto &connection, const auto &request) { answer (connection, request); }, keys);
  }

  void
  answer (http2::Connection &connection, const http2::Request &request)
  {
    bool first;
    {
      std::lock_guard<std::mutex> hold (lock_);
      std::vector<unsigned> &where = came_[request.text];
      where.push_back (connection.number ());
      first = where.size () == 1;
    }
    if (first && fault_)
      fault_ (connection, request.stream);
    else
      connection.reply (request.stream, request.text);
  }

  /* The connections on which TEXT came. */
  std::vector<unsigned>
  came (const std::string &text)
  {
    std::lock_guard<std::mutex> hold (lock_);
    return came_[text];
  }

  Reply
  call (const std::string &text, CenoteRetry retry)
  {
    CenoteCallOptions options = CENOTE_CALL_OPTIONS_INIT;

    options.retry = retry;
    options.wait_for_ready = TRUE;
    return ::call (pool (), METHOD, text, &options);
  }

  guint64 unsent () { return count (COUNTER_RETRIES_UNSENT); }
  guint64 repeated () { return count (COUNTER_RETRIES_IDEMPOTENT); }

  /* With `never` the call ends with C-core's TEXT; with `unsent` it is made once more.  An attempt on a connection
   * that is about to go may come to nobody, and is counted all the same. */
  void
  expect_unsent (const std::string &text)
  {
    Reply reply = call ("alone", CENOTE_RETRY_NEVER);

    EXPECT_EQ (UNAVAILABLE, reply.code);
    EXPECT_EQ (0u, reply.message.find (text)) << reply.message;
    EXPECT_EQ (1u, came ("alone").size ());
    reply = call ("again", CENOTE_RETRY_UNSENT);
    EXPECT_EQ ("again", reply.text) << reply.message;
    EXPECT_EQ (2u, came ("again").size ());
    EXPECT_LE (1u, unsent ());
    EXPECT_EQ (0u, repeated ());
  }

  /* With `unsent` the call ends with C-core's TEXT; with `idempotent` it is repeated. */
  void
  expect_sent (const std::string &text)
  {
    Reply reply = call ("alone", CENOTE_RETRY_UNSENT);

    EXPECT_EQ (UNAVAILABLE, reply.code);
    EXPECT_NE (std::string::npos, reply.message.find (text)) << reply.message;
    EXPECT_EQ (1u, came ("alone").size ());
    EXPECT_EQ (0u, unsent ());
    reply = call ("again", CENOTE_RETRY_IDEMPOTENT);
    EXPECT_EQ ("again", reply.text) << reply.message;
    EXPECT_EQ (2u, came ("again").size ());
    EXPECT_LE (1u, repeated ());
  }

  Fault fault_;
  std::mutex lock_;
  std::map<std::string, std::vector<unsigned>> came_;
};

/* ------------------------------------------------- C-core's texts, one by one */

TEST_F (Retries, AGoawayWithALowerStream)
{
  open ([] (auto &connection, uint32_t stream) { connection.goaway (stream < 3 ? 0 : stream - 2); });
  expect_unsent ("GOAWAY received");
}

TEST_F (Retries, ARefusedStream)
{
  open ([] (auto &connection, uint32_t stream) { connection.rst (stream, http2::REFUSED_STREAM); });
  expect_unsent ("Received RST_STREAM with error code 7");
}

/* What only luck brings about: many threads call until one of them has met TEXT, and then with `unsent`
 * until one call was made again; nobody meets TEXT then. */
class RetriesInAStorm : public Retries {
protected:
  void
  expect_met_and_retried (const std::string &text)
  {
    EXPECT_TRUE (storm (CENOTE_RETRY_NEVER, text, [this] { return met_ > 0; })) << others_ << " failed otherwise";
    met_ = 0;
    EXPECT_TRUE (storm (CENOTE_RETRY_UNSENT, text, [this] { return unsent () > 0; })) << others_ << " failed otherwise";
    EXPECT_EQ (0, met_);
  }

private:
  /* FALSE: DONE did not hold within a minute. */
  bool
  storm (CenoteRetry retry, const std::string &text, const std::function<bool ()> &done)
  {
    gint64 until_us = g_get_monotonic_time () + 60 * G_USEC_PER_SEC;
    std::vector<std::thread> threads;

    for (int t = 0; t < 8; t++)
      threads.emplace_back ([&] {
        while (!done () && g_get_monotonic_time () < until_us) {
          Reply reply = call ("x", retry);
          bool meets = reply.code == UNAVAILABLE && reply.message.find (text) == 0;
          met_ += meets;
          others_ += !reply.good && !meets;
        }
      });
    for (std::thread &thread : threads)
      thread.join ();
    return done ();
  }

  std::atomic<int> met_{ 0 }, others_{ 0 };
};

/* A connection that goes at the instant in which a call begins on it. */
TEST_F (RetriesInAStorm, ATransportThatIsClosed)
{
  CallTest::open ([] (auto &connection, const auto &request) {
    connection.reply (request.stream, request.text);
    if (request.stream > 20)
      connection.reset ();
  }, "size=2\n");
  expect_met_and_retried ("Transport closed");
}

/* A connection with two numbers left, like one that has carried a thousand million calls, which takes one
 * stream at a time: who waits behind the last one gets none. */
TEST_F (RetriesInAStorm, StreamNumbersThatAreUsedUp)
{
  CallTest::open ([] (auto &connection, const auto &request) { connection.reply (request.stream, request.text); },
                  "size=1\nchannel-args=grpc.http2.initial_sequence_number=2147483643\n",
                  http2::setting (http2::MAX_CONCURRENT_STREAMS, 1));
  expect_met_and_retried ("Stream IDs exhausted");
}

/* On the channels of a mock: each is in the state that the test needs. */
class MockedRetries : public Retries {
protected:
  void
  mock (std::function<grpc_channel *()> next)
  {
    next_ = std::move (next);
    cenote_pool_set_mock (pool (), give, this, nullptr);
  }

  static grpc_channel *
  channel_to (unsigned port)
  {
    g_autofree char *target = g_strdup_printf ("ipv4:127.0.0.1:%u", port);
    grpc_arg retries = {};
    retries.type = GRPC_ARG_INTEGER;
    retries.key = const_cast<char *> (GRPC_ARG_ENABLE_RETRIES);
    grpc_channel_args args = { 1, &retries };
    grpc_channel_credentials *credentials = grpc_insecure_credentials_create ();
    grpc_channel *channel = grpc_channel_create (target, credentials, &args);

    grpc_channel_credentials_release (credentials);
    return channel;
  }

  static gboolean
  give (CenotePool *, CenoteLease *out_lease, gpointer data, GError **)
  {
    out_lease->channel = static_cast<MockedRetries *> (data)->next_ ();
    return TRUE;
  }

  std::function<grpc_channel *()> next_;
};

TEST_F (MockedRetries, AConnectionThatCannotBeMade)
{
  Port nobody;
  std::atomic<int> given{ 0 };

  open (nullptr);
  grpc_channel *bad = channel_to (nobody.number ()), *good = channel_to (peer_->port ());
  mock ([&] { return given++ % 2 == 0 ? bad : good; });
  Reply reply = call ("alone", CENOTE_RETRY_NEVER);
  EXPECT_EQ (UNAVAILABLE, reply.code);
  EXPECT_EQ (0u, reply.message.find ("failed to connect to all addresses")) << reply.message;
  given = 0;
  EXPECT_EQ ("again", call ("again", CENOTE_RETRY_UNSENT).text);
  EXPECT_EQ (2, given);
  EXPECT_EQ (1u, unsent ());
  close ();
  grpc_channel_destroy (bad);
  grpc_channel_destroy (good);
}

/* A call that waits for a connection, on a channel that is destroyed meanwhile. */
TEST_F (MockedRetries, AChannelThatIsDestroyed)
{
  Port silent;
  std::atomic<int> given{ 0 };
  std::promise<grpc_channel *> waiting;

  silent.swallow ();
  open (nullptr);
  grpc_channel *good = channel_to (peer_->port ());
  mock ([&] {
    if (given++ > 0)
      return good;
    grpc_channel *channel = channel_to (silent.number ());
    waiting.set_value (channel);
    return channel;
  });
  for (CenoteRetry retry : { CENOTE_RETRY_NEVER, CENOTE_RETRY_UNSENT }) {
    waiting = std::promise<grpc_channel *> ();
    given = 0;
    std::future<Reply> ending = std::async (std::launch::async, [&] { return call ("again", retry); });
    grpc_channel *channel = waiting.get_future ().get ();
    while (grpc_channel_check_connectivity_state (channel, 0) == GRPC_CHANNEL_IDLE)
      std::this_thread::yield ();
    grpc_channel_destroy (channel);
    Reply reply = ending.get ();
    EXPECT_EQ (retry == CENOTE_RETRY_UNSENT, reply.good) << reply.message;
    EXPECT_EQ (reply.good ? 0 : UNAVAILABLE, reply.code);
    EXPECT_EQ (reply.good ? "" : "Channel Destroyed", reply.message);
  }
  EXPECT_EQ (1u, unsent ());
  close ();
  grpc_channel_destroy (good);
}

/* ------------------------------------------------------------ what they are not */

TEST_F (Retries, AConnectionThatEndsSaysNothing)
{
  open ([] (auto &connection, uint32_t) { connection.close (); });
  expect_sent ("Socket closed");
}

TEST_F (Retries, AConnectionThatIsResetSaysNothing)
{
  open ([] (auto &connection, uint32_t) { connection.reset (); });
  expect_sent ("Connection reset by peer");
}

TEST_F (Retries, AGoawayWithThisStreamLeavesItAlone)
{
  open ([] (auto &connection, uint32_t stream) {
    connection.goaway (stream);
    connection.reply (stream, "after the goodbye");
  });
  EXPECT_EQ ("after the goodbye", call ("one", CENOTE_RETRY_UNSENT).text);
  EXPECT_EQ (1u, came ("one").size ());
  EXPECT_EQ (0u, unsent ());
}

TEST_F (Retries, AGoawayWithThisStreamAndThenTheEndSaysNothing)
{
  open ([] (auto &connection, uint32_t stream) {
    connection.goaway (stream);
    connection.close ();
  });
  expect_sent ("Socket closed");
}

TEST_F (Retries, AnotherResetOfTheStreamIsNone)
{
  open ([] (auto &connection, uint32_t stream) { connection.rst (stream, http2::ENHANCE_YOUR_CALM); });
  Reply reply = call ("x", CENOTE_RETRY_UNSENT);
  EXPECT_EQ (RESOURCE_EXHAUSTED, reply.code) << reply.message;
  EXPECT_EQ (1u, came ("x").size ());
}

/* A server may say the words itself: then they come with something of its own, or not as C-core's. */
TEST_F (Retries, AnAnsweredCallIsNotMadeAgain)
{
  open ([this] (auto &connection, uint32_t stream) {
    http2::Headers headers = http2::response_headers ();

    if (came ("metadata").size () == 1)
      headers.emplace_back ("x-answered", "yes");
    connection.headers (stream, headers);
    if (came ("message").size () == 1)
      connection.send (http2::DATA, 0, stream, http2::message ("an answer"));
    connection.rst (stream, http2::REFUSED_STREAM);
  });
  for (const char *text : { "metadata", "message" }) {
    Reply reply = call (text, CENOTE_RETRY_UNSENT);
    EXPECT_EQ (UNAVAILABLE, reply.code) << text;
    EXPECT_EQ (1u, came (text).size ()) << text;
  }
  EXPECT_EQ (0u, unsent ());
}

TEST_F (Retries, AStatusOfTheServersWithTheSameWordsAndMoreIsNot)
{
  open ([] (auto &connection, uint32_t stream) {
    http2::Headers all = http2::response_headers ();

    for (const auto &trailer : http2::status_trailers ("14", "GOAWAY received"))
      all.push_back (trailer);
    all.emplace_back ("x-retry", "no");
    connection.headers (stream, all, http2::END_HEADERS | http2::END_STREAM);
  });
  EXPECT_EQ (UNAVAILABLE, call ("x", CENOTE_RETRY_UNSENT).code);
  EXPECT_EQ (1u, came ("x").size ());
}

/* ------------------------------------------------------------- another channel */

/* The connection stays and is ready: luck would choose it every other time. */
TEST_F (Retries, IsOnAnotherChannel)
{
  open ([] (auto &connection, uint32_t stream) { connection.rst (stream, http2::REFUSED_STREAM); });
  for (int i = 0; i < 50; i++) {
    std::string text = std::to_string (i);

    EXPECT_EQ (text, call (text, CENOTE_RETRY_UNSENT).text);
    ASSERT_EQ (2u, came (text).size ());
    EXPECT_NE (came (text)[0], came (text)[1]);
  }
}

TEST_F (Retries, AsyncIsOnAnotherChannel)
{
  open ([] (auto &connection, uint32_t stream) { connection.rst (stream, http2::REFUSED_STREAM); });
  AsyncCalls calls (pool ());

  for (int i = 0; i < 50; i++)
    calls.begin (METHOD, std::to_string (i));
  calls.await_all ();
  for (int i = 0; i < 50; i++) {
    std::vector<unsigned> where = came (std::to_string (i));

    EXPECT_TRUE (calls.replies[static_cast<size_t> (i)].good);
    ASSERT_EQ (2u, where.size ());
    EXPECT_NE (where[0], where[1]);
  }
  EXPECT_EQ (50u, unsent ());
}

/* The first answer pauses the pool: the next attempt waits, and keeps its wish. */
TEST_F (Retries, IsOnAnotherChannelAlsoWhereItWaitedForIt)
{
  open ([this] (auto &connection, uint32_t stream) {
    cenote_pool_pause (pool ());
    connection.rst (stream, http2::REFUSED_STREAM);
  });
  AsyncCalls calls (pool ());

  for (int i = 0; i < 40; i++) {
    std::string text = std::to_string (i);
    std::future<Reply> ending;

    if (i % 2 == 0)
      ending = std::async (std::launch::async, [&] { return call (text, CENOTE_RETRY_UNSENT); });
    else
      calls.begin (METHOD, text);
    while (client_->status ()->waiters == 0)
      std::this_thread::yield ();
    cenote_pool_resume (pool ());
    if (i % 2 == 0)
      EXPECT_TRUE (ending.get ().good);
    else
      calls.await_all ();
    ASSERT_EQ (2u, came (text).size ());
    EXPECT_NE (came (text)[0], came (text)[1]) << i;
  }
}

TEST_F (Retries, IsOnTheSameChannelWhereThereIsNoOther)
{
  open ([] (auto &connection, uint32_t stream) { connection.rst (stream, http2::REFUSED_STREAM); }, "size=1\n");
  EXPECT_TRUE (call ("x", CENOTE_RETRY_UNSENT).good);
  EXPECT_EQ ((std::vector<unsigned>{ 1, 1 }), came ("x"));
}

} /* namespace */
