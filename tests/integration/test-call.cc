/* SPDX-License-Identifier: Apache-2.0 */
/* Calls over real connections: to the demo's server, which echoes, and to etcd, which streams. */
#include <atomic>
#include <thread>

#include "tests/servers/calls.h"
#include "tests/servers/servers.h"
#include "tools/demo-server.h"

namespace {

const char keys[] = "size=2\nbackoff=quick\n";

class Call : public ::testing::Test {
protected:
  void
  SetUp () override
  {
    ASSERT_TRUE (server_.start ());
    client_.reset (new Client (server_.port (), keys));
    connect (*client_);
    pool_ = client_->pool;
  }

  EchoServer server_;
  std::unique_ptr<Client> client_;
  CenotePool *pool_ = nullptr;
};

/* ------------------------------------------------------------------- unary */

TEST_F (Call, UnaryGivesTheReply)
{
  EXPECT_EQ ("a message", call (pool_, DEMO_ECHO_METHOD, "a message").text);
  EXPECT_TRUE (call (pool_, DEMO_ECHO_METHOD, "").good);
  std::string large (3 << 20, 'x');
  EXPECT_EQ (large, call (pool_, DEMO_ECHO_METHOD, large).text);
}

TEST_F (Call, UnaryWithoutRequestAndReplyToNobody)
{
  g_autoptr (GError) error = nullptr;

  EXPECT_TRUE (cenote_call_unary (pool_, DEMO_ECHO_METHOD, nullptr, nullptr, nullptr, &error));
}

TEST_F (Call, AStatusOfTheServersIsInTheDomainOfStatuses)
{
  Reply reply = call (pool_, "/cenote.demo.Echo/NoSuchMethod", "x");

  EXPECT_FALSE (reply.good);
  EXPECT_EQ (CENOTE_STATUS, reply.domain);
  EXPECT_EQ (UNIMPLEMENTED, reply.code);
  EXPECT_EQ ("the demo server has Echo and Health/Check", reply.message);
}

/* More than Cenote keeps, and longer than it would. */
TEST_F (Call, OfManyMethodsEachIsItsOwn)
{
  for (int i = 0; i < 1100; i++) {
    std::string method = "/cenote.demo.Echo" + std::string (i % 400, 'o') + "/Echo" + std::to_string (i);

    ASSERT_EQ (UNIMPLEMENTED, call (pool_, method.c_str (), "x").code) << method;
    ASSERT_EQ ("x", call (pool_, DEMO_ECHO_METHOD, "x").text);
  }
}

TEST_F (Call, TheLeaseGoesBackWithItsOutcome)
{
  gint64 calls = 0, failures = 0;

  call (pool_, DEMO_ECHO_METHOD, "x");
  call (pool_, "/a.B/C", "x");
  auto status = client_->status ();
  for (gsize i = 0; i < status->n_channels; i++) {
    calls += status->channels[i]->calls;
    failures += status->channels[i]->failures;
  }
  EXPECT_EQ (2, calls);
  EXPECT_EQ (1, failures);
  EXPECT_EQ (0, status->in_flight);
}

/* C-core takes the message out of what it is given, and an attempt that follows has it all the same. */
TEST_F (Call, WhatIsTriedAgainHasItsMessage)
{
  CenoteCallOptions options = CENOTE_CALL_OPTIONS_INIT;
  const std::string large (100000, 'x');

  options.retry = CENOTE_RETRY_IDEMPOTENT;
  options.wait_for_ready = TRUE;
  for (int i = 0; i < 5; i++) {
    std::thread restart ([this] {
      server_.kill ();
      EXPECT_TRUE (server_.start ());
    });
    for (int n = 0; n < 50; n++) {
      EXPECT_EQ ("small", call (pool_, DEMO_ECHO_METHOD, "small", &options).text);
      EXPECT_EQ (large, call (pool_, DEMO_ECHO_METHOD, large, &options).text);
    }
    restart.join ();
  }
}

/* Never more leases than the limit, whatever the threads; and each that waits gets its turn. */
TEST (CallLimits, AHardLimitHoldsAndServesAllWhoWait)
{
  EchoServer server;
  ASSERT_TRUE (server.start ());
  Client client (server.port (), "size=1\nmax-streams-per-channel=3\nhard-stream-limit=yes\nleak-threshold=1h\n");
  std::atomic<int> held{ 0 }, n_over{ 0 }, n_failed{ 0 };
  std::vector<std::thread> threads;

  connect (client);
  for (int t = 0; t < 8; t++)
    threads.emplace_back ([&] {
      for (int i = 0; i < 100; i++) {
        CenoteLease lease = CENOTE_LEASE_INIT;

        if (!cenote_pool_acquire (client.pool, 60000, &lease, nullptr)) {
          n_failed++;
          continue;
        }
        n_over += ++held > 3;
        if (i % 4 == 0)
          std::this_thread::yield ();
        held--;
        cenote_lease_release (&lease);
        n_failed += !call (client.pool, DEMO_ECHO_METHOD, "x").good;
      }
    });
  for (std::thread &thread : threads)
    thread.join ();
  EXPECT_EQ (0, n_over);
  EXPECT_EQ (0, n_failed);
  EXPECT_EQ (0, client.status ()->in_flight);
}

TEST_F (Call, WhatCannotBeSentIsRefused)
{
  CenoteCallOptions options = CENOTE_CALL_OPTIONS_INIT;
  const CenoteMetadatum bad[] = { { "Upper", "x", -1 }, { "grpc-timeout", "1S", -1 }, { "key", "line\nfeed", -1 } };

  for (const char *method : { "", "Echo", "/Echo", "/a.B/", "//C", "/a.B/C/D" }) {
    Reply reply = call (pool_, method, "x");
    EXPECT_EQ (CENOTE_ERROR, reply.domain) << method;
    EXPECT_EQ (CENOTE_ERROR_INVALID, reply.code) << method;
  }
  for (gint64 timeout_ms : { G_GINT64_CONSTANT (0), G_GINT64_CONSTANT (-1), G_MAXINT64 }) {
    options.timeout_ms = timeout_ms;
    EXPECT_EQ (CENOTE_ERROR_INVALID, call (pool_, DEMO_ECHO_METHOD, "x", &options).code) << timeout_ms;
  }
  for (const CenoteMetadatum &metadatum : bad) {
    options = CENOTE_CALL_OPTIONS_INIT;
    options.metadata = &metadatum;
    options.n_metadata = 1;
    Reply reply = call (pool_, DEMO_ECHO_METHOD, "x", &options);
    EXPECT_EQ (CENOTE_ERROR_INVALID, reply.code) << metadatum.key;
    EXPECT_EQ (std::string::npos, reply.message.find (metadatum.value)) << "it may be a secret";
  }
}

TEST_F (Call, ManyThreadsCallAtOnce)
{
  std::vector<std::thread> threads;
  std::atomic<int> good{ 0 };

  for (int t = 0; t < 8; t++)
    threads.emplace_back ([&, t] {
      for (int i = 0; i < 100; i++) {
        std::string text = std::to_string (t) + ":" + std::to_string (i);
        good += call (pool_, DEMO_ECHO_METHOD, text).text == text;
      }
    });
  for (std::thread &thread : threads)
    thread.join ();
  EXPECT_EQ (800, good);
  EXPECT_EQ (0, client_->status ()->in_flight);
}

TEST_F (Call, WithoutAnyServerItFailsAtOnceOrWaits)
{
  CenoteCallOptions waits = CENOTE_CALL_OPTIONS_INIT;

  server_.kill ();
  ASSERT_TRUE (client_->events.await (CENOTE_EVENT_CHANNEL_DISCONNECTED, 2));
  ASSERT_TRUE (client_->events.await (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED, 1));
  Reply reply = call (pool_, DEMO_ECHO_METHOD, "x");
  EXPECT_EQ (CENOTE_ERROR, reply.domain);
  EXPECT_EQ (CENOTE_ERROR_NOT_CONNECTED, reply.code) << reply.message;
  waits.wait_for_ready = TRUE;
  waits.timeout_ms = 50;
  reply = call (pool_, DEMO_ECHO_METHOD, "x", &waits);
  EXPECT_EQ (CENOTE_ERROR, reply.domain);
  EXPECT_EQ (CENOTE_ERROR_TIMEOUT, reply.code) << reply.message;
  waits.timeout_ms = 30000;
  std::thread late ([&] { EXPECT_TRUE (server_.start ()); });
  EXPECT_TRUE (call (pool_, DEMO_ECHO_METHOD, "x", &waits).good);
  late.join ();
}

TEST_F (Call, AfterTheStopThereAreNone)
{
  cenote_runtime_stop (client_->runtime);
  Reply reply = call (pool_, DEMO_ECHO_METHOD, "x");
  EXPECT_EQ (CENOTE_ERROR, reply.domain);
  EXPECT_EQ (CENOTE_ERROR_STOPPED, reply.code);
}

/* A peer that greets as HTTP/2 does and answers nothing. */
void
connect_to_silence (Client &client, Peer &peer)
{
  std::thread greeter ([&] {
    while (peer.alive () < 1)
      std::this_thread::yield ();
    peer.greet ();
  });

  connect (client);
  greeter.join ();
}

TEST (CallToSilence, EndsAtItsDeadline)
{
  Peer peer ("silent");
  Client client (peer.port (), "size=1\nbackoff=quick\n");
  CenoteCallOptions options = CENOTE_CALL_OPTIONS_INIT;

  connect_to_silence (client, peer);
  options.timeout_ms = 100;
  Reply reply = call (client.pool, DEMO_ECHO_METHOD, "x", &options);
  EXPECT_EQ (CENOTE_STATUS, reply.domain);
  EXPECT_EQ (DEADLINE_EXCEEDED, reply.code);
}

TEST (CallToSilence, EndsWithTheRuntimeWhereDrainTimeoutIsOver)
{
  Peer peer ("silent");
  Client client (peer.port (), "size=1\nbackoff=quick\ndrain-timeout=100ms\n");
  Reply reply;

  connect_to_silence (client, peer);
  std::thread caller ([&] { reply = call (client.pool, DEMO_ECHO_METHOD, "x"); });
  while (client.status ()->in_flight == 0)
    std::this_thread::yield ();
  cenote_runtime_stop (client.runtime);
  caller.join ();
  EXPECT_EQ (CENOTE_STATUS, reply.domain);
  EXPECT_EQ (UNAVAILABLE, reply.code) << reply.message;
}

/* What a server is told of a deadline, whoever keeps it: what is left in ms. */
TEST (DeadlineOfAServer, IsTheCalls)
{
  HealthServer server;
  ASSERT_TRUE (server.start ());
  Client client (server.port (), "size=1\nbackoff=quick\n");
  connect (client);

  for (gint64 timeout_ms : { G_GINT64_CONSTANT (20000), G_GINT64_CONSTANT (400) * 3600 * 1000, G_GINT64_CONSTANT (365) * 24 * 3600 * 1000 }) {
    CenoteCallOptions options = CENOTE_CALL_OPTIONS_INIT;

    options.timeout_ms = timeout_ms;
    Reply reply = call (client.pool, WORK_DEADLINE_METHOD, "x", &options);
    ASSERT_TRUE (reply.good) << reply.message;
    gint64 left_ms = g_ascii_strtoll (reply.text.c_str (), nullptr, 10);
    EXPECT_LE (left_ms, timeout_ms + 1000); /* whole seconds, where milliseconds have too many digits */
    EXPECT_GT (left_ms, timeout_ms - 15000);
  }
}

/* ------------------------------------------------------------- asynchronous */

TEST_F (Call, AsyncCallsBackOnItsContext)
{
  AsyncCalls calls (pool_);

  EXPECT_NE (0u, calls.begin (DEMO_ECHO_METHOD, "a message"));
  EXPECT_TRUE (calls.replies.empty ());
  calls.await_all ();
  ASSERT_EQ (1u, calls.replies.size ());
  EXPECT_EQ ("a message", calls.replies[0].text);
}

TEST_F (Call, AsyncTellsEveryKindOfFailure)
{
  AsyncCalls calls (pool_);

  calls.begin ("not a method", "");
  calls.begin ("/a.B/C", "");
  calls.await_all ();
  ASSERT_EQ (2u, calls.replies.size ());
  EXPECT_EQ (CENOTE_ERROR, calls.replies[0].domain);
  EXPECT_EQ (CENOTE_ERROR_INVALID, calls.replies[0].code);
  EXPECT_EQ (CENOTE_STATUS, calls.replies[1].domain);
  EXPECT_EQ (UNIMPLEMENTED, calls.replies[1].code);
}

TEST_F (Call, AsyncManyAtOnce)
{
  AsyncCalls calls (pool_);
  int good = 0;

  for (int i = 0; i < 1000; i++)
    calls.begin (DEMO_ECHO_METHOD, std::to_string (i));
  calls.await_all ();
  for (const Reply &reply : calls.replies)
    good += reply.good;
  EXPECT_EQ (1000, good);
  EXPECT_EQ (0, client_->status ()->in_flight);
}

TEST_F (Call, AsyncWaitsForTheServer)
{
  CenoteCallOptions waits = CENOTE_CALL_OPTIONS_INIT;
  AsyncCalls calls (pool_);

  server_.kill ();
  ASSERT_TRUE (client_->events.await (CENOTE_EVENT_CHANNEL_DISCONNECTED, 2));
  waits.wait_for_ready = TRUE;
  calls.begin (DEMO_ECHO_METHOD, "x", &waits);
  EXPECT_TRUE (server_.start ());
  calls.await_all ();
  EXPECT_TRUE (calls.replies[0].good) << calls.replies[0].message;
}

TEST_F (Call, AsyncCancelledWhileItWaitsIsGivenUp)
{
  CenoteCallOptions waits = CENOTE_CALL_OPTIONS_INIT;
  AsyncCalls calls (pool_);

  server_.kill ();
  ASSERT_TRUE (client_->events.await (CENOTE_EVENT_CHANNEL_DISCONNECTED, 2));
  waits.wait_for_ready = TRUE;
  guint id = calls.begin (DEMO_ECHO_METHOD, "x", &waits);
  EXPECT_TRUE (cenote_pool_cancel (pool_, id));
  EXPECT_FALSE (cenote_pool_cancel (pool_, id + 1));
  calls.await_all ();
  EXPECT_TRUE (calls.replies.empty ());
}

TEST (CallToSilence, AsyncCancelledUnderWayIsGivenUp)
{
  Peer peer ("silent");
  Client client (peer.port (), "size=1\nbackoff=quick\n");
  AsyncCalls calls (client.pool);

  connect_to_silence (client, peer);
  guint id = calls.begin (DEMO_ECHO_METHOD, "x");
  EXPECT_EQ (1, client.status ()->in_flight);
  EXPECT_TRUE (cenote_pool_cancel (client.pool, id));
  calls.await_all ();
  EXPECT_TRUE (calls.replies.empty ());
  EXPECT_EQ (0, client.status ()->in_flight);
}

TEST (CallToSilence, AsyncEndsAtItsDeadline)
{
  Peer peer ("silent");
  Client client (peer.port (), "size=1\nbackoff=quick\n");
  CenoteCallOptions options = CENOTE_CALL_OPTIONS_INIT;
  AsyncCalls calls (client.pool);

  connect_to_silence (client, peer);
  options.timeout_ms = 100;
  calls.begin (DEMO_ECHO_METHOD, "x", &options);
  calls.await_all ();
  EXPECT_EQ (DEADLINE_EXCEEDED, calls.replies[0].code);
}

TEST_F (Call, AContextThatEndsFirstGivesItsCallsUp)
{
  AsyncCalls calls (pool_);

  calls.begin ("not a method", "");
  calls.abandon ();
  EXPECT_EQ (1, calls.given_up);
  EXPECT_TRUE (calls.replies.empty ());
}

/* ------------------------------------------------------------------ streams */

class Stream : public ::testing::Test {
protected:
  void
  SetUp () override
  {
    if (!Etcd::is_there ())
      GTEST_SKIP () << "etcd";
    ASSERT_TRUE (etcd_.start ());
    client_.reset (new Client (etcd_.port (), keys));
    connect (*client_);
  }

  /* WatchRequest { create_request { key: "k" } } */
  static GBytes *
  watch_request ()
  {
    static const char request[] = { 0x0a, 0x03, 0x0a, 0x01, 'k' };

    return g_bytes_new_static (request, sizeof request);
  }

  /* PutRequest { key: "k", value: VALUE } */
  void
  put (char value)
  {
    const char request[] = { 0x0a, 0x01, 'k', 0x12, 0x01, value };

    Reply reply = call (client_->pool, "/etcdserverpb.KV/Put", std::string (request, sizeof request));
    EXPECT_TRUE (reply.good) << reply.message;
  }

  CenoteCall *
  watch ()
  {
    g_autoptr (GError) error = nullptr;
    g_autoptr (GBytes) request = watch_request ();
    g_autoptr (CenoteCall) call = cenote_call_new (client_->pool, "/etcdserverpb.Watch/Watch", nullptr, &error);

    if (call == nullptr || !cenote_call_write (call, request, FALSE, &error)) {
      ADD_FAILURE () << error->message;
      return nullptr;
    }
    return static_cast<CenoteCall *> (g_steal_pointer (&call));
  }

  /* Whether the next message contains TEXT. */
  bool
  next_has (CenoteCall *call, const std::string &text)
  {
    g_autoptr (GBytes) message = nullptr;
    g_autoptr (GError) error = nullptr;
    gsize size = 0;

    if (!cenote_call_read (call, -1, &message, &error) || message == nullptr)
      return false;
    const char *start = static_cast<const char *> (g_bytes_get_data (message, &size));
    return std::string (start, size).find (text) != std::string::npos;
  }

  Etcd etcd_;
  std::unique_ptr<Client> client_;
};

TEST_F (Stream, MessagesComeAsTheyAreSent)
{
  g_autoptr (CenoteCall) call = watch ();
  g_autoptr (GError) error = nullptr;

  ASSERT_NE (nullptr, call);
  EXPECT_TRUE (next_has (call, "")) << "created";
  for (char value : { 'a', 'b', 'c' }) {
    put (value);
    EXPECT_TRUE (next_has (call, std::string ("\x01k"))) << value;
  }
  EXPECT_EQ (1, client_->status ()->in_flight);
  cenote_call_cancel (call);
  EXPECT_FALSE (cenote_call_finish (call, &error));
  EXPECT_TRUE (g_error_matches (error, CENOTE_STATUS, CANCELLED)) << error->message;
  EXPECT_EQ (0, client_->status ()->in_flight);
}

TEST_F (Stream, AReadThatFindsNothingLeavesTheCallAsItIs)
{
  g_autoptr (CenoteCall) call = watch ();
  g_autoptr (GBytes) message = nullptr;
  g_autoptr (GError) error = nullptr;

  ASSERT_NE (nullptr, call);
  EXPECT_TRUE (next_has (call, ""));
  EXPECT_FALSE (cenote_call_read (call, 20, &message, &error));
  EXPECT_TRUE (g_error_matches (error, CENOTE_ERROR, CENOTE_ERROR_TIMEOUT));
  put ('a');
  EXPECT_TRUE (next_has (call, "\x01k"));
}

TEST_F (Stream, CancelWakesAReader)
{
  g_autoptr (CenoteCall) call = watch ();
  g_autoptr (GError) error = nullptr;

  ASSERT_NE (nullptr, call);
  EXPECT_TRUE (next_has (call, ""));
  std::thread canceller ([&] { cenote_call_cancel (call); });
  EXPECT_FALSE (next_has (call, ""));
  canceller.join ();
  EXPECT_FALSE (cenote_call_finish (call, &error));
  EXPECT_EQ (CANCELLED, error->code);
}

/* A server that answers would end it too, and may be first with a status of its own. */
TEST (CallToSilence, AStreamEndsAtItsDeadline)
{
  Peer peer ("silent");
  Client client (peer.port (), "size=1\nbackoff=quick\n");
  CenoteCallOptions options = CENOTE_CALL_OPTIONS_INIT;
  g_autoptr (GBytes) message = nullptr;
  g_autoptr (GError) error = nullptr;

  connect_to_silence (client, peer);
  options.timeout_ms = 100;
  g_autoptr (CenoteCall) call = cenote_call_new (client.pool, DEMO_ECHO_METHOD, &options, &error);
  ASSERT_NE (nullptr, call);
  EXPECT_TRUE (cenote_call_read (call, -1, &message, &error)) << "which is the end";
  EXPECT_EQ (nullptr, message);
  EXPECT_FALSE (cenote_call_finish (call, &error));
  EXPECT_EQ (DEADLINE_EXCEEDED, error->code);
}

TEST_F (Stream, WhatIsDroppedIsCancelled)
{
  CenoteCall *call = watch ();

  cenote_call_unref (call);
  EXPECT_EQ (0, client_->status ()->in_flight);
}

} /* namespace */
