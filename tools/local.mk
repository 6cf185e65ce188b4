# SPDX-License-Identifier: Apache-2.0
# The cenote command.  All but main() is a library that the tests link too.

noinst_LTLIBRARIES += libcenote-tools.la
libcenote_tools_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_builddir)/tools -DG_LOG_DOMAIN='"cenote"'
libcenote_tools_la_LIBADD = -lm
libcenote_tools_la_SOURCES = \
  tools/advise.c \
  tools/call-input.c \
  tools/call-input.h \
  tools/call-report.c \
  tools/call-report.h \
  tools/call-run.c \
  tools/call-run.h \
  tools/call.c \
  tools/changes.c \
  tools/changes.h \
  tools/check.c \
  tools/command.c \
  tools/command.h \
  tools/demo-delays.c \
  tools/demo-delays.h \
  tools/demo-server.c \
  tools/demo-server.h \
  tools/demo-view.c \
  tools/demo-view.h \
  tools/demo.c \
  tools/explain.c \
  tools/json-reader.c \
  tools/json-reader.h \
  tools/keyfile.c \
  tools/keyfile.h \
  tools/log-writer.c \
  tools/log-writer.h \
  tools/plugin-listing.c \
  tools/plugin-listing.h \
  tools/plugins.c \
  tools/raw-call.c \
  tools/raw-call.h \
  tools/status-table.c \
  tools/status-table.h \
  tools/status.c \
  tools/table.c \
  tools/table.h \
  tools/terminal.c \
  tools/terminal.h

# The pure parts of core that the command shares; all else it gets from libcenote.so.
noinst_LTLIBRARIES += libcenote-plain.la
libcenote_plain_la_SOURCES = \
  core/base/json.c \
  core/base/monitor.c \
  core/call/status-name.c \
  core/config/escape.c \
  core/config/nearest.c \
  core/config/option.c \
  core/config/quantity.c \
  core/registry/host.c \
  core/registry/plugin-describe.c \
  core/registry/plugin-file.c \
  core/registry/plugin-load.c \
  core/registry/plugin-options.c \
  core/registry/plugin-slots.c \
  core/registry/plugin.c \
  core/registry/trust.c \
  core/telemetry/counters.c \
  core/telemetry/histogram.c

# The suite that any plugin can be put to, and the world it runs in.  The tests link it too.
noinst_LTLIBRARIES += libconformance.la
libconformance_la_SOURCES = \
  tools/conformance/conformance-backoff.c \
  tools/conformance/conformance-connector.c \
  tools/conformance/conformance-picker.c \
  tools/conformance/conformance-telemetry.c \
  tools/conformance/conformance-transport.c \
  tools/conformance/conformance.c \
  tools/conformance/conformance.h \
  tools/conformance/fake-pool.c \
  tools/conformance/fake-pool.h \
  tools/conformance/fixture.c \
  tools/conformance/fixture.h

bin_PROGRAMS += tools/cenote
tools_cenote_SOURCES = tools/main.c
tools_cenote_LDADD = libcenote-tools.la libconformance.la libcenote-plain.la libcenote.la $(GRPC_LIBS) $(GLIB_LIBS)

# The demo's keyfile is the example, word for word.
BUILT_SOURCES += tools/demo-conf.h
CLEANFILES += tools/demo-conf.h
nodist_libcenote_tools_la_SOURCES = tools/demo-conf.h
tools/demo-conf.h: examples/demo.conf
	$(AM_V_GEN)$(MKDIR_P) tools && { \
	  echo '/* Made from examples/demo.conf. */'; \
	  echo 'static const char demo_conf[] ='; \
	  sed 's/[\\"]/\\&/g; s/^/  "/; s/$$/\\n"/' $(srcdir)/examples/demo.conf; \
	  echo '  ;'; \
	} >$@.new && mv $@.new $@
