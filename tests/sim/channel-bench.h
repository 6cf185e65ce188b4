/* SPDX-License-Identifier: Apache-2.0 */
/* channel-bench: one channel alone at its address, without a pool. */
#ifndef CENOTE_TESTS_CHANNEL_BENCH_H
#define CENOTE_TESTS_CHANNEL_BENCH_H

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <string>
#include <vector>

extern "C" {
#include "core/pool/channel.h"
#include "sim.h"
}

namespace {

constexpr gint64 connect_timeout_us = 500 * SIM_MS;

struct HostTimer {
  ControlTimer timer;
  Control *control;
  void (*func) (void *data);
  void *data;
};

class Bench
{
public:
  Channel *channel = nullptr;
  Peer *peer;
  std::string told; /* words in their order */
  bool primes = false;
  std::vector<std::string> steps;

  Bench ()
  {
    g_autoptr (GError) error = nullptr;

    sim = sim_new ("[cenote]\ntelemetry=\n[backoff:steady]\nplugin=constant\ndelay=100ms\n"
                   "[pool:p]\ntarget=sim:a\ntransport=peers\nbackoff=steady\ninitialization=manual\n",
                   1, &error);
    g_assert_no_error (error);
    control = sim_control (sim);
    peer = peers_get (sim_peers (sim), "sim:a");
    make_sites ();
    channel = channel_new (&channel_site, 7, address);
  }

  ~Bench ()
  {
    if (leased.channel != nullptr)
      lease_release (&leased, -1);
    if (channel->state != CENOTE_CHANNEL_SHUTDOWN)
      channel_handle (channel, CHANNEL_DRAIN, "the end");
    channel_handle (channel, CHANNEL_TICK, nullptr);
    EXPECT_EQ (channel->state, CENOTE_CHANNEL_SHUTDOWN);
    channel_free (channel);
    sim_settle (sim);
    EXPECT_EQ (n_links, 0u);
    EXPECT_EQ (sim_peers (sim)->n_open, 0u);
    EXPECT_EQ (sim_peers (sim)->n_faults, 0u);
    EXPECT_EQ (budget.in_use, 0u);
    address_free (address);
    slot_table_unref (table);
    instance_unref (transport);
    sim_free (sim);
  }

  void
  begin ()
  {
    channel_begin (channel);
    sim_settle (sim);
  }
  void
  run (gint64 span_us)
  {
    sim_run (sim, span_us);
  }
  Connection *
  connection ()
  {
    return connection_of (slot_channel (link_slot (channel->link)));
  }

  void
  show ()
  {
    SlotPlace place = { link_slot (channel->link), channel->id, channel->place, 1, nullptr, channel->ready_us };
    SlotPicker picker = {};

    picker.pick = [] (void *, const CenotePickView *) { return guint32 (0); };
    link_show (channel->link);
    slot_table_publish (table, &place, 1, &picker, 0, 0);
  }

  /* Holds a lease on the present link. */
  void
  lease ()
  {
    const LeaseWish any = {};

    show ();
    ASSERT_EQ (lease_get (table, &any, FALSE, &leased), LEASE_GOT);
  }

  void
  release (int status = -1)
  {
    lease_release (&leased, status);
  }

  /* What EVENT alone does, before anything else has its turn. */
  std::string
  effects (ChannelEvent event, const char *reason)
  {
    guint waiting = address->waiting.length;
    guint open = sim_peers (sim)->n_open;
    guint dials = peer_n_dials (peer);

    told.clear ();
    steps.clear ();
    channel_handle (channel, event, reason);
    if (address->waiting.length > waiting)
      say ("asks");
    if (address->waiting.length < waiting)
      say ("leaves-the-line");
    if (peer_n_dials (peer) > dials)
      say ("dials");
    if (sim_peers (sim)->n_open < open)
      say ("closes");
    return told;
  }

  static Bench *
  of (const Channel *channel)
  {
    return static_cast<Bench *> (channel->site->pool);
  }

private:
  Sim *sim;
  Control *control;
  SlotTable *table;
  Instance *transport;
  Address *address;
  LinkSite links{};
  ChannelSite channel_site{};
  AddressSite address_site{};
  DialBudget budget{};
  HostServices services{};
  guint n_links = 0;
  CenoteLease leased = CENOTE_LEASE_INIT;

  void
  say (const std::string &word)
  {
    told += (told.empty () ? "" : " ") + word;
  }

  static Bench *
  self (gpointer data)
  {
    return static_cast<Bench *> (data);
  }

  static void
  timer_due (gpointer data)
  {
    auto *timer = static_cast<HostTimer *> (data);
    HostTimer copy = *timer;

    g_free (timer);
    copy.func (copy.data);
  }

  static CenoteTimer *
  timer_start (gpointer data, gint64 delay_us, void (*func) (void *), void *func_data)
  {
    HostTimer *timer = g_new0 (HostTimer, 1);

    timer->timer.func = timer_due;
    timer->timer.data = timer;
    timer->control = self (data)->control;
    timer->func = func;
    timer->data = func_data;
    control_timer_set (timer->control, &timer->timer, control_now_us (timer->control) + delay_us);
    return reinterpret_cast<CenoteTimer *> (timer);
  }

  static void
  timer_stop (gpointer, CenoteTimer *opaque)
  {
    auto *timer = reinterpret_cast<HostTimer *> (opaque);

    control_timer_unset (timer->control, &timer->timer);
    g_free (timer);
  }

  void
  make_services ()
  {
    services.now_us = [] (gpointer data) { return control_now_us (self (data)->control); };
    services.random = [] (gpointer data) { return sim_luck (self (data)->sim); };
    services.timer_start = timer_start;
    services.timer_stop = timer_stop;
    services.data = this;
  }

  void
  make_channel_site ()
  {
    channel_site.control = control;
    channel_site.links = &links;
    channel_site.connect_timeout_us = connect_timeout_us;
    channel_site.max_age_us = CENOTE_OFF;
    channel_site.became = [] (Channel *of_channel, CenoteChannelState old, ChannelEvent event) {
      of (of_channel)
        ->steps.push_back (std::string (cenote_channel_state_to_string (old)) + " -" + channel_event_to_string (event) +
                           "-> " + cenote_channel_state_to_string (of_channel->state));
      if (of_channel->state == CENOTE_CHANNEL_READY)
        of_channel->place = 0;
      if (event == CHANNEL_SERVES || event == CHANNEL_SERVES_NOT)
        of (of_channel)->say (channel_is_shown (of_channel) ? "fit" : "unfit");
      if (event == CHANNEL_AGED)
        of (of_channel)->say ("stale");
      if (event >= CHANNEL_EJECTED)
        of (of_channel)->say (channel_is_out (of_channel) ? "out" : "in");
    };
    channel_site.connected = [] (Channel *of_channel, gint64) { of (of_channel)->say ("connected"); };
    channel_site.failed = [] (Channel *of_channel, const char *error, gint64) {
      of (of_channel)->say (std::string ("failed(") + error + ")");
    };
    channel_site.lost = [] (Channel *of_channel, const char *reason, gint64) {
      of (of_channel)->say (std::string ("lost(") + reason + ")");
    };
    channel_site.changed = [] (Channel *) {};
    channel_site.wants_prime = [] (const Channel *of_channel) -> gboolean { return of (of_channel)->primes; };
    channel_site.prime = [] (Channel *of_channel) { of (of_channel)->say ("primes"); };
    channel_site.succeed = [] (Channel *of_channel) { of (of_channel)->say ("successor"); };
    channel_site.pool = this;
  }

  void
  make_address_site ()
  {
    budget.max = 100;
    g_queue_init (&budget.waiting);
    address_site.control = control;
    address_site.budget = &budget;
    address_site.max_dials = 16;
    address_site.dial = [] (Channel *of_channel) { channel_handle (of_channel, CHANNEL_DIAL, nullptr); };
    address_site.scheduled = [] (gpointer pool, Address *, gint64 delay_us, const char *) {
      self (pool)->say ("retry-in-" + std::to_string (delay_us / 1000));
    };
    address_site.changed = [] (gpointer, Address *) {};
    address_site.rested = [] (gpointer pool, Address *) { self (pool)->say ("rests"); };
    address_site.pool = this;
  }

  void
  make_sites ()
  {
    const PoolSettings *settings = sim_pool_settings (sim, 0);
    SlotWorld world = { FALSE, [] (gpointer) {}, [] (gpointer data) { return sim_luck (self (data)->sim); },
                        [] (gpointer data) { return control_now_us (self (data)->control); }, this };

    make_services ();
    transport = instance_new (settings->transport, "p", &services, nullptr);
    table = slot_table_new (
      &world, [] (gpointer) {}, this);
    links.control = control;
    links.table = table;
    links.transport = transport;
    links.event = channel_link_event;
    links.n_links = &n_links;
    make_channel_site ();
    make_address_site ();
    address = address_new (&address_site, 0, "sim:a", "sim:a", instance_new (settings->backoff, "p", &services, nullptr));
  }
};

inline void
make_ready (Bench &bench)
{
  bench.begin ();
  bench.run (2 * SIM_MS);
}

inline void
make_ready_and_leased (Bench &bench)
{
  make_ready (bench);
  bench.lease ();
}

} // namespace

#endif
