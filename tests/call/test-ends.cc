/* SPDX-License-Identifier: Apache-2.0 */
/* How calls end whose peer does what a server must not do, or nothing. */
#include <algorithm>
#include <future>

#include "call-test.h"
#include "tests/servers/gauges.h"
#include "watchdog-probe.h"

namespace {

gint64
now_ms ()
{
  return g_get_monotonic_time () / 1000;
}

class Ends : public CallTest {
protected:
  /* Blocking and asynchronous, which must agree. */
  Reply
  call (gint64 timeout_ms = 30000, CenoteRetry retry = CENOTE_RETRY_NEVER)
  {
    CenoteCallOptions options = CENOTE_CALL_OPTIONS_INIT;
    AsyncCalls calls (pool ());

    options.timeout_ms = timeout_ms;
    options.retry = retry;
    Reply reply = ::call (pool (), METHOD, "request", &options);
    calls.begin (METHOD, "request", &options);
    calls.await_all ();
    EXPECT_EQ (reply.code, calls.replies[0].code);
    EXPECT_EQ (reply.message, calls.replies[0].message);
    EXPECT_EQ (0, in_flight ());
    return reply;
  }
};

/* Whose texts are not kept, are freed. */
TEST_F (Ends, OfManyMethodsNothingStays)
{
  open ([] (auto &connection, const auto &request) { connection.reply (request.stream, "a reply"); });
  for (int i = 0; i < 1100; i++) {
    std::string method = "/a.B" + std::string (i % 400, 'b') + "/C" + std::to_string (i);

    ASSERT_TRUE (::call (pool (), method.c_str (), "request").good) << method;
  }
}

/* --------------------------------------------------------------- wrong answers */

TEST_F (Ends, OkWithoutAMessageIsInternal)
{
  open ([] (auto &connection, const auto &request) {
    connection.headers (request.stream, http2::response_headers ());
    connection.end (request.stream, "0");
  });
  Reply reply = call ();
  EXPECT_EQ (CENOTE_STATUS, reply.domain);
  EXPECT_EQ (INTERNAL, reply.code);
  EXPECT_EQ ("the server said OK and sent no message that can be read", reply.message);
}

TEST_F (Ends, OkInTrailersAloneIsInternal)
{
  open ([] (auto &connection, const auto &request) {
    http2::Headers all = http2::response_headers ();

    all.emplace_back ("grpc-status", "0");
    connection.headers (request.stream, all, http2::END_HEADERS | http2::END_STREAM);
  });
  EXPECT_EQ (INTERNAL, call ().code);
}

/* Ten bytes were announced, and four came. */
TEST_F (Ends, OkAfterHalfAMessageIsNoSuccess)
{
  open ([] (auto &connection, const auto &request) {
    connection.headers (request.stream, http2::response_headers ());
    connection.send (http2::DATA, 0, request.stream, http2::message ("0123456789").substr (0, 9));
    connection.end (request.stream, "0");
  });
  EXPECT_EQ (INTERNAL, call ().code);
}

TEST_F (Ends, AMessageWithAWrongFlagIsInternal)
{
  open ([] (auto &connection, const auto &request) {
    connection.headers (request.stream, http2::response_headers ());
    connection.send (http2::DATA, 0, request.stream, http2::message ("text", 7));
    connection.end (request.stream, "0");
  });
  EXPECT_EQ (INTERNAL, call ().code);
}

/* Which of three complaints C-core has first is luck. */
TEST_F (Ends, AMessageThatIsCompressedIsNoSuccess)
{
  open ([] (auto &connection, const auto &request) {
    http2::Headers headers = http2::response_headers ();

    headers.emplace_back ("grpc-encoding", "gzip");
    connection.headers (request.stream, headers);
    connection.send (http2::DATA, 0, request.stream, http2::message ("this is not gzip", 1));
    connection.end (request.stream, "0");
  });
  EXPECT_FALSE (::call (pool (), METHOD, "request").good);
}

/* What is no number, or none that gRPC can hold, is UNKNOWN. */
TEST_F (Ends, StatusesThatGrpcDoesNotDefineSurvive)
{
  std::string status;
  const struct {
    const char *status;
    int code;
  } cases[] = { { "17", 17 },       { "99", 99 },           { "2147483647", 2147483647 }, { "4294967295", UNKNOWN },
                { "-1", UNKNOWN },  { "-2147483648", UNKNOWN }, { "OK", UNKNOWN },         { "", UNKNOWN } };

  open ([&] (auto &connection, const auto &request) {
    connection.headers (request.stream, http2::response_headers ());
    connection.send (http2::DATA, 0, request.stream, http2::message ("a reply"));
    connection.end (request.stream, status, "what the server says");
  });
  for (const auto &a_case : cases) {
    status = a_case.status;
    Reply reply = call (30000, CENOTE_RETRY_IDEMPOTENT);
    EXPECT_FALSE (reply.good);
    EXPECT_EQ (CENOTE_STATUS, reply.domain) << status;
    EXPECT_EQ (a_case.code, reply.code) << status;
    EXPECT_EQ ("what the server says", reply.message) << status;
  }
  EXPECT_EQ (2 * G_N_ELEMENTS (cases), peer_->asked ()) << "no such call is made again";
  EXPECT_EQ (2 * static_cast<gint64> (G_N_ELEMENTS (cases)), client_->status ()->channels[0]->failures);
}

TEST_F (Ends, TrailersWithoutAStatusAreNoSuccess)
{
  open ([] (auto &connection, const auto &request) {
    connection.headers (request.stream, http2::response_headers ());
    connection.send (http2::DATA, 0, request.stream, http2::message ("a reply"));
    connection.headers (request.stream, { { "x-other", "1" } }, http2::END_HEADERS | http2::END_STREAM);
  });
  EXPECT_EQ (UNKNOWN, call ().code);
}

/* At once where the status has come, and soon where the server says no more: without an end of ours the call
 * would hang to its deadline, five minutes from now. */
TEST_F (Ends, TwoMessagesAreInternalSoon)
{
  std::atomic<bool> ends{ false };
  std::vector<gint64> took_ms;

  open ([&] (auto &connection, const auto &request) {
    connection.headers (request.stream, http2::response_headers ());
    connection.send (http2::frame (http2::DATA, 0, request.stream, http2::message ("one")) +
                     http2::frame (http2::DATA, 0, request.stream, http2::message ("two")));
    if (ends)
      connection.end (request.stream, "0");
  });
  for (int i = 0; i < 20; i++) {
    ends = i % 2 == 0;
    gint64 begun_ms = now_ms ();
    Reply reply = call (300000);
    took_ms.push_back ((now_ms () - begun_ms) / 2);
    EXPECT_EQ (INTERNAL, reply.code);
    EXPECT_EQ ("the server sent more than one message in answer to a unary call", reply.message);
  }
  EXPECT_LT (*std::max_element (took_ms.begin (), took_ms.end ()), 30000);
  RecordProperty ("longest_ms", std::to_string (*std::max_element (took_ms.begin (), took_ms.end ())));
  close ();
}

/* A slow status is not a second message. */
TEST_F (Ends, ALateStatusIsWaitedFor)
{
  open ([&] (auto &connection, const auto &request) {
    connection.headers (request.stream, http2::response_headers ());
    connection.send (http2::DATA, 0, request.stream, http2::message ("a reply"));
    g_usleep (2 * 50 * 1000); /* that it comes after the look for a second message, which nothing shows */
    connection.end (request.stream, "0");
  });
  EXPECT_TRUE (call ().good);
}

TEST_F (Ends, AStreamHandsOnWhatItGets)
{
  g_autoptr (GError) error = nullptr;
  g_autoptr (GBytes) request = g_bytes_new_static ("x", 1);

  open ([] (auto &connection, const auto &asked) {
    connection.headers (asked.stream, http2::response_headers ());
    connection.send (http2::DATA, 0, asked.stream, http2::message ("one") + http2::message ("two"));
    connection.end (asked.stream, "99", "enough");
  });
  g_autoptr (CenoteCall) stream = cenote_call_new (pool (), METHOD, nullptr, &error);
  ASSERT_TRUE (cenote_call_write (stream, request, TRUE, &error));
  for (const char *text : { "one", "two" }) {
    g_autoptr (GBytes) message = nullptr;
    ASSERT_TRUE (cenote_call_read (stream, -1, &message, &error));
    ASSERT_NE (nullptr, message);
    EXPECT_EQ (text, std::string (static_cast<const char *> (g_bytes_get_data (message, nullptr)), 3));
  }
  EXPECT_FALSE (cenote_call_finish (stream, &error));
  ASSERT_NE (nullptr, error);
  EXPECT_EQ (99, error->code);
  EXPECT_STREQ ("enough", error->message);
}

/* ------------------------------------------------------------------- deadlines */

/* A plugin keeps the control thread, from which calls are looked at: blocking ones and others end all the same. */
TEST_F (Ends, DeadlinesAreKeptWhileTheControlThreadIsBusy)
{
  open ([] (auto &, const auto &) {});
  g_autoptr (WatchdogProbe) probe = watchdog_probe_new (pool ());
  CenoteCallOptions options = CENOTE_CALL_OPTIONS_INIT;
  options.timeout_ms = 200;
  auto make_calls = [&] {
    AsyncCalls calls (pool ());

    calls.begin (METHOD, "request", &options);
    Reply reply = ::call (pool (), METHOD, "request", &options);
    calls.await_all ();
    return reply.code == DEADLINE_EXCEEDED && calls.replies[0].code == DEADLINE_EXCEEDED;
  };

  EXPECT_TRUE (make_calls ()) << "and all threads that they need are there";
  watchdog_probe_hold (probe);
  gint64 begun_ms = now_ms ();
  std::future<bool> good = std::async (std::launch::async, make_calls);
  EXPECT_EQ (std::future_status::ready, good.wait_for (std::chrono::seconds (30))) << "nobody looks";
  gint64 took_ms = now_ms () - begun_ms;
  watchdog_probe_let_go (probe);
  EXPECT_TRUE (good.get ());
  EXPECT_GE (took_ms, options.timeout_ms);
  printf ("ended %d ms after their deadline\n", static_cast<int> (took_ms - options.timeout_ms));
}

/* ------------------------------------------------------------- what is left of it */

/* Calls to a peer that answers a part of it and no more; each ends by its deadline, or by a cancel. */
class Given : public Ends {
protected:
  void
  SetUp () override
  {
    open ([] (auto &connection, const auto &request) {
      if (request.stream % 3 == 0)
        return;
      connection.headers (request.stream, http2::response_headers ());
      if (request.stream % 3 == 1)
        connection.send (http2::DATA, 0, request.stream, http2::message (std::string (20000, 'x')));
    }, "size=2\n");
  }

  void
  expire (unsigned n)
  {
    CenoteCallOptions options = CENOTE_CALL_OPTIONS_INIT;
    AsyncCalls calls (pool ());

    options.timeout_ms = 5;
    for (unsigned i = 0; i < n; i++)
      calls.begin (METHOD, std::string (1000, 'x'), &options);
    calls.await_all ();
    for (const Reply &reply : calls.replies)
      EXPECT_FALSE (reply.good);
  }

  void
  cancel (unsigned n)
  {
    AsyncCalls calls (pool ());
    std::vector<guint> ids;

    for (unsigned i = 0; i < n; i++)
      ids.push_back (calls.begin (METHOD, std::string (1000, 'x')));
    for (guint id : ids)
      EXPECT_TRUE (cenote_pool_cancel (pool (), id));
    calls.await_all ();
    EXPECT_TRUE (calls.replies.empty ());
  }

  void
  cancel_streams (unsigned n)
  {
    for (unsigned i = 0; i < n; i++) {
      g_autoptr (GBytes) message = g_bytes_new_static ("x", 1), reply = nullptr;
      g_autoptr (CenoteCall) stream = cenote_call_new (pool (), METHOD, nullptr, nullptr);

      cenote_call_write (stream, message, FALSE, nullptr);
      cenote_call_read (stream, 1, &reply, nullptr);
      if (i % 2 == 0)
        cenote_call_cancel (stream);
    }
  }

  void
  round (unsigned n)
  {
    expire (n);
    cancel (n);
    cancel_streams (n / 10);
    EXPECT_EQ (0, in_flight ());
  }
};

/* Whatever a call holds would be there a thousand times: a reply of 20 kB; and at full length ten thousand
 * times: a request of 1 kB.  What the allocator keeps in reserve is less than the bound. */
TEST_F (Given, NothingStaysOfCallsThatExpireOrAreCancelled)
{
  const unsigned n = scaled (10000, 1000);

  for (int i = 0; i < 3; i++)
    round (200);
  Gauges before = Gauges::read ();
  for (unsigned done = 0; done < n; done += 200)
    round (200);
  Gauges after = Gauges::read ();
  EXPECT_LE (after.descriptors, before.descriptors);
  if (Gauges::memory_tells ()) {
    EXPECT_LT (after.resident_kb, before.resident_kb + 8192) << before << "; then " << after;
  }
  RecordProperty ("kb_more", std::to_string (after.resident_kb - before.resident_kb));
}

} /* namespace */
