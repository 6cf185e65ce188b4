/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GrpcConnectionPool 0.3: its configurations (production, local, from the
 * environment), and what it left unread or unsaid of them.
 */
#include <gtest/gtest.h>

#include "a2.h"
#include "tests/servers/folder.h"
#include "tests/servers/one-authority.h"
#include "tools/json-reader.h"

namespace {

/* What `cenote explain` makes of a keyfile: every value that its pools would run with. */
class Explained {
public:
  explicit Explained (const std::string &keyfile)
  {
    g_autofree char *program = child_program ("tools/cenote");
    g_autofree char *path = nullptr;
    const char *argv[] = { program, "explain", "--json", nullptr, nullptr };
    g_autofree char *out = nullptr, *err = nullptr;
    int fd = g_file_open_tmp ("cenote-seed.XXXXXX", &path, nullptr);

    close (fd);
    argv[3] = path;
    EXPECT_TRUE (g_file_set_contents (path, keyfile.c_str (), -1, nullptr));
    EXPECT_TRUE (g_spawn_sync (nullptr, const_cast<char **> (argv), nullptr, G_SPAWN_DEFAULT, nullptr, nullptr, &out,
                               &err, nullptr, nullptr));
    g_unlink (path);
    problems = err == nullptr ? "" : err;
    json_ = out == nullptr || *out == '\0' ? nullptr : json_read (out, nullptr);
  }

  ~Explained () { g_clear_pointer (&json_, g_variant_unref); }
  Explained (const Explained &) = delete;
  Explained &operator= (const Explained &) = delete;

  /* The effective value of the first pool's KEY and where it is from; "" where there is none. */
  std::string
  value (const char *key)
  {
    return option (key, "value");
  }
  std::string
  source (const char *key)
  {
    return option (key, "source");
  }

  /* What it dials. */
  std::string
  target ()
  {
    g_autoptr (GVariant) pool = first_pool ();
    g_autoptr (GVariant) item = pool == nullptr ? nullptr : first (pool, "targets");
    std::string text = item == nullptr ? "" : g_variant_get_string (item, nullptr);

    return text;
  }

  std::string problems;

private:
  /* Its first item; NULL: there is none. */
  static GVariant *
  first (GVariant *object, const char *member)
  {
    g_autoptr (GVariant) array = json_get_array (object, member);

    return g_variant_n_children (array) == 0 ? nullptr : json_item (array, 0);
  }

  GVariant *
  first_pool ()
  {
    return json_ == nullptr ? nullptr : first (json_, "pools");
  }

  std::string
  option (const char *key, const char *member)
  {
    g_autoptr (GVariant) pool = first_pool ();
    g_autoptr (GVariant) options = pool == nullptr ? nullptr : json_get_array (pool, "options");

    for (gsize i = 0; options != nullptr && i < g_variant_n_children (options); i++) {
      g_autoptr (GVariant) row = json_item (options, i);

      if (g_strcmp0 (json_get_string (row, "key"), key) == 0 && json_get_string (row, member) != nullptr)
        return json_get_string (row, member);
    }
    return "";
  }

  GVariant *json_ = nullptr;
};

/* The problems of KEYFILE, as a program is told them: nothing is opened. */
std::string
problems_of (const std::string &keyfile)
{
  g_autoptr (GError) error = nullptr;
  g_autoptr (CenoteConfig) config = cenote_config_new_from_data (keyfile.c_str (), -1, &error);

  if (config != nullptr)
    cenote_runtime_unref (cenote_runtime_new (config, &error));
  if (error == nullptr)
    return "";
  EXPECT_EQ (error->domain, CENOTE_ERROR);
  EXPECT_EQ (error->code, CENOTE_ERROR_CONFIG);
  return error->message;
}

/* Sets a variable of the environment until it goes. */
class Variable {
public:
  Variable (const char *name, const char *value) : name_ (name) { g_setenv (name, value, TRUE); }
  ~Variable () { g_unsetenv (name_); }

private:
  const char *name_;
};

#define EXPECT_SAYS(text, part) EXPECT_NE ((text).find (part), std::string::npos) << (text)

/* ---------------------------------------------------------------- profiles */

/* local: localhost, port 9090, 3 channels, no TLS. */
TEST (SeedA2, C2_Config_Local)
{
  Explained local ("[pool:test]\nprofile=local\n");

  EXPECT_EQ (local.problems, "");
  EXPECT_EQ (local.target (), "dns:///localhost:9090");
  EXPECT_EQ (local.value ("size"), "3");
  EXPECT_EQ (local.source ("size"), "profile");
  EXPECT_EQ (local.value ("transport"), "insecure");
  Explained other ("[pool:test]\nprofile=local\ntarget=otherhost:50051\nsize=7\n");
  EXPECT_EQ (other.target (), "dns:///otherhost:50051");
  EXPECT_EQ (other.value ("size"), "7") << "the file is above the profile";
}

/* production: the host required, port 443, TLS, 5 channels. */
TEST (SeedA2, C2_Config_Production)
{
  Folder folder;
  Explained production ("[pool:test]\ntarget=users.example.com\n[transport:tls]\nca-file=" +
                        folder.write ("ca.pem", one_authority) + "\n");

  if (production.problems.find ("no transport plugin 'tls'") != std::string::npos)
    GTEST_SKIP () << "built without transport tls";
  EXPECT_EQ (production.problems, "");
  EXPECT_EQ (production.value ("profile"), "production");
  EXPECT_EQ (production.target (), "dns:///users.example.com:443");
  EXPECT_EQ (production.value ("transport"), "tls");
  EXPECT_EQ (production.value ("size"), "5");
}

TEST (SeedA2, C2_Config_Test)
{
  Explained test ("[pool:test]\nprofile=test\ntarget=localhost:1\n");

  EXPECT_EQ (test.value ("size"), "1");
  EXPECT_EQ (test.value ("transport"), "insecure");
}

/* There a missing port failed too, also in its own examples; here it has a default where TLS has one. */
TEST (SeedA2, C2_Config_ProductionWithoutAHostIsAnError)
{
  EXPECT_SAYS (problems_of ("[pool:test]\n"), "[pool:test] target: missing");
  EXPECT_SAYS (problems_of ("[pool:test]\nprofile=production\n"), "[pool:test] target: missing");
  EXPECT_SAYS (problems_of ("[pool:test]\nprofile=test\n"), "[pool:test] target: missing");
  EXPECT_SAYS (problems_of ("[pool:test]\nprofile=test\ntarget=localhost\n"), "names no port");
  EXPECT_SAYS (problems_of ("[pool:test]\nprofile=test\ntarget=:1\n"), "has no host");
  EXPECT_SAYS (problems_of ("[pool:test]\nprofile=test\ntarget=\n"), "target:");
}

/* There production without ssl was plaintext, and nobody was told. */
TEST (SeedA2, Reading_ProductionIsNeverPlaintext)
{
  EXPECT_SAYS (problems_of ("[pool:test]\ntarget=h\nprofile=production\ntransport=insecure\n"),
               "[pool:test] transport: contradicts profile=production, which is TLS");
  EXPECT_SAYS (
    problems_of ("[pool:test]\ntarget=h\nprofile=production\ntransport=mine\n[transport:mine]\nplugin=insecure\n"),
    "[pool:test] transport: contradicts profile=production");
  Explained unsaid ("[pool:test]\ntarget=users.example.com\n");
  EXPECT_TRUE (unsaid.value ("transport") == "tls" || unsaid.problems.find ("transport 'tls'") != std::string::npos ||
               unsaid.problems.find ("transport plugin 'tls'") != std::string::npos)
    << "never another than tls: " << unsaid.value ("transport") << unsaid.problems;
}

/* ------------------------------------------------------------- environment */

TEST (SeedA2, C2_Config_FromTheEnvironment)
{
  const char *keyfile = "[pool:test]\nprofile=local\ntarget=${SEED_HOST}:${SEED_PORT:-4711}\nsize=${SEED_SIZE:-2}\n";
  Variable host ("SEED_HOST", "from-the-environment");
  Explained defaults (keyfile);

  EXPECT_EQ (defaults.problems, "");
  EXPECT_EQ (defaults.target (), "dns:///from-the-environment:4711");
  EXPECT_EQ (defaults.value ("size"), "2");
  Variable port ("SEED_PORT", "50051"), size ("SEED_SIZE", "12");
  Explained set (keyfile);
  EXPECT_EQ (set.target (), "dns:///from-the-environment:50051");
  EXPECT_EQ (set.value ("size"), "12");
}

/* Its from_env told of an absent environment that a host is required, and of what is no list. */
TEST (SeedA2, C2_Config_TheEnvironmentIsCheckedToo)
{
  EXPECT_SAYS (problems_of ("[pool:test]\nprofile=local\ntarget=${SEED_ABSENT}:1\n"), "SEED_ABSENT");
  Variable size ("SEED_SIZE", "many");
  EXPECT_SAYS (problems_of ("[pool:test]\nprofile=local\nsize=${SEED_SIZE}\n"), "[pool:test] size: ");
}

TEST (SeedA2, C2_Config_AServerThatTheEnvironmentNames)
{
  EchoServer server;
  ASSERT_TRUE (server.start ());
  Variable port ("SEED_PORT", std::to_string (server.port ()).c_str ());
  Client client ("[cenote]\ntelemetry=\n[pool:test]\nprofile=local\ntarget=127.0.0.1:${SEED_PORT}\n",
                 CENOTE_EVENT_MASK_ALL);

  ASSERT_TRUE (await_whole (&client, 3));
  EXPECT_EQ (call_once (&client), GRPC_STATUS_OK);
}

/* -------------------------------------------------------------------- keys */

/* Its old shape: host, port, size 10, keepalive 60000. */
TEST (SeedA2, C2_Config_HostPortSizeAndKeepalive)
{
  Explained old ("[pool:test]\nprofile=test\ntarget=grpc.example.com:8443\nsize=10\nkeepalive-time=60s\n");

  EXPECT_EQ (old.problems, "");
  EXPECT_EQ (old.target (), "dns:///grpc.example.com:8443");
  EXPECT_EQ (old.value ("size"), "10");
  EXPECT_EQ (old.value ("keepalive-time"), "1min");
}

/* There production() and local() took any key and heeded two. */
TEST (SeedA2, Reading_NoKeyIsSilentlyIgnored)
{
  EXPECT_SAYS (problems_of ("[pool:test]\nprofile=local\npool-size=5\n"), "[pool:test] pool-size: ");
  EXPECT_SAYS (problems_of ("[pool:test]\nprofile=local\nretry-config=3\n"), "[pool:test] retry-config: ");
  EXPECT_SAYS (problems_of ("[pool:test]\nprofile=staging\ntarget=h:1\n"), "[pool:test] profile: ");
  EXPECT_SAYS (problems_of ("[pool:test]\nprofile=local\nbackoff=quick\n[backoff:quick]\nplugin=exponential\nmin=1s\n"),
               "[backoff:quick] min: ");
  EXPECT_SAYS (problems_of ("[pool:test]\nprofile=local\nstrategy=random\n"), "[pool:test] strategy: ");
}

/* retry_config's max_attempts was parsed and never read; five failures killed the worker. */
TEST (SeedA2, Reading_AttemptsAreLimitedOnlyWhereAskedFor)
{
  EchoServer server;
  Client client (server.port (), "size=3\nbackoff=quick\nmax-connect-attempts=3\n");
  g_autoptr (GError) error = nullptr;

  EXPECT_FALSE (cenote_pool_connect (client.pool, 30000, &error));
  EXPECT_TRUE (g_error_matches (error, CENOTE_ERROR, CENOTE_ERROR_NOT_CONNECTED)) << error->message;
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED, 3));
  EXPECT_EQ (client.events.of (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED).size (), 3u);
  EXPECT_EQ (client.status ()->n_channels, 3u) << "they rest, and are there";
  ASSERT_TRUE (server.start ());
  ASSERT_TRUE (connect_all (&client, 3));
}

/* ------------------------------------------------------------- pools and their names */

TEST (SeedA2, C2_Pool_StartStatusStop)
{
  Port nobody;
  Client client (nobody.number (), "size=2\nbackoff=quick\n");
  auto status = client.status ();
  g_autoptr (GError) error = nullptr;
  CenoteLease lease;

  EXPECT_STREQ (status->name, "test");
  EXPECT_EQ (status->expected_size, 2);
  EXPECT_EQ (status->state, CENOTE_POOL_DOWN);
  EXPECT_FALSE (cenote_pool_get_channel (client.pool, &lease, &error));
  EXPECT_TRUE (g_error_matches (error, CENOTE_ERROR, CENOTE_ERROR_NOT_CONNECTED));
  cenote_pool_stop (client.pool);
  cenote_pool_stop (client.pool);
  EXPECT_EQ (client.status ()->state, CENOTE_POOL_STOPPED);
}

/* There an unknown pool raised, or was {error: :pool_not_found}, or was fine. */
TEST (SeedA2, A2_AnUnknownPoolIsNotFound)
{
  Port nobody;
  Client client (nobody.number ());
  g_autoptr (GError) error = nullptr;

  EXPECT_EQ (cenote_runtime_get_pool (client.runtime, "absent", &error), nullptr);
  EXPECT_TRUE (g_error_matches (error, CENOTE_ERROR, CENOTE_ERROR_NOT_FOUND));
  EXPECT_SAYS (std::string (error->message), "absent");
  EXPECT_SAYS (std::string (error->message), "test");
}

TEST (SeedA2, A2_AwaitReadyIsContentWithOneChannel)
{
  EchoServer server;
  ASSERT_TRUE (server.start ());
  Client client (server.port (), "size=50\nmax-concurrent-dials=1\nbackoff=quick\n");

  client.connect ();
  EXPECT_TRUE (cenote_pool_await_ready (client.pool, 30000, nullptr));
  EXPECT_TRUE (client.gets ());
  EXPECT_TRUE (cenote_pool_await_ready (client.pool, 0, nullptr)) << "and does not wait where one is there";
}

TEST (SeedA2, A2_AwaitReadyTimesOut)
{
  Port nobody;
  Client client (nobody.number (), "size=2\nbackoff=quick\n");
  g_autoptr (GError) error = nullptr;

  client.connect ();
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED, 1));
  EXPECT_FALSE (cenote_pool_await_ready (client.pool, 50, &error));
  EXPECT_TRUE (g_error_matches (error, CENOTE_ERROR, CENOTE_ERROR_TIMEOUT)) << error->message;
  EXPECT_SAYS (std::string (error->message), "Connection refused");
}

} // namespace
