# SPDX-License-Identifier: Apache-2.0
# The library.  libcenote-core is the same objects as libcenote with nothing
# hidden from the linker: what the tests link, which reach into private headers.

cenoteinclude_HEADERS += \
  include/cenote/call.h \
  include/cenote/cenote.h \
  include/cenote/cenote.hpp \
  include/cenote/config.h \
  include/cenote/error.h \
  include/cenote/event-text.h \
  include/cenote/grpcpp-call.hpp \
  include/cenote/grpcpp-relay.hpp \
  include/cenote/grpcpp.hpp \
  include/cenote/plugin-test.h \
  include/cenote/plugin.h \
  include/cenote/pool.h \
  include/cenote/registry.h \
  include/cenote/runtime.h \
  include/cenote/telemetry.h

noinst_LTLIBRARIES += libcenote-core.la
libcenote_core_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir) -DG_LOG_DOMAIN='"Cenote"'
# Calls out of the library go by its table alone: the stubs of the linker's would be as many cache
# lines for each call through gRPC.
libcenote_core_la_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden -ftls-model=initial-exec -fno-plt
libcenote_core_la_LIBADD = $(GRPC_LIBS) $(GLIB_LIBS) $(CARES_LIBS)
libcenote_core_la_SOURCES = \
  core/pool/address.c \
  core/pool/address.h \
  core/config/argument.c \
  core/config/argument.h \
  core/telemetry/bell.c \
  core/telemetry/bell.h \
  core/telemetry/breakdown.c \
  core/telemetry/breakdown.h \
  core/telemetry/bus-private.h \
  core/telemetry/bus-threads.c \
  core/telemetry/bus.c \
  core/telemetry/bus.h \
  core/telemetry/callbacks.c \
  core/telemetry/callbacks.h \
  core/grpc/blame.c \
  core/grpc/blame.h \
  core/grpc/ccore-args.c \
  core/grpc/ccore-call.c \
  core/grpc/ccore-stream.c \
  core/grpc/disconnect-error.c \
  core/grpc/disconnect-error.h \
  core/grpc/rpc-async.c \
  core/grpc/rpc-bytes.c \
  core/grpc/rpc-bytes.h \
  core/grpc/rpc-private.h \
  core/grpc/rpc-request.c \
  core/grpc/rpc-stream.c \
  core/grpc/rpc-unary.c \
  core/grpc/rpc.c \
  core/grpc/rpc.h \
  core/grpc/ccore.c \
  core/grpc/ccore.h \
  core/call/async.c \
  core/call/async.h \
  core/call/call.c \
  core/call/call-plan.c \
  core/call/call-plan.h \
  core/call/calls.c \
  core/call/calls.h \
  core/call/driver.c \
  core/call/driver.h \
  core/call/headers.c \
  core/call/headers.h \
  core/call/limit-text.c \
  core/call/limit-text.h \
  core/call/loop.c \
  core/call/loop.h \
  core/call/retry.c \
  core/call/retry.h \
  core/call/status-error.c \
  core/call/status-error.h \
  core/call/status-name.c \
  core/call/status-name.h \
  core/call/unary.c \
  core/call/watchdog.c \
  core/call/watchdog.h \
  core/pool/backoff.c \
  core/pool/backoff.h \
  core/pool/channel.c \
  core/pool/channel.h \
  core/config/check.c \
  core/config/check.h \
  core/config/config-check.c \
  core/config/config-entry.c \
  core/config/config-entry.h \
  core/config/config-group.c \
  core/config/config.c \
  core/config/config.h \
  core/names/resolver.h \
  core/pool/pool-names.c \
  core/pool/pool-names.h \
  core/runtime/control.c \
  core/runtime/control.h \
  core/runtime/counts.c \
  core/runtime/counts.h \
  core/runtime/metrics.c \
  core/runtime/metrics.h \
  core/runtime/sink-site.c \
  core/runtime/sink-site.h \
  core/telemetry/counters.c \
  core/telemetry/counters.h \
  core/telemetry/delivery.c \
  core/telemetry/drops.c \
  core/telemetry/drops.h \
  core/telemetry/durations.c \
  core/telemetry/durations.h \
  core/base/error.c \
  core/config/escape.c \
  core/config/escape.h \
  core/telemetry/event-queue.c \
  core/telemetry/event-queue.h \
  core/telemetry/event.c \
  core/telemetry/event.h \
  core/telemetry/gauges.c \
  core/telemetry/gauges.h \
  core/telemetry/metric.h \
  core/config/expand.c \
  core/config/expand.h \
  core/config/explain.c \
  core/config/explain.h \
  core/telemetry/histogram.c \
  core/telemetry/histogram.h \
  core/registry/host.c \
  core/registry/host.h \
  core/registry/instance.c \
  core/registry/instance.h \
  core/base/json.c \
  core/base/json.h \
  core/slots/attachments.c \
  core/slots/lease.c \
  core/grpc/health-message.c \
  core/grpc/health-message.h \
  core/grpc/link.c \
  core/grpc/link.h \
  core/grpc/ccore-credentials.c \
  core/grpc/ccore-credentials.h \
  core/pool/call-credentials.c \
  core/pool/call-credentials.h \
  core/config/credential.c \
  core/config/credential.h \
  core/config/metadatum.c \
  core/config/metadatum.h \
  core/config/trial.c \
  core/config/trial.h \
  core/grpc/stream.h \
  core/pool/health.c \
  core/pool/health.h \
  core/pool/keepalive.c \
  core/pool/keepalive.h \
  core/pool/mock.c \
  core/pool/mock.h \
  core/base/hot.h \
  core/base/monitor.c \
  core/base/monitor.h \
  core/base/cache-line.h \
  core/base/prefetch.h \
  core/base/ring.h \
  core/config/nearest.c \
  core/config/nearest.h \
  core/telemetry/observers.c \
  core/telemetry/observers.h \
  core/config/option.c \
  core/config/option.h \
  core/registry/own-file.c \
  core/registry/own-file.h \
  core/registry/plugin-describe.c \
  core/registry/plugin-dynamic.c \
  core/registry/plugin-dynamic.h \
  core/registry/plugin-elf.c \
  core/registry/plugin-elf.h \
  core/registry/plugin-file.c \
  core/registry/plugin-file.h \
  core/registry/plugin-links.c \
  core/registry/plugin-links.h \
  core/registry/plugin-load.c \
  core/registry/plugin-load.h \
  core/registry/plugin-options.c \
  core/registry/plugin-options.h \
  core/registry/plugin-refuse.c \
  core/registry/plugin-refuse.h \
  core/registry/plugin-slots.c \
  core/registry/plugin-slots.h \
  core/config/plugin-use.c \
  core/config/plugin-use.h \
  core/registry/plugin.c \
  core/pool/pool-acquire.c \
  core/pool/pool-api.c \
  core/pool/pool-cache.c \
  core/pool/pool-dial.c \
  core/pool/pool-ejection.c \
  core/pool/pool-events.c \
  core/pool/pool-get.c \
  core/pool/pool-keepalive.c \
  core/pool/pool-new.c \
  core/config/pool-options.c \
  core/pool/pool-plan.c \
  core/config/pool-rules.c \
  core/config/pool-rules.h \
  core/config/pool-settings.c \
  core/config/pool-settings.h \
  core/pool/ejection.c \
  core/pool/ejection.h \
  core/pool/ping.c \
  core/pool/ping.h \
  core/pool/prime.c \
  core/pool/prime.h \
  core/pool/pool-probes.c \
  core/pool/pool-reload.c \
  core/pool/pool-rotation.c \
  core/pool/pool-status.c \
  core/pool/pool-meters.c \
  core/pool/pool-meters.h \
  core/pool/pool-tracking.c \
  core/pool/pool-verbs.c \
  core/pool/pool-view.c \
  core/pool/pool-view.h \
  core/pool/pool-waiters.c \
  core/pool/pool.c \
  core/pool/pool.h \
  core/config/problems.c \
  core/config/problems.h \
  core/runtime/process.c \
  core/runtime/process.h \
  core/config/profile.c \
  core/config/profile.h \
  core/runtime/pump.c \
  core/runtime/pump.h \
  core/config/quantity.c \
  core/config/quantity.h \
  core/config/references.c \
  core/config/references.h \
  core/registry/registry.c \
  core/registry/registry.h \
  core/slots/rows.c \
  core/runtime/reload.c \
  core/runtime/reload.h \
  core/runtime/runtime.c \
  core/config/reload.c \
  core/config/reload.h \
  core/config/scan.c \
  core/config/scan.h \
  core/config/settings.c \
  core/config/settings.h \
  core/telemetry/sinks.c \
  core/telemetry/sinks.h \
  core/slots/slot-addresses.c \
  core/slots/slot-addresses.h \
  core/slots/slot-table.c \
  core/slots/slot-table.h \
  core/slots/slot-loads.c \
  core/slots/slot-tracking.c \
  core/slots/slot-view.c \
  core/slots/slot-suspects.c \
  core/slots/slots.c \
  core/slots/slots.h \
  core/config/targets.c \
  core/config/targets.h \
  core/config/text-file.c \
  core/config/text-file.h \
  core/base/thread.c \
  core/base/thread.h \
  core/registry/trust.c \
  core/registry/trust.h \
  core/config/uri-keys.c \
  core/config/uri-keys.h \
  core/config/uri.c \
  core/config/uri.h \
  core/base/version.c \
  core/base/world-barrier.c \
  core/base/world-barrier.h \
  core/base/world.c \
  core/base/world.h

if HAVE_CARES
libcenote_core_la_CPPFLAGS += $(CARES_CFLAGS)
libcenote_core_la_SOURCES += core/names/resolver-ares.c
else
libcenote_core_la_SOURCES += core/names/resolver-none.c
endif

lib_LTLIBRARIES += libcenote.la
libcenote_la_SOURCES =
libcenote_la_LIBADD = libcenote-core.la
libcenote_la_LDFLAGS = $(AM_LDFLAGS) -version-info $(LIBRARY_VERSION) \
  -Wl,--version-script=$(srcdir)/core/libcenote.map -Wl,-z,nodelete
if !SANITIZER
libcenote_la_LDFLAGS += -Wl,--no-undefined
endif
EXTRA_libcenote_la_DEPENDENCIES = core/libcenote.map
EXTRA_DIST += core/libcenote.map
