/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backoff/decorrelated: each delay is drawn between the one before and three times that.
 *
 * ConnGRPC's arithmetic, in whole milliseconds: the delay to grow from begins at
 * `min`; the next one is uniformly random in [N, 3N], where N is the delay before
 * or a third of `max`, whichever is less.  So the mean doubles with each failure,
 * no delay is above `max`, and in the long run they lie between a third of it and
 * all of it.  Two corners that follow:
 *
 *   - where `max` is below three times `min`, delays may be shorter than `min`
 *     (min=1s max=2s: 666 to 1998 ms);
 *   - where `max` has no third (1 or 2 ms), a delay is anything from 1 ms to `max`.
 */
#include <stdlib.h>

#include <cenote/plugin.h>

#define US_PER_MS 1000

enum { MINIMUM, MAXIMUM };

static const CenoteOption options[] = {
  [MINIMUM] = { "min", CENOTE_OPTION_DURATION, 0, "1s", "1ms", "24h", NULL,
                "The shortest delay after the first failed attempt, in whole milliseconds" },
  [MAXIMUM] = { "max", CENOTE_OPTION_DURATION, 0, "30s", "1ms", "24h", NULL,
                "The longest delay, in whole milliseconds" },
};

typedef struct Decorrelated {
  const CenoteHost *host;
  int64_t min_ms;
  int64_t max_ms;
  int64_t current_ms;        /* the delay before, or min_ms */
} Decorrelated;

static void
reset (void *state)
{
  Decorrelated *decorrelated = state;

  decorrelated->current_ms = decorrelated->min_ms;
}

static void *
create (const CenoteHost *host, const CenoteOptions *values, CenoteFault *fault)
{
  Decorrelated *decorrelated;

  if (cenote_options_at (values, MINIMUM)->number > cenote_options_at (values, MAXIMUM)->number) {
    host->fail (host, fault, "min is above max (raise max, or lower min)");
    return NULL;
  }
  decorrelated = malloc (sizeof *decorrelated);
  if (!decorrelated) {
    host->fail (host, fault, "out of memory");
    return NULL;
  }
  decorrelated->host = host;
  decorrelated->min_ms = cenote_options_at (values, MINIMUM)->number / US_PER_MS;
  decorrelated->max_ms = cenote_options_at (values, MAXIMUM)->number / US_PER_MS;
  reset (decorrelated);
  return decorrelated;
}

/* LEAST to MOST, both included.  The spans are so short that the remainder of 64 bits is even enough. */
static int64_t
draw (const CenoteHost *host, int64_t least, int64_t most)
{
  return least + (int64_t) (host->random (host) % (uint64_t) (most - least + 1));
}

static int64_t
next (void *state)
{
  Decorrelated *decorrelated = state;
  int64_t third_ms = decorrelated->max_ms / 3;
  int64_t from_ms = decorrelated->current_ms > third_ms ? third_ms : decorrelated->current_ms;

  if (third_ms == 0)
    decorrelated->current_ms = draw (decorrelated->host, 1, decorrelated->max_ms);
  else
    decorrelated->current_ms = draw (decorrelated->host, from_ms, 3 * from_ms);
  return decorrelated->current_ms * US_PER_MS;
}

static const CenoteBackoffOps ops = {
  .struct_size = sizeof ops,
  .create = create,
  .next = next,
  .reset = reset,
  .destroy = free,
};

static const CenotePlugin plugin = {
  CENOTE_PLUGIN_HEAD (CENOTE_PLUGIN_BACKOFF),
  .name = "decorrelated",
  .version = "0.1.0",
  .summary = "Waits a random time between the wait before and three times that",
  .license = "Apache-2.0",
  CENOTE_PLUGIN_OPTIONS (options),
  .ops = &ops,
};

CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_BACKOFF, "decorrelated")
