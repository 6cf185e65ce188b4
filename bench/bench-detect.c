/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench-detect: how long after the kernel had the news that a connection is gone its
 * channel was out of the rotation.
 *
 * A proxy in another process cuts a connection by RST and says when; the event of
 * the pool says when it was known (its slot was hidden before that).
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "rig.h"

#define N_TRIALS 50
/* Longer than callers need to be silent to count as quiet. */
#define PAUSE_US (150 * 1000)

typedef struct Callers {
  Rig *rig;
  guint n;                   /* calls at a time */
  guint in_flight;
  gulong pause_us;           /* after those */
  atomic_bool over;
} Callers;

static gpointer
run_callers (gpointer data)
{
  Callers *callers = data;
  RigSource source = rig_source_of_pool (callers->rig->pool);

  while (!atomic_load (&callers->over)) {
    rig_call (&source, callers->n, callers->in_flight);
    g_usleep (callers->pause_us);
  }
  return NULL;
}

/* Cuts the oldest connection of five.  Milliseconds until its loss was known. */
static double
cut (Rig *rig, Child *proxy)
{
  g_autofree char *answer = NULL;
  gint64 first_us, last_us, cut_ns;

  rig_forget (rig);
  answer = child_ask (proxy, "reset 0");
  if (answer == NULL || !g_ascii_isdigit (answer[0]))
    g_error ("the proxy cuts nothing");
  cut_ns = g_ascii_strtoll (answer, NULL, 10);
  rig_await_lost (rig, 1, &first_us, &last_us);
  rig_await_found (rig, 1, &first_us, &last_us);
  return ((double) g_array_index (rig->lost_us, gint64, 0) * 1000 - (double) cut_ns) / 1e6;
}

static void
measure (const char *what, Rig *rig, Child *proxy, BenchBar bar)
{
  g_autoptr (GArray) values = g_array_new (FALSE, FALSE, sizeof (double));
  guint i;

  for (i = 0; i < N_TRIALS; i++) {
    g_usleep (PAUSE_US);
    rig_add (values, cut (rig, proxy));
  }
  rig_print (what, "ms", values, bar, 3);
}

static void
measure_with (const char *what, Rig *rig, Child *proxy, Callers callers, BenchBar bar)
{
  GThread *thread;

  callers.rig = rig;
  thread = g_thread_new ("callers", run_callers, &callers);
  measure (what, rig, proxy, bar);
  atomic_store (&callers.over, TRUE);
  g_thread_join (thread);
}

int
main (void)
{
  guint port = 0, proxy_port;
  g_autoptr (Child) server G_GNUC_UNUSED = rig_start_server (&port);
  g_autoptr (Child) proxy = rig_start_proxy (port, &proxy_port);
  Rig *rig = rig_new (proxy_port);

  rig_title ("a lost connection is known");
  measure ("no caller", rig, proxy, BENCH_AT_MOST);
  measure_with ("100 calls in flight", rig, proxy, (Callers) { .n = 1000, .in_flight = 100 }, BENCH_AT_MOST);
  measure_with ("1 call in flight", rig, proxy, (Callers) { .n = 100, .in_flight = 1 }, BENCH_AT_MOST);
  measure_with ("1 call each 20 ms", rig, proxy, (Callers) { .n = 1, .in_flight = 1, .pause_us = 20000 }, BENCH_NO_BAR);
  rig_free (rig);
  return 0;
}
