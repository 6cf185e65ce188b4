// SPDX-License-Identifier: Apache-2.0
/*
 * Connectors that keep a number of channels, before views that luck made: what no plan
 * may do, and that each pool comes to rest when its plans are carried out.
 *
 * CENOTE_TEST_SEED=N plans for that one pool again; CENOTE_TEST_SCALE says how many there
 * are (of 100,000 views each).  Connector caching has the like in test-caching.cc.
 */
#include <algorithm>
#include <cstdlib>
#include <set>

#include <cenote/pool.h>

#include "planner-test.h"
#include "tests/scale.h"

namespace {

constexpr int views_a_pool = 10;
constexpr guint most_plans = 500; // to come to rest

struct Kind {
  const char *name;
  bool sizes_itself;
  bool sleeps;
  std::vector<const char *> settings;
};

// One pool that luck turns about, and its plans.
class Walk
{
public:
  Walk (const Kind &kind_, guint64 seed) : kind (kind_), planner (kind_.name, kind_.settings), pool (planner.pool), luck (seed)
  {
    for (guint n = 1 + pick (3); n > 0; n--)
      planner.add_address ();
    for (guint n = pick (9); n > 0; n--)
      add_channel ();
    pool->idle_timeout_us = pick (2) ? CENOTE_OFF : 5000000;
    pool->max_streams = 1 + pick (100);
  }

  // What is wrong; "" is nothing.
  std::string go ()
  {
    for (int i = 0; i < views_a_pool && fault.empty (); i++) {
      turn ();
      plan ();
      look ();
      if (fault.empty ())
        carry_out ();
    }
    if (fault.empty ())
      rest ();
    return fault.empty () ? "" : fault + "\n  plan: " + text + "\n  view: " + describe ();
  }

private:
  const Kind &kind;
  Planner planner;
  FakePool *pool;
  guint64 luck;
  std::string fault, text;
  CenoteVerb verb = CENOTE_VERB_NONE; // of the last plan

  guint pick (guint n) { return static_cast<guint> (fixture_random (&luck) % n); }
  CenoteAddressView *address (guint i) { return static_cast<CenoteAddressView *> (pool->addresses->pdata[i]); }
  CenoteChannelView *channel (guint i) { return static_cast<CenoteChannelView *> (pool->channels->pdata[i]); }

  std::string describe ()
  {
    std::string out = "wanted " + std::to_string (pool->wanted) + " min " + std::to_string (pool->min) + " max " +
                      std::to_string (pool->max) + " expected " + std::to_string (pool->expected) + " verb " +
                      std::to_string (verb) + "; addresses";

    for (guint i = 0; i < pool->addresses->len; i++)
      out += " " + std::to_string (address (i)->id) + "/gate" + std::to_string (address (i)->gate) +
             (address (i)->removed ? "/removed" : "");
    out += "; channels";
    for (guint i = 0; i < pool->channels->len; i++)
      out += " " + std::to_string (channel (i)->id) + "@" + std::to_string (channel (i)->address) + "/" +
             cenote_channel_state_to_string (static_cast<CenoteChannelState> (channel (i)->state)) + "/flags" +
             std::to_string (channel (i)->flags) + "/for" + std::to_string (channel (i)->replaces) + "/held" +
             std::to_string (channel (i)->in_flight);
    return out;
  }

  // ---------------------------------------------------------------- turning

  // Not READY where it replaces one that lives: then its host has drained that one already.
  CenoteChannelState any_state (bool replaces)
  {
    static const CenoteChannelState states[] = { CENOTE_CHANNEL_IDLE, CENOTE_CHANNEL_CONNECTING, CENOTE_CHANNEL_TRANSIENT_FAILURE,
                                                 CENOTE_CHANNEL_DRAINING, CENOTE_CHANNEL_READY, CENOTE_CHANNEL_READY,
                                                 CENOTE_CHANNEL_READY };

    return states[pick (replaces ? 3 : 7)];
  }

  void add_channel ()
  {
    guint32 id = pick (20) == 0 ? pool->next_address + 7 : address (pick (pool->addresses->len))->id;
    CenoteChannelView *old = pool->channels->len > 0 && pick (4) == 0 ? channel (pick (pool->channels->len)) : nullptr;
    bool replaces = old && Planner::lives (old) && old->replaces == 0 && !successor (old->id);
    CenoteChannelView *made = fake_pool_add_channel (pool, id, any_state (replaces));

    if (replaces)
      made->replaces = old->id;
    dress (made);
  }

  void dress (CenoteChannelView *row)
  {
    bool holds = row->state == CENOTE_CHANNEL_READY || row->state == CENOTE_CHANNEL_DRAINING;

    row->in_flight = holds && pick (2) ? pick (120) : 0;
    row->peak = row->in_flight + (pick (3) ? 0 : pick (50));
    row->flags = (pick (8) ? 0u : 0u + CENOTE_CHANNEL_EJECTED) | (pick (8) ? 0u : 0u + CENOTE_CHANNEL_STALE);
    row->last_use_us = holds ? pool->now_us - pick (2000000) : -1;
    if (row->state == CENOTE_CHANNEL_DRAINING && pick (2))
      row->ready_since_us = pool->now_us - 1;
  }

  // A channel that was lost, or is leased, or has something against it; an address that is down or removed.
  void turn ()
  {
    for (guint i = 0; i < pool->channels->len; i++) {
      bool replaces = successor_of (channel (i)) != nullptr;

      if (channel (i)->state == CENOTE_CHANNEL_DRAINING || pick (4) > 0)
        continue; // only a plan brings one back
      fake_pool_set_state (pool, channel (i), any_state (replaces));
      dress (channel (i));
      if (channel (i)->state == CENOTE_CHANNEL_READY)
        channel (i)->replaces = 0;
    }
    for (guint i = 0; i < pool->addresses->len; i++) {
      address (i)->gate = pick (3);
      address (i)->removed = pick (6) == 0;
    }
    if (pick (5) == 0)
      planner.add_address ();
    pool->wanted = pick (8);
    pool->min = 1 + pick (4);
    pool->max = pool->min + pick (6);
    pool->verb = pick (6) ? CENOTE_VERB_NONE : static_cast<CenoteVerb> (pick (5));
    pool->waiters = pick (3) ? 0 : pick (300);
    pool->refused = pick (3) ? 0 : pick (300);
    pool->acquired = pick (300);
    planner.wait (pick (3000000));
  }

  // ---------------------------------------------------------------- looking

  void plan ()
  {
    verb = pool->verb;
    text = planner.plan ();
  }

  // (nullable): the one that is to take over from CHANNEL ID.
  CenoteChannelView *successor (guint64 id)
  {
    for (guint i = 0; i < pool->channels->len; i++)
      if (channel (i)->replaces == id && Planner::lives (channel (i)))
        return channel (i);
    return nullptr;
  }

  // (nullable): the one that ROW is to take over from, and that lives.
  CenoteChannelView *successor_of (const CenoteChannelView *row)
  {
    CenoteChannelView *old = row->replaces ? planner.channel (row->replaces) : nullptr;

    return old && Planner::lives (old) ? old : nullptr;
  }

  bool counts (const CenoteChannelView *row) { return Planner::lives (row) && !successor_of (row); }

  bool any_address_is_kept ()
  {
    for (guint i = 0; i < pool->addresses->len; i++)
      if (!address (i)->removed)
        return true;
    return false;
  }

  // READY and not ejected.
  static bool serves (const CenoteChannelView *row)
  {
    return row->state == CENOTE_CHANNEL_READY && !(row->flags & CENOTE_CHANNEL_EJECTED);
  }

  void expect (bool holds, const char *what)
  {
    if (!holds && fault.empty ())
      fault = what;
  }

  void look ()
  {
    std::set<guint64> ended, replaced;
    int64_t count = 0, serving = 0, revived = 0, opened = 0;
    int64_t served = 0, had = 0;

    for (guint i = 0; i < pool->channels->len; i++) {
      served += serves (channel (i));
      had += counts (channel (i));
    }
    for (guint i = 0; i < pool->actions->len; i++) {
      const auto *action = static_cast<FakeAction *> (pool->actions->pdata[i]);
      const CenoteChannelView *row = action->channel ? planner.channel (action->channel) : nullptr;

      if (action->type == FAKE_OPEN && row)
        expect (counts (row) && replaced.insert (row->id).second, "replaces what is gone or twice");
      else if (action->type == FAKE_OPEN)
        opened += action->n;
      else if (action->type == FAKE_REVIVE)
        revived++, expect (row->flags == 0 && row->ready_since_us >= 0, "revives what is of no use");
      else if (action->type == FAKE_DRAIN || action->type == FAKE_CLOSE)
        expect (Planner::lives (row) && ended.insert (row->id).second, "ends what has ended, or twice");
    }
    for (guint64 id : replaced)
      expect (!ended.count (id) && (!successor (id) || ended.count (successor (id)->id)), "replaces what it ends, or has replaced");
    for (guint i = 0; i < pool->channels->len; i++) {
      if (ended.count (channel (i)->id))
        continue;
      serving += serves (channel (i));
      count += counts (channel (i)) || (Planner::lives (channel (i)) && ended.count (channel (i)->replaces));
    }
    look_at_sizes (count + revived + opened, opened + revived > 0, had);
    expect (target () == 0 || served == 0 || serving > 0, "drains the last that serves");
    expect (*pool->faults->str == '\0', pool->faults->str);
  }

  // As far as it is known here: a lazy one may sleep, an elastic one chooses.
  int64_t target ()
  {
    if (pool->wanted == 0 || verb == CENOTE_VERB_DISCONNECT)
      return 0;
    return pool->expected >= 0 ? pool->expected : pool->wanted;
  }

  void look_at_sizes (int64_t count, bool grows, int64_t had)
  {
    int64_t least = target (), most = target ();

    if (kind.sizes_itself && least > 0)
      expect (least >= pool->min && most <= pool->max, "wants fewer or more than it may");
    if (kind.sleeps && least > 0)
      expect (least == pool->wanted, "wants neither all nor nothing");
    expect (!grows || count <= most, "has too many");
    expect (count >= least || !any_address_is_kept (), "has too few");
    expect (count <= std::max (most, had), "grows beyond what it had");
  }

  // --------------------------------------------------------------- carrying out

  void carry_out ()
  {
    fake_pool_apply (pool);
    fake_pool_settle (pool);
  }

  // Nobody uses it any more and every address can be had: plans come to an end, at the right number.
  void rest ()
  {
    guint plans, empty = 0;
    int64_t count = 0;

    pool->wanted = 3;
    pool->verb = CENOTE_VERB_NONE;
    pool->waiters = 0;
    for (guint i = 0; i < pool->addresses->len; i++)
      address (i)->gate = CENOTE_GATE_OPEN;
    planner.add_address ();
    for (guint i = 0; i < pool->channels->len; i++)
      channel (i)->in_flight = channel (i)->peak = 0;
    for (plans = 0; plans < most_plans; plans++) {
      plan ();
      empty = pool->actions->len == 0 && pool->wake_at_us == 0 ? empty + 1 : 0;
      carry_out ();
      if (empty == 2)        /* after the first one what was connecting got through */
        break;
      pool->now_us = std::max (pool->now_us, pool->wake_at_us);
    }
    for (guint i = 0; i < pool->channels->len; i++)
      count += serves (channel (i)) && channel (i)->flags == 0;
    expect (plans < most_plans, "does not come to rest");
    expect (count == (kind.sizes_itself ? pool->min : target ()), "rests at a wrong number");
    expect (count == pool->channels->len, "leaves some behind");
  }
};

class Planners : public ::testing::TestWithParam<Kind>
{
};

TEST_P (Planners, NoViewHasAPlanThatNoPoolMayHave)
{
  const char *given = getenv ("CENOTE_TEST_SEED");
  unsigned n = given != nullptr ? 1 : scaled (100000 / views_a_pool, 10);
  guint64 first = given == nullptr ? 1 : g_ascii_strtoull (given, nullptr, 10);

  for (guint64 seed = first; seed < first + n; seed++) {
    Walk walk (GetParam (), seed);

    ASSERT_EQ (walk.go (), "") << "CENOTE_TEST_SEED=" << seed;
  }
}

INSTANTIATE_TEST_SUITE_P (Kinds, Planners,
                          ::testing::Values (Kind { "persistent", false, false, {} }, Kind { "lazy", false, true, {} },
                                             Kind { "elastic", true, false, { "check-interval=100ms", "quiet-checks=3", "grow-step=3" } }),
                          [] (const auto &info) { return std::string (info.param.name); });

} // namespace
