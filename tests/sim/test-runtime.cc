/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runtime: what only real threads show: the same pools, run by a runtime of its
 * own threads over the mock transport, while callers do what they like.
 */
#include <cenote/cenote.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

extern "C" {
#include "core/registry/registry.h"

const CenotePlugin *static_persistent (uint32_t host_abi);
const CenotePlugin *static_p2c (uint32_t host_abi);
const CenotePlugin *static_round_robin (uint32_t host_abi);
const CenotePlugin *static_constant (uint32_t host_abi);
const CenotePlugin *static_exponential (uint32_t host_abi);
const CenotePlugin *static_mock (uint32_t host_abi);
}

#include "tests/unit/log-capture.h"

namespace {

/* One that cannot be made: its pool fails alone, or with it the start. */
void *
refuse (const CenoteHost *host, const CenoteOptions *, CenoteFault *fault)
{
  host->fail (host, fault, "no state today");
  return nullptr;
}

int64_t
next (void *)
{
  return 0;
}

const CenoteBackoffOps broken_ops = { sizeof broken_ops, 0, refuse, next, nullptr, nullptr };

CenotePlugin
describe_broken ()
{
  CenotePlugin plugin = *static_constant (0);

  plugin.name = "broken";
  plugin.options = nullptr;
  plugin.n_options = 0;
  plugin.ops = &broken_ops;
  return plugin;
}

const CenotePlugin broken = describe_broken ();

/* A mock that asks its host for all that it may, to its last moment. */
std::atomic<int> n_asked;
const CenoteHost *asked;

const CenoteTransportOps &
mock_ops ()
{
  return *static_cast<const CenoteTransportOps *> (static_mock (0)->ops);
}

void
ask ()
{
  CenoteEvent event = CENOTE_EVENT_INIT (CENOTE_EVENT_CHANNEL_STATE);

  EXPECT_GT (asked->now_us (asked), 0);
  (void) asked->random (asked);
  asked->emit (asked, &event);
  asked->log (asked, CENOTE_LOG_DEBUG, "asked");
  n_asked++;
}

void *
create_asking (const CenoteHost *host, const CenoteOptions *options, CenoteFault *fault)
{
  asked = host;
  return mock_ops ().create (host, options, fault);
}

void
close_asking (void *state, struct grpc_channel *channel)
{
  ask ();
  mock_ops ().close_channel (state, channel);
}

void
destroy_asking (void *state)
{
  ask ();
  mock_ops ().destroy (state);
}

CenotePlugin
describe_asking ()
{
  static CenoteTransportOps ops = mock_ops ();
  CenotePlugin plugin = *static_mock (0);

  ops.create = create_asking;
  ops.close_channel = close_asking;
  ops.destroy = destroy_asking;
  plugin.name = "asking";
  plugin.ops = &ops;
  return plugin;
}

const CenotePlugin asking = describe_asking ();

class RuntimeTest : public testing::Test
{
protected:
  CenoteRegistry *registry = nullptr;
  CenoteRuntime *runtime = nullptr;
  CenotePool *pool = nullptr;

  void
  SetUp () override
  {
    registry = registry_new_with (nullptr, nullptr);
    for (const CenotePlugin *plugin : { static_persistent (0), static_p2c (0), static_round_robin (0),
                                        static_constant (0), static_exponential (0), static_mock (0), &broken, &asking })
      ASSERT_TRUE (cenote_registry_add_static (registry, plugin, nullptr));
  }

  void
  TearDown () override
  {
    cenote_pool_unref (pool);
    cenote_runtime_unref (runtime);
    cenote_registry_unref (registry);
  }

  CenoteRuntime *
  start (const std::string &text, GError **error = nullptr)
  {
    std::string keyfile = "[cenote]\ntelemetry=\n" + text;
    g_autoptr (CenoteConfig) config = cenote_config_new_from_data (keyfile.c_str (), -1, error);

    return config == nullptr ? nullptr : cenote_runtime_new_full (config, registry, error);
  }

  /* The pool `p` of KEYS, over a mock of SCRIPT. */
  void
  open (const std::string &keys, const std::string &script, const char *plugin = "mock")
  {
    g_autoptr (GError) error = nullptr;

    runtime = start (
      std::string ("[transport:mocked]\nplugin=") + plugin + "\ncycle=yes\nscript=" + script +
        "\n[backoff:quick]\nplugin=constant\ndelay=2ms\n[pool:p]\ntarget=sim:a\ntransport=mocked\nbackoff=quick\n" +
        keys,
      &error);
    ASSERT_NE (runtime, nullptr) << error->message;
    pool = cenote_runtime_get_pool (runtime, "p", &error);
    ASSERT_NE (pool, nullptr) << error->message;
  }

  void
  close ()
  {
    cenote_runtime_unref (runtime);
    runtime = nullptr;
  }

  const char *
  state ()
  {
    g_autoptr (CenotePoolStatus) status = cenote_pool_get_status (pool);

    return cenote_pool_state_to_string (status->state);
  }

  static void
  together (int n, const std::function<void (int)> &body)
  {
    std::vector<std::thread> threads;

    for (int i = 0; i < n; i++)
      threads.emplace_back (body, i);
    for (std::thread &thread : threads)
      thread.join ();
  }
};

TEST_F (RuntimeTest, WhoeverIsToldThatAPoolIsReadyCanGet)
{
  for (int i = 0; i < 50; i++) {
    open ("size=3", "ok after 1ms");
    together (3, [&] (int) {
      CenoteLease lease = CENOTE_LEASE_INIT;

      EXPECT_TRUE (cenote_pool_await_ready (pool, G_MAXINT64, nullptr));
      EXPECT_TRUE (cenote_pool_get_channel (pool, &lease, nullptr));
      cenote_lease_release (&lease);
    });
    close ();
    cenote_pool_unref (pool);
    pool = nullptr;
  }
}

/* Replaced again and again, a pool of one always has its channel. */
TEST_F (RuntimeTest, NoGetFailsWhileAChannelIsReplaced)
{
  std::atomic<bool> over{ false };
  std::atomic<guint64> n_gets{ 0 }, n_misses{ 0 };

  open ("size=1", "ok");
  ASSERT_TRUE (cenote_pool_await_ready (pool, G_MAXINT64, nullptr));
  std::thread caller ([&] {
    while (!over) {
      CenoteLease lease = CENOTE_LEASE_INIT;

      n_misses += !cenote_pool_get_channel (pool, &lease, nullptr);
      cenote_lease_release (&lease);
      n_gets++;
    }
  });
  for (int i = 0; i < 200; i++) {
    g_autoptr (CenotePoolStatus) status = nullptr;
    guint64 before = n_gets;

    cenote_pool_reconnect (pool);
    do {
      g_clear_pointer (&status, cenote_pool_status_free);
      status = cenote_pool_get_status (pool);
    } while (status->n_channels != 1 || status->channels[0]->id < (guint64) i + 2 || n_gets == before);
  }
  over = true;
  caller.join ();
  EXPECT_EQ (n_misses, 0u);
  EXPECT_GT (n_gets, 200u);
}

/* Connections come and go, callers wait, take and release on threads of their own. */
TEST_F (RuntimeTest, CallersThatWaitAreServedThroughLosses)
{
  open ("size=4", "ok for 3ms: went away;fail after 1ms: refused;ok for 1ms;ok after 1ms for 10ms");
  together (4, [&] (int i) {
    for (int k = 0; k < 200; k++) {
      CenoteLease lease = CENOTE_LEASE_INIT;
      g_autoptr (GError) error = nullptr;

      EXPECT_TRUE (cenote_pool_acquire (pool, 60000, &lease, &error)) << error->message;
      if (i == 0 && k % 20 == 0)
        cenote_pool_resize (pool, 1 + k % 7, nullptr);
      cenote_lease_release_with_status (&lease, k % 3);
    }
  });
  g_autoptr (CenotePoolStatus) status = cenote_pool_get_status (pool);
  EXPECT_EQ (status->in_flight, 0);
  EXPECT_EQ (status->waiters, 0);
}

TEST_F (RuntimeTest, LeasesOutliveTheRuntimeAndEndOnAnyThread)
{
  LogCapture log;

  for (int i = 0; i < 20; i++) {
    std::vector<CenoteLease> leases (8, CenoteLease CENOTE_LEASE_INIT);

    open ("size=2\ndrain-timeout=0", "ok for 1h");
    for (CenoteLease &lease : leases)
      ASSERT_TRUE (cenote_pool_acquire (pool, G_MAXINT64, &lease, nullptr));
    close ();
    EXPECT_STREQ (state (), "stopped");
    cenote_pool_unref (pool);
    pool = nullptr;
    together (8, [&] (int k) { cenote_lease_release (&leases[k]); });
  }
}

TEST_F (RuntimeTest, ATransportHasItsHostTillItsEnd)
{
  LogCapture log;
  CenoteLease lease = CENOTE_LEASE_INIT;

  open ("size=1\ndrain-timeout=0", "ok for 1h", "asking");
  ASSERT_TRUE (cenote_pool_acquire (pool, G_MAXINT64, &lease, nullptr));
  close ();
  cenote_pool_unref (pool);
  pool = nullptr;
  n_asked = 0;
  cenote_lease_release (&lease);
  EXPECT_EQ (n_asked, 2) << "close_channel and destroy";
}

TEST_F (RuntimeTest, ACallMayComeAtAnyMomentOfTheStop)
{
  for (int i = 0; i < 20; i++) {
    std::atomic<int> n_ready{ 0 };

    open ("size=3\ndrain-timeout=1s", "ok for 2ms");
    std::thread stopper ([&] {
      while (n_ready < 3)
        std::this_thread::yield ();
      close ();
    });
    together (3, [&] (int k) {
      gboolean goes_on = TRUE;

      while (goes_on) {
        CenoteLease lease = CENOTE_LEASE_INIT;
        g_autoptr (GError) error = nullptr;

        if (k == 0)
          goes_on = cenote_pool_resize (pool, 3, &error) > 0;
        else
          goes_on =
            cenote_pool_acquire (pool, k == 1 ? 0 : 60000, &lease, &error) || error->code != CENOTE_ERROR_STOPPED;
        cenote_lease_release (&lease);
        n_ready++;
      }
    });
    stopper.join ();
    EXPECT_FALSE (cenote_pool_await_ready (pool, 0, nullptr));
    cenote_pool_unref (pool);
    pool = nullptr;
  }
}

TEST_F (RuntimeTest, AMockMayComeAndGoUnderItsCallers)
{
  static char channel;
  static std::atomic<int> n_notified;
  std::atomic<bool> over{ false };

  n_notified = 0;
  open ("size=2", "ok");
  ASSERT_TRUE (cenote_pool_await_ready (pool, G_MAXINT64, nullptr));
  std::thread changer ([&] {
    for (int i = 0; i < 100; i++) {
      cenote_pool_set_mock (
        pool,
        [] (CenotePool *, CenoteLease *out_lease, gpointer, GError **) -> gboolean {
          out_lease->channel = reinterpret_cast<grpc_channel *> (&channel);
          return TRUE;
        },
        nullptr, [] (gpointer) { n_notified++; });
      cenote_pool_set_mock (pool, nullptr, nullptr, nullptr);
    }
    over = true;
  });
  together (2, [&] (int) {
    while (!over) {
      CenoteLease lease = CENOTE_LEASE_INIT;

      EXPECT_TRUE (cenote_pool_acquire (pool, 60000, &lease, nullptr));
      cenote_lease_release (&lease);
    }
  });
  changer.join ();
  EXPECT_EQ (n_notified, 100);
}

/* ------------------------------------------------------------- failed pools */

const char broken_and_good[] =
  "[pool:bad]\ntarget=sim:a\ntransport=mock\nbackoff=broken\ncritical=no\ndrain-timeout=0\n"
  "[pool:good]\ntarget=sim:b\ntransport=mock\nbackoff=constant\nsize=2\ndrain-timeout=0\n";

TEST_F (RuntimeTest, APoolThatIsNotCriticalFailsAlone)
{
  g_autoptr (GError) error = nullptr;
  CenoteLease lease = CENOTE_LEASE_INIT;
  CenotePool *good;

  runtime = start (broken_and_good, &error);
  ASSERT_NE (runtime, nullptr) << error->message;
  pool = cenote_runtime_get_pool (runtime, "bad", nullptr);
  EXPECT_FALSE (cenote_pool_get_channel (pool, &lease, &error));
  EXPECT_NE (std::string (error->message).find ("no state today"), std::string::npos) << error->message;
  g_clear_error (&error);
  EXPECT_FALSE (cenote_pool_connect (pool, 0, &error));
  EXPECT_NE (std::string (error->message).find ("no state today"), std::string::npos) << error->message;
  EXPECT_EQ (cenote_pool_resize (pool, 3, nullptr), -1);
  cenote_pool_reconnect (pool);
  cenote_pool_disconnect (pool);
  good = cenote_runtime_get_pool (runtime, "good", nullptr);
  EXPECT_TRUE (cenote_pool_await_ready (good, G_MAXINT64, nullptr));
  cenote_pool_unref (good);
}

/* The failed one must not be taken for one of those that the stop waits for. */
TEST_F (RuntimeTest, TheOthersAreStoppedInFull)
{
  LogCapture log;
  CenoteLease lease = CENOTE_LEASE_INIT;

  runtime = start (broken_and_good);
  ASSERT_NE (runtime, nullptr);
  pool = cenote_runtime_get_pool (runtime, "good", nullptr);
  ASSERT_TRUE (cenote_pool_acquire (pool, G_MAXINT64, &lease, nullptr));
  close ();
  cenote_lease_release (&lease);
}

TEST_F (RuntimeTest, ACriticalOneFailsTheStart)
{
  g_autoptr (GError) error = nullptr;

  EXPECT_EQ (
    start ("[pool:good]\ntarget=sim:b\ntransport=mock\n[pool:bad]\ntarget=sim:a\ntransport=mock\nbackoff=broken\n",
           &error),
    nullptr);
  ASSERT_NE (error, nullptr);
  EXPECT_NE (std::string (error->message).find ("Pool bad: backoff/broken"), std::string::npos) << error->message;
}

TEST_F (RuntimeTest, FailFastFailsWithTheConnectionsError)
{
  g_autoptr (GError) error = nullptr;

  EXPECT_EQ (start ("[transport:mocked]\nplugin=mock\nscript=fail: refused\n"
                    "[pool:p]\ntarget=sim:a\ntransport=mocked\ninitialization=fail-fast\nconnect-timeout=100ms\n",
                    &error),
             nullptr);
  ASSERT_NE (error, nullptr);
  EXPECT_TRUE (g_error_matches (error, CENOTE_ERROR, CENOTE_ERROR_NOT_CONNECTED));
  EXPECT_NE (std::string (error->message).find ("refused"), std::string::npos) << error->message;
}

TEST_F (RuntimeTest, FailFastNeedsOneChannelOnly)
{
  open ("size=5\ninitialization=fail-fast", "ok after 1ms");
  EXPECT_TRUE (cenote_pool_is_connected (pool));
}

} // namespace
