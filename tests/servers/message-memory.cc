/* SPDX-License-Identifier: Apache-2.0 */
#include "message-memory.h"

#include <dlfcn.h>
#include <grpc/byte_buffer.h>

std::mutex MessageMemory::lock_;
std::atomic<MessageMemory *> MessageMemory::current_{ nullptr };

MessageMemory::MessageMemory ()
{
  std::lock_guard<std::mutex> hold (lock_);
  current_ = this;
}

MessageMemory::~MessageMemory ()
{
  std::lock_guard<std::mutex> hold (lock_);
  current_ = nullptr;
}

/* Of one piece; others cannot be looked for. */
void
MessageMemory::add (std::vector<Piece> &pieces, const grpc_byte_buffer *buffer)
{
  const grpc_slice_buffer &slices = buffer->data.raw.slice_buffer;

  if (slices.count == 1)
    pieces.push_back ({ GRPC_SLICE_START_PTR (slices.slices[0]), slices.length });
}

void
MessageMemory::note_sent (const grpc_op *ops, size_t n)
{
  if (current () == nullptr)
    return;
  std::lock_guard<std::mutex> hold (lock_);

  for (size_t i = 0; i < n && current () != nullptr; i++)
    if (ops[i].op == GRPC_OP_SEND_MESSAGE)
      add (current ()->sent_, ops[i].data.send_message.send_message);
}

void
MessageMemory::note_given_back (const grpc_byte_buffer *buffer)
{
  if (current () == nullptr)
    return;
  std::lock_guard<std::mutex> hold (lock_);

  if (current () != nullptr && buffer != nullptr)
    add (current ()->received_, buffer);
}

/* ----------------------------------------------------------------- wrappers */

extern "C" grpc_call_error
grpc_call_start_batch (grpc_call *call, const grpc_op *ops, size_t n, void *tag, void *reserved)
{
  static const auto real = reinterpret_cast<decltype (&grpc_call_start_batch)> (dlsym (RTLD_NEXT, "grpc_call_start_batch"));

  MessageMemory::note_sent (ops, n);
  return real (call, ops, n, tag, reserved);
}

extern "C" void
grpc_byte_buffer_destroy (grpc_byte_buffer *buffer)
{
  static const auto real =
    reinterpret_cast<decltype (&grpc_byte_buffer_destroy)> (dlsym (RTLD_NEXT, "grpc_byte_buffer_destroy"));

  MessageMemory::note_given_back (buffer);
  real (buffer);
}
