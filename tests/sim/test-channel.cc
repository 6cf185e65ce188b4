/* SPDX-License-Identifier: Apache-2.0 */
/*
 * channel: every state × every event: the state after it, and what the channel
 * told and did.  One channel stands alone at its address, without a pool.
 */
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

/* ------------------------------------------------------------- one channel */

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

/* ------------------------------------------------------------- the matrix */

/* A state, and how a channel comes into it. */
struct Situation {
  const char *name;
  CenoteChannelState state;
  std::function<void (Bench &)> enter;
};

void
make_ready (Bench &bench)
{
  bench.begin ();
  bench.run (2 * SIM_MS);
}

void
make_ready_and_leased (Bench &bench)
{
  make_ready (bench);
  bench.lease ();
}

/* Lost, and in line again, while the address's time has not come. */
void
make_idle_with_link (Bench &bench)
{
  make_ready (bench);
  connection_lose (bench.connection (), "gone");
  peer_always (bench.peer, PEER_HANGS, 0, 0, nullptr);
  bench.run (SIM_MS);
}

void
make_idle_and_leased (Bench &bench)
{
  make_ready_and_leased (bench);
  connection_lose (bench.connection (), "gone");
  peer_always (bench.peer, PEER_HANGS, 0, 0, nullptr);
  bench.run (SIM_MS);
}

void
make_connecting_and_leased (Bench &bench)
{
  make_idle_and_leased (bench);
  bench.run (100 * SIM_MS);
}

void
make_primed (Bench &bench)
{
  bench.primes = true;
  bench.begin ();
  bench.run (2 * SIM_MS);
}

void
make_connected_by_itself (Bench &bench)
{
  make_primed (bench);
  channel_handle (bench.channel, CHANNEL_PRIMED, nullptr);
  bench.lease ();
  connection_lose (bench.connection (), "gone");
  bench.run (SIM_MS);
  connection_dial_by_itself (bench.connection ());
  bench.run (2 * SIM_MS);
}

const std::vector<Situation> &
situations ()
{
  static const std::vector<Situation> all = {
    { "idle, new", CENOTE_CHANNEL_IDLE, [] (Bench &) {} },
    { "idle, with a lost link", CENOTE_CHANNEL_IDLE, make_idle_with_link },
    { "idle, with a lost and leased link", CENOTE_CHANNEL_IDLE, make_idle_and_leased },
    { "connecting", CENOTE_CHANNEL_CONNECTING,
      [] (Bench &bench) {
        peer_always (bench.peer, PEER_HANGS, 0, 0, nullptr);
        bench.begin ();
      } },
    { "connecting in place, leased", CENOTE_CHANNEL_CONNECTING, make_connecting_and_leased },
    { "ready", CENOTE_CHANNEL_READY, make_ready },
    { "ready, healthy", CENOTE_CHANNEL_READY,
      [] (Bench &bench) {
        make_ready (bench);
        bench.run (SIM_S);
      } },
    { "ready, leased", CENOTE_CHANNEL_READY, make_ready_and_leased },
    { "transient failure", CENOTE_CHANNEL_TRANSIENT_FAILURE,
      [] (Bench &bench) {
        peer_always (bench.peer, PEER_REFUSES, SIM_MS, 0, "no");
        bench.begin ();
        bench.run (2 * SIM_MS);
      } },
    { "draining", CENOTE_CHANNEL_DRAINING,
      [] (Bench &bench) {
        make_ready_and_leased (bench);
        channel_handle (bench.channel, CHANNEL_DRAIN, "resize");
      } },
    { "draining, failed", CENOTE_CHANNEL_DRAINING,
      [] (Bench &bench) {
        make_ready_and_leased (bench);
        connection_fail (bench.connection (), "gone");
        bench.run (0);
      } },
    { "draining, released", CENOTE_CHANNEL_DRAINING,
      [] (Bench &bench) {
        make_ready_and_leased (bench);
        channel_handle (bench.channel, CHANNEL_DRAIN, "resize");
        bench.release ();
      } },
    { "shutdown", CENOTE_CHANNEL_SHUTDOWN,
      [] (Bench &bench) { channel_handle (bench.channel, CHANNEL_DRAIN, "stop"); } },
    { "being primed", CENOTE_CHANNEL_CONNECTING, make_primed },
    { "idle, connected by itself, leased", CENOTE_CHANNEL_IDLE, make_connected_by_itself },
  };

  return all;
}

/* Where a channel is after an event; nothing: it stays, and tells and does nothing. */
struct Cell {
  CenoteChannelState next;
  const char *effects;
};

#define IDLE CENOTE_CHANNEL_IDLE
#define CONNECTING CENOTE_CHANNEL_CONNECTING
#define READY CENOTE_CHANNEL_READY
#define FAILURE CENOTE_CHANNEL_TRANSIENT_FAILURE
#define SHUTDOWN CENOTE_CHANNEL_SHUTDOWN
#define DRAINING CENOTE_CHANNEL_DRAINING

/* In the order of the situations; of each, in the order of the events:
 * dial, connecting, ready, lost, failed, late, proved, drain, revive, tick,
 * ping_failed, serves, serves_not, aged, primed, prime_failed, ejected, rested, spared, unejected. */
const std::vector<std::vector<Cell>> matrix = {
  /* idle, new: it has no link to tell of anything */
  { { CONNECTING, "dials" },
    { IDLE, "" },
    {},
    { IDLE, "" },
    {},
    { IDLE, "" },
    { IDLE, "" },
    { SHUTDOWN, "" },
    { IDLE, "" },
    { IDLE, "" },
    { IDLE, "" },
    { IDLE, "" },
    { IDLE, "" },
    { IDLE, "" },
    { IDLE, "" },
    { IDLE, "" },
    { IDLE, "" },
    { IDLE, "" },
    { IDLE, "" },
    { IDLE, "" } },
  /* idle, with a lost link: it is dialled in place, here by the transport itself too */
  { { CONNECTING, "dials" },
    { IDLE, "" },
    { READY, "connected leaves-the-line" },
    { IDLE, "" },
    { FAILURE, "closes" },
    { IDLE, "" },
    { IDLE, "" },
    { SHUTDOWN, "leaves-the-line closes" },
    { IDLE, "" },
    { IDLE, "" },
    { IDLE, "" },
    { IDLE, "" },
    { IDLE, "" },
    { IDLE, "" },
    { IDLE, "" },
    { IDLE, "" },
    { IDLE, "" },
    { IDLE, "" },
    { IDLE, "" },
    { IDLE, "" } },
  /* the same, leased: a failed link keeps this channel, and another one takes its place */
  { { CONNECTING, "dials" },
    { IDLE, "" },
    { READY, "connected leaves-the-line" },
    { IDLE, "" },
    { DRAINING, "successor leaves-the-line" },
    { IDLE, "" },
    { IDLE, "" },
    { DRAINING, "leaves-the-line" },
    { IDLE, "" },
    { IDLE, "" },
    { IDLE, "" },
    { IDLE, "" },
    { IDLE, "" },
    { IDLE, "" },
    { IDLE, "" },
    { IDLE, "" },
    { IDLE, "" },
    { IDLE, "" },
    { IDLE, "" },
    { IDLE, "" } },
  /* connecting */
  { { CONNECTING, "" },
    { CONNECTING, "" },
    { READY, "connected" },
    { FAILURE, "failed(the connection was closed as soon as it was made) retry-in-100 asks closes" },
    { FAILURE, "failed(why) retry-in-100 asks closes" },
    { FAILURE, "failed(no connection within connect-timeout (500 ms)) retry-in-100 asks closes" },
    { CONNECTING, "" },
    { SHUTDOWN, "closes" },
    { CONNECTING, "" },
    { CONNECTING, "" },
    { CONNECTING, "" },
    { CONNECTING, "" },
    { CONNECTING, "" },
    { CONNECTING, "" },
    { CONNECTING, "" },
    { CONNECTING, "" },
    { CONNECTING, "" },
    { CONNECTING, "" },
    { CONNECTING, "" },
    { CONNECTING, "" } },
  /* connecting in place, leased */
  { { CONNECTING, "" },
    { CONNECTING, "" },
    { READY, "connected" },
    { DRAINING, "failed(the connection was closed as soon as it was made) retry-in-100 successor" },
    { DRAINING, "failed(why) retry-in-100 successor" },
    { DRAINING, "failed(no connection within connect-timeout (500 ms)) retry-in-100 successor" },
    { CONNECTING, "" },
    { DRAINING, "" },
    { CONNECTING, "" },
    { CONNECTING, "" },
    { CONNECTING, "" },
    { CONNECTING, "" },
    { CONNECTING, "" },
    { CONNECTING, "" },
    { CONNECTING, "" },
    { CONNECTING, "" },
    { CONNECTING, "" },
    { CONNECTING, "" },
    { CONNECTING, "" },
    { CONNECTING, "" } },
  /* ready: not healthy yet, so its loss is a failure */
  { { READY, "" },
    { READY, "" },
    { READY, "" },
    { IDLE, "lost(why) retry-in-100 asks" },
    { FAILURE, "lost(why) retry-in-100 asks closes" },
    { READY, "" },
    { READY, "" },
    { SHUTDOWN, "closes" },
    { READY, "" },
    { READY, "" },
    { FAILURE, "lost(why) retry-in-100 asks closes" },
    { READY, "fit" },
    { READY, "unfit" },
    { READY, "stale" },
    { READY, "" },
    { READY, "" },
    { READY, "out" },
    { READY, "out" },
    { READY, "in" },
    { READY, "in" } },
  /* ready, healthy */
  { { READY, "" },
    { READY, "" },
    { READY, "" },
    { IDLE, "lost(why) retry-in-0 asks" },
    { FAILURE, "lost(why) retry-in-0 asks closes" },
    { READY, "" },
    { READY, "" },
    { SHUTDOWN, "closes" },
    { READY, "" },
    { READY, "" },
    { FAILURE, "lost(why) retry-in-0 asks closes" },
    { READY, "fit" },
    { READY, "unfit" },
    { READY, "stale" },
    { READY, "" },
    { READY, "" },
    { READY, "out" },
    { READY, "out" },
    { READY, "in" },
    { READY, "in" } },
  /* ready, leased */
  { { READY, "" },
    { READY, "" },
    { READY, "" },
    { IDLE, "lost(why) retry-in-100 asks" },
    { DRAINING, "lost(why) retry-in-100 successor" },
    { READY, "" },
    { READY, "" },
    { DRAINING, "" },
    { READY, "" },
    { READY, "" },
    { DRAINING, "lost(why) retry-in-100 successor" },
    { READY, "fit" },
    { READY, "unfit" },
    { READY, "stale" },
    { READY, "" },
    { READY, "" },
    { READY, "out" },
    { READY, "out" },
    { READY, "in" },
    { READY, "in" } },
  /* transient failure: in line already, without a link */
  { { CONNECTING, "leaves-the-line dials" },
    { FAILURE, "" },
    {},
    { FAILURE, "" },
    {},
    { FAILURE, "" },
    { FAILURE, "" },
    { SHUTDOWN, "leaves-the-line" },
    { FAILURE, "" },
    { FAILURE, "" },
    { FAILURE, "" },
    { FAILURE, "" },
    { FAILURE, "" },
    { FAILURE, "" },
    { FAILURE, "" },
    { FAILURE, "" },
    { FAILURE, "" },
    { FAILURE, "" },
    { FAILURE, "" },
    { FAILURE, "" } },
  /* draining */
  { { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" },
    { READY, "" },
    { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" } },
  /* draining, failed: nothing calls it back */
  { { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" } },
  /* draining, released */
  { { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" },
    { SHUTDOWN, "closes" },
    { READY, "" },
    { SHUTDOWN, "closes" },
    { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" },
    { DRAINING, "" } },
  /* shutdown */
  { { SHUTDOWN, "" },
    { SHUTDOWN, "" },
    { SHUTDOWN, "" },
    { SHUTDOWN, "" },
    { SHUTDOWN, "" },
    { SHUTDOWN, "" },
    { SHUTDOWN, "" },
    { SHUTDOWN, "" },
    { SHUTDOWN, "" },
    { SHUTDOWN, "" },
    { SHUTDOWN, "" },
    { SHUTDOWN, "" },
    { SHUTDOWN, "" },
    { SHUTDOWN, "" },
    { SHUTDOWN, "" },
    { SHUTDOWN, "" },
    { SHUTDOWN, "" },
    { SHUTDOWN, "" },
    { SHUTDOWN, "" },
    { SHUTDOWN, "" } },
  /* being primed: the attempt ends with the answer */
  { { CONNECTING, "" },
    { CONNECTING, "" },
    { CONNECTING, "primes" },
    { FAILURE, "failed(the connection was closed as soon as it was made) retry-in-100 asks closes" },
    { FAILURE, "failed(why) retry-in-100 asks closes" },
    { FAILURE, "failed(no connection within connect-timeout (500 ms)) retry-in-100 asks closes" },
    { CONNECTING, "" },
    { SHUTDOWN, "closes" },
    { CONNECTING, "" },
    { CONNECTING, "" },
    { CONNECTING, "" },
    { CONNECTING, "" },
    { CONNECTING, "" },
    { CONNECTING, "" },
    { READY, "connected" },
    { FAILURE, "failed(why) retry-in-100 asks closes" },
    { CONNECTING, "" },
    { CONNECTING, "" },
    { CONNECTING, "" },
    { CONNECTING, "" } },
  /* idle, connected by itself, leased: it is primed when its turn to dial comes */
  { { CONNECTING, "primes" },
    { IDLE, "" },
    { IDLE, "" },
    { IDLE, "" },
    { DRAINING, "successor leaves-the-line" },
    { IDLE, "" },
    { IDLE, "" },
    { DRAINING, "leaves-the-line" },
    { IDLE, "" },
    { IDLE, "" },
    { IDLE, "" },
    { IDLE, "" },
    { IDLE, "" },
    { IDLE, "" },
    { IDLE, "" },
    { IDLE, "" },
    { IDLE, "" },
    { IDLE, "" },
    { IDLE, "" },
    { IDLE, "" } },
};

bool
cannot_be (const Cell &cell)
{
  return cell.effects == nullptr;
}

/* A dial comes from the address, which takes the channel out of its line first. */
void
leave_line_for_dial (Bench &bench)
{
  g_queue_remove (&bench.channel->address->waiting, bench.channel);
  bench.channel->address->dialing++;
  bench.channel->address->site->budget->in_use++;
}

void
check_cell (const Situation &situation, ChannelEvent event, const Cell &cell)
{
  std::string where = std::string (situation.name) + " -" + channel_event_to_string (event) + "->";
  Bench bench;
  std::string effects;
  bool moves = cell.next != situation.state;

  for (const char *word : { "fit", "unfit", "stale", "primes", "out", "in" })
    moves |= strcmp (cell.effects, word) == 0; /* and stays where it is */
  situation.enter (bench);
  ASSERT_EQ (bench.channel->state, situation.state) << situation.name;
  if (event == CHANNEL_DIAL && (situation.state == IDLE || situation.state == FAILURE))
    leave_line_for_dial (bench);
  effects = bench.effects (event, "why");
  EXPECT_EQ (bench.channel->state, cell.next) << where;
  EXPECT_EQ (effects, event == CHANNEL_DIAL && moves && strcmp (cell.effects, "primes") != 0 ? "dials" : cell.effects) << where;
  ASSERT_EQ (bench.steps.size (), moves ? 1u : 0u) << where;
  if (moves) {
    EXPECT_EQ (bench.steps[0], std::string (cenote_channel_state_to_string (situation.state)) + " -" +
                                 channel_event_to_string (event) + "-> " + cenote_channel_state_to_string (cell.next));
  }
}

TEST (Channel, EveryEventInEveryState)
{
  guint n_cells = 0;

  ASSERT_EQ (matrix.size (), situations ().size ());
  for (size_t i = 0; i < matrix.size (); i++) {
    ASSERT_EQ (matrix[i].size (), (size_t) N_CHANNEL_EVENTS) << situations ()[i].name;
    for (int event = 0; event < N_CHANNEL_EVENTS; event++) {
      if (cannot_be (matrix[i][event]))
        continue;
      check_cell (situations ()[i], static_cast<ChannelEvent> (event), matrix[i][event]);
      n_cells++;
    }
  }
  EXPECT_EQ (n_cells, matrix.size () * N_CHANNEL_EVENTS - 4);
}

TEST (Channel, AllSixStatesAreInTheMatrix)
{
  for (int state = CENOTE_CHANNEL_IDLE; state <= CENOTE_CHANNEL_DRAINING; state++) {
    bool found = false;

    for (const Situation &situation : situations ())
      found |= situation.state == state;
    EXPECT_TRUE (found) << state;
  }
}

TEST (Channel, EachEventHasAName)
{
  std::vector<std::string> names;

  for (int event = 0; event < N_CHANNEL_EVENTS; event++) {
    ASSERT_NE (channel_event_to_string (static_cast<ChannelEvent> (event)), nullptr);
    for (const std::string &name : names)
      EXPECT_NE (name, channel_event_to_string (static_cast<ChannelEvent> (event)));
    names.push_back (channel_event_to_string (static_cast<ChannelEvent> (event)));
  }
}

/* --------------------------------------------------------------- its story */

TEST (Channel, SaysWhyItIsInItsState)
{
  Bench bench;

  EXPECT_STREQ (bench.channel->why, "waits for its turn to connect");
  peer_next (bench.peer, PEER_REFUSES, SIM_MS, 0, "refused");
  bench.begin ();
  EXPECT_STREQ (bench.channel->why, "attempt 1 is under way");
  bench.run (2 * SIM_MS);
  EXPECT_STREQ (bench.channel->why, "could not connect: refused");
  EXPECT_STREQ (bench.channel->last_error, "refused");
  bench.run (200 * SIM_MS);
  EXPECT_STREQ (bench.channel->why, "is connected");
  connection_lose (bench.connection (), "went away");
  bench.run (0);
  EXPECT_STREQ (bench.channel->why, "waits to reconnect: went away");
}

TEST (Channel, TakesNoLongerThanTheConnectTimeout)
{
  Bench bench;

  peer_always (bench.peer, PEER_HANGS, 0, 0, nullptr);
  bench.begin ();
  bench.run (connect_timeout_us - 1);
  EXPECT_EQ (bench.channel->state, CENOTE_CHANNEL_CONNECTING);
  bench.run (1);
  EXPECT_EQ (bench.channel->state, CENOTE_CHANNEL_TRANSIENT_FAILURE);
  EXPECT_EQ (peer_n_dials (bench.peer), 1u);
}

TEST (Channel, RedialsInPlaceAndCountsItsCalls)
{
  Bench bench;
  Connection *before;

  make_ready_and_leased (bench);
  before = bench.connection ();
  bench.release (0);
  EXPECT_EQ (channel_calls (bench.channel), 1);
  connection_lose (before, nullptr);
  bench.run (10 * SIM_MS);
  EXPECT_EQ (bench.channel->state, CENOTE_CHANNEL_READY);
  EXPECT_EQ (bench.connection (), before);
  EXPECT_EQ (channel_calls (bench.channel), 1);
  connection_fail (before, "gone");
  bench.run (SIM_S);
  EXPECT_EQ (bench.channel->state, CENOTE_CHANNEL_READY);
  EXPECT_NE (bench.connection (), before);
  EXPECT_EQ (channel_calls (bench.channel), 1);
  EXPECT_EQ (channel_failures (bench.channel), 0);
}

/* A good call proves the connection that it was made on, and not each later one. */
TEST (Channel, AGoodCallProvesOneConnectionOnly)
{
  Bench bench;

  make_ready_and_leased (bench);
  bench.release (0);
  peer_always (bench.peer, PEER_ACCEPTS, SIM_MS, 0, "closed");
  connection_lose (bench.connection (), "gone");
  bench.run (10 * SIM_S);
  EXPECT_GE (peer_n_dials (bench.peer), 90u);
  EXPECT_LE (peer_n_dials (bench.peer), 102u);
}

TEST (Channel, ProvesItselfAlsoAfterItWasRevived)
{
  Bench bench;

  make_ready_and_leased (bench);
  channel_handle (bench.channel, CHANNEL_DRAIN, "resize");
  bench.run (100 * SIM_MS);
  channel_handle (bench.channel, CHANNEL_REVIVE, nullptr);
  EXPECT_EQ (bench.channel->state, CENOTE_CHANNEL_READY);
  EXPECT_FALSE (bench.channel->healthy);
  bench.run (SIM_S);
  EXPECT_TRUE (bench.channel->healthy);
}

TEST (Channel, OneWithoutATransportChannelTriesAgain)
{
  Bench bench;

  peer_next (bench.peer, PEER_HAS_NO_CHANNEL, 0, 0, "no such scheme");
  bench.begin ();
  EXPECT_EQ (bench.channel->state, CENOTE_CHANNEL_TRANSIENT_FAILURE);
  EXPECT_NE (std::string (bench.channel->last_error).find ("no such scheme"), std::string::npos)
    << bench.channel->last_error;
  bench.run (200 * SIM_MS);
  EXPECT_EQ (bench.channel->state, CENOTE_CHANNEL_READY);
}

/* ------------------------------------------------------- signs of life, health */

TEST (Channel, SaysThatItsPingFailed)
{
  Bench bench;

  make_ready (bench);
  bench.run (SIM_S);
  peer_always (bench.peer, PEER_REFUSES, SIM_MS, 0, "no");
  channel_handle (bench.channel, CHANNEL_PING_FAILED, "ping failed: no answer within 20000 ms");
  EXPECT_STREQ (bench.channel->why, "waits to reconnect: ping failed: no answer within 20000 ms");
  EXPECT_STREQ (bench.channel->last_error, "ping failed: no answer within 20000 ms");
  EXPECT_EQ (bench.peer->n_up, 0u) << "the connection stays";
}

/* A lease is let be, as with any link that is of no more use. */
TEST (Channel, KeepsItsLeaseWhenItsPingFails)
{
  Bench bench;

  make_ready_and_leased (bench);
  channel_handle (bench.channel, CHANNEL_PING_FAILED, "ping failed: silence");
  EXPECT_EQ (bench.channel->state, CENOTE_CHANNEL_DRAINING);
  EXPECT_EQ (bench.peer->n_up, 1u);
  channel_handle (bench.channel, CHANNEL_REVIVE, nullptr);
  EXPECT_EQ (bench.channel->state, CENOTE_CHANNEL_DRAINING);
}

TEST (Channel, IsHiddenAtOnceWhenItServesNot)
{
  Bench bench;

  make_ready (bench);
  bench.show ();
  EXPECT_TRUE (slot_is_shown (link_slot (bench.channel->link)));
  channel_handle (bench.channel, CHANNEL_SERVES_NOT, "NOT_SERVING");
  EXPECT_FALSE (slot_is_shown (link_slot (bench.channel->link)));
  EXPECT_FALSE (channel_is_shown (bench.channel));
  EXPECT_EQ (bench.channel->state, CENOTE_CHANNEL_READY);
  EXPECT_STREQ (bench.channel->why, "is connected, and out of rotation: NOT_SERVING");
  channel_handle (bench.channel, CHANNEL_SERVES, "SERVING");
  EXPECT_TRUE (channel_is_shown (bench.channel));
  bench.show ();
  EXPECT_TRUE (slot_is_shown (link_slot (bench.channel->link)));
}

TEST (Channel, IsLeftToItsLastLease)
{
  Bench bench;

  make_ready_and_leased (bench);
  channel_handle (bench.channel, CHANNEL_DRAIN, "stop");
  channel_orphan (bench.channel);
  EXPECT_EQ (bench.channel->state, CENOTE_CHANNEL_SHUTDOWN);
  EXPECT_EQ (bench.peer->n_up, 1u);
  connection_lose (peer_nth_up (bench.peer, 0), "too late to tell anybody");
  bench.release ();
  EXPECT_EQ (bench.peer->peers->n_open, 0u);
}

} // namespace
