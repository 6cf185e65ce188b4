/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GrpcConnectionPool's interceptors, as far as they add metadata to each call in an
 * order: the pool's key metadata.  What came is asked of a real server.
 */
#include "a2.h"
#include "tests/servers/authority.h"
#include "tests/servers/tls-client.h"

namespace {

const char four[] = "metadata=x-first:1;x-second:2;x-third:3;x-fourth:4\n";
const char four_lines[] = "x-first: 1\nx-second: 2\nx-third: 3\nx-fourth: 4\n";

/* The lines of TEXT whose names are ours or a credential's. */
std::string
ours (const std::string &text)
{
  std::string lines;

  for (size_t from = 0, to; (to = text.find ('\n', from)) != std::string::npos; from = to + 1) {
    std::string line = text.substr (from, to + 1 - from);

    if (line.rfind ("x-", 0) == 0 || line.rfind ("api-key: ", 0) == 0)
      lines += line;
  }
  return lines;
}

/* What came with a call that the program made itself, on a leased channel. */
std::string
of_raw_call (CenotePool *pool)
{
  g_autoptr (RawCaller) caller = raw_caller_new ();
  g_autoptr (GBytes) request = g_bytes_new_static (":all", 4);
  g_auto (CenoteLease) lease = CENOTE_LEASE_INIT;
  g_auto (RawReply) reply = {};

  if (!cenote_pool_acquire (pool, 30000, &lease, nullptr))
    return "no channel";
  raw_caller_call (caller, lease.channel, DEMO_HEADER_METHOD, request, 30000, &reply);
  if (reply.status != GRPC_STATUS_OK)
    return "status " + std::to_string (reply.status);
  return ours (std::string (static_cast<const char *> (g_bytes_get_data (reply.message, nullptr)),
                            g_bytes_get_size (reply.message)));
}

/* What came with one of Cenote's calls, which brings METADATA of its own. */
std::string
of_call (CenotePool *pool, const std::vector<CenoteMetadatum> &metadata = {})
{
  CenoteCallOptions options = CENOTE_CALL_OPTIONS_INIT;
  g_autoptr (GBytes) request = g_bytes_new_static (":all", 4), reply = nullptr;
  g_autoptr (GError) error = nullptr;

  options.metadata = metadata.data ();
  options.n_metadata = metadata.size ();
  options.wait_for_ready = TRUE;
  if (!cenote_call_unary (pool, DEMO_HEADER_METHOD, request, &options, &reply, &error))
    return error->message;
  return ours (std::string (static_cast<const char *> (g_bytes_get_data (reply, nullptr)), g_bytes_get_size (reply)));
}

/* What is wrong with a pool of LINES. */
std::string
refusal (const std::string &lines)
{
  g_autoptr (GError) error = nullptr;
  g_autoptr (CenoteConfig) config = cenote_config_new_from_data (
    ("[pool:a]\nprofile=local\ninitialization=manual\n" + lines).c_str (), -1, &error);
  g_autoptr (CenoteRuntime) runtime = config == nullptr ? nullptr : cenote_runtime_new (config, &error);

  return runtime != nullptr ? "" : error->message;
}

/* A server over TLS, with a certificate of its own. */
class Secure {
public:
  Secure ()
  {
    const Credential credential = ca.issue (Claim ());

    transport = "ca-file=" + folder.write ("ca.pem", ca.pem ()) + "\n";
    EXPECT_TRUE (server.start ({ folder.write ("server.pem", credential.certificate),
                                 folder.write ("server.key", credential.key) }));
  }

  /* What comes with a raw call over a pool of LINES. */
  std::string
  of_raw_call_with (const std::string &lines)
  {
    TlsClient client (server.port (), transport, lines);

    return of_raw_call (client.pool);
  }

  EchoServer server;
  std::string transport;

private:
  Folder folder;
  Authority ca;
};

/* "interceptors accepted", "present in connect opts", "with ssl (cred present)" */
TEST (SeedA2, C2_InterceptorsAreCarriedByChannelsOverTls)
{
  Secure secure;

  EXPECT_EQ (secure.of_raw_call_with ("metadata=x-tenant:acme\n"), "x-tenant: acme\n");
}

/* "order kept (4)" */
TEST (SeedA2, C2_InterceptorsKeepTheirOrder)
{
  Secure secure;

  EXPECT_EQ (secure.of_raw_call_with (four), four_lines);
  EXPECT_EQ (secure.of_raw_call_with ("metadata=x-fourth:4;x-first:1;x-third:3;x-second:2\n"),
             "x-fourth: 4\nx-first: 1\nx-third: 3\nx-second: 2\n");
}

/* C-core takes four from a plugin at once: ten are three of them. */
TEST (SeedA2, C2_InterceptorsKeepTheirOrderHoweverManyThereAre)
{
  Secure secure;
  std::string line = "metadata=", lines;

  for (char name = 'j'; name >= 'a'; name--) {
    line += std::string (name == 'j' ? "" : ";") + "x-" + name + ":" + name;
    lines += std::string ("x-") + name + ": " + name + "\n";
  }
  EXPECT_EQ (secure.of_raw_call_with (line + "\n"), lines);
  EXPECT_EQ (secure.of_raw_call_with (line + "\napi-key=s3cret\n"), lines + "api-key: s3cret\n");
}

/* The same module twice in a list is called twice. */
TEST (SeedA2, C2_InterceptorsMayRepeatThemselves)
{
  Secure secure;

  EXPECT_EQ (secure.of_raw_call_with ("metadata=x-hop:1;x-other:0;x-hop:2;x-hop:1\n"),
             "x-hop: 1\nx-other: 0\nx-hop: 2\nx-hop: 1\n");
}

/* "with custom cred (same cred)" */
TEST (SeedA2, C2_InterceptorsGoBesideCredentials)
{
  Secure secure;

  EXPECT_EQ (secure.of_raw_call_with (std::string ("api-key=s3cret\n") + four), std::string (four_lines) + "api-key: s3cret\n");
}

/* Cenote's own calls carry it once, where channels do. */
TEST (SeedA2, C2_InterceptorsComeOnceWithCallsOfOurOwn)
{
  Secure secure;
  TlsClient client (secure.server.port (), secure.transport, four);

  EXPECT_EQ (of_call (client.pool), four_lines);
  EXPECT_EQ (*cenote_pool_get_plaintext_metadata (client.pool), nullptr);
}

/* "default nil", "absent when nil", "absent when []", "local/1 and production/1 have none" */
TEST (SeedA2, C2_InterceptorsAreNoneUnlessWritten)
{
  Secure secure;
  Client client (secure.server.port ());

  EXPECT_EQ (secure.of_raw_call_with (""), "");
  EXPECT_EQ (secure.of_raw_call_with ("metadata=\n"), "");
  EXPECT_EQ (*cenote_pool_get_plaintext_metadata (client.pool), nullptr);
}

/* "with production/local types": both profiles. */
TEST (SeedA2, C2_InterceptorsWorkInProduction)
{
  Secure secure;

  EXPECT_EQ (secure.of_raw_call_with (std::string ("profile=production\n") + four), four_lines);
}

/* "old config shape works (host, port, size 10, keepalive 60000)" */
TEST (SeedA2, C2_InterceptorsAreNotNeededByOlderConfigs)
{
  Secure secure;
  TlsClient client (secure.server.port (), secure.transport, "size=10\nkeepalive-time=60s\n");

  ASSERT_TRUE (client.await_connected (10));
  EXPECT_EQ (client.status ()->current_size, 10);
  EXPECT_EQ (of_raw_call (client.pool), "");
}

/* Without TLS a channel carries no call credentials: Cenote's calls do, and a program is told what its own have to. */
TEST (SeedA2, C2_InterceptorsOverPlaintextAreOfOurOwnCalls)
{
  EchoServer server;
  ASSERT_TRUE (server.start ());
  Client client (server.port (), four);
  std::string told;

  client.connect ();
  EXPECT_EQ (of_call (client.pool), four_lines);
  EXPECT_EQ (of_call (client.pool, { { "x-own", "0", -1 } }), std::string ("x-own: 0\n") + four_lines);
  EXPECT_EQ (of_raw_call (client.pool), "");
  for (const char *const *pair = cenote_pool_get_plaintext_metadata (client.pool); *pair != nullptr; pair += 2)
    told += std::string (pair[0]) + ": " + pair[1] + "\n";
  EXPECT_EQ (told, four_lines);
}

TEST (SeedA2, C2_InterceptorsThatCannotBeAreRefusedByName)
{
  const struct {
    const char *value, *problem;
  } wrong[] = {
    { "x-tenant", "an element has no ':' (expected NAME:VALUE;…)" },
    { ":v", "'' is no name of metadata (expected lower case letters, digits, '-', '_' and '.')" },
    { "X-Tenant:v", "'X-Tenant' is no name of metadata (expected lower case letters, digits, '-', '_' and '.')" },
    { "grpc-timeout:1S", "grpc-timeout is gRPC's own (another name)" },
    { "te:v", "te is gRPC's own (another name)" },
    { "x-trace-bin:v", "x-trace-bin is for bytes, and these are texts (a name that does not end in -bin)" },
    { "x-name:h\xc3\xa9", "the value of x-name is not printable ASCII" },
    { "authorization:Bearer s3cret",
      "authorization is for credentials (api-key, token-file, or user and password in a connection string)" },
    { "api-key:s3cret", "api-key is for credentials (api-key, token-file, or user and password in a connection string)" },
  };

  for (const auto &row : wrong) {
    std::string said = refusal (std::string ("metadata=x-good:v;") + row.value + "\n");

    EXPECT_EQ (said, std::string ("(data):4: [pool:a] metadata: ") + row.problem) << row.value;
    EXPECT_EQ (said.find ("s3cret"), std::string::npos);
  }
  EXPECT_EQ (refusal (four), "");
}

} // namespace
