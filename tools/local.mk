# SPDX-License-Identifier: Apache-2.0
# The cenote command.  All but main() is a library that the tests link too.

noinst_LTLIBRARIES += libcenote-tools.la
libcenote_tools_la_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_builddir)/tools -I$(top_srcdir)/tools -DG_LOG_DOMAIN='"cenote"'
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
  tools/child-run.c \
  tools/child-run.h \
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
  tools/inspect.c \
  tools/json-reader.c \
  tools/json-reader.h \
  tools/keyfile.c \
  tools/keyfile.h \
  tools/log-writer.c \
  tools/log-writer.h \
  tools/new.c \
  tools/plugin-apart.c \
  tools/plugin-apart.h \
  tools/plugin-listing.c \
  tools/plugin-listing.h \
  tools/plugins.c \
  tools/raw-call.c \
  tools/raw-call.h \
  tools/status-table.c \
  tools/status-table.h \
  tools/status.c \
  tools/suite-child.c \
  tools/suite-child.h \
  tools/table.c \
  tools/table.h \
  tools/templates.h \
  tools/terminal.c \
  tools/terminal.h \
  tools/test-plugin.c

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
  core/registry/own-file.c \
  core/registry/plugin-describe.c \
  core/registry/plugin-dynamic.c \
  core/registry/plugin-elf.c \
  core/registry/plugin-file.c \
  core/registry/plugin-links.c \
  core/registry/plugin-load.c \
  core/registry/plugin-options.c \
  core/registry/plugin-refuse.c \
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
  tools/conformance/conformance-descriptor.c \
  tools/conformance/conformance-picker.c \
  tools/conformance/conformance-states.c \
  tools/conformance/conformance-telemetry.c \
  tools/conformance/conformance-transport.c \
  tools/conformance/conformance.c \
  tools/conformance/conformance.h \
  tools/conformance/fake-metrics.c \
  tools/conformance/fake-metrics.h \
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
nodist_libcenote_tools_la_SOURCES = tools/demo-conf.h tools/templates-data.c
tools/demo-conf.h: examples/demo.conf
	$(AM_V_GEN)$(MKDIR_P) tools && { \
	  echo '/* Made from examples/demo.conf. */'; \
	  echo 'static const char demo_conf[] ='; \
	  sed 's/[\\"]/\\&/g; s/^/  "/; s/$$/\\n"/' $(srcdir)/examples/demo.conf; \
	  echo '  ;'; \
	} >$@.new && mv $@.new $@

# What `cenote new` writes, as arrays of bytes, each ended by a NUL: template_backoff_c, ….
templates = \
  tools/templates/backoff-test.c \
  tools/templates/backoff.c \
  tools/templates/backoff.conf \
  tools/templates/connector-test.c \
  tools/templates/connector.c \
  tools/templates/connector.conf \
  tools/templates/gitignore \
  tools/templates/picker-test.c \
  tools/templates/picker.c \
  tools/templates/picker.conf \
  tools/templates/project.mk \
  tools/templates/readme.md \
  tools/templates/telemetry-test.c \
  tools/templates/telemetry.c \
  tools/templates/telemetry.conf \
  tools/templates/transport-test.c \
  tools/templates/transport.c \
  tools/templates/transport.conf
EXTRA_DIST += $(templates)
CLEANFILES += tools/templates-data.c
tools/templates-data.c: $(templates) tools/local.mk
	$(AM_V_GEN)$(MKDIR_P) tools && { \
	  echo '#include "templates.h"'; \
	  for file in $(templates); do \
	    echo "const char template_`basename $$file | tr .- __`[] = {"; \
	    od -An -v -tu1 $(srcdir)/$$file | sed 's/[0-9][0-9]*/&,/g'; \
	    echo '0 };'; \
	  done; } >$@.tmp && mv $@.tmp $@

bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = tools/bash-completion/cenote
