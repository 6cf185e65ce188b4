/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connector/elastic: as many channels as the load wants, between min-channels and max-channels.
 *
 * Each check-interval while the pool is used, the load is looked at: the most leases that were
 * seen on each channel since the check before, together, and who waits.  Marks are shares of
 * max-streams-per-channel.  Above the upper mark for each channel, or where one channel had as
 * many as a connection takes, the pool grows: at most by grow-step, and no sooner than cool-down
 * after it last grew, because what was opened must first connect and take its part.  Below the
 * lower mark for quiet-checks checks in a row, it shrinks, at most by shrink-step.
 *
 * Both move towards the number with which the load would be half-way between the marks, and not
 * beyond.  So a load that stays moves the pool one way only, and then lets it rest.  A channel that
 * is full beside empty ones (few affinity keys, say) keeps the pool from shrinking, or it would breathe.
 *
 * What others do, as far as it is known: Bigtable's client (gax ChannelPool) checks once a minute,
 * by the most calls outstanding since, and moves by at most 2 to the middle of its range; Spanner's
 * (grpc-gcp) grows at 25 calls a channel, shrinks below 15 every 3 minutes, and takes a channel that
 * still drains back first; HTTP/2 servers commonly take 100 streams.
 *
 * The state is what was seen since the last check, and the times of check and growth.
 */
#include "roster.h"

#include <stdlib.h>

#define DEFAULT_STREAMS 100

enum { ROW_UPPER_MARK, ROW_LOWER_MARK, ROW_CHECK_INTERVAL, ROW_COOL_DOWN, ROW_QUIET_CHECKS, ROW_GROW_STEP, ROW_SHRINK_STEP };

static const CenoteOption options[] = {
  [ROW_UPPER_MARK] = { "upper-mark", CENOTE_OPTION_FRACTION, 0, "50%", "1%", "100%", NULL,
                       "The load of a channel, as a share of max-streams-per-channel, above which the pool grows" },
  [ROW_LOWER_MARK] = { "lower-mark", CENOTE_OPTION_FRACTION, 0, "20%", "0%", "99%", NULL,
                       "The load of a channel below which the pool shrinks; less than upper-mark" },
  [ROW_CHECK_INTERVAL] = { "check-interval", CENOTE_OPTION_DURATION, 0, "250ms", "10ms", "1h", NULL,
                           "How often the load is looked at" },
  [ROW_COOL_DOWN] = { "cool-down", CENOTE_OPTION_DURATION, 0, "1s", "0", "1h", NULL,
                      "How long after it grew the pool grows no further" },
  [ROW_QUIET_CHECKS] = { "quiet-checks", CENOTE_OPTION_INT, 0, "40", "1", "1000000", NULL,
                         "After how many checks in a row below lower-mark the pool shrinks" },
  [ROW_GROW_STEP] = { "grow-step", CENOTE_OPTION_INT, 0, "2", "1", "10000", NULL,
                      "By how many channels the pool grows at most at once" },
  [ROW_SHRINK_STEP] = { "shrink-step", CENOTE_OPTION_INT, 0, "1", "1", "10000", NULL,
                        "By how many channels the pool shrinks at most at once" },
};

typedef struct Elastic {
  Roster *roster;
  double upper;              /* the two marks */
  double lower;
  int64_t interval_us;
  int64_t cool_down_us;
  uint32_t quiet_checks;
  uint32_t grow_step;
  uint32_t shrink_step;

  uint32_t wanted;           /* the size decided on; 0: none yet */
  const char *why;           /* it is that */
  int64_t checked_us;        /* -1: never, and the next */
  int64_t grown_us;
  uint32_t n_quiet;          /* checks in a row that were */
  int64_t load;              /* the most since the last check */
  int64_t busiest;           /* the same of one channel */
} Elastic;

/* What there is at one plan. */
typedef struct Sight {
  int64_t load;
  int64_t busiest;
  uint32_t n_ready;
  bool is_used;              /* somebody took or holds a lease, waits, or was refused one */
} Sight;

/* ------------------------------------------------------------------ seeing */

static Sight
look (const Elastic *elastic, const CenoteConnectorView *view)
{
  Sight sight = { .load = view->n_waiters, .is_used = view->acquired > 0 || view->refused > 0 || view->n_waiters > 0 };
  const CenoteChannelView *channel;
  uint32_t at = 0;

  while ((channel = roster_next (elastic->roster, &at))) {
    sight.load += channel->peak;
    sight.n_ready += channel->state == CENOTE_CHANNEL_READY;
    sight.is_used = sight.is_used || channel->in_flight > 0;
    if (channel->peak > sight.busiest)
      sight.busiest = channel->peak;
  }
  return sight;
}

/* Plans come more often than checks, and a peak is one since the last plan. */
static void
remember (Elastic *elastic, const Sight *sight)
{
  if (sight->load > elastic->load)
    elastic->load = sight->load;
  if (sight->busiest > elastic->busiest)
    elastic->busiest = sight->busiest;
}

static double
streams_of (const CenoteConnectorView *view)
{
  return CENOTE_VIEW_HAS (view, max_streams_per_channel) ? view->max_streams_per_channel : DEFAULT_STREAMS;
}

/* ---------------------------------------------------------------- deciding */

static uint32_t
bounded (const CenoteConnectorView *view, double n)
{
  return n <= view->min ? view->min : n >= view->max ? view->max : (uint32_t) n;
}

/* The number of channels on each of which the load is half-way between the marks, or less. */
static double
fitting (const Elastic *elastic, double streams)
{
  double exact = (double) elastic->load / (streams * (elastic->upper + elastic->lower) / 2);
  int64_t whole = (int64_t) exact;

  return (double) (whole + ((double) whole < exact));
}

static void
grow (Elastic *elastic, const CenoteConnectorView *view, double wanted, const char *why)
{
  double most = (double) elastic->wanted + elastic->grow_step;
  uint32_t n = bounded (view, wanted < most ? wanted : most);

  if (n <= elastic->wanted || (elastic->grown_us >= 0 && view->now_us - elastic->grown_us < elastic->cool_down_us))
    return;
  elastic->wanted = n;
  elastic->why = why;
  elastic->grown_us = view->now_us;
}

static void
shrink (Elastic *elastic, const CenoteConnectorView *view, double wanted)
{
  double least = (double) elastic->wanted - elastic->shrink_step;
  uint32_t n = bounded (view, wanted > least ? wanted : least);

  if (n >= elastic->wanted)
    return;
  elastic->wanted = n;
  elastic->why = "lower-mark";
}

static void
check (Elastic *elastic, const CenoteConnectorView *view, const Sight *sight)
{
  double streams = streams_of (view), load = (double) elastic->load / elastic->wanted;
  bool is_full = (double) elastic->busiest >= streams;
  bool is_quiet = !is_full && load < elastic->lower * streams;

  elastic->n_quiet = is_quiet ? elastic->n_quiet + 1 : 0;
  if (sight->n_ready > 0 && load > elastic->upper * streams)
    grow (elastic, view, fitting (elastic, streams), "upper-mark");
  else if (sight->n_ready > 0 && is_full)
    grow (elastic, view, elastic->wanted + 1.0, "max-streams-per-channel");
  else if (elastic->n_quiet >= elastic->quiet_checks) {
    shrink (elastic, view, fitting (elastic, streams));
    elastic->n_quiet = 0;
  }
  elastic->load = elastic->busiest = 0;
}

static void
check_in_time (Elastic *elastic, const CenoteConnectorView *view, CenotePlan *plan)
{
  Sight sight = look (elastic, view);

  remember (elastic, &sight);
  if (elastic->checked_us < 0 || view->now_us - elastic->checked_us >= elastic->interval_us) {
    check (elastic, view, &sight);
    elastic->checked_us = view->now_us;
  }
  if (sight.is_used || elastic->wanted > view->min)
    plan->wake_at (plan, elastic->checked_us + elastic->interval_us);
}

static void
begin_anew (Elastic *elastic)
{
  elastic->wanted = elastic->n_quiet = 0;
  elastic->checked_us = elastic->grown_us = -1;
  elastic->load = elastic->busiest = 0;
}

static void
decide (Elastic *elastic, const CenoteConnectorView *view, CenotePlan *plan)
{
  uint32_t n = bounded (view, elastic->wanted);

  if (view->wanted == 0 || view->verb == CENOTE_VERB_DISCONNECT) {
    begin_anew (elastic);
    return;
  }
  if (n != elastic->wanted)
    elastic->why = n > elastic->wanted ? "min-channels" : "max-channels";
  elastic->wanted = n;
  check_in_time (elastic, view, plan);
  if (CENOTE_PLAN_HAS (plan, expect))
    plan->expect (plan, elastic->wanted, elastic->why);
}

static void
plan (void *state, const CenoteConnectorView *view, CenotePlan *out_plan)
{
  Elastic *elastic = state;

  if (!roster_begin (elastic->roster, view, out_plan))
    return;
  decide (elastic, view, out_plan);
  roster_keep (elastic->roster, elastic->wanted, elastic->wanted == 0 ? "disconnect" : elastic->why);
}

/* -------------------------------------------------------------- its memory */

static bool
read_options (Elastic *elastic, const CenoteOptions *values)
{
  elastic->upper = cenote_options_at (values, ROW_UPPER_MARK)->real;
  elastic->lower = cenote_options_at (values, ROW_LOWER_MARK)->real;
  elastic->interval_us = cenote_options_at (values, ROW_CHECK_INTERVAL)->number;
  elastic->cool_down_us = cenote_options_at (values, ROW_COOL_DOWN)->number;
  elastic->quiet_checks = (uint32_t) cenote_options_at (values, ROW_QUIET_CHECKS)->number;
  elastic->grow_step = (uint32_t) cenote_options_at (values, ROW_GROW_STEP)->number;
  elastic->shrink_step = (uint32_t) cenote_options_at (values, ROW_SHRINK_STEP)->number;
  return elastic->lower < elastic->upper;
}

static void
destroy (void *state)
{
  Elastic *elastic = state;

  roster_free (elastic->roster);
  free (elastic);
}

static void *
create (const CenoteHost *host, const CenoteOptions *values, CenoteFault *fault)
{
  Elastic *elastic = calloc (1, sizeof *elastic);

  if (elastic)
    elastic->roster = roster_new (host);
  if (!elastic || !elastic->roster) {
    free (elastic);
    host->fail (host, fault, "out of memory");
    return NULL;
  }
  begin_anew (elastic);
  if (!read_options (elastic, values)) {
    host->fail (host, fault, "lower-mark is not below upper-mark: the pool would grow and shrink by turns (lower lower-mark, "
                             "or raise upper-mark)");
    destroy (elastic);
    return NULL;
  }
  return elastic;
}

static const CenoteConnectorOps ops = {
  .struct_size = sizeof ops,
  .flags = CENOTE_CONNECTOR_SIZES_ITSELF | CENOTE_CONNECTOR_MINDS_USE,
  .create = create,
  .plan = plan,
  .destroy = destroy,
};

static const CenotePlugin plugin = {
  CENOTE_PLUGIN_HEAD (CENOTE_PLUGIN_CONNECTOR),
  .name = "elastic",
  .version = "0.1.0",
  .summary = "Keeps as many channels as the load wants, between min-channels and max-channels",
  .license = "Apache-2.0",
  CENOTE_PLUGIN_OPTIONS (options),
  .ops = &ops,
};

CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_CONNECTOR, "elastic")
