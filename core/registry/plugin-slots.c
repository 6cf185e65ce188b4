/* SPDX-License-Identifier: Apache-2.0 */
/* plugin-slots: the five tables, and the named defaults of absent slots. */
#include "plugin-slots.h"

#include <cenote/telemetry.h>
#include <grpc/grpc.h>

/* ------------------------------------------------------------- any kind */

static char no_state;

static void *
default_create (const CenoteHost *host, const CenoteOptions *options, CenoteFault *fault)
{
  (void) host;
  (void) options;
  (void) fault;
  return &no_state;
}

static void
default_destroy (void *state)
{
  (void) state;
}

/* -------------------------------------------------------------- backoff */

static void
default_backoff_reset (void *state)
{
  (void) state;
}

/* --------------------------------------------------------------- picker */

static void
default_picker_done (void *state, uint32_t number, int32_t status, int64_t latency_us)
{
  (void) state;
  (void) number;
  (void) status;
  (void) latency_us;
}

/* ------------------------------------------------------------ transport */

/* C-core drives the channel: whoever comes here did not ask plugin_transport_drives_itself(). */
static void
default_transport_watch (void *state, struct grpc_channel *channel, CenoteTransportNotify notify, void *notify_data)
{
  (void) state;
  (void) channel;
  (void) notify;
  (void) notify_data;
  g_return_if_reached ();
}

static void
default_transport_connect (void *state, struct grpc_channel *channel)
{
  (void) state;
  (void) channel;
  g_return_if_reached ();
}

static void
default_transport_close_channel (void *state, struct grpc_channel *channel)
{
  (void) state;
  grpc_channel_destroy (channel);
}

static void
default_transport_explain (void *state, struct grpc_channel *channel, const char *error, CenoteFault *fault)
{
  (void) state;
  (void) channel;
  (void) error;
  (void) fault;
}

static void
default_transport_give_up_channel (void *state, struct grpc_channel *channel)
{
  (void) state;
  (void) channel;
}

/* ------------------------------------------------------------ telemetry */

static uint64_t
default_telemetry_interest (void *state)
{
  (void) state;
  return CENOTE_EVENT_MASK_ALL;
}

static int64_t
default_telemetry_poll (void *state, int64_t now_us, uint32_t why)
{
  (void) state;
  (void) now_us;
  (void) why;
  return INT64_MAX;
}

static void
default_telemetry_flush (void *state)
{
  (void) state;
}

/* --------------------------------------------------------------- tables */

#define REQUIRED(type, slot) { #slot, G_STRUCT_OFFSET (type, slot), NULL }
#define OPTIONAL(type, slot, fallback) { #slot, G_STRUCT_OFFSET (type, slot), (PluginFunc) (fallback) }
#define END_OF(type, member) (G_STRUCT_OFFSET (type, member) + sizeof (((type *) NULL)->member))

static const PluginSlot backoff_slots[] = {
  REQUIRED (CenoteBackoffOps, create),
  REQUIRED (CenoteBackoffOps, next),
  OPTIONAL (CenoteBackoffOps, reset, default_backoff_reset),
  OPTIONAL (CenoteBackoffOps, destroy, default_destroy),
};

static const PluginSlot connector_slots[] = {
  OPTIONAL (CenoteConnectorOps, create, default_create),
  REQUIRED (CenoteConnectorOps, plan),
  OPTIONAL (CenoteConnectorOps, destroy, default_destroy),
};

static const PluginSlot picker_slots[] = {
  OPTIONAL (CenotePickerOps, create, default_create),
  REQUIRED (CenotePickerOps, pick),
  OPTIONAL (CenotePickerOps, done, default_picker_done),
  OPTIONAL (CenotePickerOps, destroy, default_destroy),
};

static const PluginSlot transport_slots[] = {
  OPTIONAL (CenoteTransportOps, create, default_create),
  REQUIRED (CenoteTransportOps, create_channel),
  [PLUGIN_SLOT_WATCH] = OPTIONAL (CenoteTransportOps, watch, default_transport_watch),
  [PLUGIN_SLOT_CONNECT] = OPTIONAL (CenoteTransportOps, connect, default_transport_connect),
  [PLUGIN_SLOT_CLOSE_CHANNEL] = OPTIONAL (CenoteTransportOps, close_channel, default_transport_close_channel),
  OPTIONAL (CenoteTransportOps, destroy, default_destroy),
  OPTIONAL (CenoteTransportOps, explain, default_transport_explain),
  [PLUGIN_SLOT_GIVE_UP_CHANNEL] = OPTIONAL (CenoteTransportOps, give_up_channel, default_transport_give_up_channel),
};

static const PluginSlot telemetry_slots[] = {
  OPTIONAL (CenoteTelemetryOps, create, default_create),
  REQUIRED (CenoteTelemetryOps, handle),
  OPTIONAL (CenoteTelemetryOps, flush, default_telemetry_flush),
  OPTIONAL (CenoteTelemetryOps, destroy, default_destroy),
  OPTIONAL (CenoteTelemetryOps, interest, default_telemetry_interest),
  OPTIONAL (CenoteTelemetryOps, poll, default_telemetry_poll),
};

#define CONNECTOR_FLAGS (CENOTE_CONNECTOR_DIALS | CENOTE_CONNECTOR_SIZES_ITSELF | CENOTE_CONNECTOR_MINDS_USE)
#define TRANSPORT_FLAGS (CENOTE_TRANSPORT_SECURE | CENOTE_TRANSPORT_TAKES_ADDRESSES)
#define PICKER_FLAGS \
  (CENOTE_PICKER_NEEDS_LOAD | CENOTE_PICKER_NEEDS_LATENCY | CENOTE_PICKER_NEEDS_OUTCOME)

static const PluginSlots tables[] = {
  [CENOTE_PLUGIN_BACKOFF] = { "backoff", sizeof (CenoteBackoffOps), END_OF (CenoteBackoffOps, next), 0,
                              G_N_ELEMENTS (backoff_slots), backoff_slots },
  [CENOTE_PLUGIN_CONNECTOR] = { "connector", sizeof (CenoteConnectorOps), END_OF (CenoteConnectorOps, plan),
                                CONNECTOR_FLAGS, G_N_ELEMENTS (connector_slots), connector_slots },
  [CENOTE_PLUGIN_PICKER] = { "picker", sizeof (CenotePickerOps), END_OF (CenotePickerOps, pick), PICKER_FLAGS,
                             G_N_ELEMENTS (picker_slots), picker_slots },
  [CENOTE_PLUGIN_TRANSPORT] = { "transport", sizeof (CenoteTransportOps), END_OF (CenoteTransportOps, create_channel),
                                TRANSPORT_FLAGS, G_N_ELEMENTS (transport_slots), transport_slots },
  [CENOTE_PLUGIN_TELEMETRY] = { "telemetry", sizeof (CenoteTelemetryOps), END_OF (CenoteTelemetryOps, handle), 0,
                                G_N_ELEMENTS (telemetry_slots), telemetry_slots },
};

const PluginSlots *
plugin_slots_get (CenotePluginKind kind)
{
  guint i = (guint) kind;

  return i < G_N_ELEMENTS (tables) && tables[i].kind ? &tables[i] : NULL;
}
