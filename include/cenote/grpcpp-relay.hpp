/* SPDX-License-Identifier: Apache-2.0 */
/*
 * <cenote/grpcpp-relay.hpp>: where calls of stubs wait for a channel.  Part of
 * <cenote/grpcpp.hpp>, which includes it; nothing here is for programs.
 *
 * A stub wants its grpc_call at once, a call is bound to one grpc_channel for life, and
 * with a completion queue or callbacks nobody may block.  So where no channel is ready the
 * call is made on an in-process channel to a generic service of ours.  That one waits for a
 * lease as cenote_pool_acquire_async_full() does, in line with all others, makes the real
 * call with the same metadata, credentials, deadline and authority, and carries bytes both ways.
 * The caller's deadline and cancellation are gRPC's own throughout.
 *
 * One relay a process, from the first such call until the last stub channel that had one
 * is gone, with one thread, on which leases arrive.
 */
#include <cenote/cenote.hpp> /* before the guard: it may include this */

#ifndef CENOTE_GRPCPP_RELAY_HPP
#define CENOTE_GRPCPP_RELAY_HPP

#include <cenote/grpcpp-call.hpp>

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace cenote {
namespace detail {

/* What a call that waits waits for. */
struct RelayWish {
  Pool pool;
  std::optional<std::string> key;
  bool wait_for_ready;
  std::string authority;     /* empty: the channel's */
  std::shared_ptr<grpc::CallCredentials> credentials;
};

class Relay {
public:
  /* The process's; made where there is none. */
  static std::shared_ptr<Relay> get ();

  const std::shared_ptr<grpc::Channel> &channel () const noexcept { return channel_; }
  GMainContext *context () const noexcept { return context_; }

  /* Returns a number by which the service finds WISH until it is forgotten. */
  std::uint64_t
  remember (RelayWish wish)
  {
    std::lock_guard<std::mutex> hold (lock_);

    wishes_.emplace (++last_, std::move (wish));
    return last_;
  }

  void
  forget (std::uint64_t number)
  {
    std::lock_guard<std::mutex> hold (lock_);

    wishes_.erase (number);
  }

  std::optional<RelayWish>
  find (std::uint64_t number)
  {
    std::lock_guard<std::mutex> hold (lock_);
    auto found = wishes_.find (number);

    return found == wishes_.end () ? std::nullopt : std::optional (found->second);
  }

private:
  class Service final : public grpc::CallbackGenericService {
  public:
    /* RELAY is complete. */
    void begin (Relay *relay) { relay_.store (relay, std::memory_order_release); }
    grpc::ServerGenericBidiReactor *CreateReactor (grpc::GenericCallbackServerContext *context) override;

  private:
    std::atomic<Relay *> relay_{ nullptr };
  };

  Relay ()
  {
    grpc::ServerBuilder builder;
    grpc::ChannelArguments arguments;

    builder.RegisterCallbackGenericService (&service_);
    builder.SetMaxReceiveMessageSize (-1);
    server_ = builder.BuildAndStart ();
    arguments.SetMaxReceiveMessageSize (-1);
    arguments.SetInt (GRPC_ARG_ENABLE_RETRIES, 0);
    channel_ = server_->InProcessChannel (arguments);
    context_ = g_main_context_new ();
    loop_ = g_main_loop_new (context_, FALSE);
    service_.begin (this);
    g_thread_unref (g_thread_new ("cenote-relay", run, this));
  }

  ~Relay ()
  {
    server_->Shutdown (gpr_time_0 (GPR_CLOCK_MONOTONIC));
    channel_.reset ();
    server_.reset ();
    g_main_loop_unref (loop_);
    g_main_context_unref (context_);
  }

  /* The end waits for gRPC's threads, of which the caller may be one: so it is the loop's. */
  static void
  leave (Relay *relay)
  {
    GSource *source = g_idle_source_new ();

    relay->left_.store (true, std::memory_order_release);
    g_source_set_callback (
      source,
      [] (gpointer loop) -> gboolean {
        g_main_loop_quit (static_cast<GMainLoop *> (loop));
        return G_SOURCE_REMOVE;
      },
      relay->loop_, nullptr);
    g_source_attach (source, relay->context_);
    g_source_unref (source);
  }

  static gpointer
  run (gpointer data)
  {
    auto *relay = static_cast<Relay *> (data);

    g_main_loop_run (relay->loop_);
    (void) relay->left_.load (std::memory_order_acquire);
    delete relay;
    return nullptr;
  }

  Service service_;
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
  GMainContext *context_;
  GMainLoop *loop_;
  std::atomic<bool> left_{ false }; /* orders what others did with it before its end, for sanitizers that do not see into GLib */
  std::mutex lock_;
  std::uint64_t last_ = 0;
  std::map<std::uint64_t, RelayWish> wishes_;
};

inline std::shared_ptr<Relay>
Relay::get ()
{
  static std::mutex lock;
  static std::weak_ptr<Relay> present;
  std::lock_guard<std::mutex> hold (lock);
  std::shared_ptr<Relay> relay = present.lock ();

  if (relay == nullptr) {
    relay = std::shared_ptr<Relay> (new Relay, leave);
    present = relay;
  }
  return relay;
}

/* What the context of a call that waits keeps. */
class RelayTicket : public std::enable_shared_from_this<RelayTicket> {
public:
  static constexpr const char *header = "cenote-relay-ticket";

  RelayTicket (std::shared_ptr<Relay> relay, RelayWish wish)
    : relay_ (std::move (relay)), number_ (relay_->remember (std::move (wish)))
  {
  }
  ~RelayTicket () { relay_->forget (number_); }

  grpc::internal::Call
  call (const grpc::internal::RpcMethod &method, grpc::ClientContext &context, grpc::CompletionQueue &queue)
  {
    context.AddMetadata (header, std::to_string (number_));
    grpc::internal::Call call = GrpcDoor::call_on (*relay_->channel (), method, &context, &queue);
    GrpcDoor::keep (context, { shared_from_this (), relay_->channel ().get () });
    return call;
  }

private:
  std::shared_ptr<Relay> relay_;
  std::uint64_t number_;
};

/* The channel of one call, over a lease. */
class RelayChannel final : public grpc::ChannelInterface {
public:
  RelayChannel (Lease lease, std::shared_ptr<grpc::Channel> home) : lease_ (std::move (lease)), home_ (std::move (home)) {}

  grpc_connectivity_state GetState (bool) override { return GRPC_CHANNEL_READY; }

private:
  grpc::internal::Call
  CreateCall (const grpc::internal::RpcMethod &method, grpc::ClientContext *context, grpc::CompletionQueue *queue) override
  {
    return leased_call (std::move (lease_), method, *context, *queue, home_, home_.get (), true);
  }
  void
  PerformOpsOnCall (grpc::internal::CallOpSetInterface *batch, grpc::internal::Call *call) override
  {
    batch->FillOps (call);
  }
  void *RegisterMethod (const char *) override { return nullptr; }
  void NotifyOnStateChangeImpl (grpc_connectivity_state, gpr_timespec, grpc::CompletionQueue *, void *) override {}
  bool WaitForStateChangeImpl (grpc_connectivity_state, gpr_timespec) override { return false; }
  grpc::CompletionQueue *CallbackCQ () override { return GrpcDoor::callback_queue (*home_); }

  Lease lease_;
  std::shared_ptr<grpc::Channel> home_;
};

/* One call that waits, and then goes on: towards its caller a service's, towards its server a stub's.
 *
 * Each of the two directions, to read and to write, has a hold on the stub's side until it is at its end, so that
 * nothing is begun there after OnDone. */
class RelayedCall final : public grpc::ServerGenericBidiReactor {
public:
  RelayedCall (Relay &relay, grpc::GenericCallbackServerContext &caller)
    : caller_ (caller), home_ (relay.channel ()), onward_ (*this), shared_ (std::make_shared<Shared> ())
  {
    std::optional<RelayWish> wish = find_wish (relay);
    std::lock_guard<std::mutex> hold (shared_->lock);

    shared_->call = this;
    if (!wish) {
      state_ = State::OVER;
      Finish (grpc::Status (grpc::StatusCode::CANCELLED, "the caller is gone"));
      return;
    }
    prepare (*wish);
    pool_ = wish->pool;
    wait_ = cenote_pool_acquire_async_full (pool_->raw (), wish->key ? wish->key->c_str () : nullptr, G_MAXINT64,
                                            wish->wait_for_ready, relay.context (), acquired,
                                            new std::shared_ptr<Shared> (shared_), [] (gpointer data) {
                                              delete static_cast<std::shared_ptr<Shared> *> (data);
                                            });
  }

  /* ------------------------------------------------------------- the caller */

  void
  OnReadDone (bool ok) override
  {
    std::lock_guard<std::mutex> hold (shared_->lock);

    if (!writing_)
      return;
    if (ok) {
      onward_.StartWrite (&request_);
      return;
    }
    onward_.StartWritesDone ();
    end_writing_locked ();
  }

  void
  OnWriteDone (bool ok) override
  {
    if (!ok)
      context_.TryCancel ();
    onward_.StartRead (&response_);
  }

  void
  OnCancel () override
  {
    std::unique_lock<std::mutex> hold (shared_->lock);
    State state = state_;

    if (state == State::WAITING)
      state_ = State::OVER;
    hold.unlock ();
    switch (state) {
    case State::WAITING:
      cenote_pool_cancel (pool_->raw (), wait_);
      Finish (grpc::Status (grpc::StatusCode::CANCELLED, "the caller gave up"));
      break;
    case State::CALLING:
      context_.TryCancel ();
      break;
    case State::OVER:
      break;
    }
  }

  void
  OnDone () override
  {
    std::unique_lock<std::mutex> hold (shared_->lock);

    shared_->call = nullptr;
    hold.unlock ();
    delete this;
  }

private:
  enum class State {
    WAITING,
    CALLING,
    OVER                     /* never called */
  };

  /* Outlives the call where a lease is on its way. */
  struct Shared {
    std::mutex lock;
    RelayedCall *call = nullptr;
  };

  /* ------------------------------------------------------------- the server */

  class Onward final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
  public:
    explicit Onward (RelayedCall &call) : call_ (call) {}

    void
    OnReadInitialMetadataDone (bool ok) override
    {
      if (ok)
        call_.send_initial ();
      StartRead (&call_.response_);
    }
    void
    OnReadDone (bool ok) override
    {
      if (ok)
        call_.StartWrite (&call_.response_);
      else
        call_.end_reading ();
    }
    void
    OnWriteDone (bool ok) override
    {
      if (ok)
        call_.StartRead (&call_.request_);
      else
        call_.end_writing ();
    }
    void OnDone (const grpc::Status &status) override { call_.end (status); }

  private:
    RelayedCall &call_;
  };

  /* -------------------------------------------------------------- beginning */

  std::optional<RelayWish>
  find_wish (Relay &relay)
  {
    auto ticket = caller_.client_metadata ().find (RelayTicket::header);

    if (ticket == caller_.client_metadata ().end ())
      return std::nullopt;
    return relay.find (g_ascii_strtoull (std::string (ticket->second.data (), ticket->second.size ()).c_str (), nullptr, 10));
  }

  /* What gRPC writes itself, again on the way onward. */
  static bool
  is_ours (const std::string &key)
  {
    return key == RelayTicket::header || key == "user-agent" || key.rfind ("grpc-", 0) == 0 || key[0] == ':';
  }

  void
  prepare (const RelayWish &wish)
  {
    for (const auto &[key, value] : caller_.client_metadata ()) {
      std::string name (key.data (), key.size ());

      if (!is_ours (name))
        context_.AddMetadata (name, std::string (value.data (), value.size ()));
    }
    context_.set_deadline (caller_.raw_deadline ());
    context_.set_wait_for_ready (wish.wait_for_ready);
    if (!wish.authority.empty ())
      context_.set_authority (wish.authority);
    if (wish.credentials != nullptr)
      context_.set_credentials (wish.credentials);
  }

  /* On the relay's thread. */
  static void
  acquired (CenotePool *, CenoteLease *lease, const GError *error, gpointer data)
  {
    auto &shared = **static_cast<std::shared_ptr<Shared> *> (data);
    std::lock_guard<std::mutex> hold (shared.lock);

    if (shared.call == nullptr || shared.call->state_ != State::WAITING)
      return;
    if (error != nullptr)
      shared.call->refuse_locked (*error);
    else
      shared.call->go_on_locked (Lease::adopt (std::exchange (*lease, CenoteLease CENOTE_LEASE_INIT)));
  }

  void
  refuse_locked (const GError &error)
  {
    state_ = State::OVER;
    Finish (status_of (error));
  }

  void
  go_on_locked (Lease lease)
  {
    grpc::TemplatedGenericStub<grpc::ByteBuffer, grpc::ByteBuffer> stub (
      std::make_shared<RelayChannel> (std::move (lease), home_));

    state_ = State::CALLING;
    writing_ = true;
    stub.PrepareBidiStreamingCall (&context_, caller_.method (), grpc::StubOptions (), &onward_);
    onward_.AddMultipleHolds (2);
    onward_.StartCall ();
    StartRead (&request_);
  }

  /* ----------------------------------------------------------------- ending */

  void
  send_initial ()
  {
    for (const auto &[key, value] : context_.GetServerInitialMetadata ())
      caller_.AddInitialMetadata (std::string (key.data (), key.size ()), std::string (value.data (), value.size ()));
    StartSendInitialMetadata ();
  }

  void
  end_writing_locked ()
  {
    if (std::exchange (writing_, false))
      onward_.RemoveHold ();
  }

  void
  end_writing ()
  {
    std::lock_guard<std::mutex> hold (shared_->lock);

    end_writing_locked ();
  }

  /* The server says no more: what the caller still says interests nobody. */
  void
  end_reading ()
  {
    end_writing ();
    onward_.RemoveHold ();
  }

  void
  end (const grpc::Status &status)
  {
    for (const auto &[key, value] : context_.GetServerTrailingMetadata ()) {
      std::string name (key.data (), key.size ());

      if (!is_ours (name))
        caller_.AddTrailingMetadata (name, std::string (value.data (), value.size ()));
    }
    Finish (status);
  }

  grpc::GenericCallbackServerContext &caller_;
  std::shared_ptr<grpc::Channel> home_;
  std::optional<Pool> pool_;
  guint wait_ = 0;
  grpc::ClientContext context_;
  Onward onward_;
  grpc::ByteBuffer request_, response_;
  std::shared_ptr<Shared> shared_;
  /* With the lock. */
  State state_ = State::WAITING;
  bool writing_ = false;
};

inline grpc::ServerGenericBidiReactor *
Relay::Service::CreateReactor (grpc::GenericCallbackServerContext *context)
{
  return new RelayedCall (*relay_.load (std::memory_order_acquire), *context);
}

} // namespace detail
} // namespace cenote

#endif
