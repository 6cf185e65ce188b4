/* SPDX-License-Identifier: Apache-2.0 */
/* conformance-telemetry: every event that a sink asks for is taken, full or with nothing in it, and its times lie ahead. */
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

/* A sink that answered now, or before, would be called without end. */
static void
check_poll (Conformance *run, Fixture *fixture)
{
  const CenoteTelemetryOps *ops = &run->plugin->ops.telemetry;
  gboolean kept = TRUE;
  gint64 next_us = 0;

  for (guint i = 0; i < 3 && kept && next_us < G_MAXINT64; i++) {
    fixture_set_now (fixture, MAX (fixture->now_us, next_us));
    next_us = ops->poll (fixture->state, fixture->now_us, CENOTE_POLL_DUE);
    kept = next_us > fixture->now_us;
  }
  conformance_expect (run, "telemetry: the next poll is later than this one", kept,
                      "at %" G_GINT64_FORMAT " us it asks for one at %" G_GINT64_FORMAT, fixture->now_us, next_us);
  (void) ops->poll (fixture->state, fixture->now_us, CENOTE_POLL_LAST);
}

void
conformance_telemetry (Conformance *run)
{
  g_autoptr (Fixture) fixture = conformance_create (run);
  const CenoteTelemetryOps *ops = &run->plugin->ops.telemetry;
  guint taken = 0;

  ops->flush (fixture->state);
  for (guint kind = 0; kind < CENOTE_N_EVENTS; kind++) {
    CenoteEvent empty = CENOTE_EVENT_INIT (kind);
    CenoteEvent full = full_event (kind);

    if (!(ops->mask & CENOTE_EVENT_BIT (kind)))
      continue;
    ops->handle (fixture->state, &empty);
    ops->handle (fixture->state, &full);
    taken++;
  }
  ops->flush (fixture->state);
  ops->flush (fixture->state);
  check_poll (run, fixture);
  conformance_expect (run, "telemetry: takes each event of its mask, empty or full", taken > 0,
                      "mask 0x%" G_GINT64_MODIFIER "x has none of today's events", ops->mask);
}
