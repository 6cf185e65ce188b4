/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench-calls: Cenote's calls against the same calls by hand: a hundred lines of C-core
 * that know nothing of leases, outcomes, retries or a second message.
 *
 * Blocking: pluck on a queue of the thread's own.  Asynchronous: a hundred in flight a
 * thread, ours called back on the thread's GMainContext, by hand in a bare loop of
 * grpc_completion_queue_next(): the leanest that there is, which no other source could
 * share its thread with.
 *
 * Like with like: each call has a copy of the message, because gRPC takes what is in its
 * buffer, a deadline, and somebody who takes the reply; the channels are made with the same
 * arguments.  Most people's are made with none, and so rows of their own show gRPC's defaults.
 *
 * By hand the channel is one of five at random, as p2c chooses among idle ones: two threads that
 * take turns by a shared counter never meet on a connection, and meeting costs more than either
 * side's code (the row without a bar shows it).  A lease is held all the while, so that no thread
 * of Cenote's blocks in C-core and slows what is done by hand.
 */
#include <string.h>

#include "rig.h"
#include "tools/demo-server.h"

#define N_CHANNELS 5
#define IN_FLIGHT 100

typedef struct Setup {
  Rig *rig;
  grpc_channel *channels[N_CHANNELS]; /* like the pool's */
  grpc_channel *default_channels[N_CHANNELS];
  gint next;                 /* of them, in turn; atomic */
  CenoteLease held;
  GBytes *message;
} Setup;

static void
check (gboolean good, const char *what)
{
  if (!good)
    g_error ("%s", what);
}

/* ------------------------------------------------------------------ by hand */

static grpc_channel *
take_at_random (gpointer data, CenoteLease *lease)
{
  Setup *setup = data;

  (void) lease;
  return setup->channels[rig_random (N_CHANNELS)];
}

static grpc_channel *
take_default (gpointer data, CenoteLease *lease)
{
  Setup *setup = data;

  (void) lease;
  return setup->default_channels[rig_random (N_CHANNELS)];
}

static grpc_channel *
take_in_turn (gpointer data, CenoteLease *lease)
{
  Setup *setup = data;

  (void) lease;
  return setup->channels[(guint) g_atomic_int_add (&setup->next, 1) % N_CHANNELS];
}

static void
pluck (guint64 n, gpointer data, grpc_channel *(*take) (gpointer data, CenoteLease *lease))
{
  const RigSource source = { .take = take, .data = data };

  check (rig_pluck (&source, n) == 0, "a call failed");
}

static void
run_plucked (guint64 n, gpointer data)
{
  pluck (n, data, take_at_random);
}

static void
run_plucked_in_turn (guint64 n, gpointer data)
{
  pluck (n, data, take_in_turn);
}

static void
run_plucked_by_default (guint64 n, gpointer data)
{
  pluck (n, data, take_default);
}

static void
next (guint64 n, gpointer data, grpc_channel *(*take) (gpointer data, CenoteLease *lease))
{
  const RigSource source = { .take = take, .data = data };

  check (rig_call (&source, n, IN_FLIGHT) == 0, "a call failed");
}

static void
run_next (guint64 n, gpointer data)
{
  next (n, data, take_at_random);
}

static void
run_next_by_default (guint64 n, gpointer data)
{
  next (n, data, take_default);
}

/* ------------------------------------------------------------ blocking, ours */

static void
run_unary (guint64 n, gpointer data)
{
  Setup *setup = data;

  while (n-- > 0) {
    g_autoptr (GBytes) response = NULL;

    check (cenote_call_unary (setup->rig->pool, DEMO_ECHO_METHOD, setup->message, NULL, &response, NULL), "a call failed");
  }
}

/* ------------------------------------------------------------- asynchronous */

typedef struct Async {
  Setup *setup;
  GMainContext *context;
  guint64 to_begin, to_end;
} Async;

static void async_begin (Async *async);

static void
async_done (CenotePool *pool, GBytes *response, const GError *error, gpointer data)
{
  Async *async = data;

  (void) pool;
  (void) response;
  check (error == NULL, "a call failed");
  async->to_end--;
  async_begin (async);
}

static void
async_begin (Async *async)
{
  if (async->to_begin == 0)
    return;
  async->to_begin--;
  cenote_call_unary_async (async->setup->rig->pool, DEMO_ECHO_METHOD, async->setup->message, NULL, async->context, async_done,
                           async, NULL);
}

static void
run_async (guint64 n, gpointer data)
{
  Async async = { data, g_main_context_new (), n, n };
  guint i;

  for (i = 0; i < IN_FLIGHT; i++)
    async_begin (&async);
  while (async.to_end > 0)
    g_main_context_iteration (async.context, TRUE);
  g_main_context_unref (async.context);
}

/* --------------------------------------------------------------- comparison */

static void
setup_init (Setup *setup, guint port)
{
  static const char message[] = "a small message";
  g_autofree char *target = g_strdup_printf ("ipv4:127.0.0.1:%u", port);
  guint i;

  memset (setup, 0, sizeof *setup);
  setup->rig = rig_new (port);
  setup->message = g_bytes_new_static (message, sizeof message - 1);
  for (i = 0; i < N_CHANNELS; i++) {
    setup->channels[i] = rig_plain_channel (target);
    setup->default_channels[i] = rig_default_channel (target);
  }
  check (cenote_pool_get_channel (setup->rig->pool, &setup->held, NULL), "no channel");
}

static void
setup_clear (Setup *setup)
{
  guint i;

  cenote_lease_release (&setup->held);
  for (i = 0; i < N_CHANNELS; i++) {
    grpc_channel_destroy (setup->channels[i]);
    grpc_channel_destroy (setup->default_channels[i]);
  }
  g_bytes_unref (setup->message);
  rig_free (setup->rig);
}

static gpointer
make_calls (gpointer data)
{
  run_async (1000, data);
  return NULL;
}

/* Has Cenote start what threads it needs for two loops at once. */
static void
start_threads (Setup *setup)
{
  GThread *thread = g_thread_new ("caller", make_calls, setup);

  make_calls (setup);
  g_thread_join (thread);
}

static void
compare (Setup *setup, const char *what, guint n_threads, void (*ours) (guint64, gpointer), void (*by_hand) (guint64, gpointer),
         BenchBar bar)
{
  const BenchWay way = { "ours", ours, setup, n_threads, BENCH_WITH_SERVER };
  const BenchWay base = { "by hand", by_hand, setup, n_threads, BENCH_WITH_SERVER };
  const BenchRatio ratio = bench_rate_ratio (&way, &base);

  bench_print (what, &ratio, bar, 0.97);
}

int
main (void)
{
  guint port = 0;
  Child *server = rig_start_server (&port);
  Setup setup;

  setup_init (&setup, port);
  start_threads (&setup);
  bench_title ("calls, against the same by hand on channels with the same arguments");
  compare (&setup, "blocking, 1 thread", 1, run_unary, run_plucked, BENCH_AT_LEAST);
  compare (&setup, "blocking, 2 threads", 2, run_unary, run_plucked, BENCH_AT_LEAST);
  compare (&setup, "blocking, 2 threads, by hand in turn", 2, run_unary, run_plucked_in_turn, BENCH_NO_BAR);
  compare (&setup, "asynchronous, 100 in flight", 1, run_async, run_next, BENCH_AT_LEAST);
  compare (&setup, "asynchronous, 2 threads of 100 in flight", 2, run_async, run_next, BENCH_AT_LEAST);
  bench_title ("calls, against the same by hand on channels with gRPC's defaults");
  compare (&setup, "blocking, 1 thread", 1, run_unary, run_plucked_by_default, BENCH_AT_LEAST);
  compare (&setup, "blocking, 2 threads", 2, run_unary, run_plucked_by_default, BENCH_AT_LEAST);
  compare (&setup, "asynchronous, 100 in flight", 1, run_async, run_next_by_default, BENCH_AT_LEAST);
  compare (&setup, "asynchronous, 2 threads of 100 in flight", 2, run_async, run_next_by_default, BENCH_AT_LEAST);
  setup_clear (&setup);
  child_free (server);
  return 0;
}
