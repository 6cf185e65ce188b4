/* SPDX-License-Identifier: Apache-2.0 */
/* conformance-transport: a channel or a reason, for any address; and an order of states that exists. */
#include "conformance.h"

#include <grpc/grpc.h>
#include <string.h>

/* Long enough for any script of a test. */
#define PATIENCE_US (G_GINT64_CONSTANT (3600) * G_USEC_PER_SEC)

/* What a channel told. */
typedef struct Told {
  GString *problems;
  gint last;                 /* CenoteChannelState */
  guint n;
  gboolean is_closed;
} Told;

static grpc_channel *
create_channel (Fixture *fixture, const char *address, char **out_reason)
{
  CenoteFault fault = FAULT_INIT;
  grpc_channel_args args = { 0, NULL };
  grpc_channel *channel = fixture->plugin->ops.transport.create_channel (fixture->state, address, &args, &fault);

  *out_reason = g_steal_pointer (&fault.text);
  return channel;
}

/* Returns whether ADDRESS was taken. */
static gboolean
check_address (Conformance *run, Fixture *fixture, const char *address)
{
  g_autofree char *reason = NULL;
  g_autofree char *check = g_strdup_printf ("transport: '%.40s' gives a channel or a reason", address);
  grpc_channel *channel = create_channel (fixture, address, &reason);

  conformance_expect (run, check, channel || (reason && *reason), "neither");
  if (channel)
    fixture->plugin->ops.transport.close_channel (fixture->state, channel);
  return channel != NULL;
}

/* (nullable): an address that the transport takes. */
static const char *
check_addresses (Conformance *run)
{
  static const char *const addresses[] = {
    "dns:///localhost:1", "unix:/nonexistent/socket", "localhost:1", "", "no such scheme:%%%", "unix:", "\xff\xfe", ":",
  };
  g_autoptr (Fixture) fixture = conformance_create (run);
  g_autofree char *endless = g_strnfill (5000, 'a');
  const char *taken = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (addresses); i++) {
    if (check_address (run, fixture, addresses[i]) && !taken)
      taken = addresses[i];
  }
  check_address (run, fixture, endless);
  conformance_expect (run, "transport: some usual address is taken", taken != NULL, "none of them was");
  return taken;
}

/* ---------------------------------------------------------- own connections */

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
notify (void *data, CenoteChannelState state, const char *error)
{
  Told *told = data;

  if (told->is_closed)
    g_string_append (told->problems, "told after close_channel; ");
  if (!may_follow (told->last, state))
    g_string_append_printf (told->problems, "state %d after %d; ", state, told->last);
  if (state == CENOTE_CHANNEL_TRANSIENT_FAILURE && !(error && *error))
    g_string_append (told->problems, "a failure without a reason; ");
  told->last = state;
  told->n++;
}

static void
watch_one (Fixture *fixture, const char *address, Told *told, grpc_channel **out_channel)
{
  g_autofree char *reason = NULL;

  *told = (Told) { g_string_new (NULL), CENOTE_CHANNEL_IDLE, 0, FALSE };
  *out_channel = create_channel (fixture, address, &reason);
  fixture->plugin->ops.transport.watch (fixture->state, *out_channel, notify, told);
}

static void
check_states (Conformance *run, const char *address)
{
  g_autoptr (Fixture) fixture = conformance_create (run);
  const CenoteTransportOps *ops = &fixture->plugin->ops.transport;
  grpc_channel *channel;
  Told told;

  watch_one (fixture, address, &told, &channel);
  fixture_advance (fixture, PATIENCE_US);
  conformance_expect (run, "transport: nothing happens before connect", told.n == 0, "told %u states", told.n);
  for (guint attempt = 0; attempt < 20; attempt++) {
    ops->connect (fixture->state, channel);
    fixture_advance (fixture, PATIENCE_US);
  }
  conformance_expect (run, "transport: connect is followed by states in an order that exists",
                      told.n > 0 && told.problems->len == 0, "%s", told.n > 0 ? told.problems->str : "told nothing");
  ops->close_channel (fixture->state, channel);
  told.is_closed = TRUE;
  fixture_advance (fixture, PATIENCE_US);
  conformance_expect (run, "transport: close_channel ends it all", told.problems->len == 0 && fixture->timers->len == 0,
                      "%s%u timers run still", told.problems->str, fixture->timers->len);
  g_string_free (told.problems, TRUE);
}

/* Closed at once after connect, and closed the other way round than opened. */
static void
check_early_close (Conformance *run, const char *address)
{
  g_autoptr (Fixture) fixture = conformance_create (run);
  const CenoteTransportOps *ops = &fixture->plugin->ops.transport;
  grpc_channel *channels[5];
  Told told[5];
  guint late = 0;

  for (guint i = 0; i < G_N_ELEMENTS (channels); i++) {
    watch_one (fixture, address, &told[i], &channels[i]);
    ops->connect (fixture->state, channels[i]);
  }
  for (guint i = G_N_ELEMENTS (channels); i > 0; i--) {
    ops->close_channel (fixture->state, channels[i - 1]);
    told[i - 1].is_closed = TRUE;
  }
  fixture_advance (fixture, PATIENCE_US);
  for (guint i = 0; i < G_N_ELEMENTS (channels); i++) {
    late += told[i].problems->len > 0;
    g_string_free (told[i].problems, TRUE);
  }
  conformance_expect (run, "transport: channels can be closed while they connect",
                      late == 0 && fixture->timers->len == 0, "%u told later, %u timers run still", late,
                      fixture->timers->len);
}

void
conformance_transport (Conformance *run)
{
  const char *address = check_addresses (run);

  if (!address || !plugin_transport_drives_itself (run->plugin))
    return;
  check_states (run, address);
  check_early_close (run, address);
}
