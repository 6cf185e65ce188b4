/* SPDX-License-Identifier: Apache-2.0 */
/* conformance-telemetry: every event that a sink asks for is taken, full or empty, its times lie ahead, and what it
 * asks its host for may come out in any way. */
#include <string.h>

#include "conformance.h"
#include "fake-metrics.h"

static CenoteEvent
full_event (guint kind)
{
  CenoteEvent event = CENOTE_EVENT_INIT (kind);

  event.time_us = 1000000;
  event.wall_us = G_GINT64_CONSTANT (1700000000) * G_USEC_PER_SEC;
  event.pool = "users";
  event.channel = 7;
  event.address = "dns:///users.example.com:443";
  event.reason = "a reason with \"quotes\", a\nline and \xc3\xa9";
  event.error = "Connection refused";
  event.duration_ns = G_MAXINT64;
  event.delay_ms = event.attempt = event.expected_size = event.current_size = event.in_flight = event.waiters = 1;
  event.requested = event.succeeded = event.failed = event.new_size = event.count = event.ok = 1;
  return event;
}

static const CenoteTelemetryOps *
ops_of (const Fixture *fixture)
{
  return &fixture->plugin->ops.telemetry;
}

static char *
check_mask (const Conformance *run)
{
  guint64 mask = run->plugin->ops.telemetry.mask;

  return mask & CENOTE_EVENT_MASK_ALL
           ? NULL
           : g_strdup_printf ("mask 0x%" G_GINT64_MODIFIER "x has none of today's events", mask);
}

static char *
check_interest (const Conformance *run)
{
  g_autoptr (Fixture) fixture = conformance_create (run);
  guint64 interest = ops_of (fixture)->interest (fixture->state);
  guint64 mask = ops_of (fixture)->mask;

  if (interest == CENOTE_EVENT_MASK_ALL || (interest & ~mask) == 0)
    return NULL;
  return g_strdup_printf ("interest 0x%" G_GINT64_MODIFIER "x is not within the mask 0x%" G_GINT64_MODIFIER "x",
                          interest, mask);
}

/* ------------------------------------------------------------------ events */

/* Whether EVENT was the same afterwards. */
static gboolean
handle (Fixture *fixture, CenoteEvent event)
{
  const CenoteEvent before = event;

  ops_of (fixture)->handle (fixture->state, &event);
  return memcmp (&event, &before, sizeof event) == 0;
}

/* How many events of the mask were changed. */
static guint
handle_all (Fixture *fixture)
{
  guint changed = 0;

  ops_of (fixture)->flush (fixture->state);
  for (guint kind = 0; kind < CENOTE_N_EVENTS; kind++) {
    const CenoteEvent empty = CENOTE_EVENT_INIT (kind);

    if (ops_of (fixture)->mask & CENOTE_EVENT_BIT (kind))
      changed += !handle (fixture, empty) + !handle (fixture, full_event (kind));
  }
  ops_of (fixture)->flush (fixture->state);
  ops_of (fixture)->flush (fixture->state);
  return changed;
}

static char *
check_events (const Conformance *run)
{
  g_autoptr (Fixture) fixture = conformance_create (run);
  guint changed = handle_all (fixture);

  return changed > 0 ? g_strdup_printf ("%u events were changed by handle", changed) : NULL;
}

/* ------------------------------------------------------------------- polls */

/* (transfer full) (nullable): a sink that answered now, or before, would be called without end. */
static char *
judge_polls (Fixture *fixture)
{
  gint64 next_us = 0;

  for (guint i = 0; i < 3 && next_us < G_MAXINT64; i++) {
    fixture_set_now (fixture, MAX (fixture->now_us, next_us));
    next_us = ops_of (fixture)->poll (fixture->state, fixture->now_us, CENOTE_POLL_DUE);
    if (next_us <= fixture->now_us)
      return g_strdup_printf ("at %" G_GINT64_FORMAT " us poll asks for the next at %" G_GINT64_FORMAT, fixture->now_us,
                              next_us);
  }
  (void) ops_of (fixture)->poll (fixture->state, fixture->now_us, CENOTE_POLL_LAST);
  return NULL;
}

static char *
check_poll (const Conformance *run)
{
  g_autoptr (Fixture) fixture = conformance_create (run);

  return judge_polls (fixture);
}

/* ----------------------------------------------------------------- threads */

static gpointer
work_on_thread (gpointer data)
{
  Fixture *fixture = data;
  guint changed = handle_all (fixture);
  char *problem = judge_polls (fixture);

  return problem || changed == 0 ? problem : g_strdup_printf ("%u events were changed by handle", changed);
}

/* Created and destroyed on one thread, told on another, as in a program; what is wrong on one thread too
 * is another check's. */
static char *
check_threads (const Conformance *run)
{
  g_autofree char *events = check_events (run);
  g_autofree char *polls = check_poll (run);
  g_autofree char *problem = NULL;
  Fixture *fixtures[2];
  GThread *threads[2];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++) {
    fixtures[i] = conformance_create (run);
    threads[i] = g_thread_new ("conformance", work_on_thread, fixtures[i]);
  }
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++) {
    char *found = g_thread_join (threads[i]);

    g_free (problem);
    problem = found;
    fixture_free (fixtures[i]);
  }
  return events || polls ? NULL : g_steal_pointer (&problem);
}

/* ----------------------------------------------------------------- metrics */

/* On a thread of the sink's own too. */
static void
give_metrics (gpointer data, CenoteMetricFunc func, void *func_data)
{
  g_atomic_int_add ((gint *) data, (gint) fake_metrics_give (func, func_data));
}

/* What a sink knows before it is asked for numbers. */
static void
tell_one_event (Fixture *fixture)
{
  for (guint kind = 0; kind < CENOTE_N_EVENTS; kind++) {
    if (ops_of (fixture)->mask & CENOTE_EVENT_BIT (kind)) {
      handle (fixture, full_event (kind));
      return;
    }
  }
}

static gpointer
read_on_thread (gpointer data)
{
  Fixture *fixture = data;
  gint64 next_us = 0;

  tell_one_event (fixture);
  for (guint i = 0; i < 3 && next_us < G_MAXINT64; i++) {
    fixture_set_now (fixture, MAX (fixture->now_us + 1, next_us));
    next_us = ops_of (fixture)->poll (fixture->state, fixture->now_us, CENOTE_POLL_DUE);
  }
  (void) ops_of (fixture)->poll (fixture->state, fixture->now_us, CENOTE_POLL_LAST);
  ops_of (fixture)->flush (fixture->state);
  return NULL;
}

/* By two states at once, each on a thread of its own. */
static char *
check_metrics (const Conformance *run)
{
  Fixture *fixtures[2];
  GThread *threads[2];
  gint changed = 0;

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++) {
    fixtures[i] = conformance_create (run);
    fixture_set_sources (fixtures[i], (FixtureSources) { .read_metrics = give_metrics, .data = &changed });
    threads[i] = g_thread_new ("conformance", read_on_thread, fixtures[i]);
  }
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++) {
    g_thread_join (threads[i]);
    fixture_free (fixtures[i]);
  }
  return changed > 0 ? g_strdup_printf ("%d metrics were changed", changed) : NULL;
}

/* ------------------------------------------------------------------- calls */

/* How the calls that a sink begins end: all in one way. */
typedef struct Ends {
  const char *what;          /* "failed" */
  gboolean is_refused;
  gint32 status;             /* a grpc_status_code */
  const char *message;
  const char *response;
  GAsyncQueue *calls;        /* of HostCall, those that have not ended */
} Ends;

static gboolean
take_call (gpointer data, const HostCall *call)
{
  Ends *ends = data;

  if (!ends->is_refused)
    g_async_queue_push (ends->calls, g_memdup2 (call, sizeof *call));
  return !ends->is_refused;
}

static gpointer
end_on_thread (gpointer data)
{
  Ends *ends = data;
  HostCall *call;

  while ((call = g_async_queue_try_pop (ends->calls))) {
    call->done (call->data, ends->status, ends->message, ends->response, ends->response ? strlen (ends->response) : 0);
    g_free (call);
  }
  return NULL;
}

/* (transfer full) (nullable) */
static char *
poll_and_end (Fixture *fixture, Ends *ends)
{
  gint64 next_us = 0;

  for (guint i = 0; i < 3 && next_us < G_MAXINT64; i++) {
    fixture_set_now (fixture, MAX (fixture->now_us, next_us));
    next_us = ops_of (fixture)->poll (fixture->state, fixture->now_us, CENOTE_POLL_DUE);
    g_thread_join (g_thread_new ("conformance", end_on_thread, ends));
    if (i > 0 && next_us <= fixture->now_us)
      return g_strdup_printf ("after a call that %s poll asks for the next at once", ends->what);
  }
  (void) ops_of (fixture)->poll (fixture->state, fixture->now_us, CENOTE_POLL_LAST);
  return NULL;
}

static char *
judge_calls (const Conformance *run, Ends *ends)
{
  g_autoptr (GAsyncQueue) calls = g_async_queue_new ();
  g_autoptr (Fixture) fixture = conformance_create (run);
  char *problem;

  ends->calls = calls;
  fixture_set_sources (fixture, (FixtureSources) { .call_async = take_call, .data = ends });
  tell_one_event (fixture);
  problem = poll_and_end (fixture, ends);
  fixture_set_sources (fixture, (FixtureSources) { .data = NULL });
  (void) end_on_thread (ends); /* each before the state's end */
  return problem;
}

/* A sink that polls in vain, calls or no calls, is another check's. */
static char *
check_calls (const Conformance *run)
{
  Ends ends[] = {
    { "was refused", .is_refused = TRUE },
    { "failed", .status = 14, .message = "Connection refused" },
    { "failed without a reason", .status = 2 },
    { "was answered with nothing", .response = "" },
    { "was answered with what is no message", .response = "\xff no message \x01" },
  };
  g_autofree char *polls = check_poll (run);
  char *problem = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (ends) && !polls && !problem; i++)
    problem = judge_calls (run, &ends[i]);
  return problem;
}

static guint64
call_interest (Fixture *fixture)
{
  return ops_of (fixture)->interest (fixture->state);
}

static const ConformanceCall calls[] = { { "interest", call_interest } };

static const ConformanceCheck checks[] = {
  { .name = "telemetry-mask", .promise = "the mask has events that there are", .run = check_mask },
  { .name = "telemetry-interest", .promise = "the interest is within the mask", .run = check_interest },
  { .name = "telemetry-events", .promise = "each event of the mask is taken, empty or full, and left as it is",
    .run = check_events },
  { .name = "telemetry-poll", .promise = "the next poll is later than this one", .run = check_poll },
  { .name = "telemetry-threads", .promise = "states work on threads of their own", .run = check_threads },
  { .name = "telemetry-metrics", .promise = "metrics are read on any thread, and left as they are",
    .run = check_metrics },
  { .name = "telemetry-calls", .promise = "calls of its own may end in any way, on another thread",
    .run = check_calls },
};

const ConformancePart conformance_telemetry = { checks, G_N_ELEMENTS (checks), calls, G_N_ELEMENTS (calls) };
