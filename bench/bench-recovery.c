/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench-recovery: a server that is down for three seconds, and how long after it
 * listens again a pool of five with its default backoff can be used, and is whole;
 * beside it a plain channel with gRPC's defaults that is waited for by a call.
 */
#include <grpc/grpc_security.h>
#include <grpc/support/time.h>
#include <stdio.h>

#include "rig.h"

#define N_TRIALS 9
#define OUTAGE_US (3 * G_USEC_PER_SEC)
/* Connections are proved after a second, and their loss then begins the backoff anew. */
#define PROOF_US (1200 * 1000)

/* ------------------------------------------------------------ plain channel */

typedef struct Plain {
  grpc_channel *channel;
  grpc_completion_queue *queue;
  gint64 ready_us;
} Plain;

/* Watches, and dials, until it is ready. */
static gpointer
await_plain (gpointer data)
{
  Plain *plain = data;
  grpc_connectivity_state state;

  while ((state = grpc_channel_check_connectivity_state (plain->channel, 1)) != GRPC_CHANNEL_READY) {
    grpc_channel_watch_connectivity_state (plain->channel, state, gpr_inf_future (GPR_CLOCK_REALTIME), plain->queue,
                                           NULL);
    grpc_completion_queue_next (plain->queue, gpr_inf_future (GPR_CLOCK_MONOTONIC), NULL);
  }
  plain->ready_us = g_get_monotonic_time ();
  return NULL;
}

static void
plain_init (Plain *plain, guint port)
{
  grpc_channel_credentials *credentials = grpc_insecure_credentials_create ();
  g_autofree char *target = g_strdup_printf ("ipv4:127.0.0.1:%u", port);

  grpc_init ();
  plain->queue = grpc_completion_queue_create_for_next (NULL);
  plain->channel = grpc_channel_create (target, credentials, NULL);
  grpc_channel_credentials_release (credentials);
  await_plain (plain);
}

static void
plain_clear (Plain *plain)
{
  grpc_channel_destroy (plain->channel);
  grpc_completion_queue_shutdown (plain->queue);
  grpc_completion_queue_destroy (plain->queue);
  grpc_shutdown ();
}

/* ---------------------------------------------------------------- outages */

typedef struct Figures {
  GArray *first_ms;          /* from listening to the first channel of the pool */
  GArray *call_ms;           /* … to the end of the first call */
  GArray *rest_ms;           /* from the first channel to the fifth */
  GArray *plain_ms;          /* from listening to the plain channel */
} Figures;

static void
one_outage (Rig *rig, Plain *plain, Child **server, guint port, const Figures *figures)
{
  RigSource source = rig_source_of_pool (rig->pool);
  gint64 first_us, last_us, listens_us, called_us;
  GThread *waiting;

  g_usleep (PROOF_US);
  rig_forget (rig);
  child_free (*server);
  rig_await_lost (rig, 5, &first_us, &last_us);
  waiting = g_thread_new ("plain", await_plain, plain);
  g_usleep (OUTAGE_US);
  *server = rig_start_server (&port);
  listens_us = g_get_monotonic_time ();
  cenote_pool_await_ready (rig->pool, G_MAXINT64, NULL);
  if (rig_call (&source, 1, 1) != 0)
    g_error ("the first call failed");
  called_us = g_get_monotonic_time ();
  rig_await_found (rig, 5, &first_us, &last_us);
  g_thread_join (waiting);
  rig_add (figures->first_ms, (double) (first_us - listens_us) / 1000);
  rig_add (figures->call_ms, (double) (called_us - listens_us) / 1000);
  rig_add (figures->rest_ms, (double) (last_us - first_us) / 1000);
  rig_add (figures->plain_ms, (double) (plain->ready_us - listens_us) / 1000);
}

static void
print_figures (const Figures *figures)
{
  rig_title ("recovery from an outage of 3 s");
  rig_print ("listening to the pool's first channel", "ms", figures->first_ms, BENCH_NO_BAR, 0);
  rig_print ("listening to the end of the first call", "ms", figures->call_ms, BENCH_NO_BAR, 0);
  rig_print ("first channel to all five", "ms", figures->rest_ms, BENCH_AT_MOST, 250);
  rig_print ("listening to a plain channel, gRPC's defaults", "ms", figures->plain_ms, BENCH_NO_BAR, 0);
}

static GArray *
values_new (void)
{
  return g_array_new (FALSE, FALSE, sizeof (double));
}

int
main (void)
{
  Figures figures = { values_new (), values_new (), values_new (), values_new () };
  guint port = 0;
  Child *server = rig_start_server (&port);
  Rig *rig = rig_new (port);
  Plain plain;
  guint i;

  plain_init (&plain, port);
  for (i = 0; i < N_TRIALS; i++)
    one_outage (rig, &plain, &server, port, &figures);
  print_figures (&figures);
  plain_clear (&plain);
  rig_free (rig);
  child_free (server);
  g_array_unref (figures.first_ms);
  g_array_unref (figures.call_ms);
  g_array_unref (figures.rest_ms);
  g_array_unref (figures.plain_ms);
  return 0;
}
