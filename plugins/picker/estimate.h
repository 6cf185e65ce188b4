/* SPDX-License-Identifier: Apache-2.0 */
/*
 * estimate: how long a channel takes to answer, by what came back from it and by what
 * has not come back.
 *
 *   average  of the latencies of its answers, over a time, the decay; while nothing is out
 *            and nothing comes it fades, so that the channel is tried again
 *   doubt    a latency above the average.  One alone may be a stall of any machine, so
 *            it is not believed before a call that began after it takes longer than the
 *            average too: then the shorter of the two is the average at once.  An answer that
 *            is no longer than the average ends it.  Until then the channel is left alone for ten
 *            times the doubt, a decay at most, and then tried with one call.
 *   silence  for how long calls are out and nothing has come back: the least that they will
 *            take.  Meanwhile the average does not fade.  One of more than a decay says
 *            nothing any more: the channel is tried again, also where what is out never ends.
 *
 * A failed call never makes a channel look quicker.  One that was cancelled, or ended by its
 * deadline, is none that came back, so the silence goes on after it.
 *
 * Times are microseconds on the host's clock; threads' clocks may differ a little.  Any
 * thread, many at once, without a lock: each word is changed by itself, so what two of them
 * say may be a call apart, and one choice the worse for it.  What changes with each call is
 * written at most every ESTIMATE_GRAIN_US where calls come that often.
 */
#ifndef CENOTE_PLUGINS_ESTIMATE_H
#define CENOTE_PLUGINS_ESTIMATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define ESTIMATE_GRAIN_US 256

/* Zeroed: nothing is known.  On a line of its own. */
typedef struct Estimate {
  _Atomic uint64_t average;  /* a Latency */
  _Atomic uint64_t doubt;    /* a Latency */
  _Atomic int64_t since_us;  /* the connection that it is about became READY then */
  _Atomic int64_t asked_us;  /* the last call began then, or a grain later */
  _Atomic int64_t waits_us;  /* calls are out, and nothing has come back since; 0: what began last has come back */
  char rest[24];
} Estimate;

/* What a call that begins now is to expect. */
typedef struct Outlook {
  float known_us;            /* by the average; 0: nothing is known */
  float least_us;            /* at least, by silence and doubt */
} Outlook;

/* What is known of a connection before the one that became READY then is of no use. */
void estimate_meet (Estimate *estimate, int64_t ready_since_us);
/* IS_HELD: leases are held on the channel, as far as the caller knows; others' it may learn of a tick later. */
Outlook estimate_outlook (const Estimate *estimate, int64_t decay_us, bool is_held, int64_t now_us);
/* A call begins. */
void estimate_begin (Estimate *estimate, int64_t decay_us, bool is_held, int64_t now_us);
/* One ended now.  STATUS: a grpc_status_code, or -1 where it is not told, which passes for OK. */
void estimate_end (Estimate *estimate, int64_t decay_us, int status, int64_t begun_us, int64_t now_us);

#endif
