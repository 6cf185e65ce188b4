# SPDX-License-Identifier: Apache-2.0
# A case is a test of GoogleTest's, a line of TAP or a script (tests/count-cases.awk).
# --enable-tests has four sets of them: unit; program, which stay in their own process;
# server, which start servers of ours; and system, which need foreign programs and compilers.

AM_TESTS_ENVIRONMENT = \
  CENOTE_PLUGIN_PATH='$(abs_top_builddir)/plugins/.libs'; export CENOTE_PLUGIN_PATH; \
  CENOTE_TEST_PLUGINS='$(abs_top_builddir)/tests/plugins/.libs'; export CENOTE_TEST_PLUGINS; \
  CENOTE_TEST_SCALE="$${CENOTE_TEST_SCALE-0.1}"; export CENOTE_TEST_SCALE; \
  CENOTE_TEST_LIMIT_S='$(TEST_LIMIT_S)'; export CENOTE_TEST_LIMIT_S; \
  CC='$(CC)'; export CC; CXX='$(CXX)'; export CXX; \
  abs_top_srcdir='$(abs_top_srcdir)'; export abs_top_srcdir; \
  abs_top_builddir='$(abs_top_builddir)'; export abs_top_builddir;

# What hangs is ended, and its running test counts as failed.  TEST_WRAPPER: words before a program.
TEST_LIMIT_S = 600
TEST_WRAPPER =
TEST_EXTENSIONS = .sh
LOG_COMPILER = $(TEST_WRAPPER) timeout --kill-after=10 $(TEST_LIMIT_S)
SH_LOG_COMPILER = timeout --kill-after=10 $(TEST_LIMIT_S) bash

# ------------------------------------------------------------------- programs
# The tests of an area are compiled as one: what they have in common (headers, templates) is most of a compiler's
# work.  So what one file of an area names, no other may.
put_together = $(AM_V_GEN)$(MKDIR_P) tests/together && printf '\#include "%s"\n' >$@
CLEANFILES += tests/together/*.cc

test_cpp_flags = $(AM_CPPFLAGS) -I$(top_srcdir) $(GTEST_CFLAGS)
# tests/precompiled.h says what it is for.  The flags are what every test is compiled with; a test may have more -D.
test_cxx_flags = $(AM_CXXFLAGS) $(TEST_SANITIZER_FLAGS) -include tests/precompiled.h
tests/precompiled.h.gch: tests/precompiled.h
	$(AM_V_GEN)$(MKDIR_P) tests && $(CXX) $(DEFS) $(DEFAULT_INCLUDES) $(test_cpp_flags) $(CPPFLAGS) $(AM_CXXFLAGS) $(CXXFLAGS) \
	  $(TEST_SANITIZER_FLAGS) $(PRECOMPILE_FLAGS) -x c++-header -o $@ $(top_srcdir)/tests/precompiled.h
CLEANFILES += tests/precompiled.h.gch
$(tests_unit_tests_OBJECTS) \
$(tests_conformance_tests_OBJECTS) \
$(tests_call_tests_OBJECTS) \
$(tests_integration_tests_OBJECTS) \
$(tests_names_tests_OBJECTS) \
$(tests_interop_tests_OBJECTS) \
$(tests_fault_tests_OBJECTS) \
$(tests_grpcpp_tests_OBJECTS) \
$(tests_abi_tests_OBJECTS) \
$(tests_sim_tests_OBJECTS) \
$(tests_seeds_tests_OBJECTS): tests/precompiled.h.gch
core_libs = libcenote-tools.la libconformance.la libcenote-core.la
test_libs = $(core_libs) $(GTEST_LIBS) -lgtest_main

unit_test_programs = tests/unit-tests tests/abi-tests tests/conformance-tests
test_programs = tests/sim-tests tests/call-tests tests/stress-slots
server_test_programs = tests/integration-tests tests/fault-tests
if HAVE_GTEST
if SYSTEM_TESTS
check_PROGRAMS += $(server_test_programs)
TESTS += $(server_test_programs)
if HAVE_PROTOC_C
check_PROGRAMS += tests/interop-tests
TESTS += tests/interop-tests
endif
endif
if UNIT_TESTS
check_PROGRAMS += $(unit_test_programs)
TESTS += $(unit_test_programs)
endif
if PROGRAM_TESTS
check_PROGRAMS += $(test_programs)
TESTS += $(test_programs)
endif
endif

unit_config_tests = \
  tests/unit/test-argument.cc \
  tests/unit/test-config.cc \
  tests/unit/test-credential.cc \
  tests/unit/test-error.cc \
  tests/unit/test-escape.cc \
  tests/unit/test-expand.cc \
  tests/unit/test-explain.cc \
  tests/unit/test-nearest.cc \
  tests/unit/test-option.cc \
  tests/unit/test-pool-options.cc \
  tests/unit/test-problems.cc \
  tests/unit/test-quantity.cc \
  tests/unit/test-scan.cc \
  tests/unit/test-settings.cc \
  tests/unit/test-targets.cc \
  tests/unit/test-text-file.cc \
  tests/unit/test-uri-keys.cc \
  tests/unit/test-uri.cc \
  tests/unit/test-world-barrier.cc \
  tests/unit/test-wrong-keyfiles.cc
tests/together/unit-config.cc: Makefile
	$(put_together) $(unit_config_tests)

unit_registry_tests = \
  tests/unit/test-child-run.cc \
  tests/unit/test-host.cc \
  tests/unit/test-json.cc \
  tests/unit/test-json-reader.cc \
  tests/unit/test-plugin.cc \
  tests/unit/test-plugin-dynamic.cc \
  tests/unit/test-plugin-file.cc \
  tests/unit/test-plugin-links.cc \
  tests/unit/test-plugin-test.cc \
  tests/unit/test-registry.cc \
  tests/unit/test-table.cc \
  tests/unit/test-trust.cc \
  tests/unit/test-version.cc
tests/together/unit-registry.cc: Makefile
	$(put_together) $(unit_registry_tests)

unit_plugins_tests = \
  tests/unit/test-affinity.cc \
  tests/unit/test-constant.cc \
  tests/unit/test-decorrelated.cc \
  tests/unit/test-exponential.cc \
  tests/unit/test-fibonacci.cc \
  tests/unit/test-lease-pickers.cc \
  tests/unit/test-least-in-flight.cc \
  tests/unit/test-linear.cc \
  tests/unit/test-mock-script.cc \
  tests/unit/test-mock.cc \
  tests/unit/test-p2c.cc \
  tests/unit/test-peak-ewma.cc \
  tests/unit/test-plaintext.cc \
  tests/unit/test-random.cc \
  tests/unit/test-round-robin.cc \
  tests/unit/test-unix.cc
tests/together/unit-plugins.cc: Makefile
	$(put_together) $(unit_plugins_tests)

unit_connectors_tests = \
  tests/unit/test-caching.cc \
  tests/unit/test-elastic.cc \
  tests/unit/test-lazy.cc \
  tests/unit/test-manual.cc \
  tests/unit/test-persistent.cc \
  tests/unit/test-planners.cc
tests/together/unit-connectors.cc: Makefile
	$(put_together) $(unit_connectors_tests)

unit_slots_tests = \
  tests/unit/test-attachments.cc \
  tests/unit/test-bell.cc \
  tests/unit/test-leases.cc \
  tests/unit/test-slot-addresses.cc \
  tests/unit/test-slot-loads.cc \
  tests/unit/test-slot-suspects.cc \
  tests/unit/test-slot-tracking.cc \
  tests/unit/test-slot-views.cc \
  tests/unit/test-slots.cc
tests/together/unit-slots.cc: Makefile
	$(put_together) $(unit_slots_tests)

unit_pool_tests = \
  tests/unit/test-blame.cc \
  tests/unit/test-callbacks.cc \
  tests/unit/test-control.cc \
  tests/unit/test-counts.cc \
  tests/unit/test-cpp.cc \
  tests/unit/test-disconnect-error.cc \
  tests/unit/test-ejection.cc \
  tests/unit/test-health-message.cc \
  tests/unit/test-limit-text.cc \
  tests/unit/test-observers.cc \
  tests/unit/test-retry.cc \
  tests/unit/test-status-error.cc
tests/together/unit-pool.cc: Makefile
	$(put_together) $(unit_pool_tests)

unit_telemetry_tests = \
  tests/unit/test-breakdown.cc \
  tests/unit/test-bus-threads.cc \
  tests/unit/test-bus.cc \
  tests/unit/test-counters.cc \
  tests/unit/test-drops.cc \
  tests/unit/test-event-queue.cc \
  tests/unit/test-event-text.cc \
  tests/unit/test-event.cc \
  tests/unit/test-histogram.cc \
  tests/unit/test-sink-site.cc \
  tests/unit/test-sinks.cc
tests/together/unit-telemetry.cc: Makefile
	$(put_together) $(unit_telemetry_tests)

unit_sinks_tests = \
  tests/unit/test-jsonl-sink.cc \
  tests/unit/test-prometheus-request.cc \
  tests/unit/test-prometheus-sink.cc \
  tests/unit/test-prometheus-text.cc \
  tests/unit/test-statsd-sink.cc
tests/together/unit-sinks.cc: Makefile
	$(put_together) $(unit_sinks_tests)

unit_tls_tests = \
  tests/unit/test-tls-explain.cc \
  tests/unit/test-tls-material.cc \
  tests/unit/test-tls-trust.cc
tests/together/unit-tls.cc: Makefile
	$(put_together) $(unit_tls_tests)

nodist_tests_unit_tests_SOURCES = \
  tests/together/unit-config.cc \
  tests/together/unit-registry.cc \
  tests/together/unit-plugins.cc \
  tests/together/unit-connectors.cc \
  tests/together/unit-slots.cc \
  tests/together/unit-pool.cc \
  tests/together/unit-telemetry.cc \
  tests/together/unit-sinks.cc
EXTRA_DIST += \
  $(unit_config_tests) \
  $(unit_registry_tests) \
  $(unit_plugins_tests) \
  $(unit_connectors_tests) \
  $(unit_slots_tests) \
  $(unit_pool_tests) \
  $(unit_telemetry_tests) \
  $(unit_sinks_tests) \
  $(unit_tls_tests)

tests_unit_tests_CPPFLAGS = $(test_cpp_flags) -DCENOTE_NO_GRPCPP
tests_unit_tests_CXXFLAGS = $(test_cxx_flags)
tests_unit_tests_LDADD = $(test_libs)
tests_unit_tests_SOURCES = \
  $(prometheus_parts) \
  plugins/transport/mock-script.c \
  tests/servers/statsd-receiver.h \
  tests/unit/backoff-test.h \
  tests/unit/http-client.h \
  tests/unit/log-capture.h \
  tests/unit/metrics-reading.h \
  tests/unit/metrics.h \
  tests/unit/opened-uri.h \
  tests/unit/picker-test.h \
  tests/unit/planner-test.h \
  tests/unit/plugin-files.h \
  tests/unit/slot-fixture.h \
  tests/unit/slot-probe.c \
  tests/unit/slot-probe.h \
  tests/unit/sink-host.h \
  tests/unit/sink-test.h \
  tests/unit/static-plugins.h \
  tests/unit/test-bus.h \
  tests/unit/test-log-sink.cc

if HAVE_LIBCRYPTO
tests_unit_tests_CPPFLAGS += $(LIBCRYPTO_CFLAGS)
tests_unit_tests_LDADD += $(LIBCRYPTO_LIBS)
tests_unit_tests_SOURCES += \
  plugins/transport/tls-explain.c \
  plugins/transport/tls-file.c \
  plugins/transport/tls-identity.c \
  plugins/transport/tls-material.c \
  plugins/transport/tls-trust.c \
  plugins/transport/tls-x509.c \
  tests/servers/authority.h \
  tests/servers/folder.h
nodist_tests_unit_tests_SOURCES += tests/together/unit-tls.cc
endif

if HAVE_PROTOC_C
tests_unit_tests_CPPFLAGS += $(PROTOBUF_C_CFLAGS) -Iplugins/telemetry
tests_unit_tests_LDADD += $(PROTOBUF_C_LIBS)
tests_unit_tests_SOURCES += tests/unit/test-otlp-sink.cc
nodist_tests_unit_tests_SOURCES += $(otlp_made)
tests/unit/tests-test-otlp-sink.$(OBJEXT): plugins/telemetry/otlp.pb-c.h
endif

tests_conformance_tests_CPPFLAGS = $(test_cpp_flags)
tests_conformance_tests_CXXFLAGS = $(test_cxx_flags)
tests_conformance_tests_LDADD = $(test_libs)
tests_conformance_tests_SOURCES = \
  tests/conformance/bad-plugins.h \
  tests/conformance/good-plugins.h \
  tests/conformance/test-bad-plugins.cc \
  tests/conformance/test-plugins.cc \
  tests/servers/folder.h \
  tests/servers/one-authority.h

# For tests/servers/wall-clock.cc: what the library calls, and what shared objects call.
wall_clock_ldflags = -Wl,--wrap=timerfd_create -Wl,--wrap=read -Wl,--export-dynamic-symbol=clock_gettime

# Calls over real connections to peers in this process, which sanitizers see too.
call_tests = \
  tests/call/test-async.cc \
  tests/call/test-clock.cc \
  tests/call/test-ends.cc \
  tests/call/test-packed.cc \
  tests/call/test-random-replies.cc \
  tests/call/test-retries.cc
tests/together/call.cc: Makefile
	$(put_together) $(call_tests)

nodist_tests_call_tests_SOURCES = tests/together/call.cc
EXTRA_DIST += $(call_tests)

tests_call_tests_CPPFLAGS = $(test_cpp_flags)
tests_call_tests_CXXFLAGS = $(test_cxx_flags)
tests_call_tests_LDADD = $(test_libs) $(GRPC_LIBS)
tests_call_tests_LDFLAGS = $(AM_LDFLAGS) $(wall_clock_ldflags)
tests_call_tests_SOURCES = \
  tests/call/call-test.h \
  tests/call/watchdog-probe.c \
  tests/call/watchdog-probe.h \
  tests/servers/calls.h \
  tests/servers/child.h \
  tests/servers/client.h \
  tests/servers/command.h \
  tests/servers/gauges.h \
  tests/servers/http2-peer.cc \
  tests/servers/http2-peer.h \
  tests/servers/message-memory.cc \
  tests/servers/message-memory.h \
  tests/servers/servers.h \
  tests/servers/wall-clock.cc \
  tests/servers/wall-clock.h

# A program of its own, because it runs itself with the barrier left out.
tests_stress_slots_CPPFLAGS = $(test_cpp_flags)
tests_stress_slots_LDADD = $(test_libs)
tests_stress_slots_SOURCES = tests/stress/stress-slots.cc tests/stress/stress-control.h tests/stress/stress-pool.h tests/stress/stress-users.h

# Against servers in processes of their own, through the public functions alone.
check_LTLIBRARIES += tests/libservers.la
tests_libservers_la_SOURCES = tests/servers/child.c tests/servers/child.h
tests_libservers_la_LIBADD = $(GLIB_LIBS)
server_test_libs = tests/libservers.la libcenote-tools.la libcenote-plain.la libcenote.la $(GRPC_LIBS) $(GLIB_LIBS) $(GTEST_LIBS) -lgtest_main

apart_programs += tests/servers/peer
tests_servers_peer_SOURCES = tests/servers/peer.c
apart_programs += tests/servers/health
tests_servers_health_SOURCES = tests/servers/health.c
tests_servers_health_LDADD = $(GRPC_LIBS) $(GLIB_LIBS)

integration_calls_tests = \
  tests/integration/test-call.cc \
  tests/integration/test-health.cc \
  tests/integration/test-keepalive.cc \
  tests/integration/test-plaintext-credentials.cc
tests/together/integration-calls.cc: Makefile
	$(put_together) $(integration_calls_tests)

integration_pool_tests = \
  tests/integration/test-dial-times.cc \
  tests/integration/test-elastic.cc \
  tests/integration/test-outage.cc \
  tests/integration/test-pickers.cc \
  tests/integration/test-process.cc \
  tests/integration/test-transport-turns.cc \
  tests/integration/test-xds.cc
tests/together/integration-pool.cc: Makefile
	$(put_together) $(integration_pool_tests)

integration_sinks_tests = \
  tests/integration/test-prometheus.cc \
  tests/integration/test-sinks.cc
tests/together/integration-sinks.cc: Makefile
	$(put_together) $(integration_sinks_tests)

nodist_tests_integration_tests_SOURCES = tests/together/integration-calls.cc tests/together/integration-pool.cc tests/together/integration-sinks.cc
EXTRA_DIST += $(integration_calls_tests) $(integration_pool_tests) $(integration_sinks_tests)

tests_integration_tests_CPPFLAGS = $(test_cpp_flags)
tests_integration_tests_CXXFLAGS = $(test_cxx_flags)
tests_integration_tests_LDADD = $(server_test_libs)
tests_integration_tests_SOURCES = \
  tests/integration/telemetry-deeds.h \
  tests/servers/calls.h \
  tests/servers/client.h \
  tests/servers/connects.cc \
  tests/servers/connects.h \
  tests/servers/control-plane.h \
  tests/servers/folder.h \
  tests/servers/gauges.h \
  tests/servers/interop-server.h \
  tests/servers/load.h \
  tests/servers/node-server.h \
  tests/servers/prometheus-daemon.h \
  tests/servers/servers.h \
  tests/servers/statsd-receiver.h \
  tests/unit/http-client.h \
  tests/unit/log-capture.h

if HAVE_LIBCRYPTO
tests_integration_tests_CPPFLAGS += $(LIBCRYPTO_CFLAGS)
tests_integration_tests_LDADD += $(LIBCRYPTO_LIBS)
tests_integration_tests_SOURCES += \
  tests/integration/test-call-credentials.cc \
  tests/integration/test-tls.cc \
  tests/servers/authority.h \
  tests/servers/tls-client.h
endif

if HAVE_PROTOC_C
tests_integration_tests_SOURCES += tests/integration/test-otlp.cc tests/servers/otlp-collector.h
endif

# Run by test-names.sh, in namespaces of its own.
if HAVE_GTEST
if HAVE_LIBCRYPTO
if HAVE_CARES
if SYSTEM_TESTS
check_PROGRAMS += tests/names-tests
endif
endif
endif
endif
tests_names_tests_CPPFLAGS = $(test_cpp_flags) $(LIBCRYPTO_CFLAGS)
tests_names_tests_CXXFLAGS = $(test_cxx_flags)
tests_names_tests_LDADD = $(server_test_libs) $(LIBCRYPTO_LIBS)
tests_names_tests_SOURCES = tests/integration/test-names.cc

# Against grpc-js, with messages that protoc-c makes of interop.proto.
interop = tests/servers/interop
EXTRA_DIST += $(interop)/interop.proto $(interop)/package.json $(interop)/server.js tests/servers/otlp/collector.js tests/servers/statsd/totals.js tests/servers/xds/control-plane.js
if HAVE_PROTOC_C
tests_interop_tests_CPPFLAGS = $(test_cpp_flags) $(PROTOBUF_C_CFLAGS) -I$(interop)
tests_interop_tests_CXXFLAGS = $(test_cxx_flags)
tests_interop_tests_LDADD = libcenote-protobuf-c.la $(PROTOBUF_C_LIBS) $(server_test_libs)
nodist_tests_interop_tests_SOURCES = $(interop)/interop.pb-c.c $(interop)/interop.pb-c.h
tests_interop_tests_SOURCES = \
  tests/integration/interop-stubs.h \
  tests/integration/interop.h \
  tests/integration/test-grpc-js.cc \
  tests/integration/test-interop.cc \
  tests/servers/client.h \
  tests/servers/interop-server.h \
  tests/servers/message-memory.cc \
  tests/servers/message-memory.h \
  tests/servers/node-server.h
tests/integration/interop_tests-test-grpc-js.$(OBJEXT) tests/integration/interop_tests-test-interop.$(OBJEXT): \
  $(interop)/interop.pb-c.h
$(interop)/interop.pb-c.h: $(interop)/interop.pb-c.c
$(interop)/interop.pb-c.c: $(interop)/interop.proto
	$(AM_V_GEN)$(MKDIR_P) $(interop) && $(PROTOC_C) --proto_path=$(srcdir)/$(interop) --c_out=$(interop) interop.proto
CLEANFILES += $(interop)/interop.pb-c.c $(interop)/interop.pb-c.h

# The same through the C++ face.
if HAVE_CPP_STUBS
interop_cpp = $(interop)/interop.pb.cc $(interop)/interop.pb.h $(interop)/interop.grpc.pb.cc $(interop)/interop.grpc.pb.h
tests_interop_tests_CPPFLAGS += $(GRPCPP_CFLAGS) $(PROTOBUF_CFLAGS)
tests_interop_tests_LDADD += $(GRPCPP_LIBS) $(PROTOBUF_LIBS)
tests_interop_tests_SOURCES += tests/integration/test-interop-cpp.cc
nodist_tests_interop_tests_SOURCES += $(interop_cpp)
tests/integration/interop_tests-test-interop-cpp.$(OBJEXT): $(interop)/interop.grpc.pb.h
$(interop)/tests_interop_tests-interop.pb.$(OBJEXT): $(interop)/interop.pb.h
$(interop)/tests_interop_tests-interop.grpc.pb.$(OBJEXT): $(interop)/interop.grpc.pb.h
$(interop)/interop.pb.h $(interop)/interop.grpc.pb.h $(interop)/interop.grpc.pb.cc: $(interop)/interop.pb.cc
$(interop)/interop.pb.cc: $(interop)/interop.proto
	$(AM_V_GEN)$(MKDIR_P) $(interop) && $(PROTOC) --proto_path=$(srcdir)/$(interop) --cpp_out=$(interop) \
	  --grpc_out=$(interop) --plugin=protoc-gen-grpc=$(GRPC_CPP_PLUGIN) interop.proto
CLEANFILES += $(interop_cpp)
endif
endif

fault_tests = \
  tests/fault/test-churn.cc \
  tests/fault/test-recycle.cc \
  tests/fault/test-rotation.cc \
  tests/fault/test-zombies.cc
tests/together/fault.cc: Makefile
	$(put_together) $(fault_tests)

nodist_tests_fault_tests_SOURCES = tests/together/fault.cc
EXTRA_DIST += $(fault_tests)

tests_fault_tests_CPPFLAGS = $(test_cpp_flags)
tests_fault_tests_CXXFLAGS = $(test_cxx_flags)
tests_fault_tests_LDADD = $(server_test_libs)
tests_fault_tests_SOURCES = \
  tests/servers/calls.h \
  tests/servers/client.h \
  tests/servers/load.h \
  tests/servers/servers.h

if HAVE_LIBCRYPTO
tests_fault_tests_CPPFLAGS += $(LIBCRYPTO_CFLAGS)
tests_fault_tests_LDADD += $(LIBCRYPTO_LIBS)
tests_fault_tests_SOURCES += \
  tests/fault/test-rotation-tls.cc \
  tests/servers/authority.h \
  tests/servers/folder.h \
  tests/servers/tls-client.h
endif

# Stubs of gRPC C++'s, against a server in the same process.
grpcpp_tests = \
  tests/integration/test-stubs-calls.cc \
  tests/integration/test-stubs-pool.cc \
  tests/integration/test-stubs-waits.cc
tests/together/grpcpp.cc: Makefile
	$(put_together) $(grpcpp_tests)

EXTRA_DIST += $(grpcpp_tests)

if HAVE_CPP_STUBS
if SERVER_TESTS
check_PROGRAMS += tests/servers/greeter
endif
tests_servers_greeter_CPPFLAGS = $(AM_CPPFLAGS) $(GRPCPP_CFLAGS) $(PROTOBUF_CFLAGS) -I.
tests_servers_greeter_SOURCES = tests/servers/greeter.cc tests/servers/greeter.h
tests_servers_greeter_LDADD = $(greeter_libs)
tests/servers/tests_servers_greeter-greeter.$(OBJEXT): $(greeter_made)
if HAVE_GTEST
if SERVER_TESTS
check_PROGRAMS += tests/grpcpp-tests
TESTS += tests/grpcpp-tests
endif
endif
tests_grpcpp_tests_CPPFLAGS = $(test_cpp_flags) $(GRPCPP_CFLAGS) $(PROTOBUF_CFLAGS) -I.
tests_grpcpp_tests_CXXFLAGS = $(test_cxx_flags)
tests_grpcpp_tests_LDADD = $(greeter_libs) $(GTEST_LIBS) -lgtest_main
nodist_tests_grpcpp_tests_SOURCES = tests/together/grpcpp.cc
tests_grpcpp_tests_SOURCES = \
  tests/integration/stubs-test.h \
  tests/servers/tsan-edges.cc \
  tests/servers/greeter.h
tests/together/grpcpp_tests-grpcpp.$(OBJEXT): $(greeter_made)
endif

if HAVE_PROTOC_C
tests_fault_tests_CPPFLAGS += $(PROTOBUF_C_CFLAGS) -Iexamples
tests_fault_tests_LDADD += libcenote-protobuf-c.la $(PROTOBUF_C_LIBS)
tests_fault_tests_SOURCES += tests/fault/test-etcd.cc
nodist_tests_fault_tests_SOURCES += examples/etcd.pb-c.c examples/etcd.pb-c.h
tests/fault/tests-test-etcd.$(OBJEXT): examples/etcd.pb-c.h
endif

tests_abi_tests_CPPFLAGS = $(test_cpp_flags)
tests_abi_tests_CXXFLAGS = $(test_cxx_flags)
tests_abi_tests_LDADD = $(test_libs)
tests_abi_tests_SOURCES = \
  tests/abi/test-elder.cc \
  tests/abi/test-offsets.cc

# The whole runtime without threads, sockets and real time.
sim_channel_tests = \
  tests/sim/test-address.cc \
  tests/sim/test-call-credentials.cc \
  tests/sim/test-channel.cc \
  tests/sim/test-channel-story.cc \
  tests/sim/test-health.cc \
  tests/sim/test-keepalive.cc \
  tests/sim/test-names.cc \
  tests/sim/test-ping.cc \
  tests/sim/test-prime.cc \
  tests/sim/test-targets.cc
tests/together/sim-channel.cc: Makefile
	$(put_together) $(sim_channel_tests)

sim_pool_tests = \
  tests/sim/test-caching.cc \
  tests/sim/test-counts.cc \
  tests/sim/test-ejection.cc \
  tests/sim/test-elastic.cc \
  tests/sim/test-lazy.cc \
  tests/sim/test-pool-gets.cc \
  tests/sim/test-pool-plans.cc \
  tests/sim/test-pool-sizes.cc \
  tests/sim/test-pool-tells.cc \
  tests/sim/test-pool-verbs.cc \
  tests/sim/test-random.cc \
  tests/sim/test-rotation.cc \
  tests/sim/test-tracking.cc
tests/together/sim-pool.cc: Makefile
	$(put_together) $(sim_pool_tests)

sim_runtime_tests = \
  tests/sim/test-metrics.cc \
  tests/sim/test-reload.cc \
  tests/sim/test-runtime.cc \
  tests/sim/test-sim.cc \
  tests/sim/test-slow.cc \
  tests/sim/test-view.cc
tests/together/sim-runtime.cc: Makefile
	$(put_together) $(sim_runtime_tests)

nodist_tests_sim_tests_SOURCES = tests/together/sim-channel.cc tests/together/sim-pool.cc tests/together/sim-runtime.cc
EXTRA_DIST += $(sim_channel_tests) $(sim_pool_tests) $(sim_runtime_tests)

tests_sim_tests_CPPFLAGS = $(test_cpp_flags)
tests_sim_tests_CXXFLAGS = $(test_cxx_flags)
tests_sim_tests_LDADD = $(test_libs)
tests_sim_tests_SOURCES = \
  plugins/connector/roster.c \
  tests/sim/channel-bench.h \
  tests/sim/names.c \
  tests/sim/names.h \
  tests/sim/peer-streams.c \
  tests/sim/peer-streams.h \
  tests/sim/peers.c \
  tests/sim/peers.h \
  tests/sim/pool-test.h \
  tests/sim/sim-test.h \
  tests/sim/sim.c \
  tests/sim/sim.h \
  tests/sim/spies.h \
  tests/sim/static-caching.c \
  tests/sim/static-constant.c \
  tests/sim/static-elastic.c \
  tests/sim/static-exponential.c \
  tests/sim/static-lazy.c \
  tests/sim/static-mock.c \
  tests/sim/static-p2c.c \
  tests/sim/static-persistent.c \
  tests/sim/static-round-robin.c \
  tests/sim/static-schedule.c \
  tests/servers/folder.h \
  tests/unit/log-capture.h

# The demo's server alone, for the scripts.
apart_programs += tests/integration/demo-server
tests_integration_demo_server_SOURCES = tests/integration/demo-server.c
tests_integration_demo_server_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_integration_demo_server_LDADD = libcenote-tools.la libcenote-plain.la libcenote.la $(GRPC_LIBS) $(GLIB_LIBS)
# The command with all of Cenote in it, for test-set-user-id.sh: one that runs as its owner finds no library in a build tree.
apart_programs += tests/integration/cenote-whole
tests_integration_cenote_whole_SOURCES = tools/main.c
tests_integration_cenote_whole_CPPFLAGS = $(AM_CPPFLAGS)
tests_integration_cenote_whole_LDADD = $(core_libs) $(GRPC_LIBS) $(GLIB_LIBS)
# What is looked into by test-page.sh.
apart_programs += tests/integration/watched
tests_integration_watched_SOURCES = tests/integration/watched.c
tests_integration_watched_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_integration_watched_LDADD = libcenote.la $(GRPC_LIBS) $(GLIB_LIBS)

# -------------------------------------------------------------------- scripts
system_tests = \
  tests/abi/test-abidiff.sh \
  tests/abi/test-headers.sh \
  tests/abi/test-promise.sh \
  tests/abi/test-symbols.sh \
  tests/integration/test-call-command.sh \
  tests/integration/test-check.sh \
  tests/integration/test-completion.sh \
  tests/integration/test-demo.sh \
  tests/integration/test-etcd.sh \
  tests/integration/test-protobuf-c.sh \
  tests/integration/test-example-plugins.sh \
  tests/integration/test-examples.sh \
  tests/integration/test-explain.sh \
  tests/integration/test-failed-cases.sh \
  tests/integration/test-greeter.sh \
  tests/integration/test-install.sh \
  tests/integration/test-names.sh \
  tests/integration/test-new.sh \
  tests/integration/test-packages.sh \
  tests/integration/test-page.sh \
  tests/integration/test-plugin-guide.sh \
  tests/integration/test-plugin-pages.sh \
  tests/integration/test-plugins.sh \
  tests/integration/test-readme.sh \
  tests/integration/test-reference.sh \
  tests/integration/test-set-user-id.sh \
  tests/integration/test-status.sh \
  tests/integration/test-style.sh \
  tests/integration/test-test-plugin.sh \
  tests/integration/test-tarball.sh \
  tests/integration/test-usage.sh
test_data = \
  tests/abi/libcenote-0.1.abi.xml \
  tests/abi/members.awk \
  tests/abi/public.abignore \
  tests/count-cases.awk \
  tests/etcd.sh \
  tests/failed-cases.awk \
  tests/figures.sh \
  tests/integration/command.sh \
  tests/integration/page.js \
  tests/integration/wrong-keyfiles/boolean.conf \
  tests/integration/wrong-keyfiles/boolean.expected \
  tests/integration/wrong-keyfiles/bounds.conf \
  tests/integration/wrong-keyfiles/bounds.expected \
  tests/integration/wrong-keyfiles/channel-args.conf \
  tests/integration/wrong-keyfiles/channel-args.expected \
  tests/integration/wrong-keyfiles/comment.conf \
  tests/integration/wrong-keyfiles/comment.expected \
  tests/integration/wrong-keyfiles/credentials.conf \
  tests/integration/wrong-keyfiles/credentials.expected \
  tests/integration/wrong-keyfiles/custom-without-transport.conf \
  tests/integration/wrong-keyfiles/custom-without-transport.expected \
  tests/integration/wrong-keyfiles/dialled.conf \
  tests/integration/wrong-keyfiles/dialled.expected \
  tests/integration/wrong-keyfiles/duration.conf \
  tests/integration/wrong-keyfiles/duration.expected \
  tests/integration/wrong-keyfiles/enum.conf \
  tests/integration/wrong-keyfiles/enum.expected \
  tests/integration/wrong-keyfiles/escape.conf \
  tests/integration/wrong-keyfiles/escape.expected \
  tests/integration/wrong-keyfiles/fraction.conf \
  tests/integration/wrong-keyfiles/fraction.expected \
  tests/integration/wrong-keyfiles/group-header.conf \
  tests/integration/wrong-keyfiles/group-header.expected \
  tests/integration/wrong-keyfiles/group-kind.conf \
  tests/integration/wrong-keyfiles/group-kind.expected \
  tests/integration/wrong-keyfiles/group-name.conf \
  tests/integration/wrong-keyfiles/group-name.expected \
  tests/integration/wrong-keyfiles/group-twice.conf \
  tests/integration/wrong-keyfiles/group-twice.expected \
  tests/integration/wrong-keyfiles/integer.conf \
  tests/integration/wrong-keyfiles/integer.expected \
  tests/integration/wrong-keyfiles/junk.conf \
  tests/integration/wrong-keyfiles/junk.expected \
  tests/integration/wrong-keyfiles/key-before-group.conf \
  tests/integration/wrong-keyfiles/key-before-group.expected \
  tests/integration/wrong-keyfiles/key-twice.conf \
  tests/integration/wrong-keyfiles/key-twice.expected \
  tests/integration/wrong-keyfiles/list.conf \
  tests/integration/wrong-keyfiles/list.expected \
  tests/integration/wrong-keyfiles/locale.conf \
  tests/integration/wrong-keyfiles/locale.expected \
  tests/integration/wrong-keyfiles/no-pool.conf \
  tests/integration/wrong-keyfiles/no-pool.expected \
  tests/integration/wrong-keyfiles/no-target.conf \
  tests/integration/wrong-keyfiles/no-target.expected \
  tests/integration/wrong-keyfiles/not-utf8.conf \
  tests/integration/wrong-keyfiles/not-utf8.expected \
  tests/integration/wrong-keyfiles/nul.conf \
  tests/integration/wrong-keyfiles/nul.expected \
  tests/integration/wrong-keyfiles/plugin-option.conf \
  tests/integration/wrong-keyfiles/plugin-option.expected \
  tests/integration/wrong-keyfiles/plugin-path.conf \
  tests/integration/wrong-keyfiles/plugin-path.expected \
  tests/integration/wrong-keyfiles/prime.conf \
  tests/integration/wrong-keyfiles/prime.expected \
  tests/integration/wrong-keyfiles/production-insecure.conf \
  tests/integration/wrong-keyfiles/production-insecure.expected \
  tests/integration/wrong-keyfiles/size.conf \
  tests/integration/wrong-keyfiles/size.expected \
  tests/integration/wrong-keyfiles/target.conf \
  tests/integration/wrong-keyfiles/target.expected \
  tests/integration/wrong-keyfiles/ten-faults.conf \
  tests/integration/wrong-keyfiles/ten-faults.expected \
  tests/integration/wrong-keyfiles/two-targets.conf \
  tests/integration/wrong-keyfiles/two-targets.expected \
  tests/integration/wrong-keyfiles/unix-and-host.conf \
  tests/integration/wrong-keyfiles/unix-and-host.expected \
  tests/integration/wrong-keyfiles/unknown-key.conf \
  tests/integration/wrong-keyfiles/unknown-key.expected \
  tests/integration/wrong-keyfiles/unknown-plugin.conf \
  tests/integration/wrong-keyfiles/unknown-plugin.expected \
  tests/integration/wrong-keyfiles/uri.conf \
  tests/integration/wrong-keyfiles/uri.expected \
  tests/integration/wrong-keyfiles/variable-unset.conf \
  tests/integration/wrong-keyfiles/variable-unset.expected \
  tests/integration/wrong-keyfiles/variable.conf \
  tests/integration/wrong-keyfiles/variable.expected \
  tests/script.sh \
  tests/tarball.sh
if SYSTEM_TESTS
TESTS += $(system_tests)
# Both run make install, which links anew: one after the other.
tests/integration/test-plugin-guide.log: tests/integration/test-install.log
endif
if SERVER_TESTS
check_PROGRAMS += $(apart_programs)
else
if SYSTEM_TESTS
check_PROGRAMS += $(apart_programs)
endif
endif
EXTRA_DIST += tests/precompiled.h tests/sanitizers.h tests/scale.h $(system_tests) $(test_data)

# -------------------------------------------------------------------- fuzzers
# Built by clang, with --enable-sanitizer=fuzzer alone; make fuzz runs each for a while.
fuzzers = \
  tests/fuzz/fuzz-config \
  tests/fuzz/fuzz-http \
  tests/fuzz/fuzz-note \
  tests/fuzz/fuzz-uri
fuzzer_libs = libcenote-core.la $(GLIB_LIBS)
FUZZ_SECONDS = 20

tests_fuzz_fuzz_config_SOURCES = tests/fuzz/fuzz-config.cc
tests_fuzz_fuzz_config_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_fuzz_config_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_config_LDADD = $(fuzzer_libs)
tests_fuzz_fuzz_http_SOURCES = tests/fuzz/fuzz-http.cc $(prometheus_parts)
tests_fuzz_fuzz_http_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_fuzz_http_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_http_LDADD = $(GLIB_LIBS)
tests_fuzz_fuzz_note_SOURCES = tests/fuzz/fuzz-note.cc
tests_fuzz_fuzz_note_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_fuzz_note_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_note_LDADD = $(fuzzer_libs)
tests_fuzz_fuzz_uri_SOURCES = tests/fuzz/fuzz-uri.cc
tests_fuzz_fuzz_uri_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)
tests_fuzz_fuzz_uri_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
tests_fuzz_fuzz_uri_LDADD = $(fuzzer_libs)

EXTRA_DIST += \
  tests/fuzz/http/accept \
  tests/fuzz/http/address \
  tests/fuzz/http/buckets \
  tests/fuzz/http/host \
  tests/fuzz/http/listen \
  tests/fuzz/http/since \
  tests/fuzz/uris/chronicle \
  tests/fuzz/uris/grpc \
  tests/fuzz/uris/grpcs \
  tests/fuzz/uris/options \
  tests/fuzz/uris/rest \
  tests/fuzz/uris/tail \
  tests/fuzz/uris/unix

# The seeds are files as they should be.  What is found stays beside the fuzzer.
run_fuzzer = fuzz () { \
    echo "== $$1 for $(FUZZ_SECONDS) s, from $$2"; \
    $(MKDIR_P) tests/fuzz/$$1-corpus && \
    tests/fuzz/$$1 -max_total_time=$(FUZZ_SECONDS) -timeout=5 -rss_limit_mb=2048 -print_final_stats=1 \
      -artifact_prefix=tests/fuzz/$$1- tests/fuzz/$$1-corpus "$$2"; \
  }; fuzz

EXTRA_PROGRAMS += $(fuzzers)
fuzz: run-fuzz-config run-fuzz-http run-fuzz-note run-fuzz-uri
run-fuzz-config: tests/fuzz/fuzz-config
	@$(run_fuzzer) fuzz-config $(srcdir)/examples
run-fuzz-http: tests/fuzz/fuzz-http
	@$(run_fuzzer) fuzz-http $(srcdir)/tests/fuzz/http
run-fuzz-note: tests/fuzz/fuzz-note $(plugin_LTLIBRARIES)
	@$(run_fuzzer) fuzz-note plugins/.libs
run-fuzz-uri: tests/fuzz/fuzz-uri
	@$(run_fuzzer) fuzz-uri $(srcdir)/tests/fuzz/uris
fuzz-clean:
	rm -rf tests/fuzz/*-corpus
clean-local: fuzz-clean
.PHONY: fuzz fuzz-clean run-fuzz-config run-fuzz-http run-fuzz-note run-fuzz-uri

# ----------------------------------------------------------------- everything
# Compiles what there is, also what this configuration does not run.
everything: all
	$(MAKE) $(AM_MAKEFLAGS) $(check_PROGRAMS) $(check_LTLIBRARIES) $(server_test_programs) $(apart_programs) bench-programs
.PHONY: everything

# ---------------------------------------------------------------------- long
# The same tests at full length.
check-long:
	CENOTE_TEST_SCALE=1 $(MAKE) $(AM_MAKEFLAGS) check TEST_LIMIT_S=7200
.PHONY: check-long
