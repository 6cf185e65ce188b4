/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message-memory: in what memory messages are handed to gRPC, and in what they are given back
 * to it that came from there.  Its functions are wrapped for that, in the whole program.
 */
#ifndef CENOTE_TESTS_MESSAGE_MEMORY_H
#define CENOTE_TESTS_MESSAGE_MEMORY_H

#include <grpc/grpc.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <vector>

/* What happens while it is there; one at a time. */
class MessageMemory {
public:
  MessageMemory ();
  ~MessageMemory ();
  MessageMemory (const MessageMemory &) = delete;
  MessageMemory &operator= (const MessageMemory &) = delete;

  /* How many of the messages that were sent lie at START, and have LENGTH bytes. */
  long sent_from (const void *start, size_t length) { return count (sent_, { start, length }); }
  /* The same of those that were received, read and given back. */
  long received_in (const void *start, size_t length) { return count (received_, { start, length }); }

  /* The wrappers', on any thread. */
  static void note_sent (const grpc_op *ops, size_t n);
  static void note_given_back (const grpc_byte_buffer *buffer);

private:
  struct Piece {
    const void *start;
    size_t length;
    bool operator== (const Piece &other) const { return start == other.start && length == other.length; }
  };

  static void add (std::vector<Piece> &pieces, const grpc_byte_buffer *buffer);

  long
  count (const std::vector<Piece> &pieces, const Piece &piece)
  {
    std::lock_guard<std::mutex> hold (lock_);
    return std::count (pieces.begin (), pieces.end (), piece);
  }

  /* Mostly there is none: then threads are not to meet here, which would hide races of theirs from ThreadSanitizer. */
  static MessageMemory *current () { return current_.load (std::memory_order_relaxed); }

  static std::mutex lock_;
  static std::atomic<MessageMemory *> current_;
  std::vector<Piece> sent_, received_;
};

#endif
