# SPDX-License-Identifier: Apache-2.0
# Benchmarks: made and run by make bench alone, never by make check.  One that
# measures what a program gets links libcenote.so, one that looks inside the core.

benchmarks = \
  bench/bench-pool \
  bench/bench-dial \
  bench/bench-slots \
  bench/bench-plan \
  bench/bench-calls \
  bench/bench-elastic \
  bench/bench-supervision \
  bench/bench-detect \
  bench/bench-recovery \
  bench/bench-scenario \
  bench/bench-telemetry \
  bench/bench-scrape \
  bench/bench-idle
if HAVE_CPP_STUBS
benchmarks += bench/bench-stubs
endif
bench_servers = bench/late-server tests/integration/demo-server tests/servers/health tests/servers/peer

bench_common = \
  bench/bench.c \
  bench/bench.h \
  bench/ways.c \
  bench/ways.h
bench_cpp_flags = $(AM_CPPFLAGS) -I$(top_srcdir)

EXTRA_PROGRAMS += $(benchmarks) bench/late-server
bench: $(benchmarks) $(bench_servers) $(plugin_LTLIBRARIES)
	@for benchmark in $(benchmarks); do \
	  CENOTE_PLUGIN_PATH='$(abs_top_builddir)/plugins/.libs' abs_top_builddir='$(abs_top_builddir)' ./$$benchmark || exit; \
	done
# That they compile is checked with everything else.
bench-programs: $(benchmarks) bench/late-server
.PHONY: bench bench-programs

bench_bench_pool_SOURCES = bench/bench-pool.c $(bench_common)
bench_bench_pool_CPPFLAGS = $(bench_cpp_flags)
bench_bench_pool_LDADD = libcenote.la $(GRPC_LIBS) $(GLIB_LIBS)

bench_bench_dial_SOURCES = bench/bench-dial.c $(bench_common)
bench_bench_dial_CPPFLAGS = $(bench_cpp_flags)
bench_bench_dial_LDADD = libcenote.la $(GRPC_LIBS) $(GLIB_LIBS)

bench_bench_slots_SOURCES = bench/bench-slots.c $(bench_common)
bench_bench_slots_CPPFLAGS = $(bench_cpp_flags)
bench_bench_slots_LDADD = libcenote-core.la $(GRPC_LIBS) $(GLIB_LIBS)

bench_bench_plan_SOURCES = \
  bench/bench-plan.c \
  plugins/connector/roster.c \
  tests/sim/names.c \
  tests/sim/names.h \
  tests/sim/peer-streams.c \
  tests/sim/peer-streams.h \
  tests/sim/peers.c \
  tests/sim/peers.h \
  tests/sim/sim.c \
  tests/sim/sim.h \
  tests/sim/static-caching.c \
  tests/sim/static-constant.c \
  tests/sim/static-elastic.c \
  tests/sim/static-exponential.c \
  tests/sim/static-lazy.c \
  tests/sim/static-p2c.c \
  tests/sim/static-persistent.c \
  tests/sim/static-round-robin.c \
  tests/sim/static-schedule.c
bench_bench_plan_CPPFLAGS = $(bench_cpp_flags)
bench_bench_plan_LDADD = libcenote-core.la $(GRPC_LIBS) $(GLIB_LIBS)

bench_late_server_SOURCES = bench/late-server.c

# Against servers in processes of their own.
bench_rig = \
  bench/bench.h \
  bench/rig.c \
  bench/rig.h
bench_rig_libs = tests/libservers.la libcenote.la $(GRPC_LIBS) $(GLIB_LIBS)

bench_bench_calls_SOURCES = bench/bench-calls.c bench/bench.c $(bench_rig)
bench_bench_calls_CPPFLAGS = $(bench_cpp_flags)
bench_bench_calls_LDADD = $(bench_rig_libs)

bench_bench_elastic_SOURCES = bench/bench-elastic.c $(bench_rig)
bench_bench_elastic_CPPFLAGS = $(bench_cpp_flags)
bench_bench_elastic_LDADD = $(bench_rig_libs)

EXTRA_DIST += bench/echo.proto
if HAVE_PROTOC_C
benchmarks += bench/bench-protobuf-c
nodist_bench_bench_protobuf_c_SOURCES = bench/echo.pb-c.c bench/echo.pb-c.h
bench_bench_protobuf_c_SOURCES = bench/bench-protobuf-c.c bench/bench.c $(bench_rig)
bench_bench_protobuf_c_CPPFLAGS = $(bench_cpp_flags) $(PROTOBUF_C_CFLAGS) -I.
bench_bench_protobuf_c_LDADD = libcenote-protobuf-c.la $(bench_rig_libs) $(PROTOBUF_C_LIBS)
bench/bench_protobuf_c-bench-protobuf-c.$(OBJEXT): bench/echo.pb-c.h
bench/echo.pb-c.h: bench/echo.pb-c.c
bench/echo.pb-c.c: bench/echo.proto
	$(AM_V_GEN)$(MKDIR_P) bench && $(PROTOC_C) --proto_path=$(srcdir)/bench --c_out=bench echo.proto
CLEANFILES += bench/echo.pb-c.c bench/echo.pb-c.h
endif

bench_bench_supervision_SOURCES = bench/bench-supervision.c $(bench_rig)
bench_bench_supervision_CPPFLAGS = $(bench_cpp_flags)
bench_bench_supervision_LDADD = $(bench_rig_libs)

bench_bench_detect_SOURCES = bench/bench-detect.c $(bench_rig)
bench_bench_detect_CPPFLAGS = $(bench_cpp_flags)
bench_bench_detect_LDADD = $(bench_rig_libs)

bench_bench_recovery_SOURCES = bench/bench-recovery.c $(bench_rig)
bench_bench_recovery_CPPFLAGS = $(bench_cpp_flags)
bench_bench_recovery_LDADD = $(bench_rig_libs)

bench_bench_scenario_SOURCES = bench/bench-scenario.c bench/bench.c $(bench_rig)
bench_bench_scenario_CPPFLAGS = $(bench_cpp_flags)
bench_bench_scenario_LDADD = $(bench_rig_libs)

bench_bench_telemetry_SOURCES = bench/bench-telemetry.c bench/bench.c $(bench_rig)
bench_bench_telemetry_CPPFLAGS = $(bench_cpp_flags)
bench_bench_telemetry_LDADD = $(bench_rig_libs)

bench_bench_scrape_SOURCES = bench/bench-scrape.c $(bench_rig)
bench_bench_scrape_CPPFLAGS = $(bench_cpp_flags)
bench_bench_scrape_LDADD = $(bench_rig_libs)

bench_bench_idle_SOURCES = bench/bench-idle.c $(bench_rig)
bench_bench_idle_CPPFLAGS = $(bench_cpp_flags)
bench_bench_idle_LDADD = $(bench_rig_libs)

# The same stub twice; linked by libtool as C++.
if HAVE_CPP_STUBS
bench_servers += tests/servers/greeter
bench_bench_stubs_SOURCES = bench/bench-stubs.cc bench/bench.c bench/bench.h
bench_bench_stubs_CPPFLAGS = $(bench_cpp_flags) $(GRPCPP_CFLAGS) $(PROTOBUF_CFLAGS) -I.
bench_bench_stubs_LDADD = tests/libservers.la $(greeter_libs)
bench/bench_stubs-bench-stubs.$(OBJEXT): $(greeter_made)
endif
