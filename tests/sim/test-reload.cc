/* SPDX-License-Identifier: Apache-2.0 */
/* reload: a pool that runs takes over what a new config says, or nothing of it. */
#include "sim-test.h"

namespace {

class ReloadTest : public SimTest
{
protected:
  void
  reload (const std::string &keys, const std::string &more = "")
  {
    g_autoptr (GError) error = nullptr;

    ASSERT_TRUE (sim_reload (sim, keyfile (keys, more).c_str (), &error)) << error->message;
  }

  std::string
  refusal (const std::string &text)
  {
    g_autoptr (GError) error = nullptr;

    EXPECT_FALSE (sim_reload (sim, text.c_str (), &error));
    if (error == nullptr)
      return "";
    EXPECT_TRUE (g_error_matches (error, CENOTE_ERROR, CENOTE_ERROR_CONFIG)) << error->message;
    return error->message;
  }

  void
  expect_refused (const std::string &keys, const std::string &what, const std::string &more = "")
  {
    std::string message = refusal (keyfile (keys, more));

    EXPECT_NE (message.find (what), std::string::npos) << message;
  }

  /* For SPAN_US one can be had at every millisecond. */
  void
  run_and_get (gint64 span_us)
  {
    for (gint64 end_us = now () + span_us; now () < end_us;) {
      run (SIM_MS);
      ASSERT_TRUE (can_get ());
    }
  }
};

TEST_F (ReloadTest, TheSameConfigChangesNothing)
{
  open ("size=3\n");
  run (SIM_S);
  events.clear ();
  reload ("size=3\n");
  run (10 * SIM_S);
  EXPECT_EQ (count (CENOTE_EVENT_POOL_RELOAD), 0u);
  EXPECT_EQ (peer->n_accepted, 3u);
}

TEST_F (ReloadTest, TheSizeIsThatOfTheNewConfig)
{
  open ("size=2\n");
  run (SIM_S);
  reload ("size=5\n");
  run (SIM_S);
  EXPECT_EQ (current (), 5);
  EXPECT_EQ (last (CENOTE_EVENT_POOL_RELOAD)->event.ok, 1);
  EXPECT_EQ (last (CENOTE_EVENT_POOL_SCALE_UP)->event.new_size, 5);
  reload ("size=1\n");
  run (SIM_S);
  EXPECT_EQ (current (), 1);
  EXPECT_EQ (peer->n_up, 1u);
}

/* It is the config that has not changed in it. */
TEST_F (ReloadTest, WhatAVerbDidStays)
{
  open ("size=2\n");
  run (SIM_S);
  EXPECT_EQ (cenote_pool_resize (pool, 4, nullptr), 4);
  reload ("size=2\nmax-waiters=7\n");
  run (SIM_S);
  EXPECT_EQ (current (), 4);
}

TEST_F (ReloadTest, ATimeoutIsThatOfTheNewConfigForWhoComesNext)
{
  open ("size=1\nacquire-timeout=10s\n");
  peer_always (peer, PEER_REFUSES, SIM_MS, 0, "refused");
  run (SIM_S);
  Acquire &before = acquire (-1);
  reload ("size=1\nacquire-timeout=1s\n");
  Acquire &after = acquire (-1);
  run (1100 * SIM_MS);
  EXPECT_EQ (after.code, CENOTE_ERROR_TIMEOUT);
  EXPECT_FALSE (before.answered);
  run (9 * SIM_S);
  EXPECT_EQ (before.code, CENOTE_ERROR_TIMEOUT);
}

TEST_F (ReloadTest, ConnectionsThatStandAreOfTheNewAge)
{
  open ("size=4\n");
  run (30 * SIM_S);
  reload ("size=4\nmax-connection-age=1min\nmax-connection-age-jitter=0\n");
  run_and_get (20 * SIM_S);
  EXPECT_EQ (peer->n_accepted, 4u);
  run_and_get (20 * SIM_S);
  EXPECT_EQ (peer->n_accepted, 8u);
  reload ("size=4\nmax-connection-age=off\n");
  run (600 * SIM_S);
  EXPECT_EQ (peer->n_accepted, 8u);
}

/* One that is too old already goes at once, in its turn. */
TEST_F (ReloadTest, ConnectionsPastTheNewAgeGoOneByOne)
{
  open ("size=4\n");
  run (100 * SIM_S);
  reload ("size=4\nmax-connection-age=1min\n");
  for (int i = 0; i < 1000; i++) {
    run (SIM_MS);
    ASSERT_TRUE (can_get ());
    ASSERT_LE (peer->n_up, 5u);
  }
  EXPECT_EQ (peer->n_accepted, 8u);
  EXPECT_EQ (current (), 4);
}

TEST_F (ReloadTest, WhatChannelsAreMadeWithReplacesThemMakeBeforeBreak)
{
  open ("size=3\n");
  run (SIM_S);
  CenoteLease lease = get ();
  reload ("size=3\nkeepalive-time=30s\nchannel-args=grpc.foo=1\n");
  run_and_get (SIM_S);
  EXPECT_EQ (peer->n_accepted, 6u);
  EXPECT_EQ (current (), 3);
  EXPECT_EQ (sim_counter (sim, COUNTER_REFRESHES_RELOAD), 3u);
  EXPECT_EQ (sim_counter (sim, COUNTER_DISCONNECTIONS), 0u);
  EXPECT_EQ (connection_of (lease.channel)->state, CONNECTION_UP);
  cenote_lease_release (&lease);
  run (SIM_S);
  EXPECT_EQ (last (CENOTE_EVENT_CHANNEL_DRAINED)->reason, "was replaced: the config has changed");
  EXPECT_EQ (peer->n_up, 3u);
}

TEST_F (ReloadTest, TheStatusIsToldAtTheNewTimes)
{
  open ("size=1\nstatus-interval=1h\n");
  run (SIM_S);
  events.clear ();
  reload ("size=1\nstatus-interval=1s\n");
  run (10500 * SIM_MS);
  EXPECT_EQ (count (CENOTE_EVENT_POOL_STATUS), 11u);
  events.clear ();
  reload ("size=1\nstatus-interval=off\n");
  run (60 * SIM_S);
  EXPECT_EQ (count (CENOTE_EVENT_POOL_STATUS), 0u);
}

TEST_F (ReloadTest, AnElasticPoolMovesBetweenItsNewBounds)
{
  open ("connector=elastic\nmin-channels=1\nmax-channels=10\n");
  run (SIM_S);
  EXPECT_EQ (current (), 1);
  reload ("connector=elastic\nmin-channels=3\nmax-channels=10\n");
  run (10 * SIM_S);
  EXPECT_EQ (current (), 3);
}

/* The address rests after the new number of attempts. */
TEST_F (ReloadTest, AttemptsEndByTheNewLimit)
{
  open ("size=1\n");
  peer_always (peer, PEER_REFUSES, SIM_MS, 0, "refused");
  run (10 * SIM_S);
  peer_forget_dials (peer);
  reload ("size=1\nmax-connect-attempts=3\n");
  run (10 * SIM_S);
  EXPECT_LE (peer_n_dials (peer), 3u);
}

/* ----------------------------------------------------------------- refusals */

TEST_F (ReloadTest, WhatCannotChangeIsNamedAndNothingChanges)
{
  open ("size=2\n");
  run (SIM_S);
  events.clear ();
  expect_refused ("target=sim:b\nsize=4\n", "[pool:p] target: another address cannot change while the pool runs");
  expect_refused ("size=4\npicker=round-robin\n", "[pool:p] picker: ");
  expect_refused ("size=4\nbackoff=exponential\n", "exponential in place of steady cannot change");
  expect_refused ("size=4\nmax-message-size=1MiB\n", "1MiB in place of 4MiB cannot change");
  expect_refused ("size=4\ndns-refresh=off\n", "[pool:p] dns-refresh: off in place of 30s cannot change");
  expect_refused ("size=4\nping-interval=1s\n", "[pool:p] ping-interval: 1s in place of off cannot change");
  expect_refused ("size=4\nhard-stream-limit=yes\n", "[pool:p] hard-stream-limit: ");
  expect_refused ("size=4\neject-after=1\n", "[pool:p] eject-after: 1 in place of 5 cannot change");
  run (SIM_S);
  EXPECT_EQ (current (), 2);
  EXPECT_EQ (peer->n_accepted, 2u);
}

TEST_F (ReloadTest, APluginWithOtherOptionsIsAnotherOne)
{
  open ("size=2\n");
  std::string text = keyfile ("size=2\n");
  text.replace (text.find ("delay=100ms"), strlen ("delay=100ms"), "delay=200ms");
  std::string message = refusal (text);
  EXPECT_NE (message.find ("[pool:p] backoff: the options of steady have changed, which cannot change"), std::string::npos)
    << message;
}

TEST_F (ReloadTest, PoolsAreNeitherAddedNorTakenAway)
{
  open ("size=2\n");
  expect_refused ("target=sim:a\nsize=2\n\n[pool:q]\ntransport=peers\ntargets=sim:q\n", "[pool:q]: is new");
  std::string text = keyfile ("size=2\n");
  text.replace (text.find ("[pool:p]"), strlen ("[pool:p]"), "[pool:r]");
  std::string message = refusal (text);
  EXPECT_NE (message.find ("[pool:p]: is gone"), std::string::npos) << message;
}

/* All faults at once, each with its line. */
TEST_F (ReloadTest, EveryFaultIsTold)
{
  open ("size=2\n");
  std::string message = refusal (keyfile ("picker=round-robin\nmax-message-size=1MiB\nhealth-check=grpc\nsize=3\n"));
  EXPECT_EQ (std::count (message.begin (), message.end (), '\n'), 2) << message;
  EXPECT_EQ (message.find ("(data):"), 0u) << message;
}

TEST_F (ReloadTest, ASecretIsNotShown)
{
  open ("size=2\nallow-plaintext-credentials=yes\napi-key=first-secret\n");
  std::string message = refusal (keyfile ("size=2\nallow-plaintext-credentials=yes\napi-key=second-secret\n"));
  EXPECT_NE (message.find ("other credentials"), std::string::npos) << message;
  EXPECT_EQ (message.find ("secret "), std::string::npos) << message;
  EXPECT_EQ (message.find ("-secret"), std::string::npos) << message;
}

}
