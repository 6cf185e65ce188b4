/* SPDX-License-Identifier: Apache-2.0 */
/* gRPC's interoperability cases that apply to a client, through the C++ face: stubs that
 * grpc_cpp_plugin generated, over cenote::Pool::stub_channel().  Each test has its case's
 * name and asserts what that does. */
#include <cenote/grpcpp.hpp>
#include <grpcpp/grpcpp.h>

#include <future>

#include "interop.grpc.pb.h"
#include "tests/integration/interop.h"

namespace {

using namespace interop;
using grpc::testing::Empty;
using grpc::testing::Payload;
using grpc::testing::SimpleRequest;
using grpc::testing::SimpleResponse;
using grpc::testing::StreamingInputCallRequest;
using grpc::testing::StreamingInputCallResponse;
using grpc::testing::StreamingOutputCallRequest;
using grpc::testing::StreamingOutputCallResponse;

std::string
zeros (int n)
{
  return std::string (static_cast<size_t> (n), '\0');
}

SimpleRequest
simple_request (int body, int response_size)
{
  SimpleRequest request;

  request.set_response_size (response_size);
  request.mutable_payload ()->set_body (zeros (body));
  return request;
}

StreamingOutputCallRequest
output_request (int body, int response_size)
{
  StreamingOutputCallRequest request;

  if (response_size >= 0)
    request.add_response_parameters ()->set_size (response_size);
  request.mutable_payload ()->set_body (zeros (body));
  return request;
}

template <typename Request>
Request
failing (const std::string &message)
{
  Request request;

  request.mutable_response_status ()->set_code (UNKNOWN);
  request.mutable_response_status ()->set_message (message);
  return request;
}

/* A context with a deadline far away. */
class Context : public grpc::ClientContext {
public:
  Context () { set_deadline (std::chrono::system_clock::now () + std::chrono::minutes (1)); }

  void
  add_echoes ()
  {
    AddMetadata (initial_key, initial_value);
    AddMetadata (trailing_key, trailing_value);
  }

  void
  expect_echoes () const
  {
    EXPECT_EQ (initial_value, value (GetServerInitialMetadata (), initial_key));
    EXPECT_EQ (trailing_value, value (GetServerTrailingMetadata (), trailing_key));
  }

private:
  static std::string
  value (const std::multimap<grpc::string_ref, grpc::string_ref> &metadata, const char *key)
  {
    auto row = metadata.find (key);

    return row == metadata.end () ? "" : std::string (row->second.data (), row->second.size ());
  }
};

class InteropCpp : public interop::Test {
protected:
  void
  SetUp () override
  {
    Test::SetUp ();
    if (pool_ == nullptr)
      return;
    channel_ = cenote::Pool (cenote_pool_ref (pool_)).stub_channel ();
    stub_ = grpc::testing::TestService::NewStub (channel_);
  }

  std::shared_ptr<grpc::ChannelInterface> channel_;
  std::unique_ptr<grpc::testing::TestService::Stub> stub_;
};

#define EXPECT_STATUS(code, status) EXPECT_EQ (static_cast<int> (code), (status).error_code ()) << (status).error_message ()

TEST_F (InteropCpp, EmptyUnary)
{
  Context context;
  Empty reply;
  grpc::Status status = stub_->EmptyCall (&context, Empty (), &reply);

  EXPECT_STATUS (OK, status);
  EXPECT_EQ (0u, reply.ByteSizeLong ());
}

TEST_F (InteropCpp, LargeUnary)
{
  Context context;
  SimpleResponse reply;
  grpc::Status status = stub_->UnaryCall (&context, simple_request (large_request, large_response), &reply);

  EXPECT_STATUS (OK, status);
  EXPECT_EQ (zeros (large_response), reply.payload ().body ());
}

TEST_F (InteropCpp, LargeUnaryWithACallback)
{
  Context context;
  SimpleRequest request = simple_request (large_request, large_response);
  SimpleResponse reply;
  std::promise<grpc::Status> done;

  stub_->async ()->UnaryCall (&context, &request, &reply, [&] (grpc::Status status) { done.set_value (status); });
  grpc::Status status = done.get_future ().get ();
  EXPECT_STATUS (OK, status);
  EXPECT_EQ (zeros (large_response), reply.payload ().body ());
}

TEST_F (InteropCpp, ClientStreaming)
{
  Context context;
  StreamingInputCallResponse reply;
  auto stream = stub_->StreamingInputCall (&context, &reply);

  for (int size : request_sizes) {
    StreamingInputCallRequest request;

    request.mutable_payload ()->set_body (zeros (size));
    EXPECT_TRUE (stream->Write (request));
  }
  EXPECT_TRUE (stream->WritesDone ());
  grpc::Status status = stream->Finish ();
  EXPECT_STATUS (OK, status);
  EXPECT_EQ (aggregated_size, reply.aggregated_payload_size ());
}

TEST_F (InteropCpp, ServerStreaming)
{
  Context context;
  StreamingOutputCallRequest request;
  StreamingOutputCallResponse reply;

  for (int size : response_sizes)
    request.add_response_parameters ()->set_size (size);
  auto stream = stub_->StreamingOutputCall (&context, request);
  for (int size : response_sizes) {
    ASSERT_TRUE (stream->Read (&reply));
    EXPECT_EQ (zeros (size), reply.payload ().body ());
  }
  EXPECT_FALSE (stream->Read (&reply));
  grpc::Status status = stream->Finish ();
  EXPECT_STATUS (OK, status);
}

TEST_F (InteropCpp, PingPong)
{
  Context context;
  StreamingOutputCallResponse reply;
  auto stream = stub_->FullDuplexCall (&context);

  for (size_t i = 0; i < G_N_ELEMENTS (request_sizes); i++) {
    EXPECT_TRUE (stream->Write (output_request (request_sizes[i], response_sizes[i])));
    ASSERT_TRUE (stream->Read (&reply));
    EXPECT_EQ (zeros (response_sizes[i]), reply.payload ().body ());
  }
  EXPECT_TRUE (stream->WritesDone ());
  EXPECT_FALSE (stream->Read (&reply));
  grpc::Status status = stream->Finish ();
  EXPECT_STATUS (OK, status);
}

TEST_F (InteropCpp, EmptyStream)
{
  Context context;
  StreamingOutputCallResponse reply;
  auto stream = stub_->FullDuplexCall (&context);

  EXPECT_TRUE (stream->WritesDone ());
  EXPECT_FALSE (stream->Read (&reply));
  grpc::Status status = stream->Finish ();
  EXPECT_STATUS (OK, status);
}

TEST_F (InteropCpp, CustomMetadata)
{
  Context unary, duplex;
  SimpleResponse simple;
  StreamingOutputCallResponse output;

  unary.add_echoes ();
  grpc::Status status = stub_->UnaryCall (&unary, simple_request (large_request, large_response), &simple);
  EXPECT_STATUS (OK, status);
  EXPECT_EQ (zeros (large_response), simple.payload ().body ());
  unary.expect_echoes ();

  duplex.add_echoes ();
  auto stream = stub_->FullDuplexCall (&duplex);
  EXPECT_TRUE (stream->Write (output_request (large_request, large_response)));
  EXPECT_TRUE (stream->WritesDone ());
  ASSERT_TRUE (stream->Read (&output));
  EXPECT_EQ (zeros (large_response), output.payload ().body ());
  EXPECT_FALSE (stream->Read (&output));
  status = stream->Finish ();
  EXPECT_STATUS (OK, status);
  duplex.expect_echoes ();
}

TEST_F (InteropCpp, StatusCodeAndMessage)
{
  Context unary, duplex;
  SimpleResponse simple;
  StreamingOutputCallResponse output;
  grpc::Status status = stub_->UnaryCall (&unary, failing<SimpleRequest> (status_message), &simple);

  EXPECT_STATUS (UNKNOWN, status);
  EXPECT_EQ (status_message, status.error_message ());
  auto stream = stub_->FullDuplexCall (&duplex);
  EXPECT_TRUE (stream->Write (failing<StreamingOutputCallRequest> (status_message)));
  stream->WritesDone ();
  EXPECT_FALSE (stream->Read (&output));
  status = stream->Finish ();
  EXPECT_STATUS (UNKNOWN, status);
  EXPECT_EQ (status_message, status.error_message ());
}

TEST_F (InteropCpp, SpecialStatusMessage)
{
  Context context;
  SimpleResponse reply;
  grpc::Status status = stub_->UnaryCall (&context, failing<SimpleRequest> (special_message), &reply);

  EXPECT_STATUS (UNKNOWN, status);
  EXPECT_EQ (special_message, status.error_message ());
}

TEST_F (InteropCpp, UnimplementedMethod)
{
  Context context;
  Empty reply;
  grpc::Status status = stub_->UnimplementedCall (&context, Empty (), &reply);

  EXPECT_STATUS (UNIMPLEMENTED, status);
}

TEST_F (InteropCpp, UnimplementedService)
{
  Context context;
  Empty reply;
  grpc::Status status = grpc::testing::UnimplementedService::NewStub (channel_)->UnimplementedCall (&context, Empty (), &reply);

  EXPECT_STATUS (UNIMPLEMENTED, status);
}

TEST_F (InteropCpp, CancelAfterBegin)
{
  Context context;
  StreamingInputCallResponse reply;
  auto stream = stub_->StreamingInputCall (&context, &reply);

  context.TryCancel ();
  grpc::Status status = stream->Finish ();
  EXPECT_STATUS (CANCELLED, status);
}

TEST_F (InteropCpp, CancelAfterFirstResponse)
{
  Context context;
  StreamingOutputCallResponse reply;
  gint64 before = server_->cancelled ();
  auto stream = stub_->FullDuplexCall (&context);

  EXPECT_TRUE (stream->Write (output_request (request_sizes[0], response_sizes[0])));
  ASSERT_TRUE (stream->Read (&reply));
  EXPECT_EQ (zeros (response_sizes[0]), reply.payload ().body ());
  context.TryCancel ();
  grpc::Status status = stream->Finish ();
  EXPECT_STATUS (CANCELLED, status);
  EXPECT_TRUE (await_cancelled (before + 1));
}

TEST_F (InteropCpp, TimeoutOnSleepingServer)
{
  Context context;
  StreamingOutputCallResponse reply;

  context.set_deadline (std::chrono::system_clock::now () + std::chrono::milliseconds (1));
  auto stream = stub_->FullDuplexCall (&context);
  stream->Write (output_request (request_sizes[0], -1));
  EXPECT_FALSE (stream->Read (&reply));
  grpc::Status status = stream->Finish ();
  EXPECT_STATUS (DEADLINE_EXCEEDED, status);
}

} // namespace
