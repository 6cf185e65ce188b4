/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tsan-edges: what C-core orders, for ThreadSanitizer, which does not see into it.
 *
 * Headers of gRPC C++ are compiled into the tests, so their op sets look as if threads raced for
 * them.  A batch is handed over with its tag, and taken over with the tag's event: these
 * functions stand before C-core's and say so.
 */
#include "tests/sanitizers.h"

#if UNDER_TSAN

#include <dlfcn.h>
#include <grpc/grpc.h>
#include <sanitizer/tsan_interface.h>

namespace {

template <typename Function>
Function *
next_of (Function *, const char *name)
{
  return reinterpret_cast<Function *> (dlsym (RTLD_NEXT, name));
}

grpc_event
taken (grpc_event event)
{
  if (event.type == GRPC_OP_COMPLETE)
    __tsan_acquire (event.tag);
  return event;
}

} // namespace

extern "C" {

/* Of reactors: gRPC C++ binds a service's under a lock of its own, and ends both kinds on its executor. */
const char *
__tsan_default_suppressions ()
{
  return "race:ServerBidiReactor*InternalBindStream\n"
         "race:ServerCallbackReaderWriterImpl\n"
         "race:RelayedCall::OnCancel\n"
         "race:RelayedCall::OnDone\n"
         "race:Ends<*OnDone\n";
}

grpc_call_error
grpc_call_start_batch (grpc_call *call, const grpc_op *ops, size_t n, void *tag, void *reserved)
{
  static auto *next = next_of (grpc_call_start_batch, "grpc_call_start_batch");

  __tsan_release (tag);
  return next (call, ops, n, tag, reserved);
}

grpc_event
grpc_completion_queue_next (grpc_completion_queue *queue, gpr_timespec deadline, void *reserved)
{
  static auto *next = next_of (grpc_completion_queue_next, "grpc_completion_queue_next");

  return taken (next (queue, deadline, reserved));
}

grpc_event
grpc_completion_queue_pluck (grpc_completion_queue *queue, void *tag, gpr_timespec deadline, void *reserved)
{
  static auto *next = next_of (grpc_completion_queue_pluck, "grpc_completion_queue_pluck");

  return taken (next (queue, tag, deadline, reserved));
}

} // extern "C"

#endif
