/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench-stubs: a generated C++ stub over a pool's stub_channel() against the same stub over
 * a plain grpc::Channel: blocking, with a completion queue, and with callbacks.
 *
 * One connection each.  The plain channel is as grpc::CreateChannel() makes it, and in rows of their own
 * one with the pool's arguments.  A lease is held all the while, so that no thread of Cenote's blocks
 * in C-core and slows the plain channel.
 */
#include <cenote/cenote.hpp>
#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <mutex>

#include "bench.h"
#include "examples/greeter.grpc.pb.h"
#include "tests/servers/child.h"

namespace {

constexpr guint64 in_flight = 100;

void
check (bool good, const char *what)
{
  if (!good)
    g_error ("%s", what);
}

/* One call's things. */
struct Call {
  grpc::ClientContext context;
  greeter::Name name;
  greeter::Greeting greeting;
  grpc::Status status;
  std::unique_ptr<grpc::ClientAsyncResponseReader<greeter::Greeting>> reader;

  Call () { name.set_name ("a small message"); }
};

void
run_sync (guint64 n, gpointer data)
{
  auto &stub = *static_cast<greeter::Greeter::Stub *> (data);

  while (n-- > 0) {
    Call call;

    check (stub.Greet (&call.context, call.name, &call.greeting).ok (), "a call failed");
  }
}

void
run_async (guint64 n, gpointer data)
{
  auto &stub = *static_cast<greeter::Greeter::Stub *> (data);
  grpc::CompletionQueue queue;
  guint64 begun = 0, ended = 0;
  void *tag;
  bool ok;

  while (ended < n) {
    for (; begun < n && begun - ended < in_flight; begun++) {
      auto *call = new Call;

      call->reader = stub.AsyncGreet (&call->context, call->name, &queue);
      call->reader->Finish (&call->greeting, &call->status, call);
    }
    queue.Next (&tag, &ok);
    std::unique_ptr<Call> call (static_cast<Call *> (tag));
    check (call->status.ok (), "a call failed");
    ended++;
  }
  queue.Shutdown ();
  while (queue.Next (&tag, &ok))
    ;
}

/* Each callback begins the next call. */
class Callbacks {
public:
  Callbacks (greeter::Greeter::Stub &stub, guint64 n) : stub_ (stub), to_begin_ (n), to_end_ (n) {}

  void
  run ()
  {
    for (guint64 i = 0; i < in_flight; i++)
      begin ();
    std::unique_lock<std::mutex> hold (lock_);
    ended_.wait (hold, [this] { return to_end_ == 0; });
  }

private:
  void
  begin ()
  {
    {
      std::lock_guard<std::mutex> hold (lock_);
      if (to_begin_ == 0)
        return;
      to_begin_--;
    }
    auto *call = new Call;
    stub_.async ()->Greet (&call->context, &call->name, &call->greeting, [this, call] (const grpc::Status &status) {
      check (status.ok (), "a call failed");
      delete call;
      begin ();
      end ();
    });
  }

  void
  end ()
  {
    std::lock_guard<std::mutex> hold (lock_);

    if (--to_end_ == 0)
      ended_.notify_one ();
  }

  greeter::Greeter::Stub &stub_;
  std::mutex lock_;
  std::condition_variable ended_;
  guint64 to_begin_, to_end_;
};

void
run_callbacks (guint64 n, gpointer data)
{
  Callbacks (*static_cast<greeter::Greeter::Stub *> (data), n).run ();
}

std::shared_ptr<grpc::Channel>
plain_channel (const std::string &target)
{
  return grpc::CreateChannel (target, grpc::InsecureChannelCredentials ());
}

/* With what a pool's channels are made with. */
std::shared_ptr<grpc::Channel>
channel_alike (const std::string &target)
{
  grpc::ChannelArguments arguments;

  arguments.SetInt (GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt (GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt (GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt (GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, 1);
  arguments.SetInt (GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  return grpc::CreateCustomChannel (target, grpc::InsecureChannelCredentials (), arguments);
}

void
compare (greeter::Greeter::Stub *ours, greeter::Greeter::Stub *plain)
{
  const struct {
    const char *what;
    void (*run) (guint64 n, gpointer data);
    guint n_threads;
  } comparisons[] = {
    { "blocking, 1 thread", run_sync, 1 },
    { "blocking, 2 threads", run_sync, 2 },
    { "completion queue, 100 in flight", run_async, 1 },
    { "callbacks, 100 in flight", run_callbacks, 1 },
  };

  for (const auto &one : comparisons) {
    const BenchWay way = { "stub_channel", one.run, ours, one.n_threads, BENCH_WITH_SERVER };
    const BenchWay base = { "plain", one.run, plain, one.n_threads, BENCH_WITH_SERVER };
    const BenchRatio ratio = bench_rate_ratio (&way, &base);

    bench_print (one.what, &ratio, BENCH_AT_LEAST, 0.97);
  }
}

} // namespace

int
main ()
{
  g_autofree char *program = child_program ("tests/servers/greeter");
  const char *argv[] = { program, nullptr };
  g_autoptr (Child) server = child_start (argv, nullptr);
  g_autofree char *port = server == nullptr ? nullptr : child_read (server);
  check (port != nullptr, "the server cannot be started");
  std::string target = std::string ("ipv4:127.0.0.1:") + port;
  cenote::Runtime runtime =
    cenote::Runtime::from_data ("[cenote]\ntelemetry=\n[pool:p]\nprofile=test\ntarget=" + target + "\n");
  cenote::Pool pool = runtime.pool ();
  greeter::Greeter::Stub ours (pool.stub_channel ()), plain (plain_channel (target)), alike (channel_alike (target));

  pool.await_ready ();
  cenote::Lease held = pool.get ();
  bench_title ("C++ stubs over a pool, against the same over a plain channel");
  compare (&ours, &plain);
  bench_title ("C++ stubs over a pool, against the same over a plain channel with the pool's arguments");
  compare (&ours, &alike);
  return 0;
}
