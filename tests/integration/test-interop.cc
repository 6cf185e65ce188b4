/* SPDX-License-Identifier: Apache-2.0 */
/* gRPC's interoperability cases that apply to a client, through the C face.  Each test
 * has its case's name and asserts what that does. */
#include <dlfcn.h>

#include "tests/integration/interop-stubs.h"
#include "tests/servers/message-memory.h"

namespace {

/* What protobuf-c packed last on this thread. */
thread_local struct {
  const uint8_t *start;
  size_t size;
} packed;

} // namespace

/* Wraps protobuf-c's own.  The messages within a message are packed by it, too, and are done before it is. */
extern "C" size_t
protobuf_c_message_pack (const ProtobufCMessage *message, uint8_t *out)
{
  static const auto real =
    reinterpret_cast<decltype (&protobuf_c_message_pack)> (dlsym (RTLD_NEXT, "protobuf_c_message_pack"));
  size_t size;

  size = real (message, out);
  packed.start = out;
  packed.size = size;
  return size;
}

namespace {

using namespace interop;


using Interop = StubTest;

TEST_F (Interop, EmptyUnary)
{
  Grpc__Testing__Empty empty = GRPC__TESTING__EMPTY__INIT;
  Answer answer;

  grpc__testing__test_service__empty_call (stub_.get (), &empty, take, &answer);
  EXPECT_TRUE (answer.replied) << answer.status;
}

TEST_F (Interop, LargeUnary)
{
  Answer answer = unary (SimpleRequest (large_request, large_response));

  EXPECT_TRUE (answer.replied) << answer.status;
  EXPECT_EQ (std::string (large_response, '\0'), answer.body);
}

/* None of gRPC's: up to a size replies lie in the closure's frame, and from there on partly. */
TEST_F (Interop, UnaryOfEverySize)
{
  for (int size = 0; size < 1200; size += size < 800 ? 100 : 1) {
    Answer answer = unary (SimpleRequest (1, size));

    ASSERT_TRUE (answer.replied) << size << ": " << answer.status;
    ASSERT_EQ (std::string (size, '\0'), answer.body) << size;
  }
}

/* None of gRPC's: sizes that gRPC would keep within a slice, and copy, are left out. */
TEST_F (Interop, StubsPackRequestsIntoTheMemoryThatIsSent)
{
  GMainContext *context = g_main_context_new ();

  for (int size : { 100, 5000, large_request }) {
    MessageMemory memory;
    SimpleRequest request (size, 1);
    Answer later;
    Call call (pool_, "StreamingInputCall");

    unary (request);
    EXPECT_LE (1, memory.sent_from (packed.start, packed.size)) << size;
    EXPECT_TRUE (call.write (request.message, true));
    EXPECT_LE (1, memory.sent_from (packed.start, packed.size)) << size;
    call.finish ();
    cenote_protobuf_c_service_set_context (stub_.get (), context);
    grpc__testing__test_service__unary_call (stub_.get (), &request.message, take, &later);
    while (later.times == 0)
      g_main_context_iteration (context, TRUE);
    EXPECT_LE (1, memory.sent_from (packed.start, packed.size)) << size;
    cenote_protobuf_c_service_set_context (stub_.get (), nullptr);
  }
  g_main_context_unref (context);
}

TEST_F (Interop, LargeUnaryOfALoop)
{
  SimpleRequest request (large_request, large_response);
  GMainContext *context = g_main_context_new ();
  Answer answer;

  cenote_protobuf_c_service_set_context (stub_.get (), context);
  grpc__testing__test_service__unary_call (stub_.get (), &request.message, take, &answer);
  EXPECT_EQ (0, answer.times);
  while (answer.times == 0)
    g_main_context_iteration (context, TRUE);
  EXPECT_TRUE (answer.replied) << answer.status;
  EXPECT_EQ (std::string (large_response, '\0'), answer.body);
  stub_.reset ();
  g_main_context_unref (context);
}

TEST_F (Interop, ClientStreaming)
{
  Call call (pool_, "StreamingInputCall");

  for (int size : request_sizes) {
    Parts parts (size);
    Grpc__Testing__StreamingInputCallRequest request = GRPC__TESTING__STREAMING_INPUT_CALL_REQUEST__INIT;
    request.payload = &parts.payload;
    EXPECT_TRUE (call.write (request));
  }
  call.close ();
  auto reply = call.read<Grpc__Testing__StreamingInputCallResponse> (grpc__testing__streaming_input_call_response__descriptor);
  Status status = call.finish ();
  EXPECT_TRUE (status.is (OK)) << status;
  ASSERT_NE (nullptr, reply);
  EXPECT_EQ (aggregated_size, reply->aggregated_payload_size);
}

TEST_F (Interop, ServerStreaming)
{
  OutputRequest request (0, { std::begin (response_sizes), std::end (response_sizes) });
  Call call (pool_, "StreamingOutputCall");

  EXPECT_TRUE (call.write (request.message, true));
  for (int size : response_sizes)
    EXPECT_EQ (size, call.read_size ());
  EXPECT_EQ (-1, call.read_size ());
  Status status = call.finish ();
  EXPECT_TRUE (status.is (OK)) << status;
}

TEST_F (Interop, PingPong)
{
  Call call (pool_, "FullDuplexCall");

  for (size_t i = 0; i < G_N_ELEMENTS (request_sizes); i++) {
    OutputRequest request (request_sizes[i], { response_sizes[i] });
    EXPECT_TRUE (call.write (request.message));
    EXPECT_EQ (response_sizes[i], call.read_size ());
  }
  call.close ();
  EXPECT_EQ (-1, call.read_size ());
  Status status = call.finish ();
  EXPECT_TRUE (status.is (OK)) << status;
}

TEST_F (Interop, EmptyStream)
{
  Call call (pool_, "FullDuplexCall");

  call.close ();
  EXPECT_EQ (-1, call.read_size ());
  Status status = call.finish ();
  EXPECT_TRUE (status.is (OK)) << status;
}

TEST_F (Interop, CustomMetadata)
{
  const std::string initial = initial_value, trailing = trailing_value;
  SimpleRequest simple (large_request, large_response);
  OutputRequest output (large_request, { large_response });
  Metadata metadata (initial, trailing);
  Call unary (pool_, "UnaryCall", metadata), duplex (pool_, "FullDuplexCall", metadata);

  EXPECT_TRUE (unary.write (simple.message, true));
  EXPECT_TRUE (duplex.write (output.message, true));
  for (Call *call : { &unary, &duplex }) {
    EXPECT_EQ (initial, call->initial (initial_key));
    EXPECT_EQ (std::nullopt, call->trailing (trailing_key)) << "there is no status yet";
    /* Replies of both have their payload in field 1. */
    EXPECT_EQ (large_response, call->read_size ());
    Status status = call->finish ();
    EXPECT_TRUE (status.is (OK)) << status;
    EXPECT_EQ (trailing, call->trailing (trailing_key));
  }
}

TEST_F (Interop, StatusCodeAndMessage)
{
  Answer answer = unary (SimpleRequest (Fault{ UNKNOWN, status_message }));
  OutputRequest request (Fault{ UNKNOWN, status_message });
  Call call (pool_, "FullDuplexCall");

  EXPECT_FALSE (answer.replied);
  EXPECT_TRUE (answer.status.is (UNKNOWN)) << answer.status;
  EXPECT_EQ (status_message, answer.status.message);
  EXPECT_TRUE (call.write (request.message));
  call.close ();
  Status status = call.finish ();
  EXPECT_TRUE (status.is (UNKNOWN)) << status;
  EXPECT_EQ (status_message, status.message);
}

TEST_F (Interop, SpecialStatusMessage)
{
  Answer answer = unary (SimpleRequest (Fault{ UNKNOWN, special_message }));

  EXPECT_TRUE (answer.status.is (UNKNOWN)) << answer.status;
  EXPECT_EQ (special_message, answer.status.message);
}

TEST_F (Interop, UnimplementedMethod)
{
  Grpc__Testing__Empty empty = GRPC__TESTING__EMPTY__INIT;
  Answer answer;

  grpc__testing__test_service__unimplemented_call (stub_.get (), &empty, take, &answer);
  EXPECT_TRUE (answer.status.is (UNIMPLEMENTED)) << answer.status;
}

TEST_F (Interop, UnimplementedService)
{
  Grpc__Testing__Empty empty = GRPC__TESTING__EMPTY__INIT;
  Answer answer;

  stub_.reset (cenote_protobuf_c_service_new (pool_, &grpc__testing__unimplemented_service__descriptor));
  grpc__testing__unimplemented_service__unimplemented_call (stub_.get (), &empty, take, &answer);
  EXPECT_TRUE (answer.status.is (UNIMPLEMENTED)) << answer.status;
}

TEST_F (Interop, CancelAfterBegin)
{
  Call call (pool_, "StreamingInputCall");

  call.cancel ();
  Status status = call.finish ();
  EXPECT_TRUE (status.is (CANCELLED)) << status;
}

TEST_F (Interop, CancelAfterFirstResponse)
{
  gint64 before = server_->cancelled ();
  OutputRequest request (request_sizes[0], { response_sizes[0] });
  Call call (pool_, "FullDuplexCall");

  EXPECT_TRUE (call.write (request.message));
  EXPECT_EQ (response_sizes[0], call.read_size ());
  call.cancel ();
  Status status = call.finish ();
  EXPECT_TRUE (status.is (CANCELLED)) << status;
  EXPECT_TRUE (await_cancelled (before + 1));
}

TEST_F (Interop, TimeoutOnSleepingServer)
{
  CenoteCallOptions options = CENOTE_CALL_OPTIONS_INIT;
  OutputRequest request (request_sizes[0]);

  options.timeout_ms = 1;
  Call call (pool_, "FullDuplexCall", &options);
  call.write (request.message);
  EXPECT_EQ (-1, call.read_size ());
  Status status = call.finish ();
  EXPECT_TRUE (status.is (DEADLINE_EXCEEDED)) << status;
}

} // namespace
