# SPDX-License-Identifier: Apache-2.0
# Plugins that only tests load, as modules in tests/plugins/.libs; never installed.

test_module_flags = $(plugin_link_flags) -rpath /nowhere

check_LTLIBRARIES += \
  tests/plugins/backoff-aborts.la \
  tests/plugins/backoff-elder.la \
  tests/plugins/backoff-newer.la \
  tests/plugins/backoff-exits.la \
  tests/plugins/backoff-crasher.la \
  tests/plugins/backoff-debtor.la \
  tests/plugins/backoff-dreamer.la \
  tests/plugins/backoff-leaver.la \
  tests/plugins/backoff-liar.la \
  tests/plugins/backoff-no-next.la \
  tests/plugins/backoff-no-note.la \
  tests/plugins/backoff-no-symbol.la \
  tests/plugins/backoff-null.la \
  tests/plugins/backoff-own-grpc.la \
  tests/plugins/backoff-recorder.la \
  tests/plugins/backoff-schedule.la \
  tests/plugins/backoff-uses-grpc.la \
  tests/plugins/backoff-v1-0.la \
  tests/plugins/connector-v1-0.la \
  tests/plugins/picker-favourite.la \
  tests/plugins/picker-v1-0.la \
  tests/plugins/telemetry-v1-0.la \
  tests/plugins/transport-recorder.la \
  tests/plugins/transport-v1-0.la

tests_plugins_backoff_elder_la_SOURCES = tests/abi/backoff-elder.c tests/abi/plugin-0.0.h
# As it was built then: clang's AddressSanitizer spoils the note of its header.
tests_plugins_backoff_elder_la_CFLAGS = $(plugin_compile_flags) -fno-sanitize=address
tests_plugins_backoff_elder_la_LDFLAGS = $(test_module_flags)

# Built with the headers as they were at ABI 1.0.
tests_plugins_backoff_v1_0_la_SOURCES = tests/abi/backoff-v1-0.c tests/abi/plugin-1.0.h
tests_plugins_backoff_v1_0_la_CFLAGS = $(plugin_compile_flags)
tests_plugins_backoff_v1_0_la_LDFLAGS = $(test_module_flags)
tests_plugins_connector_v1_0_la_SOURCES = tests/abi/connector-v1-0.c tests/abi/plugin-1.0.h
tests_plugins_connector_v1_0_la_CFLAGS = $(plugin_compile_flags)
tests_plugins_connector_v1_0_la_LDFLAGS = $(test_module_flags)
tests_plugins_picker_v1_0_la_SOURCES = tests/abi/picker-v1-0.c tests/abi/plugin-1.0.h
tests_plugins_picker_v1_0_la_CFLAGS = $(plugin_compile_flags)
tests_plugins_picker_v1_0_la_LDFLAGS = $(test_module_flags)
tests_plugins_telemetry_v1_0_la_SOURCES = tests/abi/telemetry-v1-0.c tests/abi/plugin-1.0.h tests/abi/telemetry-1.0.h
tests_plugins_telemetry_v1_0_la_CFLAGS = $(plugin_compile_flags)
tests_plugins_telemetry_v1_0_la_LDFLAGS = $(test_module_flags)
tests_plugins_transport_v1_0_la_SOURCES = tests/abi/transport-v1-0.c tests/abi/plugin-1.0.h
tests_plugins_transport_v1_0_la_CFLAGS = $(plugin_compile_flags)
tests_plugins_transport_v1_0_la_LDFLAGS = $(test_module_flags)
tests_plugins_transport_v1_0_la_LIBADD = $(GRPC_LIBS)

tests_plugins_backoff_newer_la_SOURCES = tests/abi/backoff-newer.c
tests_plugins_backoff_newer_la_CFLAGS = $(plugin_compile_flags)
tests_plugins_backoff_newer_la_LDFLAGS = $(test_module_flags)

# One source, four deeds.
tests_plugins_backoff_crasher_la_SOURCES = tests/plugins/backoff-deed.c
tests_plugins_backoff_crasher_la_CPPFLAGS = $(AM_CPPFLAGS) -DNAME='"crasher"' -DDEED='abort ()'
tests_plugins_backoff_crasher_la_CFLAGS = $(plugin_compile_flags)
tests_plugins_backoff_crasher_la_LDFLAGS = $(test_module_flags)
tests_plugins_backoff_debtor_la_SOURCES = tests/plugins/backoff-deed.c
tests_plugins_backoff_debtor_la_CPPFLAGS = $(AM_CPPFLAGS) -DNAME='"debtor"' -DDEED='return -1'
tests_plugins_backoff_debtor_la_CFLAGS = $(plugin_compile_flags)
tests_plugins_backoff_debtor_la_LDFLAGS = $(test_module_flags)
tests_plugins_backoff_dreamer_la_SOURCES = tests/plugins/backoff-deed.c
tests_plugins_backoff_dreamer_la_CPPFLAGS = $(AM_CPPFLAGS) -DNAME='"dreamer"' -DDEED='for (volatile int i = 0;; i++)'
tests_plugins_backoff_dreamer_la_CFLAGS = $(plugin_compile_flags)
tests_plugins_backoff_dreamer_la_LDFLAGS = $(test_module_flags)
tests_plugins_backoff_leaver_la_SOURCES = tests/plugins/backoff-deed.c
tests_plugins_backoff_leaver_la_CPPFLAGS = $(AM_CPPFLAGS) -DNAME='"leaver"' -DDEED='exit (3)'
tests_plugins_backoff_leaver_la_CFLAGS = $(plugin_compile_flags)
tests_plugins_backoff_leaver_la_LDFLAGS = $(test_module_flags)

tests_plugins_backoff_liar_la_SOURCES = tests/plugins/backoff-liar.c tests/plugins/least-backoff.h
tests_plugins_backoff_liar_la_CFLAGS = $(plugin_compile_flags)
tests_plugins_backoff_liar_la_LDFLAGS = $(test_module_flags)

tests_plugins_backoff_no_next_la_SOURCES = tests/plugins/backoff-no-next.c
tests_plugins_backoff_no_next_la_CFLAGS = $(plugin_compile_flags)
# With the older hash table of its symbols, DT_HASH, alone.
tests_plugins_backoff_no_next_la_LDFLAGS = $(test_module_flags) -Wl,--hash-style=sysv

tests_plugins_backoff_no_note_la_SOURCES = tests/plugins/backoff-no-note.c tests/plugins/least-backoff.h
tests_plugins_backoff_no_note_la_CFLAGS = $(plugin_compile_flags)
tests_plugins_backoff_no_note_la_LDFLAGS = $(test_module_flags)

tests_plugins_backoff_no_symbol_la_SOURCES = tests/plugins/backoff-no-symbol.c tests/plugins/mark.h
tests_plugins_backoff_no_symbol_la_CFLAGS = $(plugin_compile_flags)
tests_plugins_backoff_no_symbol_la_LDFLAGS = $(test_module_flags)

tests_plugins_backoff_null_la_SOURCES = tests/plugins/backoff-null.c
tests_plugins_backoff_null_la_CFLAGS = $(plugin_compile_flags)
tests_plugins_backoff_null_la_LDFLAGS = $(test_module_flags)

tests_plugins_backoff_recorder_la_SOURCES = tests/plugins/backoff-recorder.c
tests_plugins_backoff_recorder_la_CFLAGS = $(plugin_compile_flags)
tests_plugins_backoff_recorder_la_LDFLAGS = $(test_module_flags)

tests_plugins_backoff_schedule_la_SOURCES = tests/plugins/backoff-schedule.c tests/plugins/mark.h
tests_plugins_backoff_schedule_la_CFLAGS = $(plugin_compile_flags)
tests_plugins_backoff_schedule_la_LDFLAGS = $(test_module_flags)

tests_plugins_picker_favourite_la_SOURCES = tests/plugins/picker-favourite.c
tests_plugins_picker_favourite_la_CFLAGS = $(plugin_compile_flags)
tests_plugins_picker_favourite_la_LDFLAGS = $(test_module_flags)

tests_plugins_transport_recorder_la_SOURCES = tests/plugins/transport-recorder.c
tests_plugins_transport_recorder_la_CFLAGS = $(plugin_compile_flags)
tests_plugins_transport_recorder_la_LDFLAGS = $(test_module_flags)
tests_plugins_transport_recorder_la_LIBADD = $(GRPC_LIBS)

tests_plugins_backoff_aborts_la_SOURCES = tests/plugins/backoff-aborts.c tests/plugins/least-backoff.h
tests_plugins_backoff_aborts_la_CFLAGS = $(plugin_compile_flags)
tests_plugins_backoff_aborts_la_LDFLAGS = $(test_module_flags)

tests_plugins_backoff_exits_la_SOURCES = tests/plugins/backoff-exits.c tests/plugins/least-backoff.h
tests_plugins_backoff_exits_la_CFLAGS = $(plugin_compile_flags)
tests_plugins_backoff_exits_la_LDFLAGS = $(test_module_flags)

tests_plugins_backoff_own_grpc_la_SOURCES = tests/plugins/backoff-own-grpc.c tests/plugins/least-backoff.h tests/plugins/mark.h
tests_plugins_backoff_own_grpc_la_CFLAGS = $(plugin_compile_flags)
tests_plugins_backoff_own_grpc_la_LDFLAGS = $(test_module_flags)

tests_plugins_backoff_uses_grpc_la_SOURCES = tests/plugins/backoff-uses-grpc.c tests/plugins/least-backoff.h tests/plugins/mark.h
tests_plugins_backoff_uses_grpc_la_CFLAGS = $(plugin_compile_flags)
tests_plugins_backoff_uses_grpc_la_LDFLAGS = $(test_module_flags)
tests_plugins_backoff_uses_grpc_la_LIBADD = $(GRPC_LIBS)
