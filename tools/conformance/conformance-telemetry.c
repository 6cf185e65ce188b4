/* SPDX-License-Identifier: Apache-2.0 */
/* conformance-telemetry: every event that a sink asks for is taken, full or empty, and its times lie ahead. */
#include <string.h>

#include "conformance.h"

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
};

const ConformancePart conformance_telemetry = { checks, G_N_ELEMENTS (checks), calls, G_N_ELEMENTS (calls) };
