/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chronicle Connection 0.0.1: one connection that a connection string says all about.
 *
 * A name says which of its rows a test stands for: C4 a case of its own test suite,
 * B a defect that it has.  Its client credentials are OAuth2, which this version refuses.
 */
#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "tests/servers/client.h"
#include "tests/servers/connects.h"
#include "tests/servers/servers.h"
#include "tests/unit/log-capture.h"
extern "C" {
#include "tools/demo-server.h"
#include "tools/raw-call.h"
}

namespace {

const guint64 events_mask = CENOTE_EVENT_MASK_ALL & ~CENOTE_EVENT_BIT (CENOTE_EVENT_POOL_STATUS) &
                            ~CENOTE_EVENT_BIT (CENOTE_EVENT_POOL_GET_CHANNEL) &
                            ~CENOTE_EVENT_BIT (CENOTE_EVENT_CHANNEL_GET);

/* A fiftieth of Chronicle's own. */
const char *const quick = "20ms", *const longest = "200ms";

/* It dials when it is asked to connect: by then its events are listened to. */
const char *const when_told = "&autoConnect=false";

/* A pool to PORT by a string of Chronicle's. */
std::string
keyfile (unsigned port, const std::string &query, const std::string &initial, const std::string &max)
{
  return "[cenote]\ntelemetry=\n[pool:test]\nuri=chronicle://127.0.0.1:" + std::to_string (port) +
         "?disableTls=true&backoff.initial=" + initial + "&backoff.max=" + max + query + "\n";
}

class Chronicle : public Client
{
public:
  explicit Chronicle (unsigned port, const std::string &query = "", const std::string &initial = quick,
                      const std::string &max = longest)
      : Client (keyfile (port, query, initial, max), events_mask)
  {
  }

  bool
  connects (gint64 timeout_ms = 60000)
  {
    g_autoptr (GError) error = nullptr;
    bool connected = cenote_pool_connect (pool, timeout_ms, &error);

    fault = error == nullptr ? -1 : error->domain == CENOTE_ERROR ? error->code : -2;
    why = error == nullptr ? "" : error->message;
    return connected;
  }

  bool
  is_connected ()
  {
    return cenote_pool_is_connected (pool);
  }

  /* Whether a call goes through. */
  bool
  calls ()
  {
    g_auto (CenoteLease) lease = CENOTE_LEASE_INIT;
    g_autoptr (RawCaller) caller = raw_caller_new ();
    g_autoptr (GBytes) request = g_bytes_new_static ("hello", 5);
    g_auto (RawReply) reply = {};

    if (!get (&lease))
      return false;
    raw_caller_call (caller, lease.channel, DEMO_ECHO_METHOD, request, 30000, &reply);
    cenote_lease_release_with_status (&lease, static_cast<grpc_status_code> (reply.status));
    return reply.status == GRPC_STATUS_OK && reply.message != nullptr && g_bytes_equal (reply.message, request);
  }

  /* The delays in ms of the attempts that were put off. */
  std::vector<gint64>
  delays ()
  {
    std::vector<gint64> delays;

    for (const Event &event : events.of (CENOTE_EVENT_CHANNEL_RECONNECT_SCHEDULED))
      delays.push_back (event.delay_ms);
    return delays;
  }

  int fault = -1; /* of the last connects(): CenoteError, or -1 */
  std::string why;
};

/* connect() calls to a port from now on: another test may have had it. */
class Dials
{
public:
  explicit Dials (unsigned port) : port_ (port), before_ (connects_to (port).size ()) {}

  size_t
  count () const
  {
    return connects_to (port_).size () - before_;
  }
  bool
  await (size_t n) const
  {
    return connects_await (port_, before_ + n);
  }

private:
  unsigned port_;
  size_t before_;
};

class SeedA4 : public ::testing::Test
{
protected:
  void
  SetUp () override
  {
    ASSERT_TRUE (server.start ());
  }

  EchoServer server;
};

/* ------------------------------------------------------------------ defects */

/* "server death never noticed: connected? stayed true 8 s, still no good RPC 30 s after restart" */
TEST_F (SeedA4, B7_ServerDeathIsNoticedAndRecoveredFrom)
{
  Chronicle client (server.port (), when_told);

  ASSERT_TRUE (client.connects ()) << client.why;
  ASSERT_TRUE (client.calls ());
  server.kill ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_DISCONNECTED, 1));
  EXPECT_FALSE (client.is_connected ());
  EXPECT_FALSE (client.gets ());
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED, 1));

  ASSERT_TRUE (server.start ());
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTED, 2));
  EXPECT_TRUE (client.connects ()) << client.why;
  EXPECT_TRUE (client.is_connected ());
  EXPECT_TRUE (client.calls ());
}

/* "retry_attempts ignored (set 2, 16 dials in 600 ms)" */
TEST_F (SeedA4, B8_RetryAttemptsAreObeyed)
{
  Dials dials (server.port ());
  server.kill ();
  Chronicle client (server.port (), "&max-connect-attempts=2&autoConnect=false");

  EXPECT_FALSE (client.connects ());
  EXPECT_EQ (client.fault, CENOTE_ERROR_NOT_CONNECTED) << client.why;
  EXPECT_NE (client.why.find ("Connection refused"), std::string::npos) << client.why;
  EXPECT_EQ (dials.count (), 2u);
  EXPECT_EQ (client.status ()->channels[0]->next_attempt_ms, -1);

  /* Not one more came in between, or there would be five now. */
  EXPECT_FALSE (client.connects ());
  EXPECT_EQ (dials.count (), 4u);
}

/* "no jitter = herd": Chronicle's delays have none, but who wants some says so. */
TEST_F (SeedA4, B8_JitterSpreadsAHerd)
{
  server.kill ();
  Chronicle client (server.port (), "&backoff.multiplier=1&backoff.jitter=0.5");
  const size_t n = 12;

  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_RECONNECT_SCHEDULED, n));
  std::vector<gint64> delays = client.delays ();
  for (gint64 delay : delays) {
    EXPECT_GE (delay, 10);
    EXPECT_LE (delay, 30);
  }
  EXPECT_GT (std::set<gint64> (delays.begin (), delays.end ()).size (), 1u);
}

/* "connect/2 with auto_connect false never dials" */
TEST_F (SeedA4, B8_ConnectDialsWithoutAutoConnectToo)
{
  Dials dials (server.port ());
  Chronicle client (server.port (), "&autoConnect=false");

  EXPECT_FALSE (client.is_connected ());
  EXPECT_EQ (dials.count (), 0u);
  EXPECT_TRUE (client.connects ()) << client.why;
  EXPECT_TRUE (client.calls ());
  EXPECT_EQ (dials.count (), 1u);
}

/* "2^attempt grows without bound" */
TEST_F (SeedA4, B_DelaysStopGrowing)
{
  server.kill ();
  Chronicle client (server.port (), "", "1ms", "4ms");

  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_RECONNECT_SCHEDULED, 80));
  std::vector<gint64> delays = client.delays ();
  EXPECT_EQ (std::vector<gint64> (delays.begin (), delays.begin () + 3), (std::vector<gint64>{ 1, 2, 4 }));
  EXPECT_EQ (*std::max_element (delays.begin (), delays.end ()), 4);
  EXPECT_EQ (delays[79], 4);
}

/* "conflicting auth not rejected at dial", "multi-host silently truncated": see the strings below. */

/* -------------------------------------------------------------- connecting */

TEST_F (SeedA4, C4_NotConnectedInitially)
{
  Chronicle client (server.port (), "&autoConnect=false");
  g_auto (CenoteLease) lease = CENOTE_LEASE_INIT;
  g_autoptr (GError) error = nullptr;

  EXPECT_FALSE (client.is_connected ());
  EXPECT_FALSE (cenote_pool_get_channel (client.pool, &lease, &error));
  EXPECT_TRUE (g_error_matches (error, CENOTE_ERROR, CENOTE_ERROR_NOT_CONNECTED)) << error->message;
}

TEST_F (SeedA4, C4_ConnectThenConnectedAndAChannel)
{
  Chronicle client (server.port ());

  ASSERT_TRUE (client.connects ()) << client.why;
  EXPECT_TRUE (client.is_connected ());
  EXPECT_TRUE (client.gets ());
  EXPECT_EQ (client.status ()->expected_size, 1);
}

TEST_F (SeedA4, C4_SecondConnectReturnsAtOnce)
{
  Dials dials (server.port ());
  Chronicle client (server.port ());

  ASSERT_TRUE (client.connects ()) << client.why;
  EXPECT_TRUE (client.connects (0)) << "a connect that may not wait: " << client.why;
  EXPECT_EQ (dials.count (), 1u);
}

/* The delays double from the first on, as long as there are failures. */
TEST_F (SeedA4, C4_FailsTwiceThenSucceeds)
{
  const gint64 expected[] = { 100, 200, 400, 400 };

  server.kill ();
  Chronicle client (server.port (), "", "100ms", "400ms");
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED, 2));
  ASSERT_TRUE (server.start ());
  ASSERT_TRUE (client.connects ()) << client.why;

  std::vector<gint64> delays = client.delays ();
  EXPECT_GE (delays.size (), 2u);
  for (size_t i = 0; i < delays.size (); i++)
    EXPECT_EQ (delays[i], expected[std::min<size_t> (i, 3)]) << "attempt " << i;
}

/* "reset to 0 on success" */
TEST_F (SeedA4, C4_SuccessBeginsTheDelaysAnew)
{
  Chronicle client (server.port ());

  for (unsigned round = 0; round < 2; round++) {
    ASSERT_TRUE (client.connects ()) << client.why;
    ASSERT_TRUE (client.calls ()) << "which makes the connection a healthy one";
    client.events.forget ();
    server.kill ();
    ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_RECONNECT_SCHEDULED, 4));
    ASSERT_TRUE (server.start ());
    std::vector<gint64> delays = client.delays ();
    delays.erase (std::remove (delays.begin (), delays.end (), 0), delays.end ()); /* the dial at once */
    ASSERT_GE (delays.size (), 3u);
    EXPECT_EQ (std::vector<gint64> (delays.begin (), delays.begin () + 3), (std::vector<gint64>{ 20, 40, 80 }));
  }
}

TEST_F (SeedA4, C4_ConnectTimesOutWhileADialIsSlow)
{
  Peer silent ("silent");
  Dials dials (silent.port ());
  Chronicle client (silent.port (), "&connect-timeout=10min");

  EXPECT_FALSE (client.connects (50));
  EXPECT_EQ (client.fault, CENOTE_ERROR_TIMEOUT) << client.why;
  ASSERT_TRUE (dials.await (1));
  while (silent.count () < 1)
    std::this_thread::yield ();
  silent.greet ();
  EXPECT_TRUE (client.connects ()) << "the dial goes on when a caller has given up: " << client.why;
}

/* Calls are answered while a dial is under way. */
TEST_F (SeedA4, C4_AGetIsAnsweredWhileDialling)
{
  Peer silent ("silent");
  Dials dials (silent.port ());
  Chronicle client (silent.port (), "&connect-timeout=10min");

  ASSERT_TRUE (dials.await (1));
  EXPECT_FALSE (client.gets ());
  EXPECT_FALSE (client.is_connected ());
  EXPECT_EQ (client.status ()->connecting, 1);
}

/* A connection that goes while its server stays (gun_down). */
TEST_F (SeedA4, C4_ADroppedConnectionIsRedialledAndReadyAgain)
{
  Peer forward ("forward", server.port ());
  Chronicle client (forward.port (), when_told);

  ASSERT_TRUE (client.connects ()) << client.why;
  ASSERT_TRUE (client.calls ());
  ASSERT_GE (forward.reset (0), 0);
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_DISCONNECTED, 1));
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTED, 2));
  EXPECT_TRUE (client.connects ()) << client.why;
  EXPECT_TRUE (client.calls ());
}

/* ------------------------------------------- disconnecting, reconnecting */

TEST_F (SeedA4, C4_DisconnectEndsTheConnection)
{
  Dials dials (server.port ());
  Chronicle client (server.port ());

  ASSERT_TRUE (client.connects ()) << client.why;
  cenote_pool_disconnect (client.pool);
  EXPECT_FALSE (client.is_connected ());
  EXPECT_FALSE (client.gets ());
  EXPECT_TRUE (client.connects ()) << "and it is no end for good: " << client.why;
  EXPECT_EQ (dials.count (), 2u);
}

TEST_F (SeedA4, C4_DisconnectFailsWaitersAtOnce)
{
  Peer silent ("silent");
  Chronicle client (silent.port (), "&connect-timeout=10min");
  std::thread waiter ([&] { client.connects (600000); });

  while (client.status ()->waiters < 1)
    std::this_thread::yield ();
  cenote_pool_disconnect (client.pool);
  waiter.join ();
  EXPECT_EQ (client.fault, CENOTE_ERROR_NOT_CONNECTED) << client.why;
}

TEST_F (SeedA4, C4_ReconnectDropsAndRedials)
{
  Chronicle client (server.port (), when_told);

  ASSERT_TRUE (client.connects ()) << client.why;
  guint64 before = client.status ()->channels[0]->id;
  cenote_pool_reconnect (client.pool);
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTED, 2));
  while (client.status ()->n_channels > 1)
    std::this_thread::yield ();
  EXPECT_NE (client.status ()->channels[0]->id, before);
  EXPECT_TRUE (client.calls ());
}

TEST_F (SeedA4, C4_ReconnectIsNothingWhenNotConnected)
{
  Dials dials (server.port ());
  Chronicle client (server.port (), "&autoConnect=false");

  cenote_pool_reconnect (client.pool);
  EXPECT_FALSE (client.is_connected ());
  EXPECT_TRUE (client.connects ()) << client.why;
  EXPECT_EQ (dials.count (), 1u) << "the connect's alone";
}

/* Both hosts of a string are used, where Chronicle took the first and dropped the other. */
TEST_F (SeedA4, C4_TwoHostsAreTwoConnections)
{
  Dials dials (server.port ());
  EchoServer other;
  Dials others (other.port ());
  ASSERT_TRUE (other.start ());
  Client client ("[cenote]\ntelemetry=\n[pool:test]\nuri=grpc://127.0.0.1:" + std::to_string (server.port ()) +
                   ",127.0.0.1:" + std::to_string (other.port ()) + "?size=2&picker=round-robin\n",
                 events_mask);
  auto take = [&] {
    g_auto (CenoteLease) lease = CENOTE_LEASE_INIT;

    return client.get (&lease) ? lease.channel : nullptr;
  };
  std::set<grpc_channel *> channels;

  while (channels.size () < 2)
    if (grpc_channel *channel = take ())
      channels.insert (channel);
  EXPECT_NE (take (), take ()) << "they alternate";
  EXPECT_EQ (dials.count (), 1u);
  EXPECT_EQ (others.count (), 1u);
}

/* ------------------------------------------------------------------ strings */

/* What `explain` says of a string, or the error.  The pool is not critical, so that a plugin may be absent. */
std::string
explained (const std::string &uri)
{
  const char *const settings[] = { "pool:default/critical=no", nullptr };
  g_autoptr (GError) error = nullptr;
  g_autoptr (CenoteConfig) base = cenote_config_new_from_uri (uri.c_str (), &error);
  g_autoptr (CenoteConfig) config = base == nullptr ? nullptr : cenote_config_new_with (base, settings, &error);
  g_autoptr (CenoteRegistry) registry = cenote_registry_new ();
  g_autofree char *text = config == nullptr ? nullptr : cenote_config_explain (config, registry, FALSE, &error);

  return text != nullptr ? text : std::string ("error: ") + error->message;
}

/* The targets that it dials. */
std::vector<std::string>
dialled (const std::string &uri)
{
  const std::string text = explained (uri), mark = "\n# dials ";
  std::vector<std::string> targets;

  for (size_t at = text.find (mark); at != std::string::npos; at = text.find (mark, at)) {
    at += mark.size ();
    targets.push_back (text.substr (at, text.find ('\n', at) - at));
  }
  return targets;
}

bool
says (const std::string &uri, const std::string &words)
{
  const std::string text = explained (uri);

  EXPECT_NE (text.find (words), std::string::npos) << uri << ": " << text;
  return text.find (words) != std::string::npos;
}

using Targets = std::vector<std::string>;

TEST_F (SeedA4, C4_StringHostAndPort)
{
  EXPECT_EQ (dialled ("chronicle://localhost"), Targets{ "dns:///localhost:35000" });
  EXPECT_EQ (dialled ("chronicle://events.example.com:1234"), Targets{ "dns:///events.example.com:1234" });
  EXPECT_EQ (dialled ("CHRONICLE://localhost:1"), Targets{ "dns:///localhost:1" });
}

TEST_F (SeedA4, C4_StringTls)
{
  says ("chronicle://localhost", "\ntransport=tls ");
  says ("chronicle://localhost?disableTls=true", "\ntransport=insecure ");
  says ("chronicle://localhost?disableTls=TRUE", "\ntransport=insecure ");
  says ("chronicle://localhost?skipTlsValidation=true", "is Chronicle's word for unverified TLS, which there is not");
}

TEST_F (SeedA4, C4_StringCredentials)
{
  says ("chronicle://localhost?apiKey=s3cret", "\napi-key=(secret) ");
  says ("chronicle://chronicle-dev-client:chronicle-dev-secret@localhost:35000",
        "user:password with chronicle:// means OAuth2 client credentials");
  says ("grpcs://al%40ice:s%2Fcret@localhost", "\ntransport=tls ");
  says ("chronicle://localhost?authPort=8080", "is Chronicle's word for OAuth2");
}

/* "Cannot specify both client credentials and API key authentication" was said only to who asked. */
TEST_F (SeedA4, C4_StringWithBothKindsOfCredentials)
{
  says ("grpcs://alice:s3cret@localhost?apiKey=k",
        "has user:password, and the pool has api-key as well (one kind of credentials)");
}

TEST_F (SeedA4, C4_StringRefusals)
{
  says ("http://localhost", "unsupported scheme 'http'");
  says ("localhost:35000", "must include a scheme");
  says ("chronicle://", "must include a host");
  says ("chronicle://localhost:99999", "the port of the host must be between 1 and 65535");
  says ("chronicle://localhost:0", "the port of the host must be between 1 and 65535");
  says ("chronicle://localhost/path", "has a path, which would mean nothing");
  says ("chronicle://localhost#part", "has a fragment, which would mean nothing");
  says ("chronicle://localhost?size=1&size=2", "size: is given twice");
  says ("chronicle://localhost?loadBalancer=random", "is Chronicle's word for a choice of hosts");
  says ("chronicle://localhost?certificatePath=/c.pem", "is Chronicle's word for a client's certificate");
}

/* Traps: each of these was taken for something else in silence. */
TEST_F (SeedA4, C4_StringTraps)
{
  says ("chronicle://localhost:http", "the port of the host must be between 1 and 65535");
  EXPECT_EQ (dialled ("chronicle://h1:1,h2:2"), (Targets{ "dns:///h1:1", "dns:///h2:2" }));
  says ("chronicle://::1:35000", "an IPv6 address needs brackets");
}

TEST_F (SeedA4, C4_StringWithServiceRecords)
{
  says ("chronicle+srv://example.com", "chronicle+srv:// is not supported, because SRV records are not looked up");
  says ("chronicle://example.com?srvNameServer=10.0.0.1", "is Chronicle's word for SRV records");
}

TEST_F (SeedA4, C4_StringWithSeveralHosts)
{
  EXPECT_EQ (dialled ("chronicle://h1,h2:2,h3?size=3&apiKey=k"),
             (Targets{ "dns:///h1:35000", "dns:///h2:2", "dns:///h3:35000" }));
  says ("grpcs://alice:s3cret@h1,h2?size=7", "\nsize=7 ");
  says ("chronicle://h1,,h3", "must include a host, and lacks host 2");
}

TEST_F (SeedA4, C4_StringWithIpv6)
{
  EXPECT_EQ (dialled ("chronicle://[::1]"), Targets{ "dns:///[::1]:35000" });
  EXPECT_EQ (dialled ("chronicle://[::1]:1"), Targets{ "dns:///[::1]:1" });
  EXPECT_EQ (dialled ("chronicle://[::1]:1,[2001:db8::2],h:3"),
             (Targets{ "dns:///[::1]:1", "dns:///[2001:db8::2]:35000", "dns:///h:3" }));
  says ("chronicle://[::1", "the host cannot be read");
}

TEST_F (SeedA4, C4_OptionsOverrideTheString)
{
  const char *const settings[] = { "pool:default/size=2", "pool:default/critical=no", nullptr };
  g_autoptr (CenoteConfig) base = cenote_config_new_from_uri ("chronicle://localhost?disableTls=true", nullptr);
  g_autoptr (CenoteConfig) config = cenote_config_new_with (base, settings, nullptr);
  g_autoptr (CenoteRegistry) registry = cenote_registry_new ();
  g_autofree char *text = cenote_config_explain (config, registry, FALSE, nullptr);

  ASSERT_NE (text, nullptr);
  EXPECT_NE (strstr (text, "\nsize=2 "), nullptr) << text;
}

/* A pool from a string alone, as a program has it; with a server, without one, and with every kind of output. */
TEST_F (SeedA4, C4_NoSecretIsTold)
{
  const std::string uri = "grpc://alice:hunter2@127.0.0.1:" + std::to_string (server.port ()) +
                          "?allow-plaintext-credentials=yes&size=1&backoff.initial=20ms&autoConnect=no";
  LogCapture log;
  EventLog events;
  std::string said;
  g_autoptr (GError) error = nullptr, miss = nullptr;
  g_autoptr (CenoteConfig) config = cenote_config_new_from_uri (uri.c_str (), &error);
  ASSERT_NE (config, nullptr) << error->message;
  g_autoptr (CenoteRuntime) runtime = cenote_runtime_new (config, &error);
  ASSERT_NE (runtime, nullptr) << error->message;
  g_autoptr (CenotePool) pool = cenote_runtime_get_pool (runtime, nullptr, &error);
  cenote_runtime_add_sink (runtime, events_mask, EventLog::take, &events, nullptr);

  EXPECT_STREQ (cenote_pool_get_name (pool), "default");
  ASSERT_TRUE (cenote_pool_connect (pool, 60000, &error)) << error->message;
  server.kill ();
  ASSERT_TRUE (events.await (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED, 2));
  EXPECT_FALSE (cenote_pool_await_ready (pool, 0, &miss));
  g_autofree char *json = cenote_runtime_status_to_json (runtime);
  cenote_runtime_stop (runtime);

  said = std::string (json) + miss->message;
  for (const LogRecord &record : log.records ())
    for (const auto &field : record.fields)
      said += "\n" + field.second;
  EXPECT_GT (log.records ().size (), 0u);
  EXPECT_EQ (said.find ("hunter2"), std::string::npos) << said;
  EXPECT_EQ (said.find ("alice"), std::string::npos) << said;
}

} // namespace
