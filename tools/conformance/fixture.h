/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fixture: a state of a plugin with a host of its own: virtual time, repeatable
 * luck, timers that run when time is advanced, events and faults that are kept.
 *
 * One thread, except fixture_random() and what the host may be asked for on many: all but timers and a pool's.
 */
#ifndef CENOTE_TOOLS_FIXTURE_H
#define CENOTE_TOOLS_FIXTURE_H

#include <cenote/registry.h>
#include <cenote/telemetry.h>

G_BEGIN_DECLS

#include "core/registry/host.h"

/* What a sink's host has; NULL: nothing. */
typedef struct FixtureSources {
  void (*read_metrics) (gpointer data, CenoteMetricFunc func, void *func_data);
  gboolean (*call_async) (gpointer data, const HostCall *call);
  gpointer data;
} FixtureSources;

typedef struct Fixture {
  Plugin *plugin;            /* (reference) */
  CenoteHost *host;
  CenoteOptions options;
  CenoteValue *values;
  gpointer state;            /* NULL until fixture_create() */
  gint64 now_us;             /* set by fixture_set_now() */
  GMutex lock;               /* luck, events and sources */
  guint64 luck;              /* of the generator; see fixture_fix_luck() */
  gboolean luck_is_fixed;
  guint events;
  CenoteEvent last_event;
  GPtrArray *timers;         /* that run, of CenoteTimer */
  guint renewals;            /* that a transport asked for */
  char *why_renewed;         /* the last time */
  struct grpc_call_credentials *call_credentials; /* what a transport is given; NULL until set */
  FixtureSources sources;    /* nothing until set by fixture_set_sources() */
} Fixture;

/* SETTINGS: "key=value" each, NULL-terminated, or NULL.  NULL: a setting is wrong, or a
 * required option has neither value nor default. */
Fixture *fixture_new (Plugin *plugin, const char *const *settings, GError **error);
/* FALSE: the plugin's create() failed. */
gboolean fixture_create (Fixture *fixture, GError **error);
/* Destroys the state first. */
void fixture_free (Fixture *fixture);

/* What a sink gets from now on, on any thread. */
void fixture_set_sources (Fixture *fixture, FixtureSources sources);
/* From now on random() gives LUCK each time. */
void fixture_fix_luck (Fixture *fixture, guint64 luck);
/* From now on random() gives the sequence that belongs to SEED. */
void fixture_seed_luck (Fixture *fixture, guint64 seed);
/* Moves the clock alone: no timer runs. */
void fixture_set_now (Fixture *fixture, gint64 now_us);
/* Runs every timer that is due up to then, in the order of their times. */
void fixture_advance (Fixture *fixture, gint64 delay_us);

/* A generator by itself (splitmix64). */
guint64 fixture_random (guint64 *state);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Fixture, fixture_free)

G_END_DECLS

#endif
