/* SPDX-License-Identifier: Apache-2.0 */
/* Limits, metadata, compression, restarts and health against grpc-js: what two implementations
 * of gRPC make of each other. */
#include <gmock/gmock.h>

#include <atomic>
#include <numeric>

#include "tests/integration/interop-stubs.h"

namespace {

using namespace interop;

class GrpcJs : public StubTest {
protected:
  void
  open_with (const std::string &keys)
  {
    stub_.reset ();
    open (server_->port (), "backoff=quick\n" + keys);
    stub_.reset (cenote_protobuf_c_service_new (pool_, &grpc__testing__test_service__descriptor));
  }

  /* A call without messages. */
  Status
  empty_duplex (const CenoteCallOptions *options)
  {
    Call call (pool_, "FullDuplexCall", options);

    call.close ();
    EXPECT_EQ (-1, call.read_size ());
    return call.finish ();
  }

  /* The connection stands, and calls go on. */
  void
  expect_unharmed ()
  {
    Answer answer = unary (SimpleRequest (0, 0));

    EXPECT_TRUE (answer.replied) << answer.status;
    EXPECT_EQ (0u, client_->events.of (CENOTE_EVENT_CHANNEL_DISCONNECTED).size ());
  }

  /* The connection went, and there is another for the next call. */
  void
  expect_reconnected ()
  {
    CenoteCallOptions options = CENOTE_CALL_OPTIONS_INIT;

    options.wait_for_ready = TRUE;
    EXPECT_TRUE (client_->events.await (CENOTE_EVENT_CHANNEL_DISCONNECTED, 1));
    Status status = empty_duplex (&options);
    EXPECT_TRUE (status.is (OK)) << status;
  }
};

/* ----------------------------------------------------------- sizes of messages */

const size_t limit = 64 << 10;
const char limit_key[] = "size=1\nmax-message-size=64KiB\n";

/* The body of a reply that is exactly LIMIT long: it is in field 1 of field 2 of the message. */
int
largest_body ()
{
  std::vector<uint8_t> zeros (limit - 64);
  Grpc__Testing__Payload payload = GRPC__TESTING__PAYLOAD__INIT;
  Grpc__Testing__SimpleResponse reply = GRPC__TESTING__SIMPLE_RESPONSE__INIT;

  payload.body = { zeros.size (), zeros.data () };
  reply.payload = &payload;
  return static_cast<int> (zeros.size () + limit - grpc__testing__simple_response__get_packed_size (&reply));
}

TEST_F (GrpcJs, AReplyOfTheLargestSizeIsTaken)
{
  open_with (limit_key);
  Answer answer = unary (SimpleRequest (0, largest_body ()));
  EXPECT_TRUE (answer.replied) << answer.status;
  EXPECT_EQ (static_cast<size_t> (largest_body ()), answer.body.size ());
}

TEST_F (GrpcJs, ALargerReplyNamesTheKey)
{
  open_with (limit_key);
  Answer answer = unary (SimpleRequest (0, largest_body () + 1));
  EXPECT_TRUE (answer.status.is (RESOURCE_EXHAUSTED)) << answer.status;
  EXPECT_EQ ("Received message larger than max (65537 vs. 65536): the pool's max-message-size", answer.status.message);
  expect_unharmed ();
}

TEST_F (GrpcJs, ALargerReplyOfAStreamNamesTheKey)
{
  open_with (limit_key);
  OutputRequest request (0, { 1, largest_body () + 1, 1 });
  Call call (pool_, "StreamingOutputCall");

  EXPECT_TRUE (call.write (request.message, true));
  EXPECT_EQ (1, call.read_size ());
  EXPECT_EQ (-1, call.read_size ());
  Status status = call.finish ();
  EXPECT_TRUE (status.is (RESOURCE_EXHAUSTED)) << status;
  EXPECT_EQ ("Received message larger than max (65537 vs. 65536): the pool's max-message-size", status.message);
  expect_unharmed ();
}

TEST_F (GrpcJs, ARequestOfTheLargestSizeIsSentAndALargerOneNamesTheKey)
{
  open_with (limit_key);
  /* The size of what is around the body. */
  SimpleRequest almost (limit - 64, 0);
  size_t around = grpc__testing__simple_request__get_packed_size (&almost.message) - (limit - 64);
  gint64 before = server_->calls ();

  Answer answer = unary (SimpleRequest (limit - around, 0));
  EXPECT_TRUE (answer.replied) << answer.status;
  answer = unary (SimpleRequest (limit - around + 1, 0));
  EXPECT_TRUE (answer.status.is (RESOURCE_EXHAUSTED)) << answer.status;
  EXPECT_EQ ("Sent message larger than max (65537 vs. 65536): the pool's max-message-size", answer.status.message);
  expect_unharmed ();
  EXPECT_LE (server_->calls (), before + 3);
}

/* 4 MiB, as with most servers. */
TEST_F (GrpcJs, TheServersOwnLimitIsToldInItsWords)
{
  open_with ("size=1\nmax-message-size=64MiB\n");
  Answer answer = unary (SimpleRequest (5 << 20, 0));
  EXPECT_TRUE (answer.status.is (RESOURCE_EXHAUSTED)) << answer.status;
  EXPECT_EQ ("Received message larger than max (5242890 vs 4194304)", answer.status.message);
  expect_unharmed ();
}

/* ----------------------------------------------------------------- metadata */

/* C-core gives the connection up for it. */
TEST_F (GrpcJs, MoreMetadataThanThePoolTakesNamesTheKey)
{
  const std::string large (8 << 10, 'x');
  Metadata initial (large, ""), trailing ("x", large);

  for (const Metadata *metadata : { &initial, &trailing }) {
    open_with ("size=1\nmax-metadata-size=4KiB\n");
    Status status = empty_duplex (*metadata);
    EXPECT_TRUE (status.is (RESOURCE_EXHAUSTED)) << status;
    EXPECT_THAT (status.message, ::testing::MatchesRegex ("received (initial|trailing) metadata size exceeds limit"
                                                          ": the pool takes 4096 bytes \\(max-metadata-size\\)"));
    expect_reconnected ();
  }
}

TEST_F (GrpcJs, MetadataWithinTheLimitTravels)
{
  const std::string large (20 << 10, 'x');
  Metadata metadata (large, large);

  open_with ("size=1\nmax-metadata-size=64KiB\n");
  Call call (pool_, "FullDuplexCall", metadata);
  call.close ();
  Status status = call.finish ();
  EXPECT_TRUE (status.is (OK)) << status;
  EXPECT_EQ (large, call.initial (initial_key));
  EXPECT_EQ (large, call.trailing (trailing_key));
}

/* node answers with a GOAWAY, and then no more; before 20 it closes the connection. */
TEST_F (GrpcJs, MoreMetadataThanTheServerTakesCostsTheConnection)
{
  Metadata metadata (std::string (100 << 10, 'x'), "");
  CenoteCallOptions options = *metadata;

  open_with ("size=1\n");
  options.timeout_ms = 300;
  Status status = empty_duplex (&options);
  EXPECT_TRUE (status.is (NodeServer::node_version () < 20 ? UNAVAILABLE : DEADLINE_EXCEEDED)) << status;
  expect_reconnected ();
}

TEST_F (GrpcJs, BinaryMetadataIsAnyBytes)
{
  std::string all (256, '\0');

  std::iota (all.begin (), all.end (), '\0');
  for (size_t length : { 0, 1, 2, 3, 4, 255, 256 })
    for (const std::string &bytes : { all.substr (256 - length), std::string (length, '\0'), std::string (length, ',') }) {
      Metadata metadata ("x", bytes);
      Call call (pool_, "FullDuplexCall", metadata);

      call.close ();
      Status status = call.finish ();
      EXPECT_TRUE (status.is (OK)) << status;
      EXPECT_EQ (bytes, call.trailing (trailing_key)) << length << " bytes";
    }
}

/* -------------------------------------------------------------- compression */

/* The most memory that was held since forget_peak(), in KiB. */
long
peak_kib ()
{
  g_autofree char *status = nullptr;
  long kib = 0;

  if (g_file_get_contents ("/proc/self/status", &status, nullptr, nullptr))
    sscanf (strstr (status, "VmHWM:"), "VmHWM: %ld", &kib);
  return kib;
}

bool
forget_peak ()
{
  FILE *file = fopen ("/proc/self/clear_refs", "w");

  return file != nullptr && fputs ("5", file) >= 0 && fclose (file) == 0;
}

/* 64 MiB that gzip has made small: they are refused before they grow, also where they come with
 * the first of the reply. */
TEST_F (GrpcJs, ACompressedReplyIsRefusedAndNotInflated)
{
  open (server_->compressing_port ());
  stub_.reset (cenote_protobuf_c_service_new (pool_, &grpc__testing__test_service__descriptor));
  ASSERT_TRUE (forget_peak ());
  long before = peak_kib ();

  Answer answer = unary (SimpleRequest (0, 0));
  EXPECT_TRUE (answer.status.is (INTERNAL)) << answer.status;
  OutputRequest request (0, { 1 });
  Call call (pool_, "StreamingOutputCall");
  call.write (request.message, true);
  EXPECT_EQ (-1, call.read_size ());
  Status status = call.finish ();
  EXPECT_TRUE (status.is (INTERNAL)) << status;
  EXPECT_LT (peak_kib () - before, 32 << 10);
}

/* ----------------------------------------------------------------- restarts */

/* Calls from a few threads until there were enough restarts. */
class Load {
public:
  Load (CenotePool *pool, int n_threads)
  {
    for (int i = 0; i < n_threads; i++)
      threads_.emplace_back ([this, pool] { run (pool); });
  }

  ~Load () { end (); }

  /* The calls that went well. */
  int
  end ()
  {
    ended_ = true;
    for (std::thread &thread : threads_)
      thread.join ();
    threads_.clear ();
    return good_;
  }

  int failed () const { return failed_; }

private:
  void
  run (CenotePool *pool)
  {
    SimpleRequest request (100, 100);
    g_autoptr (GBytes) bytes = packed (request.message.base);

    while (!ended_) {
      g_autoptr (GError) error = nullptr;
      bool good = cenote_call_unary (pool, "/grpc.testing.TestService/UnaryCall", bytes, nullptr, nullptr, &error);

      if (!good)
        ADD_FAILURE () << Status (error);
      (good ? good_ : failed_)++;
    }
  }

  static GBytes *
  packed (const ProtobufCMessage &message)
  {
    std::vector<uint8_t> bytes (protobuf_c_message_get_packed_size (&message));

    protobuf_c_message_pack (&message, bytes.data ());
    return g_bytes_new (bytes.data (), bytes.size ());
  }

  std::vector<std::thread> threads_;
  std::atomic<bool> ended_{ false };
  std::atomic<int> good_{ 0 }, failed_{ 0 };
};

/* How many calls each channel that is ready has ended well. */
std::vector<gint64>
good_calls (Client &client)
{
  auto status = client.status ();
  std::vector<gint64> good;

  for (gsize i = 0; i < status->n_channels; i++)
    if (status->channels[i]->state == CENOTE_CHANNEL_READY)
      good.push_back (status->channels[i]->calls - status->channels[i]->failures);
  return good;
}

/* Waits until each of N connections has carried a call, though as many as IN_FLIGHT may be
 * of the one before: what goes then counts as no failed attempt. */
bool
await_used (Client &client, gsize n, gint64 in_flight)
{
  std::vector<gint64> before, now;
  auto is_used = [&] (gint64 then, gint64 good) { return good > then + in_flight; };

  return await ([&] { return (before = good_calls (client)).size () == n; }) && await ([&] {
           now = good_calls (client);
           return now.size () == n && std::equal (before.begin (), before.end (), now.begin (), is_used);
         });
}

/* With the default options: no call fails, and none is made twice. */
TEST_F (GrpcJs, GracefulRestartsUnderLoadFailNoCall)
{
  const unsigned restarts = scaled (200, 20), n = 4;

  if (NodeServer::node_version () < 20)
    GTEST_SKIP () << "node 20: before it, a session that is closed does not send the replies that it has";
  open_with ("size=4\n");
  gint64 before = server_->calls ();
  Load load (pool_, n);
  for (unsigned i = 0; i < restarts && load.failed () == 0; i++) {
    ASSERT_TRUE (await_used (*client_, n, n));
    EXPECT_TRUE (server_->renew ());
  }
  int good = load.end ();
  EXPECT_EQ (0, load.failed ());
  EXPECT_EQ (before + good, server_->calls ());
  EXPECT_TRUE (client_->events.await (CENOTE_EVENT_CHANNEL_DISCONNECTED, restarts));
  printf ("%d calls over %u restarts\n", good, restarts);
}

/* ------------------------------------------------------------------- health */

TEST_F (GrpcJs, HealthIsWatched)
{
  open_with ("size=2\nhealth-check=grpc\n");
  ASSERT_TRUE (client_->events.await_ok (CENOTE_EVENT_CHANNEL_HEALTH, 1, 2));
  ASSERT_TRUE (server_->serve ("NOT_SERVING"));
  ASSERT_TRUE (client_->events.await_ok (CENOTE_EVENT_CHANNEL_HEALTH, 0, 2));
  EXPECT_FALSE (client_->gets ());
  EXPECT_EQ (0u, client_->events.of (CENOTE_EVENT_CHANNEL_DISCONNECTED).size ());
  ASSERT_TRUE (server_->serve ("SERVING"));
  ASSERT_TRUE (client_->events.await_ok (CENOTE_EVENT_CHANNEL_HEALTH, 1, 4));
  EXPECT_TRUE (client_->gets ());
  expect_unharmed ();
}

} // namespace
