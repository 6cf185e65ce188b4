/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench-elastic: a pool that sizes itself against fixed ones, where the server's limit of
 * streams is what counts: 100 streams on a connection, 5 ms for a call (and 250 ms, where CPUs
 * are no limit), 400 calls in flight.
 *
 * At 5 ms four channels are good for 80,000 calls a second, more than two CPUs make.  So that
 * it is not the machine that is measured, the server is one that takes little of it
 * (late-server), the calls come from two threads, and the elastic pool may grow to
 * four channels as well: each more would cost, because fewer answers come in one read.
 * At 250 ms it may grow as it likes.
 *
 * The elastic pool begins with one channel and grows under the load; then it, one channel
 * and four are loaded in turn, and each round gives two ratios.  At last the load ends, and
 * the pool is to return to one channel.  Its sizes are printed with their times: each change
 * of direction beyond the one at the end would be an oscillation.
 */
#include <stdio.h>

#include "rig.h"

#define STREAMS 100
#define IN_FLIGHT 400
#define N_CALLERS 2          /* one thread's calls a second are fewer than four channels' */
#define N_ROUNDS 15
#define ROUND_US (400 * 1000)

/* ------------------------------------------------------------------- pools */

typedef struct Sizes {
  GMutex lock;
  GString *text;             /* each size with the second that it began in */
  gint64 begun_us;
  guint last;
  guint n_turns;             /* changes of direction */
  gboolean shrinks;
} Sizes;

/* The telemetry thread. */
static void
note_size (const CenoteEvent *event, gpointer data)
{
  Sizes *sizes = data;
  gboolean shrinks = event->kind == CENOTE_EVENT_POOL_SCALE_DOWN;

  g_mutex_lock (&sizes->lock);
  sizes->n_turns += shrinks != sizes->shrinks;
  sizes->shrinks = shrinks;
  sizes->last = (guint) event->new_size;
  g_string_append_printf (sizes->text, " %u (%.1f s)", sizes->last, (double) (event->time_us - sizes->begun_us) / 1e6);
  g_mutex_unlock (&sizes->lock);
}

static guint
sizes_last (Sizes *sizes)
{
  guint last;

  g_mutex_lock (&sizes->lock);
  last = sizes->last;
  g_mutex_unlock (&sizes->lock);
  return last;
}

/* LIMITS: keys of the elastic pool. */
static CenoteRuntime *
open_runtime (guint port, const char *limits)
{
  g_autofree char *text = g_strdup_printf (
    "[cenote]\ntelemetry=\n"
    "[connector:sized]\nplugin=elastic\nshrink-step=3\n"
    "[pool:elastic]\nprofile=local\ntarget=ipv4:127.0.0.1:%1$u\nconnector=sized\nmax-streams-per-channel=%2$u\n%3$s\n"
    "[pool:four]\nprofile=local\ntarget=ipv4:127.0.0.1:%1$u\nsize=4\n"
    "[pool:one]\nprofile=local\ntarget=ipv4:127.0.0.1:%1$u\nsize=1\n", port, STREAMS, limits);
  g_autoptr (GError) error = NULL;
  g_autoptr (CenoteConfig) config = cenote_config_new_from_data (text, -1, &error);
  CenoteRuntime *runtime = config == NULL ? NULL : cenote_runtime_new (config, &error);

  if (runtime == NULL)
    g_error ("%s", error->message);
  return runtime;
}

static CenotePool *
get_pool (CenoteRuntime *runtime, const char *name)
{
  g_autoptr (GError) error = NULL;
  CenotePool *pool = cenote_runtime_get_pool (runtime, name, &error);

  if (pool == NULL || !cenote_pool_await_ready (pool, 10000, &error))
    g_error ("%s", error->message);
  return pool;
}

/* -------------------------------------------------------------------- load */

typedef struct Caller {
  CenotePool *pool;
  guint64 n;
} Caller;

static gpointer
make_calls (gpointer data)
{
  const Caller *caller = data;
  const RigSource source = rig_source_of_pool (caller->pool);

  if (rig_call_method (&source, RIG_SLOW_ECHO_METHOD, caller->n, IN_FLIGHT / N_CALLERS) != 0)
    g_error ("a call failed");
  return NULL;
}

/* Calls a second of N calls, IN_FLIGHT under way at a time. */
static double
rate_of (CenotePool *pool, guint64 n)
{
  Caller caller = { pool, n / N_CALLERS };
  gint64 begun_us = g_get_monotonic_time ();
  GThread *threads[N_CALLERS];
  guint i;

  for (i = 0; i < N_CALLERS; i++)
    threads[i] = g_thread_new ("caller", make_calls, &caller);
  for (i = 0; i < N_CALLERS; i++)
    g_thread_join (threads[i]);
  return (double) (caller.n * N_CALLERS) * 1e6 / (double) (g_get_monotonic_time () - begun_us);
}

/* As many as take about SPAN_US. */
static guint64
calibrate (CenotePool *pool, gint64 span_us)
{
  return MAX (2 * IN_FLIGHT, (guint64) (rate_of (pool, 3 * IN_FLIGHT) * (double) span_us / 1e6));
}

/* Until the pool has not grown for some seconds. */
static void
load_until_grown (CenotePool *pool, Sizes *sizes)
{
  guint before;

  do {
    before = sizes_last (sizes);
    rate_of (pool, calibrate (pool, 3 * G_USEC_PER_SEC));
  } while (sizes_last (sizes) != before);
}

/* ------------------------------------------------------------------- rounds */

enum { ELASTIC, FOUR, ONE, N_POOLS };

/* Each in turn, another one first in each round. */
static void
compare (CenotePool *const *pools, GArray *by_four, GArray *by_one, GArray *rates)
{
  double rate[N_POOLS];
  guint64 n[N_POOLS];
  guint round, k;

  for (k = N_POOLS; k-- > 0;) /* the elastic one at last: while others are loaded it is idle */
    n[k] = calibrate (pools[k], ROUND_US);
  for (round = 0; round < N_ROUNDS; round++) {
    for (k = 0; k < N_POOLS; k++)
      rate[(round + k) % N_POOLS] = rate_of (pools[(round + k) % N_POOLS], n[(round + k) % N_POOLS]);
    rig_add (by_four, rate[ELASTIC] / rate[FOUR]);
    rig_add (by_one, rate[ELASTIC] / rate[ONE]);
    rig_add (rates, rate[ELASTIC]);
  }
}

static void
await_rest (Sizes *sizes)
{
  gint64 until_us = g_get_monotonic_time () + 2 * G_TIME_SPAN_MINUTE;

  while (sizes_last (sizes) != 1 && g_get_monotonic_time () < until_us)
    g_usleep (50 * 1000);
}

static void
print_sizes (Sizes *sizes)
{
  g_mutex_lock (&sizes->lock);
  printf ("sizes: 1%s\n%u changes of direction%s\n", sizes->text->str, sizes->n_turns,
          sizes->n_turns == 1 && sizes->last == 1 ? ": at the end of the load" : " (FAILS: it oscillates, or did not return)");
  g_mutex_unlock (&sizes->lock);
}

static void
measure (guint delay_ms, const char *limits)
{
  const guint64 mask = CENOTE_EVENT_BIT (CENOTE_EVENT_POOL_SCALE_UP) | CENOTE_EVENT_BIT (CENOTE_EVENT_POOL_SCALE_DOWN);
  g_autoptr (GArray) by_four = g_array_new (FALSE, FALSE, sizeof (double));
  g_autoptr (GArray) by_one = g_array_new (FALSE, FALSE, sizeof (double));
  g_autoptr (GArray) rates = g_array_new (FALSE, FALSE, sizeof (double));
  g_autofree char *title = g_strdup_printf ("elastic pool, %u ms a call, %u streams a connection, %u calls in flight", delay_ms,
                                            STREAMS, IN_FLIGHT);
  guint port = 0;
  Child *server = rig_start_late_server (delay_ms, STREAMS, &port);
  CenoteRuntime *runtime = open_runtime (port, limits);
  CenotePool *pools[N_POOLS] = { get_pool (runtime, "elastic"), get_pool (runtime, "four"), get_pool (runtime, "one") };
  Sizes sizes = { .text = g_string_new (NULL), .begun_us = g_get_monotonic_time () };
  guint k;

  g_mutex_init (&sizes.lock);
  cenote_runtime_add_sink (runtime, mask, note_size, &sizes, NULL);
  rig_title (title);
  load_until_grown (pools[ELASTIC], &sizes);
  compare (pools, by_four, by_one, rates);
  rig_print ("calls, elastic", "/s", rates, BENCH_NO_BAR, 0);
  rig_print ("by four fixed channels", "x", by_four, BENCH_AT_LEAST, 0.95);
  rig_print ("by one channel", "x", by_one, BENCH_AT_LEAST, 2.9);
  await_rest (&sizes);
  print_sizes (&sizes);
  for (k = 0; k < N_POOLS; k++)
    cenote_pool_unref (pools[k]);
  cenote_runtime_unref (runtime);
  child_free (server);
  g_string_free (sizes.text, TRUE);
  g_mutex_clear (&sizes.lock);
}

int
main (void)
{
  measure (5, "max-channels=4");
  measure (250, "");
  return 0;
}
