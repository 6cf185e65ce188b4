// SPDX-License-Identifier: Apache-2.0
// The promise of <cenote/plugin.h>: what was built with the header of ABI 1.0, or will be with a later
// one, loads and works, whichever table is the longer; another major is refused.
#include <cenote/cenote.h>
#include <grpc/grpc.h>

#include "tools/conformance/conformance.h"
#include "tests/unit/log-capture.h"
#include "tests/unit/plugin-files.h"

namespace {

std::string
test_plugins ()
{
  const char *directory = g_getenv ("CENOTE_TEST_PLUGINS");

  return directory ? directory : "";
}

Plugin *
load (CenotePluginKind kind, const char *name, GError **error)
{
  g_autoptr (CenoteRegistry) registry = registry_of (test_plugins ());

  return registry_get (registry, kind, name, error);
}

Plugin *
load (CenotePluginKind kind, const char *name)
{
  g_autoptr (GError) error = nullptr;
  Plugin *plugin = load (kind, name, &error);

  EXPECT_NE (plugin, nullptr) << error->message;
  return plugin;
}

void
expect_kept (gpointer, const ConformanceCheck *check, ConformanceVerdict, const char *problem)
{
  EXPECT_STREQ (problem, nullptr) << check->name;
}

// ------------------------------------------------------------- another major

TEST (Elder, OfAnotherMajorIsRefused)
{
  g_autoptr (GError) error = nullptr;
  g_autoptr (Plugin) plugin = load (CENOTE_PLUGIN_BACKOFF, "elder", &error);

  EXPECT_REFUSED (plugin, error, CENOTE_ERROR_PLUGIN, "backoff-elder.so", "ABI major 0, expected 1");
}

// ------------------------------------------------------------------- ABI 1.0

class First : public ::testing::TestWithParam<CenotePluginKind>
{
protected:
  First () { grpc_init (); }
  ~First () override { grpc_shutdown (); }

  LogCapture log_;
};

TEST_P (First, LoadsAsWhatItWasBuiltAs)
{
  g_autoptr (Plugin) plugin = load (GetParam (), "v1-0");

  ASSERT_NE (plugin, nullptr);
  EXPECT_EQ (plugin->abi_major, 1u);
  EXPECT_EQ (plugin->abi_minor, 0u);
  EXPECT_LE (plugin->abi_minor, CENOTE_ABI_MINOR);
}

TEST_P (First, KeepsThePromisesOfItsKind)
{
  g_autoptr (Plugin) plugin = load (GetParam (), "v1-0");

  ASSERT_NE (plugin, nullptr);
  EXPECT_EQ (conformance_run (plugin, nullptr, expect_kept, nullptr), 0u);
}

INSTANTIATE_TEST_SUITE_P (OfEachKind, First,
                          ::testing::Values (CENOTE_PLUGIN_BACKOFF, CENOTE_PLUGIN_CONNECTOR, CENOTE_PLUGIN_PICKER,
                                             CENOTE_PLUGIN_TRANSPORT, CENOTE_PLUGIN_TELEMETRY),
                          [] (const auto &kind) { return std::string (cenote_plugin_kind_to_string (kind.param)); });

// One pool, and nothing in it that is younger than ABI 1.0: the first attempt fails, the next ones do not.
TEST (FirstOfAllKinds, MakeAPoolThatServes)
{
  LogCapture log;
  std::string keyfile = "[cenote]\nplugin-path=" + test_plugins () +
                        "\ntelemetry=v1-0\n"
                        "[pool:old]\nprofile=custom\ntarget=ipv4:127.0.0.1:1\nsize=3\n"
                        "transport=v1-0\nconnector=v1-0\npicker=v1-0\nbackoff=v1-0\n";
  g_autoptr (GError) error = nullptr;
  g_autoptr (CenoteConfig) config = cenote_config_new_from_data (keyfile.data (), -1, &error);
  ASSERT_NE (config, nullptr) << error->message;
  g_autoptr (CenoteRuntime) runtime = cenote_runtime_new (config, &error);
  ASSERT_NE (runtime, nullptr) << error->message;
  g_autoptr (CenotePool) pool = cenote_runtime_get_pool (runtime, "old", &error);
  ASSERT_NE (pool, nullptr) << error->message;
  CenoteLease lease = CENOTE_LEASE_INIT;

  ASSERT_TRUE (cenote_pool_acquire (pool, 60000, &lease, &error)) << error->message;
  EXPECT_NE (lease.channel, nullptr);
  cenote_lease_release (&lease);
  EXPECT_EQ (cenote_pool_resize (pool, 1, &error), 1);
  cenote_runtime_stop (runtime);
  EXPECT_EQ (log.count ("telemetry/v1-0: old"), 1u) << "it was told of the pool";
  EXPECT_EQ (log.count ("telemetry/v1-0: failures: 1, metrics of pools: some"), 1u);
}

// ------------------------------------------------------------ shorter, longer

int64_t
next_seven (void *)
{
  return 7;
}

// The operations end before reset and destroy: those are defaults.
TEST (Shorter, HasDefaultsForTheSlotsItLacks)
{
  CenoteBackoffOps ops {};
  g_autoptr (GError) error = nullptr;

  ops.struct_size = offsetof (CenoteBackoffOps, reset);
  ops.create = [] (const CenoteHost *, const CenoteOptions *, CenoteFault *) -> void * { static char token; return &token; };
  ops.next = next_seven;
  ops.reset = [] (void *) { FAIL () << "it lies beyond the table's end"; };
  ops.destroy = ops.reset;
  CenotePlugin descriptor = cenote_plugin (&ops, "shorter", "1", "Has a short table", "Apache-2.0");
  g_autoptr (Plugin) plugin = plugin_new (&descriptor, CENOTE_PLUGIN_BACKOFF, "shorter", &error);
  ASSERT_NE (plugin, nullptr) << error->message;

  EXPECT_EQ (plugin->slots_filled, 3u);
  EXPECT_EQ (plugin->ops.backoff.next (nullptr), 7);
  plugin->ops.backoff.reset (nullptr);
  plugin->ops.backoff.destroy (nullptr);
}

TEST (Newer, OfALaterMinorLoadsAndWorks)
{
  g_autoptr (Plugin) plugin = load (CENOTE_PLUGIN_BACKOFF, "newer");
  g_autoptr (GError) error = nullptr;

  ASSERT_NE (plugin, nullptr);
  EXPECT_EQ (plugin->abi_minor, 99u);
  EXPECT_EQ (plugin->ops.backoff.struct_size, sizeof (CenoteBackoffOps));
  EXPECT_EQ (plugin->options.n_rows, 2u);
  g_autoptr (Fixture) fixture = fixture_new (plugin, nullptr, nullptr);
  ASSERT_TRUE (fixture_create (fixture, &error)) << error->message;
  EXPECT_EQ (fixture->values[0].number, 7000);
  EXPECT_FALSE (fixture->values[1].is_set) << "a value of a type that is not known";
  EXPECT_EQ (plugin->ops.backoff.next (fixture->state), 7000);
}

TEST (Newer, KeepsThePromisesOfItsKind)
{
  g_autoptr (Plugin) plugin = load (CENOTE_PLUGIN_BACKOFF, "newer");

  ASSERT_NE (plugin, nullptr);
  EXPECT_EQ (conformance_run (plugin, nullptr, expect_kept, nullptr), 0u);
}

// A plugin looks at the host's size before it uses what it might not have.
TEST (Host, ThatIsShorterIsAskedForNoMoreThanItHas)
{
  g_autoptr (Plugin) plugin = load (CENOTE_PLUGIN_BACKOFF, "v1-0");
  g_autoptr (GError) error = nullptr;

  ASSERT_NE (plugin, nullptr);
  g_autoptr (Fixture) fixture = fixture_new (plugin, nullptr, nullptr);
  fixture->host->struct_size = offsetof (CenoteHost, call_async);
  EXPECT_FALSE (fixture_create (fixture, &error));
  EXPECT_TRUE (contains (error->message, "the host's table is shorter than that of ABI 1.0"));
}

TEST (Host, ThatIsLongerIsTaken)
{
  g_autoptr (Plugin) plugin = load (CENOTE_PLUGIN_BACKOFF, "v1-0");
  g_autoptr (GError) error = nullptr;

  ASSERT_NE (plugin, nullptr);
  g_autoptr (Fixture) fixture = fixture_new (plugin, nullptr, nullptr);
  fixture->host->struct_size += 8 * sizeof (void *);
  fixture->host->abi_minor = 99;
  ASSERT_TRUE (fixture_create (fixture, &error)) << error->message;
  EXPECT_EQ (plugin->ops.backoff.next (fixture->state), 1000);
}

} // namespace
