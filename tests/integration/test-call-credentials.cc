/* SPDX-License-Identifier: Apache-2.0 */
/* Call credentials over transport tls: what comes to a server with calls on a raw channel. */
#include <gmock/gmock.h>

#include "tests/servers/authority.h"
#include "tests/servers/servers.h"
#include "tests/servers/tls-client.h"

namespace {

class WireCredentials : public ::testing::Test {
protected:
  void
  SetUp () override
  {
    const Credential credential = ca.issue (Claim ());

    transport = "ca-file=" + folder.write ("ca.pem", ca.pem ()) + "\n";
    ASSERT_TRUE (server.start ({ folder.write ("server.pem", credential.certificate),
                                 folder.write ("server.key", credential.key) }));
  }

  /* Why no runtime comes of the pool's lines. */
  std::string
  refusal (const std::string &pool)
  {
    g_autoptr (GError) error = nullptr;
    const std::string text = tls_keyfile (server.port (), transport, pool, "");
    g_autoptr (CenoteConfig) config = cenote_config_new_from_data (text.c_str (), -1, &error);
    g_autoptr (CenoteRuntime) runtime = config == nullptr ? nullptr : cenote_runtime_new (config, &error);

    EXPECT_EQ (runtime, nullptr);
    return error == nullptr ? "" : error->message;
  }

  Folder folder;
  Authority ca;
  EchoServer server;
  std::string transport;
};

TEST_F (WireCredentials, NoneAreSentUnlessSet)
{
  TlsClient client (server.port (), transport);
  ASSERT_TRUE (client.await_ready ());
  EXPECT_EQ (client.header ("api-key"), "");
  EXPECT_EQ (client.header ("authorization"), "");
}

TEST_F (WireCredentials, AnApiKeyComesWithEachCall)
{
  TlsClient client (server.port (), transport, "api-key=s3cret\nsize=2\n");
  ASSERT_TRUE (client.await_connected (2));
  for (int i = 0; i < 4; i++)
    EXPECT_EQ (client.header ("api-key"), "s3cret");
  g_autofree char *status = cenote_runtime_status_to_json (client.runtime);
  EXPECT_EQ (std::string (status).find ("s3cret"), std::string::npos);
}

TEST_F (WireCredentials, AnApiKeyComesOverTls13Too)
{
  TlsClient client (server.port (), transport + "min-version=1.3\n", "api-key=s3cret\n");
  ASSERT_TRUE (client.await_ready ());
  EXPECT_EQ (client.header ("api-key"), "s3cret");
}

/* A pool of nothing but a connection string. */
TEST_F (WireCredentials, ThoseOfAConnectionStringComeToo)
{
  const std::string host = "127.0.0.1:" + std::to_string (server.port ()),
                    query = "?transport.ca-file=" + (folder / "ca.pem"),
                    pool = "[cenote]\ntelemetry=\n[pool:test]\nuri=";
  TlsClient basic (pool + "grpcs://al%40ice:hunt%3Aer2@" + host + query + "\n");
  TlsClient key (pool + "chronicle://" + host + query + "&apiKey=s3cret%3D\n");
  g_autofree char *pair = g_base64_encode (reinterpret_cast<const guchar *> ("al@ice:hunt:er2"), 15);

  ASSERT_TRUE (basic.await_ready ());
  EXPECT_EQ (basic.header ("authorization"), std::string ("Basic ") + pair);
  ASSERT_TRUE (key.await_ready ());
  EXPECT_EQ (key.header ("api-key"), "s3cret=");
}

TEST_F (WireCredentials, AChangedTokenComesOverTheSameChannels)
{
  TlsClient client (server.port (), transport, "size=2\ntoken-file=" + folder.write ("token", "first\n") + "\n");
  ASSERT_TRUE (client.await_connected (2));
  Callers callers (&client, DEMO_ECHO_METHOD, "hello");
  EXPECT_EQ (client.header ("authorization"), "Bearer first");
  folder.write ("token", "second\n");
  ASSERT_TRUE (client.await_header ("authorization", "Bearer second"));
  EXPECT_EQ (callers.stop (), 0u);
  EXPECT_EQ (client.events.of (CENOTE_EVENT_CHANNEL_CONNECTED).size (), 2u) << "no channel was replaced";
}

TEST_F (WireCredentials, AUserAndPasswordOfAConnectionStringComeAsBasic)
{
  const std::string uri = "grpcs://Aladdin:open%20sesame@localhost:" + std::to_string (server.port ()) +
                          "?transport.ca-file=" + folder / "ca.pem";
  g_autoptr (GError) error = nullptr;
  g_autoptr (CenoteConfig) config = cenote_config_new_from_uri (uri.c_str (), &error);
  ASSERT_NE (config, nullptr) << error->message;
  g_autoptr (CenoteRuntime) runtime = cenote_runtime_new (config, &error);
  ASSERT_NE (runtime, nullptr) << error->message;
  g_autoptr (CenotePool) pool = cenote_runtime_get_pool (runtime, nullptr, &error);
  g_autoptr (RawCaller) caller = raw_caller_new ();
  g_autoptr (GBytes) request = g_bytes_new_static ("authorization", strlen ("authorization"));
  g_auto (CenoteLease) lease = CENOTE_LEASE_INIT;
  g_auto (RawReply) reply = {};

  ASSERT_TRUE (cenote_pool_acquire (pool, 30000, &lease, &error)) << error->message;
  raw_caller_call (caller, lease.channel, DEMO_HEADER_METHOD, request, 30000, &reply);
  ASSERT_EQ (reply.status, GRPC_STATUS_OK) << reply.details;
  EXPECT_EQ (std::string (static_cast<const char *> (g_bytes_get_data (reply.message, nullptr)),
                          g_bytes_get_size (reply.message)), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
}

/* The channel carries them, so the call does not. */
TEST_F (WireCredentials, ComeOnceWithCenotesOwnCalls)
{
  TlsClient client (server.port (), transport, "api-key=s3cret\nallow-plaintext-credentials=yes\n");
  g_autoptr (GBytes) request = g_bytes_new_static ("api-key", strlen ("api-key"));
  g_autoptr (GBytes) response = nullptr;
  g_autoptr (GError) error = nullptr;
  const char *header;
  char *value;

  ASSERT_TRUE (client.await_ready ());
  ASSERT_TRUE (cenote_call_unary (client.pool, DEMO_HEADER_METHOD, request, nullptr, &response, &error)) << error->message;
  EXPECT_EQ (std::string (static_cast<const char *> (g_bytes_get_data (response, nullptr)), g_bytes_get_size (response)),
             "s3cret");
  EXPECT_FALSE (cenote_pool_get_plaintext_credentials (client.pool, &header, &value));
}

TEST_F (WireCredentials, ABrokenTokenFileIsAnErrorThatDoesNotShowIt)
{
  EXPECT_THAT (refusal ("token-file=" + folder.write ("token", "s3cret and more\n") + "\n"),
               ::testing::AllOf (::testing::HasSubstr ("at place 7 a byte that no header may have"),
                                 ::testing::Not (::testing::HasSubstr ("s3cret"))));
  EXPECT_THAT (refusal ("token-file=" + folder.write ("token", "") + "\n"), ::testing::HasSubstr ("is empty"));
  EXPECT_THAT (refusal ("token-file=" + folder / "none" + "\n"), ::testing::HasSubstr ("No such file"));
}

} // namespace
