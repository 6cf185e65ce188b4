/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench-scenario: four servers, and one of them slow, then one mute, then one restarted:
 * what that costs the callers of a pool over the four, and those of four channels by hand
 * that take turns.
 *
 * Ours is a pool with picker=peak-ewma, the picker for channels that are not alike; the same with
 * the default, p2c, stands beside it.  By load alone a slow channel is one that is seldom idle: it gets
 * about one call at a time, here one in 50 ms, which spares the p99 only where a pool makes more
 * than 2000 calls a second.
 *
 * All rows call the same servers at the same time, so each fault, and each noise of the
 * machine, is the same for all.  Calls come at a fixed rate, whatever became of those before
 * them, and each is timed from the moment that it was due.  A failed call counts with the
 * time that its failure took: in the hole that is its deadline.
 *
 * The pools have their defaults but for the picker; the calls are Cenote's own, which repeat
 * what was not sent.  The channels by hand have C-core's defaults, its retries among them,
 * and each a connection of its own.
 *
 * The clock is read before a fault is injected and after; in flight at the fault is a call that
 * had begun by the second time and had not ended at the first one.  The hole is a stopped
 * process: TCP takes what comes, also a new connection, and nobody answers; a call that has been
 * sent there is lost whoever sent it, because the server may run it yet.  A fault that nobody can
 * have noticed is not over with its injection: where no call was in flight to that server, as in
 * most runs, the first one that is made to it is lost.  So those that began before a call to the
 * server at fault had been out for longer than the usual p99 of their row are counted apart, as
 * blind; what fails besides is what a pool could have spared its callers.
 */
#include <grpc/grpc_security.h>
#include <grpc/support/time.h>
#include <signal.h>
#include <stdio.h>

#include "rig.h"

#define N_SERVERS 4
#define TIMEOUT_MS 1000      /* of a call */
#define PERIOD_US 4000       /* from call to call */
#define USUAL_MS 1           /* what a server takes for its answer */
#define SLOW_MS (USUAL_MS + 50)
#define DOWN_US G_USEC_PER_SEC
#define REST_US (10 * G_USEC_PER_SEC) /* for how long a pool may take until it is whole again */
#define BAR_P99 5.0

/* --------------------------------------------------------------------- rows */

/* A call that is over. */
typedef struct Sample {
  gint64 due_us, begun_us, ended_us;
  gboolean failed;
} Sample;

typedef struct Row Row;

typedef struct Call {
  Row *row;
  Sample sample;
  RigCall by_hand;
} Call;

/* How a row makes its calls, on its own thread. */
typedef struct Way {
  void (*begin) (Row *row, Call *call);
  void (*wait) (Row *row, gint64 until_us); /* until then, or until something has happened; ends what is over */
} Way;

struct Row {
  const char *name;
  const Way *way;
  CenotePool *pool;          /* NULL: channels by hand */
  GMainContext *context;
  GSource *alarm;
  grpc_channel *channels[N_SERVERS];
  guint next;
  grpc_completion_queue *queue;
  GThread *thread;
  guint under_way;           /* its thread's alone, as all above but stop */
  gint stop;                 /* atomic */
  GMutex lock;
  GArray *samples;           /* of Sample; under lock */
};

static const char message[] = "a small message";

static void
call_over (Call *call, gboolean good)
{
  Row *row = call->row;

  call->sample.ended_us = g_get_monotonic_time ();
  call->sample.failed = !good;
  row->under_way--;
  g_mutex_lock (&row->lock);
  g_array_append_val (row->samples, call->sample);
  g_mutex_unlock (&row->lock);
  g_free (call);
}

static void
call_new (Row *row, gint64 due_us)
{
  Call *call = g_new0 (Call, 1);

  call->row = row;
  call->sample.due_us = due_us;
  call->sample.begun_us = g_get_monotonic_time ();
  row->under_way++;
  row->way->begin (row, call);
}

static gpointer
run_row (gpointer data)
{
  Row *row = data;
  gint64 due_us = g_get_monotonic_time ();

  while (!g_atomic_int_get (&row->stop)) {
    for (; due_us <= g_get_monotonic_time (); due_us += PERIOD_US)
      call_new (row, due_us);
    row->way->wait (row, due_us);
  }
  while (row->under_way > 0)
    row->way->wait (row, g_get_monotonic_time () + G_USEC_PER_SEC);
  return NULL;
}

static void
row_start (Row *row)
{
  g_mutex_init (&row->lock);
  row->samples = g_array_new (FALSE, FALSE, sizeof (Sample));
  row->thread = g_thread_new (row->name, run_row, row);
}

static void
row_end (Row *row)
{
  g_atomic_int_set (&row->stop, TRUE);
  g_thread_join (row->thread);
  g_array_unref (row->samples);
  g_mutex_clear (&row->lock);
}

/* (transfer full): what has ended since. */
static GArray *
row_take_samples (Row *row)
{
  GArray *samples;

  g_mutex_lock (&row->lock);
  samples = row->samples;
  row->samples = g_array_new (FALSE, FALSE, sizeof (Sample));
  g_mutex_unlock (&row->lock);
  return samples;
}

/* --------------------------------------------------------------------- ours */

static void
ours_over (CenotePool *pool, GBytes *response, const GError *error, gpointer data)
{
  (void) pool;
  (void) error;
  call_over (data, response != NULL && g_bytes_get_size (response) > 0);
}

static void
ours_begin (Row *row, Call *call)
{
  g_autoptr (GBytes) request = g_bytes_new_static (message, sizeof message - 1);
  CenoteCallOptions options = CENOTE_CALL_OPTIONS_INIT;

  options.timeout_ms = TIMEOUT_MS;
  cenote_call_unary_async (row->pool, RIG_SLOW_ECHO_METHOD, request, &options, row->context, ours_over, call, NULL);
}

static void
ours_wait (Row *row, gint64 until_us)
{
  g_source_set_ready_time (row->alarm, until_us);
  g_main_context_iteration (row->context, TRUE);
}

static gboolean
dispatch_alarm (GSource *source, GSourceFunc function, gpointer data)
{
  (void) function;
  (void) data;
  g_source_set_ready_time (source, -1);
  return G_SOURCE_CONTINUE;
}

static void
ours_init (Row *row, CenoteRuntime *runtime, const char *pool)
{
  static GSourceFuncs functions = { .dispatch = dispatch_alarm };
  static const Way way = { ours_begin, ours_wait };
  g_autoptr (GError) error = NULL;

  row->way = &way;
  row->pool = cenote_runtime_get_pool (runtime, pool, &error);
  if (row->pool == NULL)
    g_error ("%s", error->message);
  row->context = g_main_context_new ();
  row->alarm = g_source_new (&functions, sizeof (GSource));
  g_source_attach (row->alarm, row->context);
}

static void
ours_clear (Row *row)
{
  g_source_destroy (row->alarm);
  g_source_unref (row->alarm);
  g_main_context_unref (row->context);
  cenote_pool_unref (row->pool);
}

/* ------------------------------------------------------------------ by hand */

static void
plain_begin (Row *row, Call *call)
{
  grpc_channel *channel = row->channels[row->next++ % N_SERVERS];

  rig_call_begin (&call->by_hand, channel, row->queue, grpc_slice_from_static_string (RIG_SLOW_ECHO_METHOD),
                  grpc_slice_from_static_string (message), TIMEOUT_MS, call);
}

static void
plain_wait (Row *row, gint64 until_us)
{
  gpr_timespec deadline = gpr_time_add (gpr_now (GPR_CLOCK_MONOTONIC),
                                        gpr_time_from_micros (until_us - g_get_monotonic_time (), GPR_TIMESPAN));
  grpc_event event = grpc_completion_queue_next (row->queue, deadline, NULL);
  Call *call = event.tag;

  if (event.type == GRPC_OP_COMPLETE)
    call_over (call, rig_call_end (&call->by_hand, NULL));
}

static void
plain_init (Row *row, const guint *ports)
{
  static const Way way = { plain_begin, plain_wait };
  grpc_arg own = { .type = GRPC_ARG_INTEGER, .key = (char *) GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, .value.integer = 1 };
  grpc_channel_args args = { 1, &own };
  grpc_channel_credentials *credentials = grpc_insecure_credentials_create ();
  guint i;

  row->way = &way;
  row->queue = grpc_completion_queue_create_for_next (NULL);
  for (i = 0; i < N_SERVERS; i++) {
    g_autofree char *target = g_strdup_printf ("ipv4:127.0.0.1:%u", ports[i]);

    row->channels[i] = grpc_channel_create (target, credentials, &args);
  }
  grpc_channel_credentials_release (credentials);
}

static void
plain_clear (Row *row)
{
  guint i;

  for (i = 0; i < N_SERVERS; i++)
    grpc_channel_destroy (row->channels[i]);
  grpc_completion_queue_shutdown (row->queue);
  while (grpc_completion_queue_next (row->queue, gpr_inf_future (GPR_CLOCK_MONOTONIC), NULL).type != GRPC_QUEUE_SHUTDOWN)
    continue;
  grpc_completion_queue_destroy (row->queue);
}

/* ----------------------------------------------------------------- scenario */

/* Ours first. */
enum { PEAK_EWMA, P2C, BY_HAND, N_ROWS };

typedef struct Scenario {
  Child *servers[N_SERVERS];
  guint ports[N_SERVERS];
  CenoteRuntime *runtime;
  Row rows[N_ROWS];
  gint64 usual_us[N_ROWS];   /* the p99 of calls while nothing was wrong */
} Scenario;

typedef struct Fault {
  const char *title;
  void (*strike) (Scenario *scenario); /* NULL: nothing */
  void (*mend) (Scenario *scenario);
  gint64 struck_us;          /* for how long calls are made under it */
  gboolean mends_first;      /* the calls after it is mended count as well */
  gboolean must_spare_p99;
} Fault;

static void
set_delay (Scenario *scenario, guint delay_ms)
{
  g_autofree char *line = g_strdup_printf ("delay %u", delay_ms);
  g_autofree char *answer = child_ask (scenario->servers[0], line);

  if (answer == NULL)
    g_error ("a server is gone");
}

static void
slow_down (Scenario *scenario)
{
  set_delay (scenario, SLOW_MS);
}

static void
speed_up (Scenario *scenario)
{
  set_delay (scenario, USUAL_MS);
}

static void
freeze (Scenario *scenario)
{
  child_signal (scenario->servers[1], SIGSTOP);
}

static void
thaw (Scenario *scenario)
{
  child_signal (scenario->servers[1], SIGCONT);
}

static void
end_server (Scenario *scenario)
{
  child_kill (scenario->servers[2]);
}

static void
start_server_again (Scenario *scenario)
{
  child_free (scenario->servers[2]);
  scenario->servers[2] = rig_start_slow_server (USUAL_MS, 0, &scenario->ports[2]);
}

static const Fault faults[] = {
  { "nothing is wrong", NULL, NULL, 2 * G_USEC_PER_SEC, FALSE, FALSE },
  { "one channel slowed by 50 ms", slow_down, speed_up, 4 * G_USEC_PER_SEC, FALSE, TRUE },
  { "one channel black-holed", freeze, thaw, 4 * G_USEC_PER_SEC, FALSE, TRUE },
  { "one server restarted, down for 1 s", end_server, start_server_again, DOWN_US, TRUE, FALSE },
};

static void
open_pools (Scenario *scenario)
{
  const guint *ports = scenario->ports;
  g_autofree char *targets = g_strdup_printf ("ipv4:127.0.0.1:%u;ipv4:127.0.0.1:%u;ipv4:127.0.0.1:%u;ipv4:127.0.0.1:%u",
                                              ports[0], ports[1], ports[2], ports[3]);
  g_autofree char *text = g_strdup_printf (
    "[cenote]\ntelemetry=\n"
    "[pool:peak-ewma]\nprofile=local\nsize=4\npicker=peak-ewma\ntargets=%1$s\n"
    "[pool:p2c]\nprofile=local\nsize=4\ntargets=%1$s\n", targets);
  g_autoptr (GError) error = NULL;
  g_autoptr (CenoteConfig) config = cenote_config_new_from_data (text, -1, &error);

  scenario->runtime = config == NULL ? NULL : cenote_runtime_new (config, &error);
  if (scenario->runtime == NULL)
    g_error ("%s", error->message);
}

static gboolean
is_whole (CenotePool *pool)
{
  CenotePoolStatus *status = cenote_pool_get_status (pool);
  gboolean whole = status->current_size == N_SERVERS && status->connecting == 0;

  cenote_pool_status_free (status);
  return whole;
}

/* Four channels in each pool's rotation, so that the next fault strikes one of them. */
static void
await_whole (Scenario *scenario)
{
  gint64 until_us = g_get_monotonic_time () + REST_US;
  guint k;

  for (k = 0; k < BY_HAND; k++) {
    while (!is_whole (scenario->rows[k].pool) && g_get_monotonic_time () < until_us)
      g_usleep (20 * 1000);
    if (!is_whole (scenario->rows[k].pool))
      printf ("\n%s has not four channels again after %d s\n", scenario->rows[k].name, (int) (REST_US / G_USEC_PER_SEC));
  }
}

static void
scenario_init (Scenario *scenario)
{
  static const char *const names[N_ROWS] = { "ours, picker=peak-ewma", "ours, the default (p2c)", "by hand, in turn" };
  static const char *const pools[BY_HAND] = { "peak-ewma", "p2c" };
  guint i;

  for (i = 0; i < N_SERVERS; i++)
    scenario->servers[i] = rig_start_slow_server (USUAL_MS, 0, &scenario->ports[i]);
  open_pools (scenario);
  for (i = 0; i < N_ROWS; i++)
    scenario->rows[i].name = names[i];
  for (i = 0; i < BY_HAND; i++)
    ours_init (&scenario->rows[i], scenario->runtime, pools[i]);
  plain_init (&scenario->rows[BY_HAND], scenario->ports);
  await_whole (scenario);
  for (i = 0; i < N_ROWS; i++)
    row_start (&scenario->rows[i]);
}

static void
scenario_clear (Scenario *scenario)
{
  guint i;

  for (i = 0; i < N_ROWS; i++)
    row_end (&scenario->rows[i]);
  for (i = 0; i < BY_HAND; i++)
    ours_clear (&scenario->rows[i]);
  plain_clear (&scenario->rows[BY_HAND]);
  cenote_runtime_unref (scenario->runtime);
  for (i = 0; i < N_SERVERS; i++)
    child_free (scenario->servers[i]);
}

/* ------------------------------------------------------------------ figures */

typedef struct Figures {
  guint n_calls;             /* that began under the fault */
  guint n_in_flight;         /* at the fault */
  guint n_lost;              /* of those, that failed */
  guint n_blind;             /* of n_calls, that failed and began before anything could be known */
  guint n_failed;            /* the others of n_calls that failed */
  double p50_ms, p99_ms;
} Figures;

typedef struct Span {
  gint64 strikes_us, begin_us; /* the fault is injected between the two */
  gint64 end_us;
} Span;

static gboolean
is_in_flight (const Sample *sample, const Span *span)
{
  return sample->begun_us < span->begin_us && sample->ended_us >= span->strikes_us;
}

static gboolean
is_within (const Sample *sample, const Span *span)
{
  return sample->begun_us >= span->begin_us && sample->due_us < span->end_us;
}

/* When the first call that was to fail had been out for longer than usual. */
static gint64
known_us (const GArray *samples, const Span *span, gint64 usual_us)
{
  gint64 first_us = G_MAXINT64 - usual_us;
  guint i;

  for (i = 0; i < samples->len; i++) {
    const Sample *sample = &g_array_index (samples, Sample, i);

    if (sample->failed && (is_in_flight (sample, span) || is_within (sample, span)))
      first_us = MIN (first_us, sample->begun_us);
  }
  return first_us + usual_us;
}

static void
count (Figures *figures, const Sample *sample, const Span *span, gint64 from_us)
{
  if (is_in_flight (sample, span)) {
    figures->n_in_flight++;
    figures->n_lost += sample->failed != FALSE;
  } else if (is_within (sample, span)) {
    figures->n_calls++;
    figures->n_blind += sample->failed && sample->begun_us <= from_us;
    figures->n_failed += sample->failed && sample->begun_us > from_us;
  }
}

static Figures
figures_of (Row *row, const Span *span, gint64 usual_us)
{
  g_autoptr (GArray) samples = row_take_samples (row);
  g_autoptr (GArray) took_ms = g_array_new (FALSE, FALSE, sizeof (double));
  gint64 from_us = known_us (samples, span, usual_us);
  Figures figures = { 0 };
  guint i;

  for (i = 0; i < samples->len; i++) {
    const Sample *sample = &g_array_index (samples, Sample, i);

    count (&figures, sample, span, from_us);
    if (is_within (sample, span))
      rig_add (took_ms, (double) (sample->ended_us - sample->due_us) / 1000);
  }
  if (took_ms->len == 0)
    g_error ("%s made no calls", row->name);
  figures.p50_ms = rig_quantile (took_ms, 0.5);
  figures.p99_ms = rig_quantile (took_ms, 0.99);
  return figures;
}

static const char *
verdict (gboolean holds)
{
  return holds ? "holds" : "MISSED";
}

static void
print_verdicts (const Fault *fault, const Figures *row, const Figures *by_hand)
{
  double times = by_hand->p99_ms / row->p99_ms;

  if (fault->strike == NULL)
    return;
  printf ("    none fails but those in flight, and blind ones: %s\n", verdict (row->n_failed == 0));
  if (fault->must_spare_p99)
    printf ("    p99 %.1f times lower than by hand, at least %g: %s\n", times, BAR_P99, verdict (times >= BAR_P99));
}

static void
print_figures (const Fault *fault, const Scenario *scenario, const Span *span, const Figures *figures)
{
  guint k;

  printf ("\n");
  if (fault->strike != NULL)
    printf ("injected within %.2f ms\n", (double) (span->begin_us - span->strikes_us) / 1000);
  printf ("%-34s %6s %9s %6s %7s %7s %9s %9s\n", fault->title, "calls", "in flight", "lost", "blind", "failed", "p50 ms",
          "p99 ms");
  for (k = 0; k < N_ROWS; k++) {
    const Figures *row = &figures[k];

    printf ("  %-32s %6u %9u %6u %7u %7u %9.2f %9.2f\n", scenario->rows[k].name, row->n_calls, row->n_in_flight, row->n_lost,
            row->n_blind, row->n_failed, row->p50_ms, row->p99_ms);
    if (k != BY_HAND)
      print_verdicts (fault, row, &figures[BY_HAND]);
  }
  fflush (stdout);
}

/* ------------------------------------------------------------------- phases */

static void
forget_samples (Scenario *scenario)
{
  guint k;

  for (k = 0; k < N_ROWS; k++)
    g_array_unref (row_take_samples (&scenario->rows[k]));
}

static void
mend (const Fault *fault, Scenario *scenario)
{
  if (fault->mend != NULL)
    fault->mend (scenario);
}

/* Calls count that are due in the fault's time; those of the hole end in it as well. */
static void
run_fault (const Fault *fault, Scenario *scenario)
{
  Figures figures[N_ROWS];
  Span span;
  guint k;

  forget_samples (scenario);
  span.strikes_us = g_get_monotonic_time ();
  if (fault->strike != NULL)
    fault->strike (scenario);
  span.begin_us = g_get_monotonic_time ();
  g_usleep ((gulong) fault->struck_us);
  if (fault->mends_first) {
    mend (fault, scenario);
    g_usleep (3 * G_USEC_PER_SEC);
  }
  span.end_us = g_get_monotonic_time ();
  g_usleep (TIMEOUT_MS * 1200);
  if (!fault->mends_first)
    mend (fault, scenario);
  for (k = 0; k < N_ROWS; k++)
    figures[k] = figures_of (&scenario->rows[k], &span, scenario->usual_us[k]);
  print_figures (fault, scenario, &span, figures);
  for (k = 0; k < N_ROWS && fault->strike == NULL; k++)
    scenario->usual_us[k] = (gint64) (figures[k].p99_ms * 1000);
  await_whole (scenario);
}

int
main (void)
{
  Scenario scenario = { 0 };
  guint i;

  scenario_init (&scenario);
  g_usleep (G_USEC_PER_SEC); /* what is new has warmed up */
  printf ("\nin flight: when the fault struck; lost: those of them that failed; blind: others that failed, and began before a\n"
          "call to the server at fault had been out for longer than the usual p99; failed: all others.  %d calls a second in each row\n",
          (int) (G_USEC_PER_SEC / PERIOD_US));
  for (i = 0; i < G_N_ELEMENTS (faults); i++)
    run_fault (&faults[i], &scenario);
  scenario_clear (&scenario);
  return 0;
}
