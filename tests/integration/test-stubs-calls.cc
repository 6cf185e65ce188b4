/* SPDX-License-Identifier: Apache-2.0 */
/* Generated and generic stubs over a pool: all APIs, all kinds of calls. */
#include <grpcpp/generic/generic_stub.h>

#include "stubs-test.h"

namespace {

/* --------------------------------------------------------------------- sync */

TEST_F (Stubs, SyncUnary)
{
  open_ready ();
  Greeter::Stub stub (pool->stub_channel ());
  Context context;
  Greeting greeting;

  grpc::Status status = stub.Greet (&context, name_of ("you"), &greeting);
  EXPECT_TRUE (status.ok ()) << status.error_message ();
  EXPECT_EQ (greeting.text (), "Hello, you");
  EXPECT_EQ (in_flight (), 0) << "while its context lives";
}

TEST_F (Stubs, SyncStatusIsTheCallsAndThePools)
{
  open_ready ();
  Greeter::Stub stub (pool->stub_channel ());
  Context context;
  Greeting greeting;

  grpc::Status status = stub.Greet (&context, name_of ("status 9 not so"), &greeting);
  EXPECT_EQ (status.error_code (), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ (status.error_message (), "not so");
  EXPECT_EQ (failures (), 1);
  EXPECT_EQ (in_flight (), 0);
}

TEST_F (Stubs, SyncServerStream)
{
  open_ready ();
  Greeter::Stub stub (pool->stub_channel ());
  Context context;
  Often often;
  Greeting greeting;
  int n = 0;

  often.set_name ("you");
  often.set_count (100);
  auto reader = stub.GreetOften (&context, often);
  EXPECT_EQ (in_flight (), 1);
  while (reader->Read (&greeting))
    n += greeting.text () == "Hello, you";
  EXPECT_EQ (n, 100);
  EXPECT_TRUE (reader->Finish ().ok ());
  EXPECT_EQ (in_flight (), 0);
}

TEST_F (Stubs, SyncClientStream)
{
  open_ready ();
  Greeter::Stub stub (pool->stub_channel ());
  Context context;
  Greeting greeting;
  auto writer = stub.GreetAll (&context, &greeting);

  EXPECT_TRUE (writer->Write (name_of ("one")));
  EXPECT_TRUE (writer->Write (name_of ("two")));
  EXPECT_EQ (in_flight (), 1);
  writer->WritesDone ();
  EXPECT_TRUE (writer->Finish ().ok ());
  EXPECT_EQ (greeting.text (), "Hello, one, two");
  EXPECT_EQ (in_flight (), 0);
}

TEST_F (Stubs, SyncBidiStream)
{
  open_ready ();
  Greeter::Stub stub (pool->stub_channel ());
  Context context;
  Greeting greeting;
  auto stream = stub.GreetEach (&context);

  for (const char *name : { "one", "two", "three" }) {
    EXPECT_TRUE (stream->Write (name_of (name)));
    EXPECT_TRUE (stream->Read (&greeting));
    EXPECT_EQ (greeting.text (), std::string ("Hello, ") + name);
  }
  EXPECT_EQ (in_flight (), 1);
  stream->Write (name_of ("status 3 enough"));
  EXPECT_FALSE (stream->Read (&greeting));
  EXPECT_EQ (stream->Finish ().error_message (), "enough");
  EXPECT_EQ (in_flight (), 0);
  EXPECT_EQ (failures (), 1);
}

TEST_F (Stubs, AStreamThatIsLeftEndsItsLeaseWithItsContext)
{
  open_ready ();
  Greeter::Stub stub (pool->stub_channel ());
  {
    Context context;
    Greeting greeting;
    auto stream = stub.GreetEach (&context);

    EXPECT_TRUE (stream->Write (name_of ("one")) && stream->Read (&greeting));
    EXPECT_EQ (in_flight (), 1);
    context.TryCancel ();
  }
  EXPECT_EQ (in_flight (), 0);
}

/* -------------------------------------------------------------------- async */

TEST_F (Stubs, AsyncUnary)
{
  open_ready ();
  Greeter::Stub stub (pool->stub_channel ());
  grpc::CompletionQueue queue;
  Context context;
  Greeting greeting;
  grpc::Status status;
  auto reader = stub.AsyncGreet (&context, name_of ("you"), &queue);

  EXPECT_EQ (in_flight (), 1);
  reader->Finish (&greeting, &status, &context);
  EXPECT_TRUE (next_is (queue, &context));
  EXPECT_EQ (greeting.text (), "Hello, you");
  EXPECT_EQ (in_flight (), 0);
  drain (queue);
}

TEST_F (Stubs, AsyncUnaryThatReadsTheHeadersFirst)
{
  open_ready ();
  Greeter::Stub stub (pool->stub_channel ());
  grpc::CompletionQueue queue;
  Context context;
  Greeting greeting;
  grpc::Status status;

  context.AddMetadata ("echo-key", "value");
  auto reader = stub.AsyncGreet (&context, name_of ("status 5 nobody"), &queue);
  reader->ReadInitialMetadata (&queue);
  next_is (queue, &queue);
  EXPECT_EQ (in_flight (), 1);
  reader->Finish (&greeting, &status, &context);
  EXPECT_TRUE (next_is (queue, &context));
  EXPECT_EQ (status.error_code (), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ (context.GetServerTrailingMetadata ().count ("trailing-echo-key"), 1u);
  EXPECT_EQ (failures (), 1);
  drain (queue);
}

TEST_F (Stubs, AsyncStreams)
{
  open_ready ();
  Greeter::Stub stub (pool->stub_channel ());
  grpc::CompletionQueue queue;
  Context contexts[3];
  Greeting greeting, all;
  grpc::Status status;
  Often often;

  often.set_name ("you");
  often.set_count (1);
  auto reader = stub.AsyncGreetOften (&contexts[0], often, &queue, &contexts[0]);
  EXPECT_TRUE (next_is (queue, &contexts[0]));
  reader->Read (&greeting, &contexts[0]);
  EXPECT_TRUE (next_is (queue, &contexts[0]));
  reader->Finish (&status, &contexts[0]);
  EXPECT_TRUE (next_is (queue, &contexts[0]));
  EXPECT_TRUE (status.ok ());
  EXPECT_EQ (in_flight (), 0);

  auto writer = stub.AsyncGreetAll (&contexts[1], &all, &queue, &contexts[1]);
  EXPECT_TRUE (next_is (queue, &contexts[1]));
  writer->WriteLast (name_of ("all"), grpc::WriteOptions (), &contexts[1]);
  EXPECT_TRUE (next_is (queue, &contexts[1]));
  writer->Finish (&status, &contexts[1]);
  EXPECT_TRUE (next_is (queue, &contexts[1]));
  EXPECT_EQ (all.text (), "Hello, all");
  EXPECT_EQ (in_flight (), 0);

  auto stream = stub.AsyncGreetEach (&contexts[2], &queue, &contexts[2]);
  EXPECT_TRUE (next_is (queue, &contexts[2]));
  stream->Write (name_of ("each"), &contexts[2]);
  EXPECT_TRUE (next_is (queue, &contexts[2]));
  stream->Read (&greeting, &contexts[2]);
  EXPECT_TRUE (next_is (queue, &contexts[2]));
  EXPECT_EQ (greeting.text (), "Hello, each");
  EXPECT_EQ (in_flight (), 1);
  stream->WritesDone (&contexts[2]);
  EXPECT_TRUE (next_is (queue, &contexts[2]));
  stream->Finish (&status, &contexts[2]);
  EXPECT_TRUE (next_is (queue, &contexts[2]));
  EXPECT_TRUE (status.ok ());
  EXPECT_EQ (in_flight (), 0);
  drain (queue);
}

/* A queue that is shut down while a call is under way gives its tag first. */
TEST_F (Stubs, AQueueThatShutsDownGivesTheTag)
{
  open_ready ();
  Greeter::Stub stub (pool->stub_channel ());
  grpc::CompletionQueue queue;
  Context context;
  Greeting greeting;
  grpc::Status status;
  auto reader = stub.AsyncGreet (&context, name_of ("you"), &queue);
  void *tag = nullptr;
  bool ok = false;

  reader->Finish (&greeting, &status, &context);
  queue.Shutdown ();
  EXPECT_TRUE (queue.Next (&tag, &ok));
  EXPECT_EQ (tag, &context);
  EXPECT_TRUE (status.ok ());
  EXPECT_FALSE (queue.Next (&tag, &ok));
}

/* ---------------------------------------------------------------- callbacks */

TEST_F (Stubs, CallbackUnary)
{
  open_ready ();
  Greeter::Stub stub (pool->stub_channel ());
  Context context;
  Greeting greeting;
  Name name = name_of ("you");
  gint64 held = -1;
  Outcome outcome;

  stub.async ()->Greet (&context, &name, &greeting, [&] (grpc::Status status) {
    held = in_flight ();
    outcome (status);
  });
  EXPECT_TRUE (outcome.wait ().ok ());
  EXPECT_EQ (greeting.text (), "Hello, you");
  EXPECT_EQ (held, 0) << "a callback may look";
}

TEST_F (Stubs, ReactorUnary)
{
  open_ready ();
  Greeter::Stub stub (pool->stub_channel ());
  Context context;
  Greeting greeting;
  Name name = name_of ("status 16 who");
  Ends<grpc::ClientUnaryReactor> reactor;

  stub.async ()->Greet (&context, &name, &greeting, &reactor);
  EXPECT_EQ (in_flight (), 1);
  reactor.StartCall ();
  EXPECT_EQ (reactor.outcome.wait ().error_message (), "who");
  EXPECT_EQ (in_flight (), 0);
  EXPECT_EQ (failures (), 1);
}

TEST_F (Stubs, ReactorServerStream)
{
  struct Reader : Ends<grpc::ClientReadReactor<Greeting>> {
    Greeting greeting;
    int n = 0;

    void
    OnReadDone (bool ok) override
    {
      if (!ok)
        return;
      n++;
      StartRead (&greeting);
    }
  } reader;
  open_ready ();
  Greeter::Stub stub (pool->stub_channel ());
  Context context;
  Often often;

  often.set_name ("you");
  often.set_count (50);
  stub.async ()->GreetOften (&context, &often, &reader);
  reader.StartRead (&reader.greeting);
  reader.StartCall ();
  EXPECT_TRUE (reader.outcome.wait ().ok ());
  EXPECT_EQ (reader.n, 50);
  EXPECT_EQ (in_flight (), 0);
}

TEST_F (Stubs, ReactorClientStream)
{
  open_ready ();
  Greeter::Stub stub (pool->stub_channel ());
  Context context;
  Greeting greeting;
  Name name = name_of ("last");
  Ends<grpc::ClientWriteReactor<Name>> writer;

  stub.async ()->GreetAll (&context, &greeting, &writer);
  writer.StartWriteLast (&name, grpc::WriteOptions ());
  writer.StartCall ();
  EXPECT_TRUE (writer.outcome.wait ().ok ());
  EXPECT_EQ (greeting.text (), "Hello, last");
  EXPECT_EQ (in_flight (), 0);
}

TEST_F (Stubs, ReactorBidiStream)
{
  open_ready ();
  Greeter::Stub stub (pool->stub_channel ());
  Context context;
  Conversation conversation (20);

  stub.async ()->GreetEach (&context, &conversation);
  conversation.begin ();
  EXPECT_TRUE (conversation.outcome.wait ().ok ());
  EXPECT_EQ (conversation.heard, 20);
  EXPECT_EQ (in_flight (), 0);
}

/* ------------------------------------------------------------------ generic */

grpc::ByteBuffer
to_bytes (const google::protobuf::MessageLite &message)
{
  grpc::Slice slice (message.SerializeAsString ());

  return grpc::ByteBuffer (&slice, 1);
}

std::string
greeting_in (const grpc::ByteBuffer &bytes)
{
  std::vector<grpc::Slice> slices;
  std::string text;
  Greeting greeting;

  bytes.Dump (&slices);
  for (const grpc::Slice &slice : slices)
    text.append (reinterpret_cast<const char *> (slice.begin ()), slice.size ());
  return greeting.ParseFromString (text) ? greeting.text () : "no greeting";
}

TEST_F (Stubs, GenericStub)
{
  open_ready ();
  grpc::TemplatedGenericStub<grpc::ByteBuffer, grpc::ByteBuffer> stub (pool->stub_channel ());
  grpc::CompletionQueue queue;
  Context with_callback, with_queue;
  grpc::ByteBuffer request = to_bytes (name_of ("you")), response;
  grpc::Status status;
  Outcome outcome;

  stub.UnaryCall (&with_callback, greet_method, grpc::StubOptions (), &request, &response, std::ref (outcome));
  EXPECT_TRUE (outcome.wait ().ok ());
  EXPECT_EQ (greeting_in (response), "Hello, you");
  EXPECT_EQ (in_flight (), 0);

  auto reader = stub.PrepareUnaryCall (&with_queue, greet_method, request, &queue);
  reader->StartCall ();
  reader->Finish (&response, &status, &with_queue);
  EXPECT_TRUE (next_is (queue, &with_queue));
  EXPECT_EQ (greeting_in (response), "Hello, you");
  EXPECT_EQ (in_flight (), 0);
  drain (queue);
}

} // namespace
