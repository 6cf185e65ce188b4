/* SPDX-License-Identifier: Apache-2.0 */
#include "ejection.h"

/* So many are to be left, however bad they are. */
static guint
least_shown (const EjectionRules *rules, const EjectionCounts *counts)
{
  double least = rules->panic_share * counts->expected;
  guint whole = (guint) least;

  return MAX (1, whole + (least > whole));
}

guint
ejection_room (const EjectionRules *rules, const EjectionCounts *counts)
{
  guint most = (guint) (rules->max_share * (counts->shown + counts->out));
  guint least = least_shown (rules, counts);

  most = MAX (most, rules->max_share > 0);
  if (counts->out >= most || counts->shown <= least)
    return 0;
  return MIN (most - counts->out, counts->shown - least);
}

gboolean
ejection_is_panic (const EjectionRules *rules, const EjectionCounts *counts)
{
  return counts->out > 0 && counts->shown < least_shown (rules, counts);
}

gint64
ejection_time_us (const EjectionRules *rules, guint times)
{
  return rules->base_us * CLAMP (times, 1, EJECTION_MAX_TIMES);
}

guint
ejection_remembered (const EjectionRules *rules, guint times, gint64 back_us)
{
  gint64 forgiven = back_us < 0 ? 0 : back_us / rules->base_us;

  times = MIN (times, EJECTION_MAX_TIMES);
  return forgiven >= times ? 0 : times - (guint) forgiven;
}

gboolean
ejection_share_is_reached (double share, gint64 blamed, gint64 calls)
{
  return share > 0 && calls >= EJECTION_MIN_CALLS && (double) blamed >= share * (double) calls;
}
