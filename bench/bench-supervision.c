/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench-supervision: calls a second with a hundred in flight, over five channels made
 * by hand and over a pool of five, each in a process of its own (C-core has one
 * poller for all channels of a process), against one server in a third.
 *
 *   bench-supervision                the comparison
 *   bench-supervision plain PORT     a caller: makes as many calls as a line of stdin says,
 *   bench-supervision pooled PORT    and answers with the nanoseconds that they took, and
 *                                    those of its CPU time, which other processes disturb less
 */
#include <grpc/support/time.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rig.h"

#define N_CHANNELS 5
#define IN_FLIGHT 100
#define N_ROUNDS 41
#define RUN_NS 300e6

/* ----------------------------------------------------------------- callers */

typedef struct Plain {
  grpc_channel *channels[N_CHANNELS];
  guint next;
} Plain;

static grpc_channel *
take_plain (gpointer data, CenoteLease *lease)
{
  Plain *plain = data;

  (void) lease;
  return plain->channels[plain->next++ % N_CHANNELS];
}

static gint64
now_ns (clockid_t clock)
{
  struct timespec now;

  clock_gettime (clock, &now);
  return now.tv_sec * G_GINT64_CONSTANT (1000000000) + now.tv_nsec;
}

static void
answer_requests (const RigSource *source)
{
  char line[64];

  while (fgets (line, sizeof line, stdin) != NULL) {
    gint64 began_ns = now_ns (CLOCK_MONOTONIC);
    gint64 cpu_ns = now_ns (CLOCK_PROCESS_CPUTIME_ID);
    guint64 failed = rig_call (source, strtoull (line, NULL, 10), IN_FLIGHT);

    if (failed > 0)
      g_error ("%" G_GUINT64_FORMAT " calls failed", failed);
    printf ("%" G_GINT64_FORMAT " %" G_GINT64_FORMAT "\n", now_ns (CLOCK_MONOTONIC) - began_ns,
            now_ns (CLOCK_PROCESS_CPUTIME_ID) - cpu_ns);
    fflush (stdout);
  }
}

static void
run_plain (guint port)
{
  Plain plain = { .next = 0 };
  RigSource source = { .take = take_plain, .data = &plain };
  g_autofree char *target = g_strdup_printf ("ipv4:127.0.0.1:%u", port);
  guint i;

  grpc_init ();
  for (i = 0; i < N_CHANNELS; i++)
    plain.channels[i] = rig_plain_channel (target);
  answer_requests (&source);
  for (i = 0; i < N_CHANNELS; i++)
    grpc_channel_destroy (plain.channels[i]);
  grpc_shutdown ();
}

static void
run_pooled (guint port)
{
  Rig *rig = rig_new (port);
  RigSource source = rig_source_of_pool (rig->pool);

  answer_requests (&source);
  rig_free (rig);
}

/* -------------------------------------------------------------- comparison */

static Child *
start_caller (const char *self, const char *kind, guint port)
{
  g_autofree char *text = g_strdup_printf ("%u", port);
  const char *argv[] = { self, kind, text, NULL };
  Child *child = child_start (argv, NULL);

  if (child == NULL)
    g_error ("%s cannot be started", self);
  return child;
}

/* Nanoseconds for one call. */
typedef struct Cost {
  double wall_ns, cpu_ns;
} Cost;

static Cost
time_calls (Child *caller, guint64 n)
{
  g_autofree char *line = g_strdup_printf ("%" G_GUINT64_FORMAT, n);
  g_autofree char *answer = child_ask (caller, line);
  char *end = NULL;
  Cost cost;

  if (answer == NULL)
    g_error ("a caller has ended");
  cost.wall_ns = g_ascii_strtod (answer, &end) / (double) n;
  cost.cpu_ns = g_ascii_strtod (end, NULL) / (double) n;
  return cost;
}

static GArray *
values_new (void)
{
  return g_array_new (FALSE, FALSE, sizeof (double));
}

static void
compare_rates (Child *plain, Child *pooled)
{
  Child *const callers[3] = { plain, pooled, plain };
  g_autoptr (GArray) ratios = values_new ();
  g_autoptr (GArray) cpu_ratios = values_new ();
  g_autoptr (GArray) same = values_new ();
  g_autoptr (GArray) rates = values_new ();
  guint64 n = (guint64) (RUN_NS / time_calls (plain, 5000).wall_ns);
  guint round, k;

  time_calls (pooled, n);
  for (round = 0; round < N_ROUNDS; round++) {
    Cost costs[3];

    for (k = 0; k < 3; k++)
      costs[(round + k) % 3] = time_calls (callers[(round + k) % 3], n);
    rig_add (ratios, costs[0].wall_ns / costs[1].wall_ns);
    rig_add (cpu_ratios, costs[0].cpu_ns / costs[1].cpu_ns);
    rig_add (same, costs[0].wall_ns / costs[2].wall_ns);
    rig_add (rates, 1e6 / costs[0].wall_ns);
  }
  rig_title ("supervision, 100 calls in flight over 5 channels");
  rig_print ("rate over plain channels", "kcalls/s", rates, BENCH_NO_BAR, 0);
  rig_print ("the same against itself (A/A)", "", same, BENCH_NO_BAR, 0);
  rig_print ("rate over a pool / over plain channels", "", ratios, BENCH_AT_LEAST, 0.97);
  rig_print ("calls for a second of the caller's CPU, the same", "", cpu_ratios, BENCH_NO_BAR, 0);
}

int
main (int argc, char **argv)
{
  guint port = argc < 3 ? 0 : (guint) atoi (argv[2]);
  g_autoptr (Child) server = NULL;
  g_autoptr (Child) plain = NULL;
  g_autoptr (Child) pooled = NULL;

  if (argc == 3 && strcmp (argv[1], "plain") == 0) {
    run_plain (port);
    return 0;
  }
  if (argc == 3 && strcmp (argv[1], "pooled") == 0) {
    run_pooled (port);
    return 0;
  }
  server = rig_start_server (&port);
  plain = start_caller (argv[0], "plain", port);
  pooled = start_caller (argv[0], "pooled", port);
  compare_rates (plain, pooled);
  return 0;
}
