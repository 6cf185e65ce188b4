# SPDX-License-Identifier: Apache-2.0

dist_man_MANS = \
  doc/cenote-plugin.7 \
  doc/cenote.1 \
  doc/cenote.conf.5
dist_doc_DATA = doc/plugins.md
EXTRA_DIST += \
  doc/design.md

# ------------------------------------------------------------- made pages
# A page for each plugin, in doc/man of the build.
plugin_manuals = \
  doc/man/cenote-backoff-constant.7 \
  doc/man/cenote-backoff-decorrelated.7 \
  doc/man/cenote-backoff-exponential.7 \
  doc/man/cenote-backoff-fibonacci.7 \
  doc/man/cenote-backoff-linear.7 \
  doc/man/cenote-connector-caching.7 \
  doc/man/cenote-connector-elastic.7 \
  doc/man/cenote-connector-lazy.7 \
  doc/man/cenote-connector-persistent.7 \
  doc/man/cenote-picker-affinity.7 \
  doc/man/cenote-picker-least-in-flight.7 \
  doc/man/cenote-picker-p2c.7 \
  doc/man/cenote-picker-peak-ewma.7 \
  doc/man/cenote-picker-random.7 \
  doc/man/cenote-picker-round-robin.7 \
  doc/man/cenote-telemetry-jsonl.7 \
  doc/man/cenote-telemetry-log.7 \
  doc/man/cenote-telemetry-statsd.7 \
  doc/man/cenote-transport-insecure.7 \
  doc/man/cenote-transport-mock.7 \
  doc/man/cenote-transport-unix.7
if HAVE_LIBCRYPTO
plugin_manuals += doc/man/cenote-transport-tls.7
endif
if HAVE_PROTOC_C
plugin_manuals += doc/man/cenote-telemetry-otlp.7
endif
if HAVE_MICROHTTPD
plugin_manuals += doc/man/cenote-telemetry-prometheus.7
endif

nodist_man_MANS = $(plugin_manuals)
$(plugin_manuals): doc/plugin-page.awk doc/cenote.conf.5 $(plugin_LTLIBRARIES)
	$(AM_V_GEN)$(MKDIR_P) doc/man && plugin=$@ && \
	  plugin=$${plugin#doc/man/cenote-} && plugin=$${plugin%.7} && kind=$${plugin%%-*} name=$${plugin#*-} && \
	  $(AWK) -v kind=$$kind -v name=$$name -f $(srcdir)/doc/plugin-page.awk $(srcdir)/doc/cenote.conf.5 \
	    $(srcdir)/plugins/$$kind/$$name.c >$@.new && mv $@.new $@
CLEANFILES += $(plugin_manuals)
EXTRA_DIST += doc/plugin-page.awk

# What the public headers say, as libcenote(3)'s list of functions and as a page of HTML, in the order
# that one reads them in.
reference_headers = \
  $(srcdir)/include/cenote/error.h \
  $(srcdir)/include/cenote/config.h \
  $(srcdir)/include/cenote/runtime.h \
  $(srcdir)/include/cenote/pool.h \
  $(srcdir)/include/cenote/call.h \
  $(srcdir)/include/cenote/registry.h \
  $(srcdir)/include/cenote/telemetry.h \
  $(srcdir)/include/cenote/event-text.h \
  $(srcdir)/include/cenote/plugin.h \
  $(srcdir)/include/cenote/plugin-test.h \
  $(srcdir)/include/cenote/protobuf-c.h \
  include/cenote/version.h
reference_cpp_headers = \
  $(srcdir)/include/cenote/cenote.hpp \
  $(srcdir)/include/cenote/grpcpp.hpp \
  $(srcdir)/include/cenote/grpcpp-call.hpp \
  $(srcdir)/include/cenote/grpcpp-relay.hpp
reference_scripts = doc/reference-cpp.awk doc/reference.awk
make_reference = $(AWK) -f $(srcdir)/doc/reference-cpp.awk -f $(srcdir)/doc/reference.awk -v

nodist_man_MANS += doc/man/libcenote.3
doc/man/libcenote.3: doc/libcenote.3.in $(reference_scripts) $(reference_headers)
	$(AM_V_GEN)$(MKDIR_P) doc/man && $(make_reference) form=list $(reference_headers) >$@.list && \
	  sed -e '/^\.\\" FUNCTIONS$$/{r $@.list' -e 'd;}' $(srcdir)/doc/libcenote.3.in >$@.new && rm -f $@.list && mv $@.new $@

doc_DATA = doc/reference.html
doc/reference.html: $(reference_scripts) $(reference_headers) $(reference_cpp_headers)
	$(AM_V_GEN)$(MKDIR_P) doc && $(make_reference) form=html $(reference_headers) $(reference_cpp_headers) >$@.new && \
	  mv $@.new $@
reference: doc/reference.html
.PHONY: reference

CLEANFILES += doc/man/libcenote.3 doc/reference.html
EXTRA_DIST += doc/libcenote.3.in $(reference_scripts)
