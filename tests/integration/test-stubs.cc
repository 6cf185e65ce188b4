/* SPDX-License-Identifier: Apache-2.0 */
/* Generated and generic stubs over a pool (<cenote/grpcpp.hpp>): all APIs, all kinds of calls, leases, waits. */
#include <cenote/cenote.hpp>

#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <future>
#include <mutex>
#include <thread>

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

/* Reactors that note how they ended. */
template <typename Reactor>
struct Ends : Reactor {
  Outcome outcome;
  void OnDone (const grpc::Status &status) override { outcome (status); }
};

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

/* ----------------------------------------------------------- what is kept */

TEST_F (Stubs, MetadataTravels)
{
  open_ready ();
  Greeter::Stub stub (pool->stub_channel ());
  Context context;
  Greeting greeting;

  context.AddMetadata ("echo-text", "a value");
  context.AddMetadata ("echo-data-bin", std::string ("\0\377", 2));
  EXPECT_TRUE (stub.Greet (&context, name_of ("you"), &greeting).ok ());
  EXPECT_EQ (context.GetServerInitialMetadata ().find ("echo-text")->second, "a value");
  EXPECT_EQ (context.GetServerInitialMetadata ().find ("echo-data-bin")->second, grpc::string_ref ("\0\377", 2));
  EXPECT_EQ (context.GetServerTrailingMetadata ().find ("trailing-echo-text")->second, "a value");
}

TEST_F (Stubs, DeadlineAndCancellationAreTheCalls)
{
  open_ready ();
  Greeter::Stub stub (pool->stub_channel ());
  grpc::ClientContext late, cancelled;
  Greeting greeting;

  late.set_deadline (Clock::now () - std::chrono::seconds (1));
  EXPECT_EQ (stub.Greet (&late, name_of ("you"), &greeting).error_code (), grpc::StatusCode::DEADLINE_EXCEEDED);
  cancelled.TryCancel ();
  EXPECT_EQ (stub.Greet (&cancelled, name_of ("you"), &greeting).error_code (), grpc::StatusCode::CANCELLED);
  EXPECT_EQ (in_flight (), 0);
}

TEST_F (Stubs, CallsSpreadOverTheChannels)
{
  open_ready ("size=3\npicker=round-robin\n");
  while (status ([] (const CenotePoolStatus &now) { return now.current_size; }) < 3)
    std::this_thread::yield ();
  Greeter::Stub stub (pool->stub_channel ());

  for (int i = 0; i < 6; i++) {
    Context context;
    Greeting greeting;

    EXPECT_TRUE (stub.Greet (&context, name_of ("you"), &greeting).ok ());
  }
  status ([] (const CenotePoolStatus &now) {
    for (gsize i = 0; i < now.n_channels; i++)
      EXPECT_EQ (now.channels[i]->calls, 2);
    return 0;
  });
}

/* The stub goes, and with it its channel: the call goes on, as in gRPC. */
TEST_F (Stubs, ACallOutlivesItsStub)
{
  open_ready ();
  auto stub = std::make_unique<Greeter::Stub> (pool->stub_channel ());
  Context context;
  Conversation conversation (3);

  stub->async ()->GreetEach (&context, &conversation);
  stub.reset ();
  conversation.begin ();
  EXPECT_TRUE (conversation.outcome.wait ().ok ());
}

TEST_F (Stubs, ACallOutlivesItsPool)
{
  open_ready ();
  Greeter::Stub stub (pool->stub_channel ());
  Context context, after;
  Greeting greeting;
  auto stream = stub.GreetEach (&context);

  EXPECT_TRUE (stream->Write (name_of ("one")) && stream->Read (&greeting));
  runtime->stop ();
  EXPECT_TRUE (stream->Write (name_of ("two")) && stream->Read (&greeting));
  EXPECT_EQ (greeting.text (), "Hello, two");
  stream->WritesDone ();
  EXPECT_TRUE (stream->Finish ().ok ());
  EXPECT_EQ (stub.Greet (&after, name_of ("you"), &greeting).error_code (), grpc::StatusCode::UNAVAILABLE);
}

TEST_F (Stubs, AMocksChannelIsCalled)
{
  open ("initialization=manual\n");
  auto address = "ipv4:127.0.0.1:" + std::to_string (server.port ());
  grpc_channel_credentials *credentials = grpc_insecure_credentials_create ();
  grpc_channel *mock = grpc_channel_create (address.c_str (), credentials, nullptr);
  Context context;
  Greeting greeting;

  grpc_channel_credentials_release (credentials);
  cenote_pool_set_mock (
    pool->raw (),
    [] (CenotePool *, CenoteLease *lease, gpointer data, GError **) -> gboolean {
      lease->channel = static_cast<grpc_channel *> (data);
      return TRUE;
    },
    mock, nullptr);
  EXPECT_TRUE (Greeter::Stub (pool->stub_channel ()).Greet (&context, name_of ("you"), &greeting).ok ());
  EXPECT_THROW (pool->channel (), cenote::Error);
  cenote_pool_set_mock (pool->raw (), nullptr, nullptr, nullptr);
  grpc_channel_destroy (mock);
}

/* -------------------------------------------------------------------- waits */

TEST_F (Stubs, WithoutAChannelACallFailsWhileThePoolIsDown)
{
  open ("size=2\n", false);
  await_down ();
  Greeter::Stub stub (pool->stub_channel ());
  Context sync, callback;
  Greeting greeting;
  Name name = name_of ("you");
  Outcome outcome;
  grpc::Status status = stub.Greet (&sync, name, &greeting);

  EXPECT_EQ (status.error_code (), grpc::StatusCode::UNAVAILABLE);
  EXPECT_NE (status.error_message ().find ("Connection refused"), std::string::npos) << status.error_message ();
  stub.async ()->Greet (&callback, &name, &greeting, std::ref (outcome));
  EXPECT_EQ (outcome.wait ().error_code (), grpc::StatusCode::UNAVAILABLE);
}

TEST_F (Stubs, WaitForReadyWaits)
{
  open ("size=2\n", false);
  await_down ();
  Greeter::Stub stub (pool->stub_channel ());
  grpc::CompletionQueue queue;
  Context sync (true), async (true), callback (true);
  Greeting greetings[3];
  Name name = name_of ("you");
  grpc::Status status;
  Outcome outcome;

  auto blocked = std::async (std::launch::async, [&] { return stub.Greet (&sync, name, &greetings[0]); });
  auto reader = stub.AsyncGreet (&async, name, &queue);
  reader->Finish (&greetings[1], &status, &async);
  stub.async ()->Greet (&callback, &name, &greetings[2], std::ref (outcome));
  await_waiters (3);
  ASSERT_TRUE (server.start ());
  EXPECT_TRUE (blocked.get ().ok ());
  EXPECT_TRUE (next_is (queue, &async));
  EXPECT_TRUE (status.ok ());
  EXPECT_TRUE (outcome.wait ().ok ());
  for (const Greeting &greeting : greetings)
    EXPECT_EQ (greeting.text (), "Hello, you");
  EXPECT_EQ (in_flight (), 0);
  drain (queue);
}

TEST_F (Stubs, ConversationsThatWaitedGoOn)
{
  open ("size=1\n", false);
  await_down ();
  Greeter::Stub stub (pool->stub_channel ());
  Context context (true);
  Conversation conversation (20);

  stub.async ()->GreetEach (&context, &conversation);
  conversation.begin ();
  await_waiters (1);
  ASSERT_TRUE (server.start ());
  EXPECT_TRUE (conversation.outcome.wait ().ok ());
  EXPECT_EQ (conversation.heard, 20);
  EXPECT_EQ (in_flight (), 0);
}

/* As in gRPC, what a blocking stream sends first waits for the channel. */
TEST_F (Stubs, BlockingStreamsThatWaitedGoOn)
{
  open_ready ("size=1\n");
  cenote_pool_pause (pool->raw ());
  Greeter::Stub stub (pool->stub_channel ());
  Context often_context (true), all_context (true);
  Often often;
  Greeting all, greeting;
  int n = 0;

  often.set_name ("you");
  often.set_count (30);
  auto resumed = std::async (std::launch::async, [&] {
    await_waiters (2);
    cenote_pool_resume (pool->raw ());
  });
  auto reader = std::async (std::launch::async, [&] { return stub.GreetOften (&often_context, often); });
  auto writer = stub.GreetAll (&all_context, &all);
  EXPECT_TRUE (writer->Write (name_of ("one")));
  EXPECT_TRUE (writer->Write (name_of ("two")));
  writer->WritesDone ();
  EXPECT_TRUE (writer->Finish ().ok ());
  EXPECT_EQ (all.text (), "Hello, one, two");
  auto greetings = reader.get ();
  while (greetings->Read (&greeting))
    n++;
  EXPECT_EQ (n, 30);
  EXPECT_TRUE (greetings->Finish ().ok ());
  EXPECT_EQ (in_flight (), 0);
}

TEST_F (Stubs, WhatWaitedCarriesItsMetadataAndStatus)
{
  open ();
  cenote_pool_pause (pool->raw ());
  Greeter::Stub stub (pool->stub_channel ());
  Context context (true);
  Greeting greeting;

  context.AddMetadata ("echo-text", "a value");
  context.AddMetadata ("echo-data-bin", std::string ("\0\377", 2));
  auto blocked = std::async (std::launch::async, [&] { return stub.Greet (&context, name_of ("status 15 odd"), &greeting); });
  await_waiters (1);
  cenote_pool_resume (pool->raw ());
  grpc::Status status = blocked.get ();
  EXPECT_EQ (status.error_code (), grpc::StatusCode::DATA_LOSS);
  EXPECT_EQ (status.error_message (), "odd");
  EXPECT_EQ (context.GetServerTrailingMetadata ().find ("trailing-echo-text")->second, "a value");
  EXPECT_EQ (context.GetServerTrailingMetadata ().count ("cenote-relay-ticket"), 0u);
  EXPECT_EQ (failures (), 1);
}

TEST_F (Stubs, AWaitEndsAtItsDeadline)
{
  open ("size=1\n", false);
  await_down ();
  Greeter::Stub stub (pool->stub_channel ());
  grpc::ClientContext context;
  Greeting greeting;

  context.set_wait_for_ready (true);
  context.set_deadline (Clock::now () + std::chrono::milliseconds (100));
  EXPECT_EQ (stub.Greet (&context, name_of ("you"), &greeting).error_code (), grpc::StatusCode::DEADLINE_EXCEEDED);
  await_waiters (0);
}

TEST_F (Stubs, AWaitIsCancelled)
{
  open ("size=1\n", false);
  await_down ();
  Greeter::Stub stub (pool->stub_channel ());
  Context context (true);
  Conversation conversation (1);

  stub.async ()->GreetEach (&context, &conversation);
  conversation.begin ();
  await_waiters (1);
  context.TryCancel ();
  EXPECT_EQ (conversation.outcome.wait ().error_code (), grpc::StatusCode::CANCELLED);
  await_waiters (0);
}

TEST_F (Stubs, AWaitEndsWithThePool)
{
  open ("size=1\n", false);
  await_down ();
  Greeter::Stub stub (pool->stub_channel ());
  Context context (true);
  Greeting greeting;
  Name name = name_of ("you");
  Outcome outcome;

  stub.async ()->Greet (&context, &name, &greeting, std::ref (outcome));
  await_waiters (1);
  runtime->stop ();
  EXPECT_EQ (outcome.wait ().error_code (), grpc::StatusCode::UNAVAILABLE);
}

TEST_F (Stubs, MaxWaitersIsALimit)
{
  open ("size=1\nmax-waiters=1\n", false);
  await_down ();
  Greeter::Stub stub (pool->stub_channel ());
  Context first (true), second (true);
  Greeting greeting;
  Name name = name_of ("you");
  Outcome outcome;

  stub.async ()->Greet (&first, &name, &greeting, std::ref (outcome));
  await_waiters (1);
  EXPECT_EQ (stub.Greet (&second, name, &greeting).error_code (), grpc::StatusCode::RESOURCE_EXHAUSTED);
  first.TryCancel ();
  EXPECT_EQ (outcome.wait ().error_code (), grpc::StatusCode::CANCELLED);
}

/* A call that is made and dropped before it starts leaves nothing behind. */
TEST_F (Stubs, AWaitThatNeverBegan)
{
  open ("size=1\n", false);
  await_down ();
  Greeter::Stub stub (pool->stub_channel ());
  grpc::CompletionQueue queue;
  {
    Context context (true);
    auto stream = stub.PrepareAsyncGreetEach (&context, &queue);
  }
  EXPECT_EQ (waiters (), 0);
  drain (queue);
}

TEST_F (Stubs, StatesAreThePools)
{
  open ("size=1\n", false);
  auto channel = pool->stub_channel ();
  grpc::CompletionQueue queue;

  EXPECT_NE (channel->GetState (true), GRPC_CHANNEL_READY);
  EXPECT_FALSE (channel->WaitForStateChange (channel->GetState (false), Clock::now () + std::chrono::milliseconds (1)));
  ASSERT_TRUE (server.start ());
  EXPECT_TRUE (channel->WaitForConnected (Clock::now () + a_minute));
  EXPECT_EQ (channel->GetState (false), GRPC_CHANNEL_READY);
  channel->NotifyOnStateChange (GRPC_CHANNEL_IDLE, Clock::now () + a_minute, &queue, &queue);
  EXPECT_TRUE (next_is (queue, &queue));
  channel->NotifyOnStateChange (GRPC_CHANNEL_READY, Clock::now (), &queue, &queue);
  EXPECT_FALSE (next_is (queue, &queue));
  auto lost = std::async (std::launch::async, [&] {
    return channel->WaitForStateChange (GRPC_CHANNEL_READY, Clock::now () + a_minute);
  });
  server.stop ();
  EXPECT_TRUE (lost.get ());
  drain (queue);
}

/* -------------------------------------------------------------- one channel */

TEST_F (Stubs, AChannelHoldsItsLease)
{
  open_ready ("size=1\n");
  auto channel = pool->channel ();

  EXPECT_EQ (in_flight (), 1);
  {
    Greeter::Stub stub (channel);
    Context context;
    Greeting greeting;

    channel.reset ();
    EXPECT_EQ (in_flight (), 1);
    EXPECT_TRUE (stub.Greet (&context, name_of ("you"), &greeting).ok ());
  }
  EXPECT_EQ (in_flight (), 0);
}

TEST_F (Stubs, AChannelIsWrappedOnce)
{
  open_ready ("size=1\n");
  std::vector<std::thread> threads;
  std::vector<grpc::Channel *> seen (4);

  for (auto &channel : seen)
    threads.emplace_back ([&] { channel = pool->channel ().get (); });
  for (std::thread &thread : threads)
    thread.join ();
  EXPECT_EQ (seen, std::vector<grpc::Channel *> (4, pool->channel ().get ()));
}

/* A channel is replaced while one wrapped it, and while a call of its context's goes on. */
TEST_F (Stubs, AChannelOutlivesItsPlace)
{
  open_ready ("size=1\n");
  Context context;
  Conversation conversation (3);

  Greeter::Stub (pool->channel ()).async ()->GreetEach (&context, &conversation);
  EXPECT_EQ (in_flight (), 0) << "the stub is gone, and only the context keeps the channel";
  runtime->stop ();
  conversation.begin ();
  EXPECT_TRUE (conversation.outcome.wait ().ok ());
}

TEST_F (Stubs, AChannelOutlivesItsRuntime)
{
  open_ready ("size=1\n");
  auto channel = pool->channel ();
  Context context;
  Greeting greeting;

  pool.reset ();
  runtime.reset ();
  EXPECT_TRUE (Greeter::Stub (channel).Greet (&context, name_of ("you"), &greeting).ok ());
}

/* ------------------------------------------------------------------- losses */

/* All APIs at once, while the server comes and goes: each call ends, and the pool keeps no lease. */
TEST_F (Stubs, EverythingEndsWhileTheServerComesAndGoes)
{
  open_ready ("size=3\n");
  Greeter::Stub stub (pool->stub_channel ());
  std::atomic<bool> over{ false };
  std::atomic<int> good{ 0 };
  std::vector<std::thread> threads;

  threads.emplace_back ([&] {
    while (!over) {
      Context context (true);
      Greeting greeting;

      good += stub.Greet (&context, name_of ("you"), &greeting).ok ();
    }
  });
  threads.emplace_back ([&] {
    while (!over) {
      Context context;
      Conversation conversation (5);

      stub.async ()->GreetEach (&context, &conversation);
      conversation.begin ();
      good += conversation.outcome.wait ().ok ();
    }
  });
  threads.emplace_back ([&] {
    grpc::CompletionQueue queue;

    while (!over) {
      Context context (true);
      Greeting greeting;
      grpc::Status status;
      auto reader = stub.AsyncGreet (&context, name_of ("you"), &queue);

      reader->Finish (&greeting, &status, &context);
      next_is (queue, &context);
      good += status.ok ();
    }
    drain (queue);
  });
  threads.emplace_back ([&] {
    while (!over) {
      Context context;
      Greeting greeting;
      auto channel = pool->try_get () ? pool->channel (a_minute) : nullptr;

      if (channel != nullptr)
        good += Greeter::Stub (channel).Greet (&context, name_of ("you"), &greeting).ok ();
    }
  });
  for (int round = 0; round < 5; round++) {
    for (int seen = good; good < seen + 40;)
      std::this_thread::yield ();
    server.stop ();
    ASSERT_TRUE (server.start ());
  }
  over = true;
  for (std::thread &thread : threads)
    thread.join ();
  EXPECT_EQ (in_flight (), 0);
  EXPECT_EQ (waiters (), 0);
}

/* The pool stops while all APIs call. */
TEST_F (Stubs, EverythingEndsWithThePool)
{
  open_ready ("size=3\n");
  Greeter::Stub stub (pool->stub_channel ());
  std::atomic<int> good{ 0 };
  std::atomic<bool> over{ false };
  std::vector<std::thread> threads;

  for (int t = 0; t < 2; t++) {
    threads.emplace_back ([&, t] {
      while (!over) {
        Context context (t == 0);
        Greeting greeting;
        Name name = name_of ("you");
        Outcome outcome;

        if (t == 0)
          outcome (stub.Greet (&context, name, &greeting));
        else
          stub.async ()->Greet (&context, &name, &greeting, std::ref (outcome));
        good += outcome.wait ().ok ();
      }
    });
  }
  while (good < 100)
    std::this_thread::yield ();
  runtime->stop ();
  over = true;
  for (std::thread &thread : threads)
    thread.join ();
  EXPECT_EQ (in_flight (), 0);
}

} // namespace
