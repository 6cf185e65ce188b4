// SPDX-License-Identifier: Apache-2.0
// bad-plugins: for each check of the suite a plugin that breaks it and nothing else.
#ifndef CENOTE_TESTS_BAD_PLUGINS_H
#define CENOTE_TESTS_BAD_PLUGINS_H

#include <fcntl.h>
#include <time.h>

#include "good-plugins.h"
#include "tests/sanitizers.h"

namespace {

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

} // namespace

#endif
