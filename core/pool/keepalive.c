/* SPDX-License-Identifier: Apache-2.0 */
#include "keepalive.h"

/* A moment of suspicion, and a second one that agrees. */
#define ENOUGH 2

/* READY is noticed a little after the connection's birth; pings and their
 * punishment come a little late, the later the more of them there are. */
#define EARLY_US (50 * 1000)
#define LATE_US (200 * 1000)
#define LATE_FRACTION 50

#define MAX_INTERVAL_US (G_GINT64_CONSTANT (24) * 3600 * G_USEC_PER_SEC)

gboolean
keepalive_is_strike_age (gint64 interval_us, gint64 age_us)
{
  gint64 pings;

  for (pings = 3; pings <= 4; pings++) {
    gint64 due_us = pings * interval_us;

    if (age_us >= due_us - EARLY_US && age_us <= due_us + LATE_US + due_us / LATE_FRACTION)
      return TRUE;
  }
  return FALSE;
}

/* Connections that were made together are lost together, and that is one moment. */
static void
count_moment (Keepalive *keepalive, gint64 interval_us, gint64 now_us)
{
  if (keepalive->n_suspects > 0 && now_us - keepalive->suspect_us < interval_us)
    return;
  keepalive->n_suspects++;
  keepalive->suspect_us = now_us;
}

KeepaliveVerdict
keepalive_heed_loss (Keepalive *keepalive, gint64 interval_us, gint64 age_us, gint64 now_us)
{
  gint64 calmer_us = MIN (2 * interval_us, MAX_INTERVAL_US);

  if (!keepalive_is_strike_age (interval_us, age_us)) {
    keepalive->n_suspects = 0;
    return KEEPALIVE_INNOCENT;
  }
  count_moment (keepalive, interval_us, now_us);
  if (keepalive->n_suspects < ENOUGH || calmer_us <= keepalive->learned_us)
    return KEEPALIVE_SUSPECT;
  keepalive->learned_us = calmer_us;
  return KEEPALIVE_LEARNED;
}
