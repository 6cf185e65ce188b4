# SPDX-License-Identifier: Apache-2.0
# The systems that Cenote covers, one file each: their features, their defects and
# their own test cases, against servers in processes of their own and through the
# public functions alone.  Under sanitizers too: what needs a foreign program is skipped without it.

if HAVE_GTEST
if SERVER_TESTS
check_PROGRAMS += tests/seeds-tests
TESTS += tests/seeds-tests
endif
endif

seeds_a2_tests = \
  tests/seeds/test-seed-a2-config.cc \
  tests/seeds/test-seed-a2-outages.cc \
  tests/seeds/test-seed-a2-scaling.cc \
  tests/seeds/test-seed-a2-service.cc \
  tests/seeds/test-seed-a2-strategies.cc \
  tests/seeds/test-seed-a2-telemetry.cc
tests/together/seeds-a2.cc: Makefile
	$(put_together) $(seeds_a2_tests)

seeds_others_tests = \
  tests/seeds/test-seed-a1-pool.cc \
  tests/seeds/test-seed-a1.cc \
  tests/seeds/test-seed-a3.cc \
  tests/seeds/test-seed-a4.cc \
  tests/seeds/test-seed-a5.cc
tests/together/seeds-others.cc: Makefile
	$(put_together) $(seeds_others_tests)

nodist_tests_seeds_tests_SOURCES = tests/together/seeds-a2.cc tests/together/seeds-others.cc
EXTRA_DIST += $(seeds_a2_tests) $(seeds_others_tests)
tests_seeds_tests_CPPFLAGS = $(test_cpp_flags)
tests_seeds_tests_CXXFLAGS = $(test_cxx_flags)
tests_seeds_tests_LDADD = $(server_test_libs)
tests_seeds_tests_SOURCES = \
  tests/seeds/a2.h \
  tests/seeds/watcher.h \
  tests/servers/client.h \
  tests/servers/connects.cc \
  tests/servers/connects.h \
  tests/servers/folder.h \
  tests/servers/gauges.h \
  tests/servers/one-authority.h \
  tests/servers/servers.h \
  tests/unit/log-capture.h

if HAVE_LIBCRYPTO
tests_seeds_tests_CPPFLAGS += $(LIBCRYPTO_CFLAGS)
tests_seeds_tests_LDADD += $(LIBCRYPTO_LIBS)
tests_seeds_tests_SOURCES += \
  tests/seeds/test-seed-a2-interceptors.cc \
  tests/servers/authority.h \
  tests/servers/tls-client.h
endif
