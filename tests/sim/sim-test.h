/* SPDX-License-Identifier: Apache-2.0 */
/* sim-test: what the tests over a simulation share: one pool `p`, its peers, and all that it tells. */
#ifndef CENOTE_TESTS_SIM_SIM_TEST_H
#define CENOTE_TESTS_SIM_SIM_TEST_H

#include <gtest/gtest.h>

#include <algorithm>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

extern "C" {
#include "sim.h"
}
#include <cenote/event-text.h>

#include "tests/unit/log-capture.h"

/* An event with its own strings. */
struct ToldEvent {
  CenoteEvent event;
  std::string kind, pool, address, reason, error;
};

/* One acquire_async: what came of it. */
struct Acquire {
  guint id = 0;
  bool answered = false;
  bool notified = false;
  gint64 answered_us = 0;
  CenoteLease lease = CENOTE_LEASE_INIT;
  int code = 0; /* of CENOTE_ERROR; 0: none */
  std::string message;
  Sim *sim = nullptr;

  bool
  got () const
  {
    return answered && code == 0;
  }

  static void
  answer (CenotePool *, CenoteLease *got, const GError *error, gpointer data)
  {
    auto *self = static_cast<Acquire *> (data);

    EXPECT_FALSE (self->answered);
    self->answered = true;
    self->answered_us = sim_now (self->sim);
    if (error != nullptr) {
      EXPECT_EQ (error->domain, CENOTE_ERROR);
      EXPECT_EQ (got, nullptr);
      self->code = error->code;
      self->message = error->message;
      return;
    }
    self->lease = *got;
    *got = CenoteLease CENOTE_LEASE_INIT;
  }

  static void
  notify (gpointer data)
  {
    auto *self = static_cast<Acquire *> (data);

    EXPECT_FALSE (self->notified);
    self->notified = true;
  }
};

class SimTest : public testing::Test
{
protected:
  Sim *sim = nullptr;
  CenotePool *pool = nullptr;
  Peer *peer = nullptr; /* the first target */
  std::vector<ToldEvent> events;
  std::list<Acquire> acquires;

  /* A pool of KEYS (lines) to `sim:a`, with a backoff of 100 ms. */
  static std::string
  keyfile (const std::string &keys, const std::string &more = "")
  {
    bool has_targets = keys.find ("target") == 0 || keys.find ("\ntarget") != std::string::npos;

    return "[cenote]\ntelemetry=\n" + more +
           "\n[backoff:steady]\nplugin=constant\ndelay=100ms\n[pool:p]\ntransport=peers\n" +
           (has_targets ? "" : "target=sim:a\n") +
           (keys.find ("backoff=") == std::string::npos ? "backoff=steady\n" : "") + keys;
  }

  /* That pool; not started. */
  void
  make (const std::string &keys, const std::string &more = "", guint64 seed = 1)
  {
    g_autoptr (GError) error = nullptr;
    std::string text = keyfile (keys, more);

    if (sim == nullptr)
      sim = sim_new_empty (seed);
    ASSERT_TRUE (sim_open (sim, text.c_str (), &error)) << error->message;
    pool = sim_pool (sim, 0);
    peer = peers_get (sim_peers (sim), "sim:a");
  }

  void
  listen (guint64 mask = CENOTE_EVENT_MASK_ALL)
  {
    sim_add_sink (sim, mask, handle, this);
  }

  /* The same, started, with everything that is told kept. */
  void
  open (const std::string &keys, const std::string &more = "")
  {
    make (keys, more);
    listen ();
    sim_start (sim);
  }

  void
  TearDown () override
  {
    for (Acquire &acquire : acquires)
      cenote_lease_release (&acquire.lease);
    if (sim == nullptr)
      return;
    EXPECT_TRUE (sim_end (sim, SIM_S));
    run (SIM_S);
    EXPECT_EQ (sim_peers (sim)->n_open, 0u);
    EXPECT_EQ (sim_peers (sim)->n_faults, 0u);
    EXPECT_EQ (sim_peers (sim)->n_states, 0u);
    EXPECT_EQ (sim_next_us (sim), G_MAXINT64) << "a timer is left";
    for (const Acquire &acquire : acquires)
      EXPECT_TRUE (acquire.notified);
    sim_free (sim);
  }

  static void
  handle (gpointer data, const CenoteEvent *event)
  {
    auto text = [] (const char *string) { return std::string (string == nullptr ? "" : string); };

    static_cast<SimTest *> (data)->events.push_back ({ *event, cenote_event_kind_to_string (event->kind),
                                                       text (event->pool), text (event->address), text (event->reason),
                                                       text (event->error) });
  }

  /* ------------------------------------------------------------ telling */

  guint
  count (CenoteEventKind kind) const
  {
    guint n = 0;

    for (const ToldEvent &told : events)
      n += told.event.kind == kind;
    return n;
  }

  const ToldEvent *
  last (CenoteEventKind kind) const
  {
    for (auto told = events.rbegin (); told != events.rend (); ++told)
      if (told->event.kind == kind)
        return &*told;
    return nullptr;
  }

  /* The dials of PEER from its first: microseconds after START. */
  static std::vector<gint64>
  dials (const Peer *of, gint64 start_us)
  {
    std::vector<gint64> times;

    for (guint i = 0; i < peer_n_dials (of); i++)
      times.push_back (peer_dial_time (of, i) - start_us);
    return times;
  }

  /* ------------------------------------------------------------- calling */

  CenoteLease
  get ()
  {
    CenoteLease lease = CENOTE_LEASE_INIT;
    g_autoptr (GError) error = nullptr;

    EXPECT_TRUE (cenote_pool_get_channel (pool, &lease, &error)) << (error == nullptr ? "" : error->message);
    return lease;
  }

  bool
  can_get ()
  {
    CenoteLease lease = CENOTE_LEASE_INIT;
    bool got = cenote_pool_get_channel (pool, &lease, nullptr);

    cenote_lease_release (&lease);
    return got;
  }

  /* A lease on the connection NUMBER. */
  CenoteLease
  get_on (guint64 number)
  {
    for (int i = 0; i < 100; i++) {
      CenoteLease lease = get ();

      if (lease.channel == nullptr || connection_of (lease.channel)->number == number)
        return lease;
      cenote_lease_release (&lease);
    }
    ADD_FAILURE () << "no lease on connection " << number;
    return CenoteLease CENOTE_LEASE_INIT;
  }

  std::string
  get_error (int code)
  {
    CenoteLease lease = CENOTE_LEASE_INIT;
    g_autoptr (GError) error = nullptr;

    EXPECT_FALSE (cenote_pool_get_channel (pool, &lease, &error));
    cenote_lease_release (&lease);
    if (error == nullptr)
      return "";
    EXPECT_TRUE (g_error_matches (error, CENOTE_ERROR, code)) << error->message;
    return error->message;
  }

  Acquire &
  acquire (gint64 timeout_ms = G_MAXINT64)
  {
    Acquire &made = acquires.emplace_back ();

    made.sim = sim;
    made.id =
      cenote_pool_acquire_async (pool, nullptr, timeout_ms, sim_context (sim), Acquire::answer, &made, Acquire::notify);
    EXPECT_NE (made.id, 0u);
    EXPECT_FALSE (made.answered) << "called inside acquire_async";
    return made;
  }

  void
  run (gint64 span_us)
  {
    sim_run (sim, span_us);
  }
  void
  settle ()
  {
    sim_settle (sim);
  }
  gint64
  now ()
  {
    return sim_now (sim);
  }

  struct Status {
    CenotePoolStatus *raw;
    explicit Status (CenotePool *of) : raw (cenote_pool_get_status (of)) {}
    Status (const Status &) = delete;
    ~Status () { cenote_pool_status_free (raw); }
    const CenotePoolStatus *
    operator->() const
    {
      return raw;
    }

    const CenoteChannelStatus *
    channel (guint64 id) const
    {
      for (gsize i = 0; i < raw->n_channels; i++)
        if (raw->channels[i]->id == id)
          return raw->channels[i];
      return nullptr;
    }

    guint
    count (CenoteChannelState state) const
    {
      guint n = 0;

      for (gsize i = 0; i < raw->n_channels; i++)
        n += raw->channels[i]->state == state;
      return n;
    }
  };

  gint64
  current ()
  {
    return Status (pool)->current_size;
  }

  /* ---------------------------------------------------------- addresses */

  Peer *
  at (const char *address)
  {
    return peers_get (sim_peers (sim), address);
  }

  using Spread = std::map<std::string, int>;

  /* How many channels are READY at each address. */
  Spread
  spread ()
  {
    Status status (pool);
    Spread ready;

    for (gsize i = 0; i < status->n_channels; i++)
      if (status->channels[i]->state == CENOTE_CHANNEL_READY)
        ready[status->channels[i]->address]++;
    return ready;
  }

  /* Runs for SPAN_US, in which callers can always get one; the least that was ready at any millisecond of it at which
     something happened. */
  gint64
  least_ready (gint64 span_us)
  {
    const gint64 end_us = now () + span_us;
    gint64 least = current ();

    while (now () < end_us) {
      run (std::min (std::max (sim_next_us (sim) - now (), SIM_MS), end_us - now ()));
      least = std::min (least, current ());
      EXPECT_TRUE (can_get ());
    }
    return least;
  }
};

#endif
