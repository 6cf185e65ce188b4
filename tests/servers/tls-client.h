/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls-client: a pool over transport tls, and calls over it.
 */
#ifndef CENOTE_TESTS_TLS_CLIENT_H
#define CENOTE_TESTS_TLS_CLIENT_H

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "client.h"
#include "tools/demo-server.h"
#include "tools/raw-call.h"

/* The pool's keyfile: TRANSPORT's and POOL's further lines; TARGET: in place of 127.0.0.1:PORT. */
static inline std::string
tls_keyfile (unsigned port, const std::string &transport, const std::string &pool, const std::string &target)
{
  const char *modules = g_getenv ("CENOTE_TEST_PLUGINS");

  return "[cenote]\ntelemetry=\n" + (modules == nullptr ? "" : "plugin-path=" + std::string (modules) + "\n") +
         "[backoff:quick]\nplugin=constant\ndelay=20ms\n[transport:corp]\nplugin=tls\n" + transport +
         "[pool:test]\ntransport=corp\ninitialization=manual\nbackoff=quick\ntarget=" +
         (target.empty () ? "ipv4:127.0.0.1:" + std::to_string (port) : target) + "\n" + pool;
}

class TlsClient : public Client {
public:
  explicit TlsClient (unsigned port, const std::string &transport, const std::string &pool = "",
                      const std::string &target = "")
    : TlsClient (tls_keyfile (port, transport, pool, target))
  {
  }

  /* With [pool:test]. */
  explicit TlsClient (const std::string &keyfile)
    : Client (keyfile,
              CENOTE_EVENT_BIT (CENOTE_EVENT_CHANNEL_CONNECTED) |
                CENOTE_EVENT_BIT (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED))
  {
    connect ();
  }

  bool
  await_ready ()
  {
    g_autoptr (GError) error = nullptr;

    if (cenote_pool_await_ready (pool, 30000, &error))
      return true;
    ADD_FAILURE () << error->message;
    return false;
  }

  /* Waits until N channels have connected since the beginning. */
  bool await_connected (size_t n) { return events.await (CENOTE_EVENT_CHANNEL_CONNECTED, n); }

  /* The status of a call, and what it answers. */
  int
  call (const char *method, const std::string &request, std::string *out_answer = nullptr)
  {
    g_autoptr (RawCaller) caller = raw_caller_new ();
    g_autoptr (GBytes) bytes = g_bytes_new (request.data (), request.size ());
    g_auto (CenoteLease) lease = CENOTE_LEASE_INIT;
    g_auto (RawReply) reply = {};

    if (!cenote_pool_acquire (pool, 30000, &lease, nullptr))
      return GRPC_STATUS_UNAVAILABLE;
    raw_caller_call (caller, lease.channel, method, bytes, 30000, &reply);
    if (out_answer != nullptr && reply.message != nullptr)
      out_answer->assign (static_cast<const char *> (g_bytes_get_data (reply.message, nullptr)),
                          g_bytes_get_size (reply.message));
    return reply.status;
  }

  int echo () { return call (DEMO_ECHO_METHOD, "hello"); }

  /* The header NAME as it came to the demo's server. */
  std::string
  header (const std::string &name)
  {
    std::string value;
    int status = call (DEMO_HEADER_METHOD, name, &value);

    return status == GRPC_STATUS_OK ? value : "status " + std::to_string (status);
  }

  /* Waits until every channel sends VALUE.  FALSE: not within a minute. */
  bool
  await_header (const std::string &name, const std::string &value)
  {
    const gint64 until_us = g_get_monotonic_time () + 60 * G_USEC_PER_SEC;
    unsigned in_a_row = 0;

    while (in_a_row < 50 && g_get_monotonic_time () < until_us)
      in_a_row = header (name) == value ? in_a_row + 1 : 0;
    return in_a_row == 50;
  }
};

/* What is said of the first attempt to connect. */
static inline std::string
tls_first_error (unsigned port, const std::string &transport, const std::string &target = "")
{
  TlsClient client (port, transport, "size=1\n", target);

  if (!client.events.await (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED, 1))
    return "nothing failed";
  return client.events.of (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED)[0].error;
}

/* Two threads that call all the time, until stopped. */
class Callers {
public:
  Callers (TlsClient *client, const char *method, const std::string &request) : client_ (client)
  {
    for (std::thread &thread : threads_)
      thread = std::thread ([this, method, request] { run (method, request); });
  }

  ~Callers () { stop (); }
  Callers (const Callers &) = delete;
  Callers &operator= (const Callers &) = delete;

  /* How many calls have failed. */
  unsigned
  stop ()
  {
    stopped_ = true;
    for (std::thread &thread : threads_) {
      if (thread.joinable ())
        thread.join ();
    }
    return failed_;
  }

  unsigned made () const { return made_; }

private:
  void
  run (const char *method, const std::string &request)
  {
    while (!stopped_) {
      failed_ += client_->call (method, request) != GRPC_STATUS_OK;
      made_++;
    }
  }

  TlsClient *client_;
  std::atomic<bool> stopped_ { false };
  std::atomic<unsigned> failed_ { 0 }, made_ { 0 };
  std::thread threads_[2];
};

#endif
