/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pump: sees to it that somebody drives C-core, at the least cost.
 *
 * Ticking: callers are about, and drive C-core themselves; the control thread
 * polls it with zero timeout every 10 ms (for 20 ms after something happened: every
 * 1 ms), and looks after the pools.  A blocked
 * poller would cost asynchronous callers up to a quarter of their rate (FACTS 11).
 * Resting: nobody is about; the control thread sleeps, and the poller thread
 * blocks in C-core, so that a lost connection is noticed within a millisecond.
 *
 * The poller thread also stands in for the control thread, which a plugin can keep busy:
 * it looks, while callers are about every 20 ms, else at least every 50 ms, whether
 * something is overdue that cannot wait.
 *
 * Control thread only, except that the poller thread is its own.
 */
#ifndef CENOTE_CORE_PUMP_H
#define CENOTE_CORE_PUMP_H

#include "core/grpc/ccore.h"

typedef struct Pump Pump;

/* LOOK is called each tick and answers whether there is to be another.
 * CCORE NULL (simulation): ticks only. */
Pump *pump_new (Control *control, Ccore *ccore, gboolean (*look) (gpointer data), gpointer data);
/* Starts the poller, which calls STAND_IN with the data of LOOK.  FALSE: the system gives no thread. */
gboolean pump_start (Pump *pump, void (*stand_in) (gpointer data), GError **error);
/* Any thread, after the control thread has ended: joins the poller. */
void pump_free (Pump *pump);
/* Callers are about: ticks from now on, until LOOK says no. */
void pump_wake (Pump *pump);
/* Something happened: the same, and quick ones first. */
void pump_stir (Pump *pump);
/* The wall clock was set: for a second C-core is made to look at its timers (FACTS 14). */
void pump_clock_stepped (Pump *pump, void (*each) (gpointer data));

#endif
