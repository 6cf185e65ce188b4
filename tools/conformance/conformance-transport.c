/* SPDX-License-Identifier: Apache-2.0 */
/* conformance-transport: a channel or a reason, for any address; and an order of states that exists. */
#include "conformance.h"

#include <grpc/grpc.h>
#include <string.h>

/* Long enough for any script of a test. */
#define PATIENCE_US (G_GINT64_CONSTANT (3600) * G_USEC_PER_SEC)

static grpc_channel *
create_channel (Fixture *fixture, const char *address, char **out_reason)
{
  CenoteFault fault = FAULT_INIT;
  grpc_channel_args args = { 0, NULL };
  grpc_channel *channel = fixture->plugin->ops.transport.create_channel (fixture->state, address, &args, &fault);

  *out_reason = g_steal_pointer (&fault.text);
  return channel;
}

static void
close_channel (Fixture *fixture, grpc_channel *channel)
{
  fixture->plugin->ops.transport.close_channel (fixture->state, channel);
}

/* --------------------------------------------------------------- addresses */

static const char *const usual[] = { "dns:///localhost:1", "unix:/nonexistent/socket", "localhost:1" };
static const char *const unusual[] = { "", "no such scheme:%%%", "unix:", "\xff\xfe", ":", "dns:///",
                                       "ipv4:1.2.3.4.5:6", "[::1", "localhost:99999999999", "a\nb" };

/* FALSE: neither a channel nor a reason. */
static gboolean
is_answered (Fixture *fixture, const char *address)
{
  g_autofree char *reason = NULL;
  grpc_channel *channel = create_channel (fixture, address, &reason);

  if (channel)
    close_channel (fixture, channel);
  return channel || (reason && *reason);
}

static gboolean
is_taken (Fixture *fixture, const char *address)
{
  g_autofree char *reason = NULL;
  grpc_channel *channel = create_channel (fixture, address, &reason);

  if (channel)
    close_channel (fixture, channel);
  return channel != NULL;
}

/* (nullable): a usual address that the transport takes. */
static const char *
find_address (Fixture *fixture)
{
  for (guint i = 0; i < G_N_ELEMENTS (usual); i++) {
    if (is_taken (fixture, usual[i]))
      return usual[i];
  }
  return NULL;
}

static char *
check_addresses (const Conformance *run)
{
  g_autoptr (Fixture) fixture = conformance_create (run);
  g_autofree char *endless = g_strnfill (70000, 'a');

  for (guint i = 0; i < G_N_ELEMENTS (usual); i++) {
    if (!is_answered (fixture, usual[i]))
      return g_strdup_printf ("'%s' gives neither a channel nor a reason", usual[i]);
  }
  for (guint i = 0; i < G_N_ELEMENTS (unusual); i++) {
    if (!is_answered (fixture, unusual[i])) {
      g_autofree char *shown = g_strescape (unusual[i], NULL);

      return g_strdup_printf ("'%s' gives neither a channel nor a reason", shown);
    }
  }
  return is_answered (fixture, endless)
           ? NULL
           : g_strdup ("an address of 70000 bytes gives neither a channel nor a reason");
}

static char *
check_usual (const Conformance *run)
{
  g_autoptr (Fixture) fixture = conformance_create (run);

  if (find_address (fixture))
    return NULL;
  return g_strdup_printf ("none of %s, %s and %s is taken", usual[0], usual[1], usual[2]);
}

/* ----------------------------------------------------- channels come and go */

/* (transfer full) (nullable): channels come, never connect, and are ended by END. */
static char *
judge_ends (const Conformance *run, void (*end) (Fixture *fixture, grpc_channel *channel))
{
  g_autoptr (Fixture) fixture = conformance_create (run);
  const char *address = find_address (fixture);

  for (guint i = 0; address && i < 1000; i++) {
    g_autofree char *reason = NULL;
    grpc_channel *channel = create_channel (fixture, address, &reason);

    if (!channel)
      return g_strdup_printf ("%u channels came and went, and then there is none: %s", i,
                              reason ? reason : "no reason");
    end (fixture, channel);
  }
  return NULL;
}

static char *
check_close (const Conformance *run)
{
  return judge_ends (run, close_channel);
}

/* As it is where a caller owned the channel: that one is gone. */
static void
destroy_and_give_up (Fixture *fixture, grpc_channel *channel)
{
  grpc_channel_destroy (channel);
  fixture->plugin->ops.transport.give_up_channel (fixture->state, channel);
}

static char *
check_give_up (const Conformance *run)
{
  return judge_ends (run, destroy_and_give_up);
}

static char *
check_explain (const Conformance *run)
{
  static const char *const errors[] = { "", "Connection refused", "%s%n", "\xff" };
  g_autoptr (Fixture) fixture = conformance_create (run);
  const char *address = find_address (fixture);
  g_autofree char *reason = NULL;
  grpc_channel *channel = address ? create_channel (fixture, address, &reason) : NULL;
  gboolean is_empty = FALSE;

  for (guint i = 0; channel && i < G_N_ELEMENTS (errors); i++) {
    CenoteFault fault = FAULT_INIT;

    fixture->plugin->ops.transport.explain (fixture->state, channel, errors[i], &fault);
    is_empty = is_empty || (fault.text && !*fault.text);
    fault_clear (&fault);
  }
  if (channel)
    close_channel (fixture, channel);
  return is_empty ? g_strdup ("explain leaves an empty text, expected some or none") : NULL;
}

/* ---------------------------------------------------------- own connections */

/* A channel of a transport that drives itself, and what it told. */
typedef struct Watch {
  Fixture *fixture;
  grpc_channel *channel;
  GString *problems;
  gint last;                 /* CenoteChannelState */
  guint n;
  gboolean is_closed;
} Watch;

static gboolean
may_follow (gint last, gint state)
{
  switch (state) {
  case CENOTE_CHANNEL_CONNECTING:
    return last == CENOTE_CHANNEL_IDLE || last == CENOTE_CHANNEL_TRANSIENT_FAILURE;
  case CENOTE_CHANNEL_READY:
    return last == CENOTE_CHANNEL_CONNECTING;
  case CENOTE_CHANNEL_TRANSIENT_FAILURE:
    return last == CENOTE_CHANNEL_CONNECTING || last == CENOTE_CHANNEL_READY;
  case CENOTE_CHANNEL_IDLE:
    return last == CENOTE_CHANNEL_READY;
  default:
    return FALSE;
  }
}

static void
notify (void *data, uint32_t state, const char *error)
{
  Watch *watch = data;

  watch->n++;
  if (watch->is_closed)
    return;
  if (!may_follow (watch->last, state))
    g_string_append_printf (watch->problems, "state %d after %d; ", state, watch->last);
  if (state == CENOTE_CHANNEL_TRANSIENT_FAILURE && !(error && *error))
    g_string_append (watch->problems, "a failure without a reason; ");
  watch->last = state;
}

/* FALSE: no usual address gives a channel, which is another check's. */
static gboolean
watch_begin (Watch *watch, Fixture *fixture)
{
  const char *address = find_address (fixture);
  g_autofree char *reason = NULL;

  *watch = (Watch) { .fixture = fixture, .problems = g_string_new (NULL), .last = CENOTE_CHANNEL_IDLE };
  watch->channel = address ? create_channel (fixture, address, &reason) : NULL;
  if (watch->channel)
    fixture->plugin->ops.transport.watch (fixture->state, watch->channel, notify, watch);
  return watch->channel != NULL;
}

/* What is told from now on is told too late: it is counted anew. */
static void
watch_close (Watch *watch)
{
  if (watch->channel)
    close_channel (watch->fixture, watch->channel);
  watch->channel = NULL;
  watch->is_closed = TRUE;
  watch->n = 0;
}

static void
watch_clear (Watch *watch)
{
  watch_close (watch);
  g_string_free (watch->problems, TRUE);
}

static void
watch_connect (Watch *watch, guint times)
{
  for (guint i = 0; i < times; i++) {
    watch->fixture->plugin->ops.transport.connect (watch->fixture->state, watch->channel);
    fixture_advance (watch->fixture, PATIENCE_US);
  }
}

static char *
check_quiet (const Conformance *run)
{
  g_autoptr (Fixture) fixture = conformance_create (run);
  Watch watch;
  guint n;

  if (watch_begin (&watch, fixture))
    fixture_advance (fixture, PATIENCE_US);
  n = watch.n;
  watch_clear (&watch);
  return n > 0 ? g_strdup_printf ("it told %u states", n) : NULL;
}

static char *
check_states (const Conformance *run)
{
  g_autoptr (Fixture) fixture = conformance_create (run);
  Watch watch;
  char *problem = NULL;

  if (watch_begin (&watch, fixture)) {
    watch.n = 0;
    watch_connect (&watch, 20);
    if (watch.n == 0 || watch.problems->len > 0)
      problem = g_strdup (watch.n == 0 ? "it told nothing" : watch.problems->str);
  }
  watch_clear (&watch);
  return problem;
}

/* (transfer full) (nullable): what FIXTURE's closed channels do still. */
static char *
judge_closed (Fixture *fixture, const Watch *watches, guint n)
{
  guint late = 0;

  fixture_advance (fixture, PATIENCE_US);
  for (guint i = 0; i < n; i++)
    late += watches[i].n;
  if (late > 0)
    return g_strdup_printf ("%u states were told after close_channel", late);
  return fixture->timers->len > 0 ? g_strdup_printf ("%u timers run still", fixture->timers->len) : NULL;
}

static char *
check_end (const Conformance *run)
{
  g_autoptr (Fixture) fixture = conformance_create (run);
  char *problem = NULL;
  Watch watch;

  if (watch_begin (&watch, fixture)) {
    watch_connect (&watch, 3);
    watch_close (&watch);
    problem = judge_closed (fixture, &watch, 1);
  }
  watch_clear (&watch);
  return problem;
}

/* Closed at once after connect, and closed the other way round than opened. */
static char *
check_early_close (const Conformance *run)
{
  g_autoptr (Fixture) fixture = conformance_create (run);
  Watch watches[5];
  char *problem;

  for (guint i = 0; i < G_N_ELEMENTS (watches); i++) {
    if (watch_begin (&watches[i], fixture))
      fixture->plugin->ops.transport.connect (fixture->state, watches[i].channel);
  }
  for (guint i = G_N_ELEMENTS (watches); i > 0; i--)
    watch_close (&watches[i - 1]);
  problem = judge_closed (fixture, watches, G_N_ELEMENTS (watches));
  for (guint i = 0; i < G_N_ELEMENTS (watches); i++)
    watch_clear (&watches[i]);
  return problem;
}

/* ------------------------------------------------------------------- calls */

static guint64
call_create_channel (Fixture *fixture)
{
  guint64 taken = 0;

  for (guint i = 0; i < G_N_ELEMENTS (usual); i++)
    taken = taken << 1 | is_taken (fixture, usual[i]);
  return taken;
}

static const ConformanceCall calls[] = { { "create_channel, then close_channel", call_create_channel } };

static const ConformanceCheck checks[] = {
  { .name = "transport-addresses", .promise = "any address gives a channel or a reason", .run = check_addresses },
  { .name = "transport-usual", .promise = "some usual address is taken", .run = check_usual },
  { .name = "transport-close", .promise = "a thousand channels come, never connect, and go", .run = check_close },
  { .name = "transport-give-up", .promise = "channels that others destroyed are forgotten", .run = check_give_up,
    .applies = plugin_transport_gives_up },
  { .name = "transport-explain", .promise = "explain leaves a text or none", .run = check_explain },
  { .name = "transport-quiet", .promise = "nothing is told before connect", .run = check_quiet,
    .applies = plugin_transport_drives_itself },
  { .name = "transport-states", .promise = "connect is followed by states in an order that exists", .run = check_states,
    .applies = plugin_transport_drives_itself },
  { .name = "transport-end", .promise = "close_channel ends it all", .run = check_end,
    .applies = plugin_transport_drives_itself },
  { .name = "transport-early-close", .promise = "channels can be closed while they connect", .run = check_early_close,
    .applies = plugin_transport_drives_itself },
};

const ConformancePart conformance_transport = { checks, G_N_ELEMENTS (checks), calls, G_N_ELEMENTS (calls) };
