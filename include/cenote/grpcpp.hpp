/* SPDX-License-Identifier: Apache-2.0 */
/*
 * <cenote/grpcpp.hpp>: pools for gRPC C++'s generated and generic stubs:
 * cenote::Pool::stub_channel().  <cenote/cenote.hpp> includes it where gRPC C++ is
 * installed, unless CENOTE_NO_GRPCPP is defined before.
 *
 * How a call travels: a stub asks its ChannelInterface for a call.  Ours takes a lease,
 * makes the call on the lease's channel, and puts an interceptor of its own before those
 * of the program: that one holds the lease, sees the batch that brings the status, and
 * releases the lease with it.  A call without a status ends its lease with its
 * ClientContext, which owns the interceptor.
 */
#ifndef CENOTE_GRPCPP_HPP
#define CENOTE_GRPCPP_HPP

#include <cenote/cenote.hpp>

#include <grpc/census.h>
#include <grpc/grpc.h>
#include <grpc/slice.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>
#include <grpcpp/impl/codegen/call.h>
#include <grpcpp/impl/codegen/call_hook.h>
#include <grpcpp/impl/codegen/call_op_set.h>
#include <grpcpp/impl/codegen/channel_interface.h>
#include <grpcpp/impl/codegen/client_unary_call.h>
#include <grpcpp/impl/codegen/rpc_method.h>
#include <grpcpp/support/client_interceptor.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace cenote {
namespace detail {

struct Door;

using InterceptorFactories = std::vector<std::unique_ptr<grpc::experimental::ClientInterceptorFactoryInterface>>;

} // namespace detail
} // namespace cenote

/* What a channel may do with contexts and queues is private in gRPC C++, with this template
 * as a friend.  Specialised for a type of ours it does what grpc::Channel does. */
template <>
class grpc::internal::BlockingUnaryCallImpl<cenote::detail::Door, cenote::detail::Door> {
public:
  static CompletionQueue *
  callback_queue (ChannelInterface &channel)
  {
    return channel.CallbackCQ ();
  }

  static Call
  call_on (ChannelInterface &channel, const RpcMethod &method, ClientContext *context, CompletionQueue *queue)
  {
    return channel.CreateCall (method, context, queue);
  }

  /* A call that is not started, on CHANNEL. */
  static grpc_call *
  make_call (grpc_channel *channel, const RpcMethod &method, const ClientContext &context, CompletionQueue &queue)
  {
    grpc_slice path = grpc_slice_from_copied_string (method.name ());
    grpc_slice authority =
      grpc_slice_from_copied_buffer (context.authority_.data (), context.authority_.size ());
    grpc_call *call = grpc_channel_create_call (
      channel, context.propagate_from_call_, context.propagation_options_.c_bitmask (), queue.cq (), path,
      context.authority_.empty () ? nullptr : &authority, context.raw_deadline (), nullptr);

    grpc_slice_unref (path);
    grpc_slice_unref (authority);
    grpc_census_call_set_context (call, context.census_context ());
    return call;
  }

  /* CONTEXT owns CALL from now on, and keeps CHANNEL; interceptors first, since a context
   * that was cancelled tells them. */
  static experimental::ClientRpcInfo *
  give (ClientContext &context, grpc_call *call, const RpcMethod &method, const std::shared_ptr<Channel> &channel,
        ChannelInterface *interface, const cenote::detail::InterceptorFactories &factories, std::size_t position)
  {
    auto *info = context.set_client_rpc_info (method.name (), method.suffix_for_stats (), method.method_type (), interface,
                                              factories, position);

    context.set_call (call, channel);
    return info;
  }
};

namespace cenote {
namespace detail {

using GrpcDoor = grpc::internal::BlockingUnaryCallImpl<Door, Door>;

/* A call's lease, until its status is there; at the latest until its context goes. */
class LeasedCall final : public grpc::experimental::Interceptor, public grpc::internal::CallHook {
public:
  explicit LeasedCall (Lease lease) noexcept : lease_ (std::move (lease)) {}

  void
  Intercept (grpc::experimental::InterceptorBatchMethods *batch) override
  {
    using Point = grpc::experimental::InterceptionHookPoints;

    if (batch->QueryInterceptionHookPoint (Point::POST_RECV_STATUS))
      lease_.release (batch->GetRecvStatus ()->error_code ());
    batch->Proceed ();
  }

  /* An intercepted batch costs a second one.  So only that which brings the status is,
   * where nobody else intercepts. */
  void
  PerformOpsOnCall (grpc::internal::CallOpSetInterface *batch, grpc::internal::Call *call) override
  {
    grpc::internal::Call plain (call->call (), this, call->cq ());

    batch->FillOps (brings_status (batch) || others_intercept () ? call : &plain);
  }

private:
  static bool
  brings_status (grpc::internal::CallOpSetInterface *batch)
  {
#ifdef __cpp_rtti
    return dynamic_cast<grpc::internal::CallOpClientRecvStatus *> (batch) != nullptr;
#else
    return batch != nullptr;
#endif
  }

  static bool
  others_intercept () noexcept
  {
    return grpc::internal::g_global_client_interceptor_factory != nullptr;
  }

  Lease lease_;
};

/* Hands the interceptor of the call that a thread is making to its context. */
class LeasedCallFactory final : public grpc::experimental::ClientInterceptorFactoryInterface {
public:
  grpc::experimental::Interceptor *
  CreateClientInterceptor (grpc::experimental::ClientRpcInfo *) override
  {
    return std::exchange (next, nullptr);
  }

  static inline thread_local LeasedCall *next = nullptr;
};

inline const InterceptorFactories &
leased_call_factories ()
{
  static const auto *factories = [] {
    auto *made = new InterceptorFactories;

    made->push_back (std::make_unique<LeasedCallFactory> ());
    return made;
  }();

  return *factories;
}

/* How gRPC calls an ERROR of a pool's. */
inline grpc_status_code
status_of (const GError &error) noexcept
{
  if (error.domain != CENOTE_ERROR)
    return GRPC_STATUS_UNAVAILABLE;
  switch (error.code) {
  case CENOTE_ERROR_TIMEOUT:
    return GRPC_STATUS_DEADLINE_EXCEEDED;
  case CENOTE_ERROR_LIMIT:
    return GRPC_STATUS_RESOURCE_EXHAUSTED;
  case CENOTE_ERROR_INVALID:
    return GRPC_STATUS_FAILED_PRECONDITION;
  default:
    return GRPC_STATUS_UNAVAILABLE;
  }
}

/* Ends each call at once with what ERROR is to gRPC. */
inline std::shared_ptr<grpc::Channel>
lame_channel (const GError &error)
{
  return grpc::CreateChannelInternal ("", grpc_lame_client_channel_create (nullptr, status_of (error), error.message), {});
}

class StubChannel final : public grpc::ChannelInterface, public std::enable_shared_from_this<StubChannel> {
public:
  StubChannel (Pool pool, std::optional<std::string> key)
    : pool_ (std::move (pool)), key_ (std::move (key)),
      home_ (grpc::CreateChannelInternal (
        "", grpc_lame_client_channel_create (nullptr, GRPC_STATUS_UNAVAILABLE, "no channel of the pool's"), {}))
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
    return CreateCallInternal (method, context, queue, 0);
  }

  grpc::internal::Call
  CreateCallInternal (const grpc::internal::RpcMethod &method, grpc::ClientContext *context, grpc::CompletionQueue *queue,
                      std::size_t position) override
  {
    ErrorSlot error;
    CenoteLease lease;

    if (!cenote_pool_get_channel_for (pool_.raw (), key_ ? key_->c_str () : nullptr, &lease, error))
      return GrpcDoor::call_on (*lame_channel (*error.get ()), method, context, queue);
    add_credentials (*context);
    return leased_call (Lease::adopt (lease), method, *context, *queue, position);
  }

  /* Those that the pool's channels do not carry, because they are plaintext. */
  void
  add_credentials (grpc::ClientContext &context) const
  {
    const char *header = nullptr;
    char *value = nullptr;

    if (!cenote_pool_get_plaintext_credentials (pool_.raw (), &header, &value))
      return;
    std::unique_ptr<char, decltype (&g_free)> owned (value, g_free);
    context.AddMetadata (header, value);
  }

  grpc::internal::Call
  leased_call (Lease lease, const grpc::internal::RpcMethod &method, grpc::ClientContext &context,
               grpc::CompletionQueue &queue, std::size_t position)
  {
    grpc_call *call = GrpcDoor::make_call (lease.channel (), method, context, queue);
    auto *leased = new LeasedCall (std::move (lease));

    LeasedCallFactory::next = leased;
    auto *info = GrpcDoor::give (context, call, method, { shared_from_this (), home_.get () }, this,
                                 leased_call_factories (), position);
    return grpc::internal::Call (call, leased, &queue, info);
  }

  /* The queue is always the program's. */
  void
  PerformOpsOnCall (grpc::internal::CallOpSetInterface *batch, grpc::internal::Call *call) override
  {
    batch->FillOps (call);
  }

  /* A method that is registered is so with one grpc_channel, and ours are many. */
  void *RegisterMethod (const char *) override { return nullptr; }

  void
  NotifyOnStateChangeImpl (grpc_connectivity_state, gpr_timespec, grpc::CompletionQueue *, void *) override
  {
  }

  bool
  WaitForStateChangeImpl (grpc_connectivity_state last, gpr_timespec) override
  {
    return last != GetState (false);
  }

  grpc::CompletionQueue *CallbackCQ () override { return GrpcDoor::callback_queue (*home_); }

  Pool pool_;
  std::optional<std::string> key_;
  /* Without a connection.  Its queue is that of callbacks, and contexts keep it as they keep a channel. */
  std::shared_ptr<grpc::Channel> home_;
};

} // namespace detail

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
