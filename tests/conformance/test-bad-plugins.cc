// SPDX-License-Identifier: Apache-2.0
// For each check of the suite a plugin that breaks it and nothing else.  Each is a good
// plugin of its kind with one fault.
#include <fcntl.h>
#include <grpc/grpc.h>
#include <gtest/gtest.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <future>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/sanitizers.h"
#include "tools/conformance/conformance.h"

namespace {

const CenotePluginKind kinds[] = { CENOTE_PLUGIN_BACKOFF, CENOTE_PLUGIN_CONNECTOR, CENOTE_PLUGIN_PICKER,
                                   CENOTE_PLUGIN_TRANSPORT, CENOTE_PLUGIN_TELEMETRY };

// ------------------------------------------------------------ good plugins

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

// ------------------------------------------------------------------- table

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

void
sleep_long ()
{
  g_usleep (120000);
}

void
spin (int64_t ms)
{
  struct timespec from, now;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &from);
  do
    clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  while ((now.tv_sec - from.tv_sec) * 1000 + (now.tv_nsec - from.tv_nsec) / 1000000 < ms);
}

struct Row {
  const char *check;         // nullptr: it is good
  CenotePluginKind kind;
  const char *what;
  void (*spoil) (Parts &parts);
};

#define LOAD(what_, ...) { "load", CENOTE_PLUGIN_BACKOFF, what_, [] (Parts &p) { __VA_ARGS__; } }
#define BACKOFF(check_, what_, ...) { check_, CENOTE_PLUGIN_BACKOFF, what_, [] (Parts &p) { __VA_ARGS__; } }
#define CONNECTOR(check_, what_, ...) { check_, CENOTE_PLUGIN_CONNECTOR, what_, [] (Parts &p) { __VA_ARGS__; } }
#define PICKER(check_, what_, ...) { check_, CENOTE_PLUGIN_PICKER, what_, [] (Parts &p) { __VA_ARGS__; } }
#define TRANSPORT(check_, what_, ...) { check_, CENOTE_PLUGIN_TRANSPORT, what_, [] (Parts &p) { __VA_ARGS__; } }
#define TELEMETRY(check_, what_, ...) { check_, CENOTE_PLUGIN_TELEMETRY, what_, [] (Parts &p) { __VA_ARGS__; } }

const Row rows[] = {
  BACKOFF (nullptr, "good", (void) p),
  CONNECTOR (nullptr, "good", (void) p),
  CONNECTOR (nullptr, "good, sizes itself", p.size_itself (plan_load)),
  CONNECTOR (nullptr, "good, dials", p.dial (plan_waited_for)),
  PICKER (nullptr, "good", (void) p),
  PICKER (nullptr, "good, by load", p.need_load ([] (void *, const CenotePickView *view) {
    return pick_least (view, [] (const CenoteTally *t) { return t->others + 2 * (t->taken - t->released); });
  })),
  TRANSPORT (nullptr, "good", (void) p),
  TRANSPORT (nullptr, "good, drives itself", p.drive_itself ()),
  TELEMETRY (nullptr, "good", (void) p),

  LOAD ("no plugin's magic", p.descriptor.magic = 1),
  LOAD ("another major", p.descriptor.abi_major = CENOTE_ABI_MAJOR + 1),
  LOAD ("no kind that there is", p.descriptor.kind = 77),
  LOAD ("a name that is none", p.descriptor.name = "Bad"),
  LOAD ("no summary", p.descriptor.summary = ""),
  LOAD ("no license", p.descriptor.license = nullptr),
  LOAD ("no operations", p.descriptor.ops = nullptr),
  LOAD ("a required slot is empty", p.backoff.next = nullptr),
  LOAD ("a flag without a meaning", p.backoff.flags = 1u << 30),
  LOAD ("a default that does not parse", p.options[0].default_text = "soon"),
  LOAD ("a default below the minimum", p.options[0].default_text = "1us"),
  LOAD ("a minimum above the maximum", p.options[0].min = "2h"; p.options[0].default_text = nullptr),
  LOAD ("an option without docs", p.options[1].summary = nullptr),
  LOAD ("an option not in kebab-case", p.options[1].name = "Mode"),
  LOAD ("an option with the reserved name", p.options[1].name = "plugin"),
  LOAD ("an option twice", p.options[1].name = p.options[0].name),
  LOAD ("an enum without choices", p.options[1].choices = nullptr),

  BACKOFF ("name", "ends with '-'", p.descriptor.name = "bad-"),
  BACKOFF ("version", "words", p.descriptor.version = "the newest"),
  BACKOFF ("summary", "two sentences", p.descriptor.summary = "Waits.  Then waits longer"),
  BACKOFF ("summary", "two lines", p.descriptor.summary = "Waits\nlonger"),
  BACKOFF ("license", "no SPDX", p.descriptor.license = "GPL version 3"),
  BACKOFF ("option-names", "two '-'", p.options[0].name = "de--lay"),
  BACKOFF ("option-docs", "a space at its end", p.options[0].summary = "How long "),
  BACKOFF ("option-ranges", "a path with a minimum",
           p.options[0] = { "path", CENOTE_OPTION_PATH, 0, nullptr, "a", nullptr, nullptr, "Where" }),
  BACKOFF (
    "option-ranges", "an int that may be off",
    p.options[0] = { "n", CENOTE_OPTION_INT, CENOTE_OPTION_MAY_BE_OFF, "1", nullptr, nullptr, nullptr, "How many" }),
  BACKOFF ("option-ranges", "a choice twice", p.options[1].choices = "one|two|one"),

  BACKOFF (
    "create", "fails",
    p.backoff.create = [] (const CenoteHost *host, const CenoteOptions *, CenoteFault *fault) -> void * {
      host->fail (host, fault, "not today");
      return nullptr;
    }),
  BACKOFF (
    "create-time", "computes",
    p.backoff.create =
      [] (const CenoteHost *host, const CenoteOptions *values, CenoteFault *fault) {
        spin (1100);
        return create (host, values, fault);
      }),
  BACKOFF (
    "call-time", "next sleeps",
    p.backoff.next =
      [] (void *state) {
        sleep_long ();
        return next (state);
      }),
  BACKOFF (
    "call-time", "next computes",
    p.backoff.next =
      [] (void *state) {
        spin (20);
        return next (state);
      }),
  PICKER (
    "call-time", "done sleeps", p.picker.done = [] (void *, uint32_t, int, int64_t) { sleep_long (); }),
  CONNECTOR (
    "call-time", "plan computes",
    p.connector.plan =
      [] (void *state, const CenoteConnectorView *view, CenotePlan *plan) {
        spin (20);
        plan_wanted (state, view, plan);
      }),
  BACKOFF (
    "create-many", "only 9 at once",
    p.backoff.create = [] (const CenoteHost *host, const CenoteOptions *values,
                           CenoteFault *fault) { return shared.living < 9 ? create (host, values, fault) : nullptr; }),
  BACKOFF (
    "create-repeats", "files stay open",
    p.backoff.create =
      [] (const CenoteHost *host, const CenoteOptions *values, CenoteFault *fault) {
        if (++shared.n % 4 == 0)
          shared.files.push_back (open ("/dev/null", O_RDONLY | O_CLOEXEC));
        return create (host, values, fault);
      }),
  BACKOFF (
    "create-repeats", "threads stay",
    p.backoff.create =
      [] (const CenoteHost *host, const CenoteOptions *values, CenoteFault *fault) {
        if (++shared.n % 4 == 0)
          shared.threads.emplace_back ([ended = shared.ended] { ended.wait (); });
        return create (host, values, fault);
      }),
#if !UNDER_ASAN && !UNDER_TSAN
  BACKOFF (
    "create-repeats", "memory stays",
    p.backoff.create =
      [] (const CenoteHost *host, const CenoteOptions *values, CenoteFault *fault) {
        shared.texts.push_back (std::string (100, 'a'));
        return create (host, values, fault);
      }),
#endif
  BACKOFF (
    "create-options", "refuses the maximum without a reason",
    p.backoff.create =
      [] (const CenoteHost *host, const CenoteOptions *values, CenoteFault *fault) {
        return cenote_options_at (values, 0)->number < 3600000000 ? create (host, values, fault) : nullptr;
      }),
  BACKOFF (
    "destroy-order", "the end of one is the end of all",
    p.backoff.destroy =
      [] (void *state) {
        shared.is_broken = shared.living > 1;
        destroy (state);
      };
    p.backoff.next = [] (void *state) { return shared.is_broken ? 5 : next (state); }; p.backoff.reset =
                                                                                         [] (void *state) {
                                                                                           if (shared.living == 1)
                                                                                             shared.is_broken = false;
                                                                                           reset (state);
                                                                                         }),

  BACKOFF (
    "backoff-range", "negative", p.backoff.next = [] (void *) -> int64_t { return -1; }),
  BACKOFF (
    "backoff-range", "a month", p.backoff.next = [] (void *) -> int64_t { return INT64_C (30) * 86400 * 1000000; }),
  BACKOFF (
    "backoff-extremes", "overflows",
    p.backoff.next = [] (void *state) -> int64_t {
      return state_of (state)->options[0] >= 3600000000 ? INT64_MAX : 1000;
    }),
  BACKOFF (
    "backoff-luck", "luck of its own", p.backoff.next = [] (void *) -> int64_t { return shared.n++ % 1000; }),
  BACKOFF (
    "backoff-reset", "does nothing", p.backoff.reset = [] (void *) {}),
  BACKOFF (
    "backoff-independence", "one count for all",
    p.backoff.create =
      [] (const CenoteHost *host, const CenoteOptions *values, CenoteFault *fault) {
        shared.n = 0;
        return create (host, values, fault);
      };
    p.backoff.reset = [] (void *) { shared.n = 0; };
    p.backoff.next = [] (void *) -> int64_t { return ++shared.n % 1000; }),

  PICKER (
    "picker-index", "one too many of a thousand",
    p.picker.pick = [] (void *state,
                        const CenotePickView *view) { return view->n_places == 1000 ? 1000 : pick (state, view); }),
  PICKER (
    "picker-keys", "the key itself",
    p.picker.pick =
      [] (void *state, const CenotePickView *view) {
        return view->has_key ? static_cast<uint32_t> (view->key_hash) : pick (state, view);
      }),
  PICKER (
    "picker-change", "the number of places before",
    p.picker.pick =
      [] (void *state, const CenotePickView *view) {
        uint32_t before = state_of (state)->turn.exchange (view->n_places);

        return before > view->n_places ? before - 1 : pick (state, view);
      }),
  PICKER (
    "picker-avoid", "does not look",
    p.picker.pick =
      [] (void *, const CenotePickView *view) { return static_cast<uint32_t> (++*view->scratch % view->n_places); }),
  PICKER (
    "picker-only", "the one behind it",
    p.picker.pick = [] (void *state, const CenotePickView *view) { return view->avoid == 0 ? 1 : pick (state, view); }),
  PICKER (
    "picker-reach", "the first", p.picker.pick = [] (void *, const CenotePickView *) -> uint32_t { return 0; }),
  PICKER ("picker-load-own", "what this thread holds", p.need_load ([] (void *, const CenotePickView *view) {
    return pick_least (view, [] (const CenoteTally *t) { return t->others - 2 * (t->taken == 0) * t->released; });
  })),
  PICKER ("picker-load-others", "what few others hold", p.need_load ([] (void *, const CenotePickView *view) {
    return pick_least (view, [] (const CenoteTally *t) {
      return 2 * (t->taken - t->released) + (t->others < 3000 ? 0 : t->others);
    });
  })),
  PICKER ("picker-load-released", "less than nothing held is nothing",
          p.need_load ([] (void *, const CenotePickView *view) {
            return pick_least (view, [] (const CenoteTally *t) {
              return t->released > t->taken ? 0 : t->others + 2 * (t->taken - t->released);
            });
          })),
  PICKER (
    "picker-threads", "knows one thread",
    p.picker.pick =
      [] (void *state, const CenotePickView *view) {
        return std::this_thread::get_id () == state_of (state)->thread ? pick (state, view) : view->n_places;
      }),
  PICKER (
    "picker-done", "a place that it never saw",
    p.picker.done =
      [] (void *state, uint32_t number, int, int64_t) {
        if (number > 999)
          state_of (state)->turn = 1;
      };
    p.picker.pick =
      [] (void *state, const CenotePickView *view) {
        return state_of (state)->turn ? view->n_places : pick (state, view);
      }),

  CONNECTOR (
    "connector-purity", "each state at another address",
    p.connector.create =
      [] (const CenoteHost *host, const CenoteOptions *values, CenoteFault *fault) {
        void *state = create (host, values, fault);

        state_of (state)->n = shared.n++;
        return state;
      };
    p.connector.plan =
      [] (void *state, const CenoteConnectorView *view, CenotePlan *plan) {
        plan_size (view, plan, view->wanted, static_cast<uint32_t> (state_of (state)->n % 2));
      }),
  CONNECTOR (
    "connector-views", "more than wanted",
    p.connector.plan =
      [] (void *, const CenoteConnectorView *view, CenotePlan *plan) {
        plan_size (view, plan, view->wanted + (view->verb == CENOTE_VERB_ROTATE));
      }),
  CONNECTOR (
    "connector-views", "an address that there is not",
    p.connector.plan =
      [] (void *state, const CenoteConnectorView *view, CenotePlan *plan) {
        plan_wanted (state, view, plan);
        if (view->verb == CENOTE_VERB_ROTATE)
          plan->forget (plan, 99);
      }),
  CONNECTOR (
    "connector-last", "drains what is ready first",
    p.connector.plan = [] (void *, const CenoteConnectorView *view,
                           CenotePlan *plan) { plan_size (view, plan, view->wanted, 0, true); }),
  CONNECTOR (
    "connector-rest", "never more than 6",
    p.connector.plan = [] (void *, const CenoteConnectorView *view,
                           CenotePlan *plan) { plan_size (view, plan, std::min (view->wanted, 6u)); }),
  CONNECTOR (
    "connector-loss", "is offended",
    p.connector.plan =
      [] (void *state, const CenoteConnectorView *view, CenotePlan *plan) {
        State *mine = state_of (state);

        mine->is_offended = mine->is_offended || count_live (view) < mine->n;
        plan_size (view, plan, mine->is_offended ? std::min (view->wanted, count_live (view)) : view->wanted);
        mine->n = mine->is_offended ? 0 : view->wanted;
      }),
  CONNECTOR (
    "connector-down", "gives up what is down",
    p.connector.plan =
      [] (void *state, const CenoteConnectorView *view, CenotePlan *plan) {
        uint32_t all = view->n_channels;

        if (view->n_addresses > 0 && cenote_view_address (view, 0)->gate == CENOTE_GATE_DOWN && count_live (view) > 0)
          drain_some (view, plan, &all, false);
        else
          plan_wanted (state, view, plan);
      }),
  CONNECTOR (
    "connector-leases", "drains again what is leased",
    p.connector.plan =
      [] (void *state, const CenoteConnectorView *view, CenotePlan *plan) {
        plan_wanted (state, view, plan);
        for (uint32_t i = 0; i < view->n_channels; i++) {
          const CenoteChannelView *channel = cenote_view_channel (view, i);

          if (!is_live (channel) && channel->in_flight > 0)
            plan->drain (plan, channel->id, "leased still");
        }
      }),
  CONNECTOR ("connector-size", "one below min",
             p.size_itself ([] (void *, const CenoteConnectorView *view, CenotePlan *plan) {
               uint32_t size = view->acquired > 0 ? size_by_load (view) : view->min - 1;

               plan_size (view, plan, size);
               plan->expect (plan, size, "load");
             })),
  CONNECTOR ("connector-expect", "says min",
             p.size_itself ([] (void *, const CenoteConnectorView *view, CenotePlan *plan) {
               plan_size (view, plan, size_by_load (view));
               plan->expect (plan, view->min, "load");
             })),
  CONNECTOR ("connector-dial", "dials all",
             p.dial ([] (void *, const CenoteConnectorView *view, CenotePlan *plan) { plan_dialled (view, plan, 0); })),

  TRANSPORT (
    "transport-addresses", "no reason",
    p.transport.create_channel =
      [] (void *state, const char *address, const void *args, CenoteFault *fault) {
        return *address ? create_channel (state, address, args, fault) : nullptr;
      }),
  TRANSPORT (
    "transport-usual", "takes none",
    p.transport.create_channel = [](void *state, const char *, const void *,
                                    CenoteFault *fault) -> struct grpc_channel
                                                          * {
                                                            state_of (state)->host->fail (state_of (state)->host, fault,
                                                                                          "not this one");
                                                            return nullptr;
                                                          }),
  TRANSPORT (
    "transport-close", "has room for 500",
    p.transport.create_channel =
      [] (void *state, const char *address, const void *args, CenoteFault *fault) {
        return state_of (state)->n++ < 500 ? create_channel (state, address, args, fault) : nullptr;
      };
    p.transport.close_channel = [] (void *, struct grpc_channel *channel) { grpc_channel_destroy (channel); };
    p.transport.give_up_channel = [] (void *state, struct grpc_channel *) { state_of (state)->n--; }),
  TRANSPORT (
    "transport-give-up", "has room for 500",
    p.transport.create_channel =
      [] (void *state, const char *address, const void *args, CenoteFault *fault) {
        return state_of (state)->n++ < 500 ? create_channel (state, address, args, fault) : nullptr;
      };
    p.transport.close_channel =
      [] (void *state, struct grpc_channel *channel) {
        state_of (state)->n--;
        grpc_channel_destroy (channel);
      };
    p.transport.give_up_channel = [] (void *, struct grpc_channel *) {}),
  TRANSPORT (
    "transport-explain", "with nothing",
    p.transport.explain =
      [] (void *state, struct grpc_channel *, const char *, CenoteFault *fault) {
        state_of (state)->host->fail (state_of (state)->host, fault, "");
      }),
  TRANSPORT (
    "transport-quiet", "tells as soon as somebody looks", p.drive_itself ();
    p.transport.watch =
      [] (void *state, struct grpc_channel *channel, CenoteTransportNotify notify, void *data) {
        watch_wire (state, channel, notify, data);
        notify (data, CENOTE_CHANNEL_CONNECTING, nullptr);
        notify (data, CENOTE_CHANNEL_TRANSIENT_FAILURE, "too early");
      }),
  TRANSPORT (
    "transport-states", "connecting is not told", p.drive_itself ();
    p.transport.connect =
      [] (void *, struct grpc_channel *channel) {
        wire_of (channel)->notify (wire_of (channel)->data, CENOTE_CHANNEL_READY, nullptr);
      }),
  TRANSPORT (
    "transport-states", "no reason", p.drive_itself ();
    p.transport.connect =
      [] (void *, struct grpc_channel *channel) {
        wire_of (channel)->notify (wire_of (channel)->data, CENOTE_CHANNEL_CONNECTING, nullptr);
        wire_of (channel)->notify (wire_of (channel)->data, CENOTE_CHANNEL_TRANSIENT_FAILURE, nullptr);
      }),
  TRANSPORT (
    "transport-end", "a timer stays", p.drive_itself (); p.transport.close_channel =
                                                           [] (void *state, struct grpc_channel *channel) {
                                                             if (wire_of (channel)->attempts > 0)
                                                               linger (state_of (state));
                                                             close_wire (state, channel);
                                                           }),
  TRANSPORT (
    "transport-early-close", "a timer stays", p.drive_itself (); p.transport.close_channel =
                                                                   [] (void *state, struct grpc_channel *channel) {
                                                                     if (wire_of (channel)->timer)
                                                                       linger (state_of (state));
                                                                     close_wire (state, channel);
                                                                   }),

  TELEMETRY ("telemetry-mask", "events to come", p.telemetry.mask = UINT64_C (1) << 60),
  TELEMETRY (
    "telemetry-interest", "in others", p.telemetry.mask = 1;
    p.telemetry.interest = [] (void *) -> uint64_t { return 2; }),
  TELEMETRY (
    "telemetry-events", "writes to them",
    p.telemetry.handle = [] (void *, const CenoteEvent *event) { const_cast<CenoteEvent *> (event)->count = 99; }),
  TELEMETRY (
    "telemetry-poll", "now", p.telemetry.poll = [] (void *, int64_t now_us, uint32_t) { return now_us; }),
  TELEMETRY (
    "telemetry-threads", "knows one thread",
    p.telemetry.poll =
      [] (void *state, int64_t now_us, uint32_t) {
        return std::this_thread::get_id () == state_of (state)->thread ? INT64_MAX : now_us;
      }),
  TELEMETRY (
    "telemetry-metrics", "writes to them",
    p.telemetry.poll =
      [] (void *state, int64_t now_us, uint32_t) {
        const CenoteHost *host = state_of (state)->host;

        host->read_metrics (
          host, [] (const CenoteMetric *metric, void *) { const_cast<CenoteMetric *> (metric)->value = 99; }, nullptr);
        return now_us + 1;
      }),
  TELEMETRY (
    "telemetry-metrics", "writes to their buckets",
    p.telemetry.flush =
      [] (void *state) {
        const CenoteHost *host = state_of (state)->host;

        host->read_metrics (
          host,
          [] (const CenoteMetric *metric, void *) {
            if (metric->n_buckets > 0)
              const_cast<CenoteBucket *> (cenote_metric_bucket (metric, 0))->count = 99;
          },
          nullptr);
      }),
  TELEMETRY (
    "telemetry-calls", "tries again at once what failed",
    p.telemetry.poll =
      [] (void *state, int64_t now_us, uint32_t) {
        const CenoteHost *host = state_of (state)->host;

        host->call_async (
          host, "other", "/a.B/C", nullptr, 0, 1000000,
          [] (void *mine, int32_t status, const char *, const void *, size_t) {
            state_of (mine)->is_offended = status != GRPC_STATUS_OK;
          },
          state);
        return state_of (state)->is_offended ? now_us : now_us + 1;
      }),
};

// --------------------------------------------------------------------- tests

Plugin *
load (gpointer data, GError **error)
{
  const CenotePlugin *descriptor = static_cast<const CenotePlugin *> (data);

  return plugin_new (descriptor, static_cast<CenotePluginKind> (0), nullptr, error);
}

struct Found {
  std::set<std::string> broken;
  std::string problems;
};

void
note (gpointer data, const ConformanceCheck *check, ConformanceVerdict verdict, const char *problem)
{
  Found *found = static_cast<Found *> (data);

  EXPECT_EQ (verdict == CONFORMANCE_BROKEN, problem != nullptr) << check->name;
  if (!problem)
    return;
  found->broken.insert (check->name);
  found->problems += std::string (check->name) + ": " + problem + "\n";
}

Found
run_suite (const Row &row)
{
  Parts parts (row.kind);
  Found found;
  guint broken;

  shared = Shared ();
  parts.descriptor.ops = parts.ops ();
  row.spoil (parts);
  broken = conformance_run_loading (load, &parts.descriptor, nullptr, note, &found);
  EXPECT_EQ (broken, found.broken.size ());
  EXPECT_EQ (shared.living, 0) << "states were left";
  for (int file : shared.files)
    close (file);
  shared.end.set_value ();
  for (std::thread &thread : shared.threads)
    thread.join ();
  return found;
}

class BadPlugins : public testing::Test {
protected:
  void SetUp () override
  {
    g_setenv ("GRPC_VERBOSITY", "NONE", TRUE);
    grpc_init ();
  }
  void TearDown () override { grpc_shutdown (); }
};

TEST_F (BadPlugins, BreakTheOneCheckThatIsForThem)
{
  for (const Row &row : rows) {
    SCOPED_TRACE (std::string (cenote_plugin_kind_to_string (row.kind)) + ", " + row.what);
    Found found = run_suite (row);
    std::set<std::string> expected;

    if (row.check)
      expected.insert (row.check);
    EXPECT_EQ (found.broken, expected) << found.problems;
  }
}

TEST_F (BadPlugins, AreThereForEveryCheck)
{
  std::set<std::string> covered;

  for (const Row &row : rows)
    if (row.check)
      covered.insert (row.check);
  for (CenotePluginKind kind : kinds) {
    g_autoptr (GPtrArray) checks = conformance_list (kind);

    printf ("%s: %u checks\n", cenote_plugin_kind_to_string (kind), checks->len);
    for (guint i = 0; i < checks->len; i++) {
      const ConformanceCheck *check = static_cast<const ConformanceCheck *> (checks->pdata[i]);

      EXPECT_EQ (covered.count (check->name), 1u) << check->name << " has no plugin that breaks it";
    }
  }
}

// A file that cannot be loaded is a check that is broken, with the reason.
TEST_F (BadPlugins, ThatAreRefusedSayWhy)
{
  const Row row = LOAD ("a minimum above the maximum", p.options[0].min = "2h");

  EXPECT_NE (run_suite (row).problems.find ("load: option 'delay': its minimum"), std::string::npos);
}

} // namespace
