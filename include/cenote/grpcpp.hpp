/* SPDX-License-Identifier: Apache-2.0 */
/*
 * <cenote/grpcpp.hpp>: pools for what gRPC C++ generates: cenote::Pool::channel() and
 * cenote::Pool::stub_channel().  <cenote/cenote.hpp> includes it where gRPC C++ is
 * installed, unless CENOTE_NO_GRPCPP is defined before.
 *
 * How a call of a stub travels: the stub asks its ChannelInterface for a call.  Ours takes
 * a lease, makes the call on the lease's channel, and gives the call's context an
 * interceptor that holds the lease, sees to the batch which brings the status, and releases
 * the lease with it.  A call that never gets its status ends its lease with its
 * grpc::ClientContext, which owns the interceptor.
 *
 * Where no channel is ready nothing blocks: see <cenote/grpcpp-relay.hpp>.
 */
#ifndef CENOTE_GRPCPP_HPP
#define CENOTE_GRPCPP_HPP

#include <cenote/cenote.hpp>
#include <cenote/grpcpp-call.hpp>
#include <cenote/grpcpp-relay.hpp>

#include <grpcpp/alarm.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace cenote {
namespace detail {

/* -------------------------------------------------------------- stub channel */

class StubChannel final : public grpc::ChannelInterface, public std::enable_shared_from_this<StubChannel> {
public:
  StubChannel (const Pool &pool, std::optional<std::string> key)
    : pool_ (pool), key_ (std::move (key)),
      home_ (lame_channel (grpc::Status (grpc::StatusCode::UNAVAILABLE, "a channel without a pool")))
  {
  }

  grpc_connectivity_state
  GetState (bool) override
  {
    return pool_.is_connected () ? GRPC_CHANNEL_READY : GRPC_CHANNEL_CONNECTING;
  }

private:
  grpc::internal::Call
  CreateCall (const grpc::internal::RpcMethod &method, grpc::ClientContext *context, grpc::CompletionQueue *queue) override
  {
    ErrorSlot error;
    CenoteLease lease;

    add_credentials (*context);
    if (cenote_pool_get_channel_for (pool_.raw (), key_ ? key_->c_str () : nullptr, &lease, error))
      return leased_call (Lease::adopt (lease), method, *context, *queue, { shared_from_this (), home_.get () }, this,
                          queue == callbacks_.load (std::memory_order_relaxed));
    if (error.get ()->domain == CENOTE_ERROR && error.get ()->code == CENOTE_ERROR_NOT_CONNECTED)
      return relayed_call (method, *context, *queue);
    return GrpcDoor::call_on (*lame_channel (status_of (*error.get ())), method, context, queue);
  }

  /* Those that the pool's channels do not carry, because they are plaintext. */
  void
  add_credentials (grpc::ClientContext &context) const
  {
    const char *header = nullptr;
    char *value = nullptr;

    for (const char *const *pair = cenote_pool_get_plaintext_metadata (pool_.raw ()); *pair != nullptr; pair += 2)
      context.AddMetadata (pair[0], pair[1]);
    if (!cenote_pool_get_plaintext_credentials (pool_.raw (), &header, &value))
      return;
    std::unique_ptr<char, decltype (&g_free)> owned (value, g_free);
    context.AddMetadata (header, value);
  }

  /* Interceptors go on from where they are by making a call of their own. */
  grpc::internal::Call
  CreateCallInternal (const grpc::internal::RpcMethod &method, grpc::ClientContext *context, grpc::CompletionQueue *queue,
                      std::size_t) override
  {
    return CreateCall (method, context, queue);
  }

  grpc::internal::Call
  relayed_call (const grpc::internal::RpcMethod &method, grpc::ClientContext &context, grpc::CompletionQueue &queue)
  {
    auto ticket = std::make_shared<RelayTicket> (
      relay (), RelayWish{ pool_, key_, GrpcDoor::waits_for_ready (context), GrpcDoor::authority (context),
                           context.credentials () });

    return ticket->call (method, context, queue);
  }

  std::shared_ptr<Relay>
  relay ()
  {
    std::lock_guard<std::mutex> hold (relay_lock_);

    if (relay_ == nullptr)
      relay_ = Relay::get ();
    return relay_;
  }

  /* Ours is not the calls' hook. */
  void
  PerformOpsOnCall (grpc::internal::CallOpSetInterface *batch, grpc::internal::Call *call) override
  {
    batch->FillOps (call);
  }

  /* gRPC's registered methods are so with one grpc_channel, and ours are many: this is a tag of our own. */
  void *RegisterMethod (const char *method) override { return paths_.tag_of (method); }

  /* Of a change that is still to come nobody could tell the queue, which may be gone by then:
   * so without one at the time of the call the tag comes at DEADLINE. */
  void
  NotifyOnStateChangeImpl (grpc_connectivity_state last, gpr_timespec deadline, grpc::CompletionQueue *queue,
                           void *tag) override
  {
    if (last != GetState (false))
      grpc::Alarm (queue, gpr_inf_past (GPR_CLOCK_REALTIME), tag);
    else
      GrpcDoor::notify_on (*home_, GRPC_CHANNEL_SHUTDOWN, deadline, queue, tag); /* which it never leaves */
  }

  bool
  WaitForStateChangeImpl (grpc_connectivity_state last, gpr_timespec deadline) override
  {
    std::int64_t left_ms = milliseconds_to (deadline);

    if (last != GetState (false))
      return true;
    return last == GRPC_CHANNEL_READY ? await_loss (left_ms) : cenote_pool_await_ready (pool_.raw (), left_ms, nullptr);
  }

  static std::int64_t
  milliseconds_to (gpr_timespec deadline)
  {
    if (gpr_time_cmp (deadline, gpr_inf_future (deadline.clock_type)) == 0)
      return G_MAXINT64;
    return std::max (0, gpr_time_to_millis (gpr_time_sub (deadline, gpr_now (deadline.clock_type))));
  }

  struct Loss {
    std::mutex lock;
    std::condition_variable changed;
  };

  /* The observer may still run when it has been removed: so it has a share of what it wakes. */
  bool
  await_loss (std::int64_t left_ms)
  {
    auto loss = std::make_shared<Loss> ();
    auto is_lost = [this] { return !pool_.is_connected (); };
    Observer observer;

    observer.disconnected = [loss] (const Pool &, std::uint64_t, const std::string &) {
      std::lock_guard<std::mutex> hold (loss->lock);
      loss->changed.notify_all ();
    };
    unsigned id = pool_.add_observer (std::move (observer));
    std::unique_lock<std::mutex> hold (loss->lock);
    bool lost = left_ms == G_MAXINT64 ? (loss->changed.wait (hold, is_lost), true)
                                      : loss->changed.wait_for (hold, std::chrono::milliseconds (left_ms), is_lost);
    hold.unlock ();
    pool_.remove_observer (id);
    return lost;
  }

  /* Asked for by each call with callbacks before it is made; the first one starts gRPC's threads. */
  grpc::CompletionQueue *
  CallbackCQ () override
  {
    grpc::CompletionQueue *queue = GrpcDoor::callback_queue (*home_);

    if (callbacks_.load (std::memory_order_relaxed) != queue)
      callbacks_.store (queue, std::memory_order_relaxed);
    return queue;
  }

  Pool pool_;
  std::optional<std::string> key_;
  MethodPaths paths_;
  /* Its queue is that of callbacks. */
  std::shared_ptr<grpc::Channel> home_;
  std::atomic<grpc::CompletionQueue *> callbacks_{ nullptr };
  std::mutex relay_lock_;
  std::shared_ptr<Relay> relay_;
};

/* ----------------------------------------------------------- wrapped channel */

/* The grpc::Channel of a grpc_channel, of which it takes the ownership: attached empty, so
 * that of two threads one makes it. */
class WrappedChannel {
public:
  /* LEASE's; throws where the pool's transport keeps its channels to itself. */
  static WrappedChannel &
  of (Lease &lease)
  {
    static const char key = 0;
    gpointer standing = lease.attached (&key);

    if (standing == nullptr) {
      auto *fresh = new WrappedChannel (lease.channel ());

      standing = lease.attach (&key, fresh, end, true);
      if (standing != fresh)
        fresh->discard ();
    }
    if (standing == nullptr)
      refuse ();
    return *static_cast<WrappedChannel *> (standing);
  }

  /* Valid while a lease on the channel is held. */
  grpc::Channel *
  get ()
  {
    std::call_once (once_, [this] { channel_ = grpc::CreateChannelInternal ("", raw_, {}); });
    return channel_.get ();
  }

private:
  explicit WrappedChannel (grpc_channel *raw) : raw_ (raw) {}

  ~WrappedChannel ()
  {
    if (channel_ == nullptr && raw_ != nullptr)
      grpc_channel_destroy (raw_);
  }

  /* Another thread's owns the channel. */
  void
  discard ()
  {
    raw_ = nullptr;
    delete this;
  }

  [[noreturn]] static void
  refuse ()
  {
    char why[] = "The channel cannot be wrapped, for it is a mock's, or its transport or another owner keeps it: "
                 "use stub_channel()";

    throw Error (GError{ CENOTE_ERROR, CENOTE_ERROR_INVALID, why });
  }

  /* On a thread of Cenote's, which must not wait for callbacks that may wait for it. */
  static void
  end (gpointer data)
  {
    auto *self = static_cast<WrappedChannel *> (data);

    if (self->channel_ != nullptr && GrpcDoor::has_callbacks (*self->channel_))
      g_thread_unref (g_thread_new ("cenote-channel", end_elsewhere, self));
    else
      delete self;
  }

  static gpointer
  end_elsewhere (gpointer data)
  {
    delete static_cast<WrappedChannel *> (data);
    return nullptr;
  }

  grpc_channel *raw_;
  std::once_flag once_;
  std::shared_ptr<grpc::Channel> channel_;
};

/* LEASE's channel, with which LEASE ends. */
inline std::shared_ptr<grpc::Channel>
channel_for (Lease lease)
{
  auto held = std::make_shared<Lease> (std::move (lease));

  return std::shared_ptr<grpc::Channel> (held, WrappedChannel::of (*held).get ());
}

} // namespace detail

inline std::shared_ptr<grpc::Channel>
Pool::channel (std::chrono::milliseconds timeout) const
{
  return detail::channel_for (acquire (timeout));
}

inline std::shared_ptr<grpc::Channel>
Pool::channel (const std::string &key, std::chrono::milliseconds timeout) const
{
  return detail::channel_for (acquire (key, timeout));
}

inline std::shared_ptr<grpc::ChannelInterface>
Pool::stub_channel () const
{
  return std::make_shared<detail::StubChannel> (*this, std::nullopt);
}

inline std::shared_ptr<grpc::ChannelInterface>
Pool::stub_channel (const std::string &key) const
{
  return std::make_shared<detail::StubChannel> (*this, key);
}

} // namespace cenote

#endif
