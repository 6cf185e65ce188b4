# SPDX-License-Identifier: Apache-2.0
# The examples are built by make check, run by tests/integration/test-first.sh and test-readme.sh
# and installed as they are.

examplesdir = $(docdir)/examples
dist_examples_DATA = \
  examples/demo.conf \
  examples/first.c

check_PROGRAMS += examples/first
examples_first_SOURCES = examples/first.c
examples_first_LDADD = libcenote.la $(GRPC_LIBS) $(GLIB_LIBS)
