/* SPDX-License-Identifier: Apache-2.0 */
#include "estimate.h"

#include <math.h>
#include <string.h>

/* A share of its time at most that a doubted channel may keep one caller waiting. */
#define DOUBT_TIMES 10

/* After so many decays a doubt is forgotten, as the average has faded. */
#define DOUBT_DECAYS 8

/* What another thread holds is told with the next tick, some 10 ms: so long a call that is
 * out is believed to be held. */
#define LAG_US 20000

/* By so much at most the clock of another thread is ahead, in grains: a second. */
#define AHEAD 4096u

enum { CANCELLED = 1, DEADLINE_EXCEEDED = 4 }; /* of grpc_status_code */

/* In one word, so that it is changed as a whole. */
typedef struct Latency {
  float us;                  /* 0: none */
  uint32_t stamp;            /* when it was so, in grains; wraps after 12 days */
} Latency;

static const Latency none;

static Latency
unpack (uint64_t word)
{
  Latency latency;

  memcpy (&latency, &word, sizeof latency);
  return latency;
}

static uint64_t
pack (Latency latency)
{
  uint64_t word;

  memcpy (&word, &latency, sizeof word);
  return word;
}

static Latency
read_latency (const _Atomic uint64_t *word)
{
  return unpack (atomic_load_explicit (word, memory_order_relaxed));
}

/* FALSE: *SEEN is what is there by now, or the exchange failed for nothing. */
static bool
replace (_Atomic uint64_t *word, uint64_t *seen, Latency latency)
{
  return atomic_compare_exchange_weak_explicit (word, seen, pack (latency), memory_order_relaxed, memory_order_relaxed);
}

static int64_t
read_time (const _Atomic int64_t *time_us)
{
  return atomic_load_explicit (time_us, memory_order_relaxed);
}

static void
write_time (_Atomic int64_t *time_us, int64_t now_us)
{
  atomic_store_explicit (time_us, now_us, memory_order_relaxed);
}

static uint32_t
stamp_at (int64_t now_us)
{
  return (uint32_t) (now_us / ESTIMATE_GRAIN_US);
}

/* In grains, from THEN to NOW. */
static uint32_t
age (uint32_t then, uint32_t now)
{
  return then - now < AHEAD ? 0 : now - then;
}

static float
grains_of (int64_t span_us)
{
  return (float) span_us / ESTIMATE_GRAIN_US;
}

/* ----------------------------------------------------------------- silence */

/* 0: nothing is out, or what is out says nothing. */
static int64_t
silence_of (const Estimate *estimate, int64_t decay_us, bool is_held, int64_t now_us)
{
  int64_t waits_us = read_time (&estimate->waits_us);
  int64_t silence_us = now_us - waits_us;

  if (waits_us == 0 || silence_us < 0 || silence_us > decay_us)
    return 0;
  return is_held || silence_us <= LAG_US ? silence_us : 0;
}

void
estimate_begin (Estimate *estimate, int64_t decay_us, bool is_held, int64_t now_us)
{
  if (silence_of (estimate, decay_us, is_held, now_us) == 0)
    write_time (&estimate->waits_us, now_us);
  if (now_us - read_time (&estimate->asked_us) > ESTIMATE_GRAIN_US)
    write_time (&estimate->asked_us, now_us);
}

static void
hear (Estimate *estimate, int64_t begun_us, int64_t now_us)
{
  int64_t waits_us = read_time (&estimate->waits_us);

  if (begun_us < read_time (&estimate->asked_us)) {
    if (now_us - waits_us > ESTIMATE_GRAIN_US)
      write_time (&estimate->waits_us, now_us);
  } else if (waits_us != 0) {
    write_time (&estimate->waits_us, 0);
  }
}

/* ----------------------------------------------------------------- average */

static float
left_of (Latency average, int64_t decay_us, uint32_t stamp)
{
  return expf (-(float) age (average.stamp, stamp) / grains_of (decay_us));
}

/* One that tells nothing new within a grain is left out. */
static void
average_in (Estimate *estimate, int64_t decay_us, Latency sample)
{
  uint64_t word = atomic_load_explicit (&estimate->average, memory_order_relaxed);
  Latency average, next = sample;
  float left;

  do {
    average = unpack (word);
    if (sample.us > average.us || sample.stamp == average.stamp)
      return;
    left = left_of (average, decay_us, sample.stamp);
    next.us = average.us * left + sample.us * (1 - left);
  } while (!replace (&estimate->average, &word, next));
}

static void
raise_average (Estimate *estimate, Latency sample)
{
  uint64_t word = atomic_load_explicit (&estimate->average, memory_order_relaxed);

  do {
    if (unpack (word).us >= sample.us)
      return;
  } while (!replace (&estimate->average, &word, sample));
}

/* ------------------------------------------------------------------- doubt */

static bool
is_doubted (Latency doubt, int64_t decay_us, uint32_t stamp)
{
  return doubt.us > 0 && (float) age (doubt.stamp, stamp) < DOUBT_DECAYS * grains_of (decay_us);
}

static bool
is_left_alone (Latency doubt, int64_t decay_us, uint32_t stamp)
{
  float span_us = fminf (DOUBT_TIMES * doubt.us, (float) decay_us);

  return doubt.us > 0 && (float) age (doubt.stamp, stamp) * ESTIMATE_GRAIN_US < span_us;
}

/* SAMPLE is above the average.  Those that were out together are one event.  Of two, what the second one is longer
 * than the first is a doubt anew. */
static void
note_late (Estimate *estimate, int64_t decay_us, Latency sample, uint32_t begun)
{
  uint64_t word = atomic_load_explicit (&estimate->doubt, memory_order_relaxed);
  Latency doubt, next;
  bool is_second;

  do {
    doubt = unpack (word);
    is_second = is_doubted (doubt, decay_us, sample.stamp);
    if (is_second && age (begun, sample.stamp) >= age (doubt.stamp, sample.stamp))
      return;
    next = is_second && sample.us <= doubt.us ? none : sample;
  } while (!replace (&estimate->doubt, &word, next));
  if (is_second)
    raise_average (estimate, (Latency) { fminf (doubt.us, sample.us), sample.stamp });
}

static void
end_doubt (Estimate *estimate)
{
  if (atomic_load_explicit (&estimate->doubt, memory_order_relaxed) != 0)
    atomic_store_explicit (&estimate->doubt, 0, memory_order_relaxed);
}

/* -------------------------------------------------------------- the estimate */

void
estimate_meet (Estimate *estimate, int64_t ready_since_us)
{
  int64_t since_us = read_time (&estimate->since_us);

  if (since_us >= ready_since_us ||
      !atomic_compare_exchange_strong_explicit (&estimate->since_us, &since_us, ready_since_us, memory_order_relaxed,
                                                memory_order_relaxed))
    return;
  atomic_store_explicit (&estimate->average, 0, memory_order_relaxed);
  end_doubt (estimate);
  write_time (&estimate->waits_us, 0);
}

Outlook
estimate_outlook (const Estimate *estimate, int64_t decay_us, bool is_held, int64_t now_us)
{
  int64_t silence_us = silence_of (estimate, decay_us, is_held, now_us);
  Latency average = read_latency (&estimate->average);
  Latency doubt = read_latency (&estimate->doubt);
  Outlook outlook = { average.us * left_of (average, decay_us, stamp_at (now_us - silence_us)), (float) silence_us };
  uint32_t now = stamp_at (now_us);
  bool is_out = silence_us > 0;

  if (is_out ? is_doubted (doubt, decay_us, now) : is_left_alone (doubt, decay_us, now))
    outlook.least_us = fmaxf (outlook.least_us, doubt.us);
  return outlook;
}

static bool
came_back (int status)
{
  return status != CANCELLED && status != DEADLINE_EXCEEDED;
}

void
estimate_end (Estimate *estimate, int64_t decay_us, int status, int64_t begun_us, int64_t now_us)
{
  const Latency sample = { now_us > begun_us ? (float) (now_us - begun_us) : 1, stamp_at (now_us) };
  Latency average = read_latency (&estimate->average);
  bool failed = status > 0;

  if (begun_us < read_time (&estimate->since_us))
    return;
  if (came_back (status))
    hear (estimate, begun_us, now_us);
  if (sample.us <= average.us && !failed) {
    end_doubt (estimate);
    average_in (estimate, decay_us, sample);
  } else if (sample.us > average.us && (!failed || average.us > 0)) {
    note_late (estimate, decay_us, sample, stamp_at (begun_us));
  }
}
