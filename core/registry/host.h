/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host: what a plugin's state is given: the CenoteHost table, one for each state,
 * and the way from an operation's fault to a GError.
 *
 * Clock, luck, timers, events and the pool's part are handed in by whoever makes the host, so that
 * a test or the simulation gives its own.  A host is immutable after it was made
 * and may be used on every thread that its services may; it must outlive the
 * state that was created with it.
 */
#ifndef CENOTE_CORE_HOST_H
#define CENOTE_CORE_HOST_H

#include "registry.h"

/* CenoteHost.call_async()'s arguments; borrowed. */
typedef struct HostCall {
  const char *pool;
  const char *method;
  const void *request;
  gsize size;
  gint64 timeout_us;
  CenoteCallDone done;
  void *data;
} HostCall;

/* What the core does for a plugin.  timer_start, timer_stop and emit may be NULL: no timer then, and no event. */
typedef struct HostServices {
  gint64 (*now_us) (gpointer data);
  guint64 (*random) (gpointer data);
  /* Control thread; DELAY_US is 0 or more.  Never calls FUNC before it has returned. */
  CenoteTimer *(*timer_start) (gpointer data, gint64 delay_us, void (*func) (void *func_data), void *func_data);
  void (*timer_stop) (gpointer data, CenoteTimer *timer);
  /* EVENT has the core's size, its pool and its time; valid during the call. */
  void (*emit) (gpointer data, const CenoteEvent *event);
  /* Control thread; for transports.  Both may be NULL: nothing is replaced, and no call proves anything. */
  void (*renew) (gpointer data, const char *why);
  struct grpc_call_credentials *(*call_credentials) (gpointer data);
  /* For telemetry sinks; any thread.  As CenoteHost says of them; each may be NULL: there is nothing then. */
  void (*read_metrics) (gpointer data, CenoteMetricFunc func, void *func_data);
  char *(*status_json) (gpointer data);
  gboolean (*call_async) (gpointer data, const HostCall *call);
  gpointer data;
} HostServices;

/* (transfer full): INSTANCE is NAME of the [kind:NAME] group; POOL is NULL for what the whole process uses. */
CenoteHost *host_new (Plugin *plugin, const char *instance, const char *pool, const HostServices *services);
/* The state has been destroyed.  NULL is ignored. */
void host_free (CenoteHost *host);

/* The reason that an operation left.  On the caller's stack, for one call:
 *
 *   CenoteFault fault = FAULT_INIT;
 *   channel = ops->create_channel (state, address, args, &fault);
 *   if (!channel)
 *     g_propagate_error (error, fault_take (&fault, host, "create_channel"));
 *   fault_clear (&fault);
 */
struct CenoteFault {
  char *text;
};
#define FAULT_INIT { NULL }

void fault_clear (CenoteFault *fault);
/* (transfer full): CENOTE_ERROR_PLUGIN, naming kind, name, instance and OPERATION; where the plugin
 * left no reason, that.  FAULT is empty afterwards. */
GError *fault_take (CenoteFault *fault, const CenoteHost *host, const char *operation);

/* A state of HOST's plugin; give it to host_destroy_state() before host_free().
 * NULL: CENOTE_ERROR_PLUGIN.  Control thread. */
gpointer host_create_state (CenoteHost *host, const CenoteOptions *options, GError **error);
void host_destroy_state (CenoteHost *host, gpointer state);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CenoteHost, host_free)

#endif
