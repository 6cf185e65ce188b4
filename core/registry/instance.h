/* SPDX-License-Identifier: Apache-2.0 */
/*
 * instance: one state of a plugin, made with the values that a keyfile gives it.
 *
 * Counted (any thread); the last reference destroys the state.  Its host table
 * lives as long.
 *
 * Operations that the control thread calls are timed, as everything waits for it:
 * one that takes longer than its budget is counted, and named in the log at most
 * once a minute for each state.
 */
#ifndef CENOTE_CORE_INSTANCE_H
#define CENOTE_CORE_INSTANCE_H

#include <pthread.h>

#include "host.h"
#include "core/config/settings.h"

typedef struct Instance {
  guint refs;                /* atomic; not GLib's, which a sanitizer does not see */
  Plugin *plugin;
  CenoteHost *host;
  gpointer state;
  gpointer kept;             /* see instance_keep() */
  GDestroyNotify release;
  gint64 next_report_us;     /* atomic: before then a slow operation is only counted */
  pthread_mutex_t turn;      /* a transport's: see instance_take_turn() */
} Instance;

/* For one operation on the control thread, and for create or destroy. */
#define INSTANCE_BUDGET_US (100 * G_GINT64_CONSTANT (1000))
#define INSTANCE_LIFE_BUDGET_US G_USEC_PER_SEC

/* Control.  Calls the plugin's create; POOL (nullable) names whom it serves.
 * NULL: CENOTE_ERROR_PLUGIN with the plugin's own reason. */
Instance *instance_new (const PluginUse *use, const char *pool, const HostServices *services, GError **error);
/* What its services are of (transfer full), which may not go before it; RELEASE comes after the state's end, on
 * whichever thread that is.  Once. */
void instance_keep (Instance *instance, gpointer kept, GDestroyNotify release);
Instance *instance_ref (Instance *instance);
void instance_unref (Instance *instance);
/* The same where nobody waits for its end, which is not timed. */
void instance_unref_orphan (Instance *instance);

/* Around a call of OPERATION ("plan"), by the host's clock; any thread.
 * instance_begin() returns what instance_end() wants. */
gint64 instance_begin (const Instance *instance);
void instance_end (Instance *instance, const char *operation, gint64 began_us);
/* The same around an operation of a transport's, which is for one thread at a time: the control thread, or,
 * for a channel that outlives its pool, whoever closes it. */
gint64 instance_take_turn (Instance *transport);
void instance_give_turn (Instance *transport, const char *operation, gint64 began_us);
/* How many operations of all plugins in this process took longer than their budget. */
guint64 instance_slow_calls (void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Instance, instance_unref)

#endif
