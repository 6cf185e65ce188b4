/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim: a whole runtime without threads, sockets or real time: what runtime.c
 * puts together, put together over a world of virtual time and seeded luck.
 *
 * The test's thread is every thread: calls of <cenote/pool.h> run at once on the
 * control side, and sim_run() does what the control, telemetry and callback
 * threads would have done until then.  So a call that would block cannot be
 * made: use acquire_async (whose callbacks run in sim_run()), or timeout 0.
 *
 * The plugins are the real ones, linked statically, and the transport `peers`.
 */
#ifndef CENOTE_TESTS_SIM_SIM_H
#define CENOTE_TESTS_SIM_SIM_H

#include <cenote/config.h>
#include <cenote/pool.h>
#include <cenote/telemetry.h>

#include "core/runtime/control.h"
#include "core/runtime/metrics.h"
#include "core/config/settings.h"
#include "names.h"
#include "peers.h"

G_BEGIN_DECLS

#define SIM_MS INT64_C (1000)
#define SIM_S INT64_C (1000000)

typedef struct Sim Sim;

/* The pools of KEYFILE, not started.  NULL: as cenote_runtime_new(). */
Sim *sim_new (const char *keyfile, guint64 seed, GError **error);
/* Before sim_open(): one more static plugin. */
void sim_add_plugin (Sim *sim, const CenotePlugin *plugin);
/* In three steps, for tests with plugins of their own: an empty simulation, its pools, its start. */
Sim *sim_new_empty (guint64 seed);
gboolean sim_open (Sim *sim, const char *keyfile, GError **error);
void sim_start (Sim *sim);
/* As cenote_runtime_reload(). */
gboolean sim_reload (Sim *sim, const char *keyfile, GError **error);
/* Stops and orphans as cenote_runtime_stop() would, where sim_end() was not called. */
void sim_free (Sim *sim);

Peers *sim_peers (Sim *sim);
Names *sim_names (Sim *sim);
/* (transfer none) */
CenotePool *sim_pool (Sim *sim, guint i);
GMainContext *sim_context (Sim *sim);
Control *sim_control (Sim *sim);
const PoolSettings *sim_pool_settings (Sim *sim, guint i);
gint64 sim_now (Sim *sim);
/* In a plugin's operation: it takes so long. */
void sim_pass (Sim *sim, gint64 span_us);
guint64 sim_luck (Sim *sim);

/* All that is due up to SPAN_US from now happens. */
void sim_run (Sim *sim, gint64 span_us);
/* All that is due now. */
void sim_settle (Sim *sim);
/* When the next thing is due; G_MAXINT64: nothing ever. */
gint64 sim_next_us (Sim *sim);
/* The pools stop, drain for DRAIN_US at most, and are orphaned then.  FALSE: one is not over. */
gboolean sim_end (Sim *sim, gint64 drain_us);
guint sim_n_over (Sim *sim);

/* HANDLE is told every event of the kinds in MASK. */
void sim_add_sink (Sim *sim, guint64 mask, void (*handle) (gpointer data, const CenoteEvent *event), gpointer data);

/* ------------------------------------------------- behind the pool's door */

/* A caller that waits in cenote_pool_dial() of the first pool. */
typedef struct SimDial {
  gboolean answered;
  CenoteLease lease;
  GError *error;
} SimDial;
void sim_dial (Sim *sim, const char *address, gint64 timeout_us, SimDial *dial);

typedef struct SimCounts {
  guint shown;               /* slots that a get may take */
  guint links;
  guint addresses;
  gint64 in_flight;          /* of the slots, by their sums */
  guint dialing;             /* in the whole process */
  gboolean paused;
  gboolean parked;
  gboolean over;
  guint64 view_reads;        /* what the connector's view has cost so far */
  guint64 view_writes;
} SimCounts;
SimCounts sim_count (Sim *sim, guint pool);
/* What has been counted. */
guint64 sim_counter (Sim *sim, CounterId id);
/* As a sink that serves the pool does by reading. */
void sim_want_samples (Sim *sim, guint pool);
/* What a sink that serves all pools reads. */
void sim_read_metrics (Sim *sim, CenoteMetricFunc func, gpointer data);

G_END_DECLS

#endif
