/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ejection: how many channels of a pool may be out of rotation because their calls
 * fail, and for how long.  Pure: rules and counts in, a decision out.
 *
 * Of the channels that are connected at most max_share are out (of two or more always
 * one), and never so many that fewer are left than panic_share of what the pool wants,
 * or none.  Where others are lost meanwhile, and fewer are left, that is a panic:
 * so many cannot all be at fault, and everybody is let back.
 *
 * A channel is out for base_us, times how often that happened in a row in its place;
 * each base_us back in rotation takes one off again (gRFC A50's multiplier).
 */
#ifndef CENOTE_CORE_EJECTION_H
#define CENOTE_CORE_EJECTION_H

#include <glib.h>

#define EJECTION_MAX_TIMES 10
/* Of fewer calls in a window no share is taken. */
#define EJECTION_MIN_CALLS 20

typedef struct EjectionRules {
  double max_share;
  double panic_share;
  gint64 base_us;
} EjectionRules;

typedef struct EjectionCounts {
  guint shown;               /* in rotation, whoever is suspected among them */
  guint out;
  guint expected;            /* what the pool wants */
} EjectionCounts;

/* How many more may be ejected. */
guint ejection_room (const EjectionRules *rules, const EjectionCounts *counts);
/* Whether those who are out are to be let back. */
gboolean ejection_is_panic (const EjectionRules *rules, const EjectionCounts *counts);
/* How long the ejection number TIMES (from 1) lasts. */
gint64 ejection_time_us (const EjectionRules *rules, guint times);
/* What is left of TIMES ejections, the last of which ended BACK_US ago (below 0: goes on). */
guint ejection_remembered (const EjectionRules *rules, guint times, gint64 back_us);
/* Whether BLAMED of CALLS in a window are too many; SHARE 0: never. */
gboolean ejection_share_is_reached (double share, gint64 blamed, gint64 calls);

#endif
