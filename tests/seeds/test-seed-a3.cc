/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GrpcConnectionPool 0.1: a pool of workers, each of which runs one operation at a time.
 *
 * A name says which of its rows a test stands for: C3 a case of its own test suite,
 * B a defect that it has, A a feature.
 */
#include <gtest/gtest.h>

#include <thread>

#include "tests/servers/client.h"
#include "tests/servers/connects.h"
#include "tests/servers/servers.h"
#include "tools/raw-call.h"

namespace {

/* ---------------------------------------------------------------- operations */

/* A call of METHOD, and what came back. */
struct Call {
  const char *method = WORK_ECHO_METHOD;
  std::string answer = "";
};

/* The usual operation: one call, whose bad end is a CENOTE_STATUS. */
gboolean
operate (grpc_channel *channel, gpointer data, GError **error)
{
  Call *call = static_cast<Call *> (data);
  g_autoptr (RawCaller) caller = raw_caller_new ();
  g_autoptr (GBytes) request = g_bytes_new_static ("hello", 5);
  g_auto (RawReply) reply = {};
  gsize size = 0;

  raw_caller_call (caller, channel, call->method, request, 10000, &reply);
  if (reply.status != 0) {
    g_set_error (error, CENOTE_STATUS, reply.status, "%s", reply.details);
    return FALSE;
  }
  const char *bytes = static_cast<const char *> (g_bytes_get_data (reply.message, &size));
  call->answer.assign (bytes, size);
  return TRUE;
}

gboolean
raise (grpc_channel *, gpointer, GError **error)
{
  g_set_error_literal (error, g_quark_from_static_string ("my-program"), 42, "what I think of it");
  return FALSE;
}

gboolean
refuse_silently (grpc_channel *, gpointer, GError **)
{
  return FALSE;
}

/* Why OPERATION did not come to a good end: "DOMAIN CODE"; "" where it did. */
std::string
fault (CenotePool *pool, CenoteOperation operation, gint64 timeout_ms, const char *method = WORK_ECHO_METHOD)
{
  g_autoptr (GError) error = nullptr;
  Call call{ method };

  if (cenote_pool_execute (pool, operation, &call, timeout_ms, &error))
    return "";
  return std::string (g_quark_to_string (error->domain)) + " " + std::to_string (error->code);
}

std::string
of (CenoteError code)
{
  return std::string (g_quark_to_string (CENOTE_ERROR)) + " " + std::to_string (code);
}

std::string
of_status (int status)
{
  return std::string (g_quark_to_string (CENOTE_STATUS)) + " " + std::to_string (status);
}

class SeedA3 : public ::testing::Test {
protected:
  void
  SetUp () override
  {
    ASSERT_TRUE (server.start ());
  }

  HealthServer server;
};

/* -------------------------------------------------------------- its own cases */

/* NULL and the reason, or the warnings. */
std::string
open_config (const std::string &pool)
{
  const std::string keyfile = "[cenote]\ntelemetry=\n[pool:test]\ninitialization=manual\n" + pool;
  g_autoptr (GError) error = nullptr;
  g_autoptr (CenoteConfig) config = cenote_config_new_from_data (keyfile.c_str (), -1, &error);
  g_autoptr (CenoteRuntime) runtime = config == nullptr ? nullptr : cenote_runtime_new (config, &error);

  if (runtime == nullptr)
    return error->message;
  g_autoptr (CenotePool) opened = cenote_runtime_get_pool (runtime, "test", nullptr);
  std::unique_ptr<CenotePoolStatus, decltype (&cenote_pool_status_free)> status (cenote_pool_get_status (opened),
                                                                                cenote_pool_status_free);
  return std::to_string (status->expected_size) + " channels to " + status->target;
}

TEST (SeedA3Config, C3_LocalHasItsFields)
{
  EXPECT_EQ (open_config ("profile=local\n"), "3 channels to dns:///localhost:9090");
  EXPECT_EQ (open_config ("profile=local\ntarget=localhost:8085\nsize=7\n"), "7 channels to dns:///localhost:8085");
}

TEST (SeedA3Config, C3_ProductionNeedsAHost)
{
  EXPECT_NE (open_config ("profile=production\n").find ("target: missing"), std::string::npos);
}

TEST_F (SeedA3, C3_StatusIsTrueFromStartToStop)
{
  Client client (server.port (), "size=2\nbackoff=quick\n");

  EXPECT_EQ (client.status ()->state, CENOTE_POOL_DOWN);
  client.connect ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTED, 2));
  EXPECT_EQ (client.status ()->state, CENOTE_POOL_HEALTHY);
  server.kill ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_DISCONNECTED, 2));
  EXPECT_EQ (client.status ()->state, CENOTE_POOL_DOWN);
  cenote_pool_stop (client.pool);
  EXPECT_EQ (client.status ()->state, CENOTE_POOL_STOPPED);
}

TEST_F (SeedA3, C3_ExecuteGivesWhatTheOperationGives)
{
  Client client (server.port (), "size=2\n");
  g_autoptr (GError) error = nullptr;
  Call call;

  client.connect ();
  ASSERT_TRUE (cenote_pool_execute (client.pool, operate, &call, -1, &error)) << error->message;
  EXPECT_EQ (call.answer, "hello");
}

/* Its emulator's create, list and delete: three calls through one pool. */
TEST_F (SeedA3, C3_ThreeKindsOfCallsThroughOnePool)
{
  Client client (server.port (), "size=2\n");

  client.connect ();
  EXPECT_EQ (fault (client.pool, operate, -1), "");
  EXPECT_EQ (fault (client.pool, operate, -1, "/grpc.health.v1.Health/Check"), "");
  EXPECT_EQ (fault (client.pool, operate, -1, "/cenote.test.Work/Nothing"), of_status (12));
  EXPECT_EQ (server.echoes (), 1);
}

/* ------------------------------------------------------------------- execute */

/* There the worker's answer, an exception and a dead connection were all {:ok, …}. */
TEST_F (SeedA3, A_WhatAnOperationRaisesIsItsOwnError)
{
  Client client (server.port (), "size=1\n");
  g_autoptr (GError) error = nullptr;

  client.connect ();
  EXPECT_FALSE (cenote_pool_execute (client.pool, raise, nullptr, -1, &error));
  EXPECT_STREQ (g_quark_to_string (error->domain), "my-program");
  EXPECT_EQ (error->code, 42);
  EXPECT_STREQ (error->message, "what I think of it");
  EXPECT_EQ (fault (client.pool, refuse_silently, -1), of (CENOTE_ERROR_INVALID));
  EXPECT_EQ (client.status ()->in_flight, 0) << "whatever happens, the channel is given back";
}

TEST_F (SeedA3, A_AStatusFeedsTheOutcome)
{
  Client client (server.port (), "size=1\n");

  client.connect ();
  EXPECT_EQ (fault (client.pool, operate, -1), "");
  EXPECT_EQ (client.status ()->channels[0]->failures, 0);
  EXPECT_EQ (fault (client.pool, operate, -1, "/cenote.test.Work/Nothing"), of_status (12));
  EXPECT_EQ (client.status ()->channels[0]->failures, 1);
  EXPECT_EQ (fault (client.pool, raise, -1), "my-program 42");
  EXPECT_EQ (client.status ()->channels[0]->failures, 1) << "an error of the program's says nothing about the peer";
  EXPECT_EQ (client.status ()->channels[0]->calls, 3);
}

/* The option was kept and not read; execute had one of its own. */
TEST_F (SeedA3, A_AcquireTimeoutIsObeyed)
{
  Client client (server.port (), "size=1\nbackoff=quick\nacquire-timeout=50ms\n");
  g_autoptr (GError) error = nullptr;

  server.kill ();
  client.connect ();
  EXPECT_FALSE (cenote_pool_execute (client.pool, operate, nullptr, -1, &error));
  EXPECT_TRUE (g_error_matches (error, CENOTE_ERROR, CENOTE_ERROR_TIMEOUT)) << error->message;
  EXPECT_EQ (fault (client.pool, operate, 10), of (CENOTE_ERROR_TIMEOUT));
}

TEST_F (SeedA3, A_ThePoolsErrorsAreToldApart)
{
  Client resting (server.port (), "size=1\n");
  Client client (server.port (), "size=1\nbackoff=quick\nmax-waiters=0\n");

  EXPECT_EQ (fault (resting.pool, operate, 1000), of (CENOTE_ERROR_NOT_CONNECTED)) << "nobody has connected it";
  EXPECT_EQ (fault (client.pool, operate, -5), of (CENOTE_ERROR_INVALID));
  server.kill ();
  client.connect ();
  EXPECT_EQ (fault (client.pool, operate, 1000), of (CENOTE_ERROR_LIMIT));
  cenote_pool_stop (client.pool);
  EXPECT_EQ (fault (client.pool, operate, 1000), of (CENOTE_ERROR_STOPPED));
}

/* There 10 × 500 ms on 5 channels took 1 s, because each held its channel alone. */
TEST_F (SeedA3, B16_TenOperationsRunAtOnceOnFiveChannels)
{
  Client client (server.port (), "size=5\n");
  std::vector<std::string> faults (10);
  std::vector<std::thread> callers;

  client.connect ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTED, 5));
  for (std::string &why : faults)
    callers.emplace_back ([&] { why = fault (client.pool, operate, 10000, WORK_HOLD_METHOD); });
  gint64 until_us = g_get_monotonic_time () + 30 * G_USEC_PER_SEC;
  while (server.holding () < 10 && g_get_monotonic_time () < until_us)
    std::this_thread::yield ();
  EXPECT_EQ (server.holding (), 10);
  EXPECT_EQ (client.status ()->in_flight, 10);
  server.release ();
  for (std::thread &caller : callers)
    caller.join ();
  for (const std::string &why : faults)
    EXPECT_EQ (why, "");
}

/* ------------------------------------------------------------------- retries */

/* max_attempts dials, min (base × k, max) apart, then a rest; there, a fixed delay for ever. */
TEST (SeedA3Retry, A_RetriesAreMaxConnectAttemptsAndLinear)
{
  Port port;
  Client client (port.number (), "size=2\nbackoff=slope\nmax-connect-attempts=4\n"
                                 "[backoff:slope]\nplugin=linear\ninitial=20ms\nmax=50ms\n");

  client.connect ();
  EXPECT_EQ (fault (client.pool, operate, 30000), of (CENOTE_ERROR_NOT_CONNECTED));
  EXPECT_EQ (connects_to (port.number ()).size (), 4u);
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_RECONNECT_SCHEDULED, 3));
  std::vector<gint64> delays_ms;
  for (const Event &event : client.events.of (CENOTE_EVENT_CHANNEL_RECONNECT_SCHEDULED))
    delays_ms.push_back (event.delay_ms);
  EXPECT_EQ (delays_ms, (std::vector<gint64>{ 20, 40, 50 }));
  client.events.forget ();
  client.connect ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED, 4));
  EXPECT_EQ (connects_to (port.number ()).size (), 8u) << "connect begins anew";
}

/* reconnect closes and dials, whatever the state. */
TEST_F (SeedA3, A_ReconnectMakesNewConnections)
{
  Peer path ("forward", server.port ());
  Client client (path.port (), "size=2\n");

  client.connect ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTED, 2));
  cenote_pool_reconnect (client.pool);
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_DRAINED, 2));
  EXPECT_EQ (path.count (), 4);
  EXPECT_EQ (client.status ()->current_size, 2);
  EXPECT_EQ (fault (client.pool, operate, -1), "");
}

/* ------------------------------------------------------------ life and health */

/* There the ping looked whether a local process was alive. */
TEST_F (SeedA3, B_APingReachesTheServer)
{
  Client client (server.port (), "size=2\nping-interval=1s\n");

  client.connect ();
  ASSERT_TRUE (client.events.await_ok (CENOTE_EVENT_CHANNEL_PING, 1, 4));
  EXPECT_GE (server.others (), 4);
  EXPECT_EQ (server.echoes (), 0);
  for (const Event &event : client.events.of (CENOTE_EVENT_CHANNEL_PING))
    EXPECT_GT (event.raw.duration_ns, 0);
}

TEST_F (SeedA3, B_APingThatFailsIsActedOn)
{
  Client client (server.port (), "size=1\nbackoff=quick\nping-interval=1s\nkeepalive-timeout=200ms\nconnect-timeout=1s\n");

  client.connect ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTED, 1));
  server.freeze ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_DISCONNECTED, 1));
  EXPECT_EQ (client.events.of (CENOTE_EVENT_CHANNEL_DISCONNECTED)[0].reason, "ping failed: no answer within 200 ms");
  EXPECT_EQ (fault (client.pool, operate, 0), of (CENOTE_ERROR_NOT_CONNECTED));
  server.thaw ();
  EXPECT_EQ (fault (client.pool, operate, 30000), "");
}

/* There health_check was an option that nothing read. */
TEST_F (SeedA3, B_HealthIsAskedForAndActedOn)
{
  Client client (server.port (), "size=1\nhealth-check=grpc\n");

  client.connect ();
  EXPECT_EQ (fault (client.pool, operate, 10000), "");
  server.serve (2);
  ASSERT_TRUE (client.events.await_ok (CENOTE_EVENT_CHANNEL_HEALTH, 0, 1));
  EXPECT_EQ (fault (client.pool, operate, 0), of (CENOTE_ERROR_NOT_CONNECTED));
  EXPECT_EQ (server.echoes (), 1);
  server.serve (1);
  EXPECT_EQ (fault (client.pool, operate, 10000), "");
}

/* --------------------------------------------------------------- end and dirt */

/* There stop answered :ok and stopped nothing. */
TEST_F (SeedA3, B16_StopStops)
{
  Peer path ("forward", server.port ());
  Client client (path.port (), "size=3\nping-interval=1s\nhealth-check=grpc\n");
  gint64 until_us = g_get_monotonic_time () + 30 * G_USEC_PER_SEC;

  client.connect ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTED, 3));
  EXPECT_EQ (path.alive (), 3);
  cenote_pool_stop (client.pool);
  while (path.alive () > 0 && g_get_monotonic_time () < until_us)
    std::this_thread::yield ();
  EXPECT_EQ (path.alive (), 0);
  EXPECT_EQ (path.count (), 3);
  EXPECT_EQ (client.status ()->state, CENOTE_POOL_STOPPED);
  EXPECT_EQ (client.status ()->n_channels, 0u);
  cenote_pool_stop (client.pool);
}

/* A message that it did not expect killed a worker there. */
TEST_F (SeedA3, B16_AStrayEventKillsNothing)
{
  const unsigned n_rounds = scaled (200, 20);
  Peer path ("forward", server.port ());
  Client client (path.port (), "size=3\nbackoff=quick\nping-interval=1s\nhealth-check=grpc\n");

  client.connect ();
  ASSERT_TRUE (cenote_pool_await_ready (client.pool, 30000, nullptr));
  for (unsigned i = 0; i < n_rounds; i++) {
    path.greet ();
    path.reset (i % 3);
    server.break_watches ();
    server.serve (1 + static_cast<int> (i % 2));
  }
  server.serve (1);
  /* The last connections that were cut may take a call with them; then all is well. */
  gint64 until_us = g_get_monotonic_time () + 30 * G_USEC_PER_SEC;
  unsigned n_good = 0;
  while ((n_good < 10 || client.status ()->current_size < 3) && g_get_monotonic_time () < until_us)
    n_good = fault (client.pool, operate, 30000).empty () ? n_good + 1 : 0;
  EXPECT_GE (n_good, 10u);
  EXPECT_EQ (client.status ()->current_size, 3);
}

} // namespace
