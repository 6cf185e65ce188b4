# SPDX-License-Identifier: Apache-2.0
# The examples are built by make check, run by tests/integration/test-examples.sh, test-protobuf-c.sh and test-readme.sh
# and installed as they are.

examplesdir = $(docdir)/examples
dist_examples_DATA = \
  examples/async.c \
  examples/demo.conf \
  examples/etcd.c \
  examples/etcd.conf \
  examples/etcd.proto \
  examples/first-call.c \
  examples/first.c \
  examples/greeter.cc \
  examples/greeter.conf \
  examples/greeter.proto

apart_programs += examples/async examples/first-call examples/first
examples_async_SOURCES = examples/async.c
examples_async_LDADD = libcenote.la $(GLIB_LIBS)
examples_first_call_SOURCES = examples/first-call.c
examples_first_call_LDADD = libcenote.la $(GLIB_LIBS)
examples_first_SOURCES = examples/first.c
examples_first_LDADD = libcenote.la $(GRPC_LIBS) $(GLIB_LIBS)

if HAVE_PROTOC_C
apart_programs += examples/etcd
nodist_examples_etcd_SOURCES = examples/etcd.pb-c.c examples/etcd.pb-c.h
examples_etcd_SOURCES = examples/etcd.c
examples_etcd_CPPFLAGS = $(AM_CPPFLAGS) $(PROTOBUF_C_CFLAGS) -Iexamples
examples_etcd_LDADD = libcenote-protobuf-c.la libcenote.la $(PROTOBUF_C_LIBS) $(GLIB_LIBS)
examples/etcd-etcd.$(OBJEXT): examples/etcd.pb-c.h
examples/etcd.pb-c.h: examples/etcd.pb-c.c
examples/etcd.pb-c.c: examples/etcd.proto
	$(AM_V_GEN)$(MKDIR_P) examples && $(PROTOC_C) --proto_path=$(srcdir)/examples --c_out=examples etcd.proto
CLEANFILES += examples/etcd.pb-c.c examples/etcd.pb-c.h
endif

if HAVE_CPP_STUBS
# The example's service, which tests and benches call too.
if SERVER_TESTS
check_LTLIBRARIES += examples/libgreeter.la
endif
nodist_examples_libgreeter_la_SOURCES = \
  examples/greeter.grpc.pb.cc \
  examples/greeter.grpc.pb.h \
  examples/greeter.pb.cc \
  examples/greeter.pb.h
examples_libgreeter_la_SOURCES =
examples_libgreeter_la_CPPFLAGS = $(AM_CPPFLAGS) $(GRPCPP_CFLAGS) $(PROTOBUF_CFLAGS) -Iexamples
examples_libgreeter_la_LIBADD = $(GRPCPP_LIBS) $(PROTOBUF_LIBS)
greeter_libs = examples/libgreeter.la libcenote.la $(GRPCPP_LIBS) $(PROTOBUF_LIBS) $(GRPC_LIBS) $(GLIB_LIBS)

if SERVER_TESTS
check_PROGRAMS += examples/greeter
endif
examples_greeter_SOURCES = examples/greeter.cc
examples_greeter_CPPFLAGS = $(AM_CPPFLAGS) $(GRPCPP_CFLAGS) $(PROTOBUF_CFLAGS) -Iexamples
examples_greeter_LDADD = $(greeter_libs)

greeter_made = examples/greeter.grpc.pb.cc examples/greeter.grpc.pb.h examples/greeter.pb.cc examples/greeter.pb.h
examples/examples_greeter-greeter.$(OBJEXT): $(greeter_made)
examples/libgreeter_la-greeter.grpc.pb.lo examples/libgreeter_la-greeter.pb.lo: $(greeter_made)
examples/greeter.grpc.pb.h examples/greeter.pb.cc examples/greeter.pb.h: examples/greeter.grpc.pb.cc
examples/greeter.grpc.pb.cc: examples/greeter.proto
	$(AM_V_GEN)$(MKDIR_P) examples && $(PROTOC) --proto_path=$(srcdir)/examples --cpp_out=examples \
	  --grpc_out=examples --plugin=protoc-gen-grpc=$(GRPC_CPP_PLUGIN) greeter.proto
CLEANFILES += $(greeter_made)
endif

# Plugins in other languages: built and put to the conformance suite by tests/integration/test-example-plugins.sh.
examplepluginsdir = $(examplesdir)/plugins
dist_exampleplugins_DATA = \
  examples/plugins/jittered.rs \
  examples/plugins/staircase.cc

check_LTLIBRARIES += examples/plugins/backoff-staircase.la
examples_plugins_backoff_staircase_la_SOURCES = examples/plugins/staircase.cc
examples_plugins_backoff_staircase_la_CXXFLAGS = $(AM_CXXFLAGS) -Wpedantic -fvisibility=hidden
examples_plugins_backoff_staircase_la_LDFLAGS = $(plugin_link_flags) -rpath /nowhere
