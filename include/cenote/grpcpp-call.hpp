/* SPDX-License-Identifier: Apache-2.0 */
/*
 * <cenote/grpcpp-call.hpp>: one call of gRPC C++'s over a lease.  Part of
 * <cenote/grpcpp.hpp>; nothing here is for programs.
 */
#include <cenote/cenote.hpp> /* before the guard: it may include this */

#ifndef CENOTE_GRPCPP_CALL_HPP
#define CENOTE_GRPCPP_CALL_HPP

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
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/client_callback.h>
#include <grpcpp/support/client_interceptor.h>
#if __has_include(<google/protobuf/message_lite.h>)
#include <grpcpp/impl/codegen/config_protobuf.h>
#define CENOTE_WITH_PROTOBUF_ 1
#else
#define CENOTE_WITH_PROTOBUF_ 0
#endif

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <typeinfo>
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

  /* On a channel of gRPC's, which is not told our tag. */
  static Call
  call_on (ChannelInterface &channel, const RpcMethod &method, ClientContext *context, CompletionQueue *queue)
  {
    return channel.CreateCall (RpcMethod (method.name (), method.suffix_for_stats (), method.method_type ()), context, queue);
  }

  static void
  notify_on (ChannelInterface &channel, grpc_connectivity_state last, gpr_timespec deadline, CompletionQueue *queue,
             void *tag)
  {
    channel.NotifyOnStateChangeImpl (last, deadline, queue, tag);
  }

  /* Whether a callback was ever asked for: then CHANNEL's end may wait for threads. */
  static bool
  has_callbacks (const Channel &channel)
  {
    return channel.callback_cq_.load (std::memory_order_acquire) != nullptr;
  }

  static bool
  waits_for_ready (const ClientContext &context)
  {
    return context.wait_for_ready_;
  }

  static const std::string &
  authority (const ClientContext &context)
  {
    return context.authority_;
  }

  /* What CONTEXT keeps to its end. */
  static void
  keep (ClientContext &context, std::shared_ptr<Channel> channel)
  {
    context.channel_ = std::move (channel);
  }

  /* A call that is not started, on CHANNEL.  METHOD's tag: a MethodPaths' or none. */
  static grpc_call *
  make_call (grpc_channel *channel, const RpcMethod &method, const ClientContext &context, CompletionQueue &queue)
  {
    const auto *kept = static_cast<const grpc_slice *> (method.channel_tag ());
    const bool has_host = !context.authority_.empty ();
    grpc_slice path = kept != nullptr ? *kept : grpc_slice_from_copied_string (method.name ()), host;
    if (has_host)
      host = grpc_slice_from_copied_buffer (context.authority_.data (), context.authority_.size ());
    grpc_call *call = grpc_channel_create_call (channel, context.propagate_from_call_,
                                                context.propagation_options_.c_bitmask (), queue.cq (), path,
                                                has_host ? &host : nullptr, context.deadline_, nullptr);

    if (kept == nullptr)
      grpc_slice_unref (path);
    if (has_host)
      grpc_slice_unref (host);
    grpc_census_call_set_context (call, context.census_context_);
    return call;
  }

  /* CONTEXT owns CALL from now on, and keeps KEPT.  Interceptors first: one that was cancelled tells them. */
  static experimental::ClientRpcInfo *
  give (ClientContext &context, grpc_call *call, const RpcMethod &method, const std::shared_ptr<Channel> &kept,
        ChannelInterface *from, const cenote::detail::InterceptorFactories &factories, std::size_t position)
  {
    auto *info = context.set_client_rpc_info (method.name (), method.suffix_for_stats (), method.method_type (), from,
                                              factories, position);

    context.set_call (call, kept);
    return info;
  }
};

namespace cenote {
namespace detail {

using GrpcDoor = grpc::internal::BlockingUnaryCallImpl<Door, Door>;

/* ------------------------------------------------------------- methods' paths */

/* Those of a channel's stubs, each made once and not for each call. */
class MethodPaths {
public:
  /* What GrpcDoor::make_call() knows METHOD's path by, as long as this is there. */
  void *
  tag_of (const char *method)
  {
    std::lock_guard<std::mutex> hold (lock_);

    return &paths_.try_emplace (method, method).first->second.slice;
  }

private:
  struct Path {
    explicit Path (const char *method) : slice (grpc_slice_from_copied_string (method)) {}
    ~Path () { grpc_slice_unref (slice); }
    Path (const Path &) = delete;
    Path &operator= (const Path &) = delete;

    grpc_slice slice;
  };

  std::mutex lock_;
  std::map<std::string, Path> paths_;
};

/* ----------------------------------------------------------- a call's lease */

#ifdef __cpp_rtti
#if CENOTE_WITH_PROTOBUF_
using AnyMessage = grpc::protobuf::MessageLite;
#else
using AnyMessage = grpc::ByteBuffer;
#endif

/* The batches by which gRPC C++ makes unary calls: blocking, or with callbacks; and on a queue of the caller's, where
 * there may be two, of which the last one brings the status. */
template <typename Message>
using UnaryBatch =
  grpc::internal::CallOpSet<grpc::internal::CallOpSendInitialMetadata, grpc::internal::CallOpSendMessage,
                            grpc::internal::CallOpRecvInitialMetadata, grpc::internal::CallOpRecvMessage<Message>,
                            grpc::internal::CallOpClientSendClose, grpc::internal::CallOpClientRecvStatus>;
template <typename Message>
using QueuedBatch =
  grpc::internal::CallOpSet<grpc::internal::CallOpSendInitialMetadata, grpc::internal::CallOpSendMessage,
                            grpc::internal::CallOpClientSendClose, grpc::internal::CallOpRecvInitialMetadata,
                            grpc::internal::CallOpRecvMessage<Message>, grpc::internal::CallOpClientRecvStatus>;
template <typename Message>
using QueuedFinish =
  grpc::internal::CallOpSet<grpc::internal::CallOpRecvMessage<Message>, grpc::internal::CallOpClientRecvStatus>;

/* (nullable): BATCH as what it is.  Of a type that has two descriptions, as with hidden ones in libraries, one is known. */
template <typename Batch>
Batch *
batch_as (grpc::internal::CallOpSetInterface *batch) noexcept
{
  return &typeid (*batch) == &typeid (Batch) ? static_cast<Batch *> (batch) : nullptr;
}

/* The part of a batch that brings the status. */
class StatusOp : public grpc::internal::CallOpClientRecvStatus {
public:
  /* Where BATCH will have the status; nullptr: it does not ask for it. */
  static const grpc_status_code *
  find (grpc::internal::CallOpSetInterface *batch)
  {
    auto *part = part_of (batch);
    std::size_t n = 0;
    grpc_op op;

    if (part == nullptr)
      return nullptr;
    (part->*&StatusOp::AddOp) (&op, &n);
    return n == 0 ? nullptr : op.data.recv_status_on_client.status;
  }

private:
  /* A cast across costs more than all else that is done for a call here: so most batches go without. */
  static grpc::internal::CallOpClientRecvStatus *
  part_of (grpc::internal::CallOpSetInterface *batch)
  {
    if (auto *unary = batch_as<UnaryBatch<AnyMessage>> (batch))
      return unary;
    if (auto *queued = batch_as<QueuedBatch<AnyMessage>> (batch))
      return queued;
    return dynamic_cast<grpc::internal::CallOpClientRecvStatus *> (batch);
  }
};
#endif

/* Holds a call's lease until its status is there; at the latest until its context goes.
 *
 * A call with callbacks, and a unary one on a queue of the caller's: the tag of the batch that brings the
 * status is preceded by one of ours.  Others, whose batches are waited for by their own tags: as an
 * interceptor of that batch alone, because each intercepted batch is followed by an empty one.  Without
 * RTTI batches cannot be told apart, and all are intercepted. */
class LeasedCall final : public grpc::experimental::Interceptor, public grpc::internal::CallHook {
public:
  LeasedCall (Lease lease, bool with_callbacks) noexcept : lease_ (std::move (lease)), with_callbacks_ (with_callbacks) {}

  void
  Intercept (grpc::experimental::InterceptorBatchMethods *batch) override
  {
    if (batch->QueryInterceptionHookPoint (grpc::experimental::InterceptionHookPoints::POST_RECV_STATUS))
      lease_.release (batch->GetRecvStatus ()->error_code ());
    batch->Proceed ();
  }

  void
  PerformOpsOnCall (grpc::internal::CallOpSetInterface *batch, grpc::internal::Call *call) override
  {
    grpc::internal::Call plain (call->call (), this, call->cq ());
    bool intercepted = others_intercept () || must_intercept (batch);

    batch->FillOps (intercepted ? call : &plain);
  }

private:
  /* Is asked before the batch, and for it, when it comes from a queue. */
  struct QueueTag final : grpc::internal::CompletionQueueTag {
    LeasedCall *call;
    grpc::internal::CompletionQueueTag *next;
    const grpc_status_code *status;

    bool
    FinalizeResult (void **tag, bool *ok) override
    {
      call->lease_.release (static_cast<int> (*status));
      return next->FinalizeResult (tag, ok);
    }
  };

  /* Runs before the functor that gRPC C++ gave its batch. */
  struct StatusTag : grpc_completion_queue_functor {
    LeasedCall *call;
    grpc_completion_queue_functor *next;
    const grpc_status_code *status;

    static void
    run (grpc_completion_queue_functor *functor, int ok)
    {
      auto *tag = static_cast<StatusTag *> (functor);

      tag->call->lease_.release (static_cast<int> (*tag->status));
      tag->next->functor_run (tag->next, ok);
    }
  };

  static bool
  others_intercept () noexcept
  {
    return grpc::internal::g_global_client_interceptor_factory != nullptr;
  }

  bool
  must_intercept (grpc::internal::CallOpSetInterface *batch)
  {
#ifdef __cpp_rtti
    const grpc_status_code *status = StatusOp::find (batch);

    return status != nullptr && !(with_callbacks_ ? precede (batch, status) : precede_queued (batch, status));
#else
    return batch != nullptr; /* one of them brings it */
#endif
  }

#ifdef __cpp_rtti

  /* FALSE: it is none of the batches by which gRPC C++ ends calls with callbacks. */
  bool
  precede (grpc::internal::CallOpSetInterface *batch, const grpc_status_code *status)
  {
    using namespace grpc::internal;

    return precede_as<CallOpSet<CallOpClientRecvStatus>> (batch, status) ||
           precede_as<CallOpSet<CallOpGenericRecvMessage, CallOpClientRecvStatus>> (batch, status) ||
           precede_as<UnaryBatch<AnyMessage>> (batch, status) || precede_as<UnaryBatch<grpc::ByteBuffer>> (batch, status);
  }

  /* FALSE: it is none of the batches by which gRPC C++ ends unary calls on a queue of the caller's. */
  bool
  precede_queued (grpc::internal::CallOpSetInterface *batch, const grpc_status_code *status)
  {
    return precede_as<QueuedBatch<AnyMessage>> (batch, status) ||
           precede_as<QueuedFinish<AnyMessage>> (batch, status) ||
           precede_as<QueuedBatch<grpc::ByteBuffer>> (batch, status) ||
           precede_as<QueuedFinish<grpc::ByteBuffer>> (batch, status);
  }

  template <typename Batch>
  bool
  precede_as (grpc::internal::CallOpSetInterface *batch, const grpc_status_code *status)
  {
    auto *known = batch_as<Batch> (batch);

    if (known != nullptr)
      known->set_core_cq_tag (tag_before (known->core_cq_tag (), status));
    return known != nullptr;
  }

  /* Ours, which hands on to NEXT. */
  void *
  tag_before (void *next, const grpc_status_code *status)
  {
    if (!with_callbacks_) {
      queue_tag_.call = this;
      queue_tag_.next = static_cast<grpc::internal::CompletionQueueTag *> (next);
      queue_tag_.status = status;
      return static_cast<grpc::internal::CompletionQueueTag *> (&queue_tag_);
    }
    tag_.functor_run = StatusTag::run;
    tag_.call = this;
    tag_.next = static_cast<grpc_completion_queue_functor *> (next);
    tag_.inlineable = tag_.next->inlineable;
    tag_.status = status;
    return static_cast<grpc_completion_queue_functor *> (&tag_);
  }
#endif

  Lease lease_;
  /* Without RTTI nobody asks for these. */
  [[maybe_unused]] bool with_callbacks_;
  [[maybe_unused]] StatusTag tag_{};
  [[maybe_unused]] QueueTag queue_tag_{};
};

/* Hands the interceptor of the call that a thread is making to its context. */
class LeasedCallFactory final : public grpc::experimental::ClientInterceptorFactoryInterface {
public:
  grpc::experimental::Interceptor *
  CreateClientInterceptor (grpc::experimental::ClientRpcInfo *) override
  {
    return std::exchange (next, nullptr);
  }

  /* For ever: contexts may be among the last that go. */
  static const InterceptorFactories &
  list ()
  {
    static const auto *list = [] {
      auto *made = new InterceptorFactories;

      made->push_back (std::make_unique<LeasedCallFactory> ());
      return made;
    }();

    return *list;
  }

  static inline thread_local LeasedCall *next = nullptr;
};

/* A call on LEASE's channel.  Its context keeps KEPT, and names FROM to interceptors. */
inline grpc::internal::Call
leased_call (Lease lease, const grpc::internal::RpcMethod &method, grpc::ClientContext &context,
             grpc::CompletionQueue &queue, const std::shared_ptr<grpc::Channel> &kept, grpc::ChannelInterface *from,
             bool with_callbacks)
{
  grpc_call *call = GrpcDoor::make_call (lease.channel (), method, context, queue);
  auto *leased = new LeasedCall (std::move (lease), with_callbacks);

  LeasedCallFactory::next = leased;
  auto *info = GrpcDoor::give (context, call, method, kept, from, LeasedCallFactory::list (), 0);
  return grpc::internal::Call (call, leased, &queue, info);
}

/* ------------------------------------------------------------------ failures */

/* What ERROR, of a pool's, is to gRPC. */
inline grpc::Status
status_of (const GError &error)
{
  auto code = grpc::StatusCode::UNAVAILABLE;

  if (error.domain == CENOTE_ERROR && error.code == CENOTE_ERROR_TIMEOUT)
    code = grpc::StatusCode::DEADLINE_EXCEEDED;
  else if (error.domain == CENOTE_ERROR && error.code == CENOTE_ERROR_LIMIT)
    code = grpc::StatusCode::RESOURCE_EXHAUSTED;
  else if (error.domain == CENOTE_ERROR && error.code == CENOTE_ERROR_INVALID)
    code = grpc::StatusCode::FAILED_PRECONDITION;
  return grpc::Status (code, error.message);
}

/* Without a connection: its calls end at once, with STATUS. */
inline std::shared_ptr<grpc::Channel>
lame_channel (const grpc::Status &status)
{
  auto code = static_cast<grpc_status_code> (status.error_code ());

  return grpc::CreateChannelInternal (
    "", grpc_lame_client_channel_create (nullptr, code, status.error_message ().c_str ()), {});
}

} // namespace detail
} // namespace cenote

#endif
