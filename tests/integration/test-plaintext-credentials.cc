/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Call credentials over a plaintext transport, where allow-plaintext-credentials=yes: Cenote's own calls
 * carry them, each once, and what the program does with a leased channel does not.
 */
#include <gmock/gmock.h>

#include <thread>

#include "tests/servers/client.h"
#include "tests/servers/folder.h"
#include "tests/servers/servers.h"
#include "tests/unit/log-capture.h"
#include "tools/demo-server.h"
#include "tools/raw-call.h"

namespace {

const char allowed[] = "allow-plaintext-credentials=yes\nbackoff=quick\n";

std::string
text_of (GBytes *bytes)
{
  gsize length;
  const char *start = static_cast<const char *> (g_bytes_get_data (bytes, &length));

  return std::string (start == nullptr ? "" : start, length);
}

std::string
take (GBytes *bytes, GError *error)
{
  std::string text = bytes != nullptr ? text_of (bytes) : "error: " + std::string (error->message);

  g_clear_pointer (&bytes, g_bytes_unref);
  g_clear_error (&error);
  return text;
}

GBytes *
bytes_of (const std::string &text)
{
  return g_bytes_new (text.data (), text.size ());
}

/* What came to the demo's server as header NAME, with the calls of each face. */
std::string
header_of_unary (CenotePool *pool, const std::string &name, const CenoteCallOptions *options = nullptr)
{
  g_autoptr (GBytes) request = bytes_of (name);
  GBytes *response = nullptr;
  GError *error = nullptr;

  cenote_call_unary (pool, DEMO_HEADER_METHOD, request, options, &response, &error);
  return take (response, error);
}

std::string
header_of_async (CenotePool *pool, const std::string &name)
{
  struct Answer {
    std::string text;
    bool came = false;
  } answer;
  g_autoptr (GBytes) request = bytes_of (name);
  auto answered = [] (CenotePool *, GBytes *response, const GError *error, gpointer data) {
    Answer *to = static_cast<Answer *> (data);

    to->text = response != nullptr ? text_of (response) : error->message;
    to->came = true;
  };
  GMainContext *context = g_main_context_new ();

  cenote_call_unary_async (pool, DEMO_HEADER_METHOD, request, nullptr, context, answered, &answer, nullptr);
  while (!answer.came)
    g_main_context_iteration (context, TRUE);
  g_main_context_unref (context);
  return answer.text;
}

std::string
header_of_stream (CenotePool *pool, const std::string &name)
{
  GError *error = nullptr;
  g_autoptr (CenoteCall) call = cenote_call_new (pool, DEMO_HEADER_METHOD, nullptr, &error);
  g_autoptr (GBytes) request = bytes_of (name);
  GBytes *response = nullptr;

  if (call != nullptr && cenote_call_write (call, request, TRUE, &error))
    cenote_call_read (call, -1, &response, &error);
  return take (response, error);
}

std::string
header_of_raw_call (CenotePool *pool, const std::string &name)
{
  g_autoptr (RawCaller) caller = raw_caller_new ();
  g_autoptr (GBytes) request = bytes_of (name);
  g_auto (CenoteLease) lease = CENOTE_LEASE_INIT;
  g_auto (RawReply) reply = {};

  EXPECT_TRUE (cenote_pool_acquire (pool, 30000, &lease, nullptr));
  raw_caller_call (caller, lease.channel, DEMO_HEADER_METHOD, request, 30000, &reply);
  return reply.message == nullptr ? "status " + std::to_string (reply.status) : text_of (reply.message);
}

/* What the program is told to send with calls of its own. */
std::string
told_to_send (CenotePool *pool)
{
  const char *header = nullptr;
  char *value = nullptr;

  if (!cenote_pool_get_plaintext_credentials (pool, &header, &value))
    return "nothing";
  std::string text = std::string (header) + ": " + value;

  g_free (value);
  return text;
}

class PlaintextCredentials : public ::testing::Test {
protected:
  void SetUp () override { ASSERT_TRUE (server.start ()); }

  /* Connected; its pool has LINES. */
  std::unique_ptr<Client>
  client_with (const std::string &lines)
  {
    return connected (std::make_unique<Client> (server.port (), lines));
  }

  static std::unique_ptr<Client>
  connected (std::unique_ptr<Client> client)
  {
    g_autoptr (GError) error = nullptr;

    EXPECT_TRUE (cenote_pool_connect (client->pool, 30000, &error)) << error->message;
    return client;
  }

  EchoServer server;
  Folder folder;
};

TEST_F (PlaintextCredentials, ComeWithEachOfCenotesOwnCallsOnce)
{
  auto client = client_with (std::string (allowed) + "api-key=s3cret\n");
  CenotePool *pool = client->pool;

  EXPECT_EQ (header_of_unary (pool, "api-key"), "s3cret");
  EXPECT_EQ (header_of_async (pool, "api-key"), "s3cret");
  EXPECT_EQ (header_of_stream (pool, "api-key"), "s3cret");
  EXPECT_EQ (header_of_unary (pool, "authorization"), "");
}

TEST_F (PlaintextCredentials, ComeBesideTheCallersMetadata)
{
  auto client = client_with (std::string (allowed) + "api-key=s3cret\n");
  const CenoteMetadatum metadata[] = { { "first", "1", -1 }, { "second", "2", -1 } };
  CenoteCallOptions options = CENOTE_CALL_OPTIONS_INIT;

  options.metadata = metadata;
  options.n_metadata = G_N_ELEMENTS (metadata);
  EXPECT_EQ (header_of_unary (client->pool, "first", &options), "1");
  EXPECT_EQ (header_of_unary (client->pool, "second", &options), "2");
  EXPECT_EQ (header_of_unary (client->pool, "api-key", &options), "s3cret");
}

TEST_F (PlaintextCredentials, AreNotSentByWhatTheProgramDoesWithALease)
{
  auto client = client_with (std::string (allowed) + "api-key=s3cret\n");

  EXPECT_EQ (header_of_raw_call (client->pool, "api-key"), "");
  EXPECT_EQ (told_to_send (client->pool), "api-key: s3cret");
}

TEST_F (PlaintextCredentials, AreNoneUnlessSet)
{
  auto client = client_with (allowed);

  EXPECT_EQ (header_of_unary (client->pool, "api-key"), "");
  EXPECT_EQ (header_of_unary (client->pool, "authorization"), "");
  EXPECT_EQ (told_to_send (client->pool), "nothing");
}

TEST_F (PlaintextCredentials, AUserAndPasswordComeAsBasic)
{
  const std::string keyfile = "[cenote]\ntelemetry=\n[pool:test]\nuri=grpc://Aladdin:open%20sesame@127.0.0.1:" +
                              std::to_string (server.port ()) + "?allow-plaintext-credentials=yes\n";
  auto client = connected (std::make_unique<Client> (keyfile, CENOTE_EVENT_BIT (CENOTE_EVENT_CHANNEL_CONNECTED)));

  EXPECT_EQ (header_of_unary (client->pool, "authorization"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
}

TEST_F (PlaintextCredentials, AChangedTokenComesOverTheSameChannels)
{
  auto client = client_with (allowed + std::string ("size=2\ntoken-file=") + folder.write ("token", "first\n") + "\n");

  ASSERT_TRUE (client->events.await (CENOTE_EVENT_CHANNEL_CONNECTED, 2));
  EXPECT_EQ (header_of_unary (client->pool, "authorization"), "Bearer first");
  folder.write ("token", "second\n");
  const gint64 until_us = g_get_monotonic_time () + 60 * G_USEC_PER_SEC;
  while (header_of_unary (client->pool, "authorization") != "Bearer second")
    ASSERT_LT (g_get_monotonic_time (), until_us);
  EXPECT_EQ (header_of_stream (client->pool, "authorization"), "Bearer second");
  EXPECT_EQ (told_to_send (client->pool), "authorization: Bearer second");
  EXPECT_EQ (client->events.of (CENOTE_EVENT_CHANNEL_CONNECTED).size (), 2u) << "no channel was replaced";
}

/* A retry is another attempt of the same request: it carries them once, too. */
TEST_F (PlaintextCredentials, ComeOnceAlsoWithARetry)
{
  auto client = client_with (allowed + std::string ("size=1\napi-key=s3cret\n"));
  CenoteCallOptions options = CENOTE_CALL_OPTIONS_INIT;

  options.retry = CENOTE_RETRY_IDEMPOTENT;
  options.wait_for_ready = TRUE;
  for (int i = 0; i < 5; i++) {
    std::thread restart ([this] {
      server.kill ();
      EXPECT_TRUE (server.start ());
    });
    for (int n = 0; n < 50; n++)
      EXPECT_EQ (header_of_unary (client->pool, "api-key", &options), "s3cret");
    restart.join ();
  }
}

TEST_F (PlaintextCredentials, AreSeenByNobodyElse)
{
  LogCapture log;
  auto client = std::make_unique<Client> (server.port (), std::string (allowed) + "api-key=s3cret\nsize=2\n", CENOTE_EVENT_MASK_ALL);
  g_autoptr (GError) error = nullptr;

  connected (std::move (client)).swap (client);
  header_of_unary (client->pool, "api-key");
  EXPECT_FALSE (cenote_call_unary (client->pool, "/a.B/C", nullptr, nullptr, nullptr, &error));
  EXPECT_THAT (error->message, ::testing::Not (::testing::HasSubstr ("s3cret")));
  g_autofree char *status = cenote_runtime_status_to_json (client->runtime);
  EXPECT_THAT (status, ::testing::Not (::testing::HasSubstr ("s3cret")));
  for (const LogRecord &record : log.records ())
    EXPECT_THAT (record.message (), ::testing::Not (::testing::HasSubstr ("s3cret")));
}

/* A server that wants them for health, too. */
TEST (PlaintextCredentialsOfHealth, ComeWithWatchesAndChecks)
{
  for (const std::vector<const char *> &options : { std::vector<const char *>{ "api-key=s3cret" }, { "api-key=s3cret", "no-watch" } }) {
    HealthServer server;
    ASSERT_TRUE (server.start (options));
    Client client (server.port (), std::string (allowed) + "api-key=s3cret\nhealth-check=grpc\nsize=1\n");
    const std::string wrong_lines = std::string (allowed) + "api-key=another\nhealth-check=grpc\nsize=1\n";
    Client wrong (server.port (), wrong_lines);

    client.connect ();
    wrong.connect ();
    ASSERT_TRUE (wrong.events.await_ok (CENOTE_EVENT_CHANNEL_HEALTH, 0, 1));
    ASSERT_TRUE (client.events.await_ok (CENOTE_EVENT_CHANNEL_HEALTH, 1, 1));
    EXPECT_TRUE (client.gets ());
    EXPECT_FALSE (wrong.gets ());
  }
}

} // namespace
