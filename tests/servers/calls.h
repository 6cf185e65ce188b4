/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calls: unary calls whose outcome is one value, blocking and on a context that is run.
 */
#ifndef CENOTE_TESTS_CALLS_H
#define CENOTE_TESTS_CALLS_H

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "client.h"

/* grpc/status.h, which is no part of the public face. */
enum {
  OK = 0,
  CANCELLED = 1,
  UNKNOWN = 2,
  DEADLINE_EXCEEDED = 4,
  RESOURCE_EXHAUSTED = 8,
  UNIMPLEMENTED = 12,
  INTERNAL = 13,
  UNAVAILABLE = 14
};

struct Reply {
  bool good = false;
  std::string text;
  GQuark domain = 0;
  int code = 0;
  std::string message;
};

static inline Reply
call (CenotePool *pool, const char *method, const std::string &request, const CenoteCallOptions *options = nullptr)
{
  g_autoptr (GBytes) bytes = g_bytes_new (request.data (), request.size ());
  g_autoptr (GBytes) response = nullptr;
  g_autoptr (GError) error = nullptr;
  Reply reply;

  reply.good = cenote_call_unary (pool, method, bytes, options, &response, &error);
  if (reply.good) {
    gsize size;
    const char *start = static_cast<const char *> (g_bytes_get_data (response, &size));

    reply.text.assign (start == nullptr ? "" : start, size);
  } else {
    reply.domain = error->domain;
    reply.code = error->code;
    reply.message = error->message;
  }
  return reply;
}

/* All channels that the pool wants. */
static inline void
connect (Client &client)
{
  g_autoptr (GError) error = nullptr;

  ASSERT_TRUE (cenote_pool_connect (client.pool, G_MAXINT64, &error)) << error->message;
  for (auto status = client.status (); status->current_size < status->expected_size; status = client.status ())
    std::this_thread::yield ();
}

/* Runs a context until each of the calls begun was called back and given up. */
class AsyncCalls {
public:
  explicit AsyncCalls (CenotePool *pool) : pool_ (pool), context_ (g_main_context_new ()) {}
  ~AsyncCalls () { g_main_context_unref (context_); }

  guint
  begin (const char *method, const std::string &request, const CenoteCallOptions *options = nullptr)
  {
    g_autoptr (GBytes) bytes = g_bytes_new (request.data (), request.size ());

    begun_++;
    return cenote_call_unary_async (pool_, method, bytes, options, context_, take, this, give_up);
  }

  void
  await_all ()
  {
    while (given_up < begun_)
      g_main_context_iteration (context_, TRUE);
  }

  /* The context ends, and nobody has run it. */
  void
  abandon ()
  {
    g_main_context_unref (context_);
    context_ = g_main_context_new ();
  }

  std::vector<Reply> replies;
  std::atomic<int> given_up{ 0 };

private:
  static void
  take (CenotePool *, GBytes *response, const GError *error, gpointer data)
  {
    AsyncCalls *self = static_cast<AsyncCalls *> (data);
    Reply reply;
    gsize size = 0;

    EXPECT_TRUE (g_main_context_is_owner (self->context_));
    EXPECT_NE (response == nullptr, error == nullptr);
    reply.good = response != nullptr;
    if (reply.good) {
      const char *start = static_cast<const char *> (g_bytes_get_data (response, &size));
      reply.text.assign (size == 0 ? "" : start, size);
    } else {
      reply.domain = error->domain;
      reply.code = error->code;
      reply.message = error->message;
    }
    self->replies.push_back (reply);
  }

  static void give_up (gpointer data) { static_cast<AsyncCalls *> (data)->given_up++; }

  CenotePool *pool_;
  GMainContext *context_;
  int begun_ = 0;
};

#endif
