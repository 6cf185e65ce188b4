/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pool on a random walk: whatever its peers do and its callers call, what must
 * always be so is so after every step, and nothing is left at the end.
 *
 * CENOTE_TEST_SEED=N walks that one way again; CENOTE_TEST_SCALE says how many are walked.
 */
#include <gtest/gtest.h>

#include <algorithm>
#include <list>
#include <memory>
#include <string>
#include <vector>

extern "C" {
#include "sim.h"
}

#include "tests/scale.h"
#include "tests/unit/log-capture.h"

namespace {

constexpr int n_steps = 2000;

/* An acquire_async that the walk waits for. */
struct Wish {
  guint id = 0;
  bool answered = false;
  bool notified = false;
  bool cancelled = false;
  CenoteLease lease = CENOTE_LEASE_INIT;
  int n_answers = 0;

  static void
  answer (CenotePool *, CenoteLease *got, const GError *, gpointer data)
  {
    auto *self = static_cast<Wish *> (data);

    self->n_answers++;
    self->answered = true;
    if (got == nullptr)
      return;
    self->lease = *got;
    *got = CenoteLease CENOTE_LEASE_INIT;
  }

  static void
  notify (gpointer data)
  {
    static_cast<Wish *> (data)->notified = true;
  }
};

class Walk
{
public:
  explicit Walk (guint64 seed) : seed (seed)
  {
    g_autoptr (GError) error = nullptr;
    g_autofree char *keyfile = nullptr;

    luck = seed * 2 + 1;
    n_targets = 1 + pick (3);
    size = 1 + pick (20);
    max_dials = 1 + pick (6);
    budget = 1 + pick (8);
    keyfile = make_keyfile ();
    sim = sim_new (keyfile, seed, &error);
    g_assert_no_error (error);
    pool = sim_pool (sim, 0);
    for (guint i = 0; i < n_targets; i++)
      peers.push_back (peers_get (sim_peers (sim), ("sim:x" + std::to_string (i)).c_str ()));
    sim_start (sim);
  }

  /* FALSE: something that must be so is not; it is in `fault`. */
  bool
  go ()
  {
    for (step = 0; step < n_steps && fault.empty (); step++) {
      take_step ();
      look ();
    }
    if (fault.empty ())
      finish ();
    return fault.empty ();
  }

  std::string fault;

  std::string
  where () const
  {
    return "CENOTE_TEST_SEED=" + std::to_string (seed) + ", step " + std::to_string (step) + " (" + what + ")";
  }

  ~Walk ()
  {
    for (CenoteLease &lease : leases)
      cenote_lease_release (&lease);
    for (Wish &wish : wishes)
      cenote_lease_release (&wish.lease);
    sim_free (sim);
  }

private:
  guint64 seed;
  guint64 luck;
  Sim *sim;
  CenotePool *pool;
  std::vector<Peer *> peers;
  guint n_targets, size, max_dials, budget;
  int step = 0;
  std::string what;
  std::vector<CenoteLease> leases;
  gint64 leased_us = 0; /* when there were leases last */
  std::list<Wish> wishes;
  bool paused = false, mocked = false, stopped = false;

  /* ---------------------------------------------------------------- luck */

  guint
  pick (guint n)
  {
    luck = luck * G_GUINT64_CONSTANT (6364136223846793005) + G_GUINT64_CONSTANT (1442695040888963407);
    return static_cast<guint> ((luck >> 33) % n);
  }

  gint64
  pick_span ()
  {
    static const gint64 spans[] = {
      0, 0, 0, 100, SIM_MS, 5 * SIM_MS, 20 * SIM_MS, 100 * SIM_MS, 500 * SIM_MS, 3 * SIM_S
    };

    return spans[pick (G_N_ELEMENTS (spans))];
  }

  char *
  make_keyfile ()
  {
    static const char *const backoffs[] = { "schedule", "steady", "exponential" };
    static const char *const pickers[] = { "p2c", "round-robin" };
    static const char *const ages[] = { "off", "1s", "20s" };
    static const char *const primes[] = { "none", "headers", "health" };
    std::string targets;

    for (guint i = 0; i < n_targets; i++)
      targets += (i == 0 ? "sim:x" : ";sim:x") + std::to_string (i);
    return g_strdup_printf (
      "[cenote]\ntelemetry=\nmax-concurrent-dials=%u\n[backoff:steady]\nplugin=constant\ndelay=%ums\n"
      "[pool:p]\ntargets=%s\ntransport=peers\nbackoff=%s\nsize=%u\nmax-concurrent-dials=%u\n"
      "max-connect-attempts=%u\nconnect-timeout=%ums\nacquire-timeout=1s\nmax-waiters=20\ndrain-timeout=24h\n"
      "initialization=%s\npicker=%s\nmax-connection-age=%s\n"
      "prime=%s\nprime-tries=1\nprime-timeout=100ms\neject-after=%u\nejection-time=500ms\nmax-ejected=%u%%\n",
      budget, 1 + pick (300), targets.c_str (), backoffs[pick (3)], size, max_dials, pick (2) * pick (6),
      100 + pick (400), pick (10) == 0 ? "manual" : "eager", pickers[pick (2)], ages[pick (3)],
      primes[pick (3)], pick (4), pick (101));
  }

  /* --------------------------------------------------------------- steps */

  Peer *
  any_peer ()
  {
    return peers[pick (n_targets)];
  }

  void
  get ()
  {
    CenoteLease lease = CENOTE_LEASE_INIT;

    what = "get";
    if (cenote_pool_get_channel (pool, &lease, nullptr) && !mocked)
      leases.push_back (lease);
  }

  void
  release ()
  {
    static const int statuses[] = { -1, 0, 4, 5, 14, 14 };
    int status = statuses[pick (6)];
    guint i;

    what = "release";
    if (leases.empty ())
      return;
    i = pick (static_cast<guint> (leases.size ()));
    if (status < 0)
      cenote_lease_release (&leases[i]);
    else
      cenote_lease_release_with_status (&leases[i], status);
    leases[i] = leases.back ();
    leases.pop_back ();
  }

  void
  release_all ()
  {
    while (!leases.empty ())
      release ();
  }

  void
  acquire ()
  {
    static const gint64 timeouts[] = { -1, 0, 1, 50, G_MAXINT64 };

    what = "acquire";
    if (wishes.size () > 30)
      return;
    wishes.emplace_back ();
    wishes.back ().id = cenote_pool_acquire_async (pool, pick (2) ? "key" : nullptr, timeouts[pick (5)],
                                                   sim_context (sim), Wish::answer, &wishes.back (), Wish::notify);
  }

  void
  cancel ()
  {
    what = "cancel";
    if (wishes.empty ())
      return;
    if (cenote_pool_cancel (pool, wishes.front ().id))
      wishes.front ().cancelled = true;
  }

  void
  change_peer ()
  {
    static const PeerAnswer answers[] = { PEER_ACCEPTS, PEER_ACCEPTS, PEER_ACCEPTS,
                                          PEER_REFUSES, PEER_HANGS,   PEER_HAS_NO_CHANNEL };
    static const gint64 lives[] = { PEER_FOREVER, PEER_FOREVER, PEER_INSIDE, 0, 10 * SIM_MS, 2 * SIM_S };
    PeerAnswer answer = answers[pick (6)];
    gint64 after_us = pick (8) == 0 ? PEER_INSIDE : pick (50) * SIM_MS;

    what = "change of a peer";
    any_peer ()->voice.is_silent = pick (3) == 0;
    if (pick (2))
      peer_always (any_peer (), answer, after_us, lives[pick (6)], "as the walk has it");
    else
      peer_next (any_peer (), answer, after_us, lives[pick (6)], "as the walk has it, once");
  }

  void
  lose_one ()
  {
    Peer *peer = any_peer ();
    Connection *connection = peer->n_up == 0 ? nullptr : peer_nth_up (peer, pick (peer->n_up));

    what = "loss";
    if (connection == nullptr)
      return;
    if (pick (3))
      connection_lose (connection, "lost");
    else
      connection_fail (connection, "failed");
  }

  void
  lose_all ()
  {
    what = "loss of all";
    peer_lose_all (any_peer (), "the server stopped");
  }

  /* As a call on a lease makes C-core do. */
  void
  dial_by_itself ()
  {
    what = "dial by itself";
    for (const CenoteLease &lease : leases) {
      Connection *connection = connection_of (lease.channel);

      if (connection->state == CONNECTION_IDLE) {
        connection_dial_by_itself (connection);
        return;
      }
    }
  }

  void
  change_size ()
  {
    guint n = 1 + pick (20);
    int answer;

    what = "resize";
    switch (pick (3)) {
    case 0:
      answer = cenote_pool_resize (pool, static_cast<int> (n), nullptr);
      size = answer > 0 ? n : size;
      break;
    case 1:
      n = MIN (n, 25 - MIN (size, 24));
      answer = cenote_pool_scale_up (pool, static_cast<int> (n), nullptr);
      size += answer > 0 ? n : 0;
      break;
    default:
      answer = cenote_pool_scale_down (pool, static_cast<int> (n), nullptr);
      if ((answer > 0) != (n < size && !stopped))
        fault = "scale_down answered " + std::to_string (answer) + " for " + std::to_string (n) + " of " +
                std::to_string (size);
      size -= answer > 0 ? n : 0;
      break;
    }
  }

  static gboolean
  mock (CenotePool *, CenoteLease *out_lease, gpointer data, GError **)
  {
    out_lease->channel = static_cast<grpc_channel *> (data);
    return TRUE;
  }

  void
  change_view ()
  {
    what = "pause, resume or mock";
    switch (pick (4)) {
    case 0:
      cenote_pool_pause (pool);
      paused = true;
      break;
    case 1:
      cenote_pool_resume (pool);
      paused = false;
      break;
    case 2:
      cenote_pool_set_mock (pool, mock, this, nullptr);
      mocked = true;
      break;
    default:
      cenote_pool_set_mock (pool, nullptr, nullptr, nullptr);
      mocked = false;
      break;
    }
  }

  void
  change_connection ()
  {
    what = "connect, disconnect or reconnect";
    switch (pick (4)) {
    case 0:
      cenote_pool_disconnect (pool);
      break;
    case 1:
      cenote_pool_reconnect (pool);
      break;
    default:
      cenote_pool_connect (pool, 0, nullptr);
      break;
    }
  }

  void
  settle_and_look ()
  {
    SimCounts counts;
    CenotePoolStatus *status;
    gint64 in_flight = 0;

    what = "status";
    sim_settle (sim);
    counts = sim_count (sim, 0);
    status = cenote_pool_get_status (pool);
    for (gsize i = 0; i < status->n_channels; i++)
      in_flight += status->channels[i]->in_flight;
    if (status->current_size != counts.shown)
      fault = "current size " + std::to_string (status->current_size) + ", shown " + std::to_string (counts.shown);
    else if (in_flight != status->in_flight)
      fault = "in flight of the channels " + std::to_string (in_flight) + ", of the pool " +
              std::to_string (status->in_flight);
    else if (!stopped && status->expected_size != size)
      fault = "expected size " + std::to_string (status->expected_size) + ", should be " + std::to_string (size);
    else if (counts.links > status->n_channels)
      fault = "more links than channels";
    cenote_pool_status_free (status);
  }

  void
  take_step ()
  {
    guint n = pick (100);

    if (n < 25)
      get ();
    else if (n < 45)
      release ();
    else if (n < 55)
      change_peer ();
    else if (n < 60)
      lose_one ();
    else if (n < 61)
      lose_all ();
    else if (n < 63)
      dial_by_itself ();
    else if (n < 68)
      acquire ();
    else if (n < 70)
      cancel ();
    else if (n < 73)
      change_size ();
    else if (n < 76)
      change_view ();
    else if (n < 78)
      change_connection ();
    else if (n < 80)
      settle_and_look ();
    else if (n < 81)
      release_all ();
    else
      run ();
  }

  void
  run ()
  {
    what = "run";
    sim_run (sim, pick_span ());
  }

  /* ------------------------------------------------ what must always be so */

  void
  drop_answered_wishes ()
  {
    for (auto wish = wishes.begin (); wish != wishes.end ();) {
      if (wish->n_answers > 1 || (wish->cancelled && wish->answered))
        fault = "a waiter was answered twice, or though it was cancelled";
      if (!wish->notified) {
        ++wish;
        continue;
      }
      if (wish->lease.channel != nullptr && wish->lease.priv[0] != nullptr)
        leases.push_back (wish->lease);
      wish = wishes.erase (wish);
    }
  }

  /* A lease may keep an attempt that was given up, until the tick after its release. */
  void
  look_at_dials (guint counted)
  {
    bool leased;

    if (!leases.empty () || !wishes.empty ())
      leased_us = sim_now (sim);
    leased = sim_now (sim) <= leased_us + 10 * SIM_MS;
    if (counted > budget || (!leased && sim_peers (sim)->n_dialing > budget))
      fault = "more dials in the process than allowed";
    for (const Peer *peer : peers)
      if (!leased && peer->n_dialing > max_dials)
        fault = "more dials to an address than allowed";
  }

  void
  look ()
  {
    SimCounts counts = sim_count (sim, 0);
    CenoteLease lease = CENOTE_LEASE_INIT;
    bool got;

    drop_answered_wishes ();
    if (!fault.empty ())
      return;
    for (const CenoteLease &held : leases)
      if (connection_of (held.channel)->state == CONNECTION_CLOSED)
        fault = "a leased channel is closed";
    if (counts.in_flight < (gint64) leases.size () || counts.in_flight > (gint64) (leases.size () + wishes.size ()))
      fault = "in flight " + std::to_string (counts.in_flight) + ", held " + std::to_string (leases.size ());
    got = cenote_pool_get_channel (pool, &lease, nullptr);
    cenote_lease_release (&lease);
    if (got != (!stopped && (mocked || (!paused && counts.shown > 0))))
      fault = std::string ("a get ") + (got ? "succeeded" : "failed") + " with " + std::to_string (counts.shown) +
              " channels shown";
    look_at_dials (counts.dialing);
    if (sim_peers (sim)->n_faults > 0)
      fault = "the transport was used wrongly";
  }

  /* Everything comes up where it may; then nothing is left. */
  void
  finish ()
  {
    what = "end";
    for (Peer *peer : peers) {
      g_queue_clear_full (&peer->script, g_free);
      peer->voice.is_silent = FALSE;
      peer_always (peer, PEER_ACCEPTS, SIM_MS, PEER_FOREVER, nullptr);
    }
    cenote_pool_set_mock (pool, nullptr, nullptr, nullptr);
    cenote_pool_resume (pool);
    mocked = paused = false;
    sim_run (sim, 60 * SIM_S);
    cenote_pool_connect (pool, 0, nullptr);
    sim_run (sim, 60 * SIM_S);
    settle_and_look ();
    if (fault.empty () && sim_count (sim, 0).shown != size)
      fault = "of " + std::to_string (size) + " channels " + std::to_string (sim_count (sim, 0).shown) + " came back";
    if (fault.empty ())
      end ();
  }

  void
  end ()
  {
    bool orphans = pick (2) == 0;

    if (!orphans)
      release_all ();
    if (!sim_end (sim, orphans ? 50 * SIM_MS : SIM_S))
      fault = "the pool does not end";
    stopped = true;
    sim_run (sim, SIM_S);
    look ();
    release_all ();
    if (!fault.empty ())
      return;
    if (sim_peers (sim)->n_open != 0 || sim_peers (sim)->n_states != 0)
      fault = std::to_string (sim_peers (sim)->n_open) + " channels are left";
    else if (!wishes.empty ())
      fault = "a waiter is left";
    else if (sim_next_us (sim) != G_MAXINT64)
      fault = "a timer is left";
    else if (sim_count (sim, 0).in_flight != 0)
      fault = "a lease is left";
  }
};

TEST (Random, WhatMustAlwaysBeSoIsSo)
{
  const char *one = g_getenv ("CENOTE_TEST_SEED");
  guint64 first = one == nullptr ? 1 : g_ascii_strtoull (one, nullptr, 10);
  guint64 n = one == nullptr ? scaled (1000, 5) : 1;

  for (guint64 seed = first; seed < first + n; seed++) {
    LogCapture log;
    Walk walk (seed);

    ASSERT_TRUE (walk.go ()) << walk.where () << ": " << walk.fault;
  }
}

} // namespace
