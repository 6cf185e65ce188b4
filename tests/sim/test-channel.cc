/* SPDX-License-Identifier: Apache-2.0 */
/* channel: every state × every event: the state after it, and what the channel told and did. */
#include "channel-bench.h"

namespace {

/* A state, and how a channel comes into it. */
struct Situation {
  const char *name;
  CenoteChannelState state;
  std::function<void (Bench &)> enter;
};

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

} // namespace
