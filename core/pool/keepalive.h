/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keepalive: what an address has taught about keepalive pings.
 *
 * A server that is pinged more often than it allows ends the connection with GOAWAY
 * ENHANCE_YOUR_CALM.  C-core then doubles its interval on that one channel object,
 * and does not say so: not by connectivity, not by channelz.  An open stream would end
 * with "Too many pings" where the server is C-core's own (after the loss is told), but
 * with "Socket closed" where it is etcd, and mostly there is none.  So it is inferred:
 *
 *   A server counts strikes and ends a connection at the third; some forgive the
 *   first ping.  A connection that carried nothing else is then three or four
 *   keepalive times old.  Two losses in a row at such ages, in two different
 *   moments, are taken for ENHANCE_YOUR_CALM.  New channels to the address then
 *   get twice the interval of the connection that was lost last.
 *
 * What this can get wrong: a connection that carried calls is lost at any age, and
 * teaches nothing (its own object still calms down, by C-core); and a server that
 * ends connections twice at just these ages for reasons of its own makes us ping
 * less often than we might, which the log says.
 *
 * Pure: decisions on what is handed in.
 */
#ifndef CENOTE_CORE_KEEPALIVE_H
#define CENOTE_CORE_KEEPALIVE_H

#include <glib.h>

/* Of one address in one pool; zeroed: it has taught nothing. */
typedef struct Keepalive {
  gint64 learned_us;         /* the least interval that it seems to bear; 0: any */
  guint n_suspects;          /* moments of such losses in a row */
  gint64 suspect_us;         /* the last one */
} Keepalive;

typedef enum {
  KEEPALIVE_INNOCENT,
  KEEPALIVE_SUSPECT,
  KEEPALIVE_LEARNED          /* learned_us has risen */
} KeepaliveVerdict;

/* Whether a connection that pings every INTERVAL_US may have been struck out at AGE_US. */
gboolean keepalive_is_strike_age (gint64 interval_us, gint64 age_us);
/* One that pinged every INTERVAL_US was lost at NOW_US, AGE_US old. */
KeepaliveVerdict keepalive_heed_loss (Keepalive *keepalive, gint64 interval_us, gint64 age_us, gint64 now_us);

#endif
