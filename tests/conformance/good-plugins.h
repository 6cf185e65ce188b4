// SPDX-License-Identifier: Apache-2.0
// good-plugins: a good plugin of each kind, in parts, to be spoilt.
#ifndef CENOTE_TESTS_GOOD_PLUGINS_H
#define CENOTE_TESTS_GOOD_PLUGINS_H

#include <grpc/grpc.h>

#include <atomic>
#include <cstring>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "tools/conformance/conformance.h"

namespace {

// One state serves all kinds.
struct State {
  const CenoteHost *host;
  int64_t options[2];
  int64_t n = 0;
  std::atomic<uint32_t> turn { 0 };
  bool is_offended = false;
  std::thread::id thread = std::this_thread::get_id ();
};

// What the states of a bad plugin share, though none should.
struct Shared {
  int64_t n = 0;
  int living = 0;
  bool is_broken = false;
  std::vector<int> files;
  std::vector<std::string> texts;
  std::vector<std::thread> threads;
  std::promise<void> end;
  std::shared_future<void> ended = end.get_future ().share ();
} shared;

State *
state_of (void *state)
{
  return static_cast<State *> (state);
}

void *
create (const CenoteHost *host, const CenoteOptions *options, CenoteFault *)
{
  State *state = new State;

  state->host = host;
  for (uint32_t i = 0; i < options->n_values && i < 2; i++)
    state->options[i] = cenote_options_at (options, i)->number;
  shared.living++;
  return state;
}

void
destroy (void *state)
{
  shared.living--;
  delete state_of (state);
}

int64_t
next (void *state)
{
  int64_t n = ++state_of (state)->n;

  return n * 1000 + static_cast<int64_t> (state_of (state)->host->random (state_of (state)->host) % 100);
}

void
reset (void *state)
{
  state_of (state)->n = 0;
}

// In turn, the place to avoid left out.
uint32_t
pick (void *, const CenotePickView *view)
{
  uint32_t index = static_cast<uint32_t> (*view->scratch % view->n_places);

  *view->scratch = index + 1;
  if (index != view->avoid || view->n_places == 1)
    return index;
  *view->scratch = index + 2;
  return (index + 1) % view->n_places;
}

using Burden = int64_t (*) (const CenoteTally *tally);

// The least burdened of all, begun with the one whose turn it is.
uint32_t
pick_least (const CenotePickView *view, Burden burden)
{
  uint32_t best = pick (nullptr, view), from = best;

  for (uint32_t i = 0; i < view->n_places; i++) {
    auto of = [&] (uint32_t index) {
      const CenotePlace *place = cenote_pick_place (view, index);

      return burden (reinterpret_cast<const CenoteTally *> (
        reinterpret_cast<const char *> (view->tallies[place->tally_block]) + place->tally_offset));
    };
    uint32_t other = (from + i) % view->n_places;

    if (other != view->avoid && of (other) < of (best))
      best = other;
  }
  return best;
}

bool
is_live (const CenoteChannelView *channel)
{
  return channel->state != CENOTE_CHANNEL_DRAINING && channel->state != CENOTE_CHANNEL_SHUTDOWN;
}

uint32_t
count_live (const CenoteConnectorView *view)
{
  uint32_t n = 0;

  for (uint32_t i = 0; i < view->n_channels; i++)
    n += is_live (cenote_view_channel (view, i));
  return n;
}

void
drain_some (const CenoteConnectorView *view, CenotePlan *plan, uint32_t *surplus, bool ready)
{
  for (uint32_t i = 0; i < view->n_channels && *surplus > 0; i++) {
    const CenoteChannelView *channel = cenote_view_channel (view, i);

    if (!is_live (channel) || (channel->state == CENOTE_CHANNEL_READY) != ready)
      continue;
    plan->drain (plan, channel->id, "not wanted");
    --*surplus;
  }
}

// TARGET channels at the address of that index; those that are not ready go first.
void
plan_size (const CenoteConnectorView *view, CenotePlan *plan, uint32_t target, uint32_t address = 0,
           bool ready_first = false)
{
  uint32_t live = count_live (view);
  uint32_t surplus = live > target ? live - target : 0;

  if (live < target && view->n_addresses > 0)
    plan->open (plan, cenote_view_address (view, address % view->n_addresses)->id, target - live, 0);
  drain_some (view, plan, &surplus, ready_first);
  drain_some (view, plan, &surplus, !ready_first);
}

void
plan_wanted (void *, const CenoteConnectorView *view, CenotePlan *plan)
{
  plan_size (view, plan, view->wanted);
}

uint32_t
size_by_load (const CenoteConnectorView *view)
{
  return view->acquired > 0 ? std::min (view->max, view->min + 3) : view->min;
}

void
plan_load (void *, const CenoteConnectorView *view, CenotePlan *plan)
{
  plan_size (view, plan, size_by_load (view));
  plan->expect (plan, size_by_load (view), "load");
}

bool
has_live_channel (const CenoteConnectorView *view, uint32_t address)
{
  for (uint32_t i = 0; i < view->n_channels; i++)
    if (is_live (cenote_view_channel (view, i)) && cenote_view_channel (view, i)->address == address)
      return true;
  return false;
}

void
plan_dialled (const CenoteConnectorView *view, CenotePlan *plan, uint32_t least_waiters)
{
  for (uint32_t i = 0; i < view->n_addresses; i++) {
    const CenoteAddressView *address = cenote_view_address (view, i);

    if (address->waiters >= least_waiters && !has_live_channel (view, address->id))
      plan->open (plan, address->id, 1, 0);
  }
}

void
plan_waited_for (void *, const CenoteConnectorView *view, CenotePlan *plan)
{
  plan_dialled (view, plan, 1);
}

struct grpc_channel *
create_channel (void *state, const char *address, const void *, CenoteFault *fault)
{
  if (strlen (address) < 1000)
    return grpc_lame_client_channel_create (address, GRPC_STATUS_UNAVAILABLE, "nobody is there");
  state_of (state)->host->fail (state_of (state)->host, fault, "the address is too long");
  return nullptr;
}

// A channel of the transport that drives itself: each attempt fails after a second.
struct Wire {
  State *state;
  CenoteTransportNotify notify = nullptr;
  void *data = nullptr;
  CenoteTimer *timer = nullptr;
  int attempts = 0;
};

Wire *
wire_of (struct grpc_channel *channel)
{
  return reinterpret_cast<Wire *> (channel);
}

struct grpc_channel *
create_wire (void *state, const char *, const void *, CenoteFault *)
{
  return reinterpret_cast<struct grpc_channel *> (new Wire { state_of (state) });
}

void
watch_wire (void *, struct grpc_channel *channel, CenoteTransportNotify notify, void *data)
{
  wire_of (channel)->notify = notify;
  wire_of (channel)->data = data;
}

void
wire_fails (void *data)
{
  Wire *wire = static_cast<Wire *> (data);

  wire->timer = nullptr;
  wire->attempts++;
  wire->notify (wire->data, CENOTE_CHANNEL_TRANSIENT_FAILURE, "refused");
}

void
connect_wire (void *, struct grpc_channel *channel)
{
  Wire *wire = wire_of (channel);
  const CenoteHost *host = wire->state->host;

  wire->notify (wire->data, CENOTE_CHANNEL_CONNECTING, nullptr);
  wire->timer = host->timer_start (host, 1000000, wire_fails, wire);
}

void
close_wire (void *, struct grpc_channel *channel)
{
  Wire *wire = wire_of (channel);

  wire->state->host->timer_stop (wire->state->host, wire->timer);
  delete wire;
}

void
linger (State *state)
{
  state->host->timer_start (state->host, G_GINT64_CONSTANT (1) << 50, [] (void *) {}, nullptr);
}

// A good plugin of a kind, to be spoilt.
struct Parts {
  CenotePlugin descriptor {};
  CenoteOption options[2] {};
  CenoteBackoffOps backoff {};
  CenoteConnectorOps connector {};
  CenotePickerOps picker {};
  CenoteTransportOps transport {};
  CenoteTelemetryOps telemetry {};

  const void *ops () const
  {
    switch (descriptor.kind) {
    case CENOTE_PLUGIN_BACKOFF:
      return &backoff;
    case CENOTE_PLUGIN_CONNECTOR:
      return &connector;
    case CENOTE_PLUGIN_PICKER:
      return &picker;
    case CENOTE_PLUGIN_TRANSPORT:
      return &transport;
    default:
      return &telemetry;
    }
  }

  explicit Parts (CenotePluginKind kind)
  {
    descriptor.magic = CENOTE_PLUGIN_MAGIC;
    descriptor.abi_major = CENOTE_ABI_MAJOR;
    descriptor.abi_minor = CENOTE_ABI_MINOR;
    descriptor.struct_size = sizeof descriptor;
    descriptor.kind = kind;
    descriptor.name = "bad";
    descriptor.version = "1.0";
    descriptor.summary = "Has one fault";
    descriptor.license = "Apache-2.0 OR MIT";
    descriptor.options = options;
    descriptor.n_options = 2;
    descriptor.option_size = sizeof options[0];
    options[0] = { "delay", CENOTE_OPTION_DURATION, 0, "100ms", "1ms", "1h", nullptr, "How long it takes" };
    options[1] = { "mode", CENOTE_OPTION_ENUM, 0, "one", nullptr, nullptr, "one|two", "In which way" };
    backoff = { sizeof backoff, 0, create, next, reset, destroy };
    connector = { sizeof connector, 0, create, plan_wanted, destroy };
    picker = { sizeof picker, 0, create, pick, nullptr, destroy };
    transport = { sizeof transport, 0,       create,  create_channel, nullptr,
                  nullptr,          nullptr, destroy, nullptr,        nullptr };
    telemetry.struct_size = sizeof telemetry;
    telemetry.mask = CENOTE_EVENT_MASK_ALL;
    telemetry.create = create;
    telemetry.handle = [] (void *, const CenoteEvent *) {};
    telemetry.destroy = destroy;
  }

  void size_itself (decltype (CenoteConnectorOps::plan) plan)
  {
    connector.flags = CENOTE_CONNECTOR_SIZES_ITSELF;
    connector.plan = plan;
  }

  void dial (decltype (CenoteConnectorOps::plan) plan)
  {
    connector.flags = CENOTE_CONNECTOR_DIALS;
    connector.plan = plan;
  }

  void need_load (decltype (CenotePickerOps::pick) with)
  {
    picker.flags = CENOTE_PICKER_NEEDS_LOAD;
    picker.pick = with;
  }

  void drive_itself ()
  {
    transport.create_channel = create_wire;
    transport.watch = watch_wire;
    transport.connect = connect_wire;
    transport.close_channel = close_wire;
  }
};

} // namespace

#endif
