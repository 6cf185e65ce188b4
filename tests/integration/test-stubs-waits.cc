/* SPDX-License-Identifier: Apache-2.0 */
/* Stubs over a pool: calls that wait for a channel, and how their waits end. */
#include "stubs-test.h"

namespace {

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

} // namespace
