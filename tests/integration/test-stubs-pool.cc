/* SPDX-License-Identifier: Apache-2.0 */
/* Stubs over a pool: what is kept of a call, whose lease lasts how long, and that all ends with the pool. */
#include "stubs-test.h"

namespace {

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
