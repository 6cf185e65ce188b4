# SPDX-License-Identifier: Apache-2.0
# The plugins: plugins/<kind>/<name>.c (and what it includes) becomes <kind>-<name>.so.  They link
# nothing of libcenote.  In the build tree all of them are in plugins/.libs.

plugin_compile_flags = $(AM_CFLAGS) -fvisibility=hidden -ftls-model=initial-exec
plugin_link_flags = $(AM_LDFLAGS) -module -avoid-version -shared -Wl,-z,nodelete
if !SANITIZER
plugin_link_flags += -Wl,--no-undefined
endif

plugin_LTLIBRARIES = \
  plugins/backoff-constant.la \
  plugins/backoff-decorrelated.la \
  plugins/backoff-exponential.la \
  plugins/backoff-fibonacci.la \
  plugins/backoff-linear.la \
  plugins/connector-caching.la \
  plugins/connector-elastic.la \
  plugins/connector-lazy.la \
  plugins/connector-persistent.la \
  plugins/picker-affinity.la \
  plugins/picker-least-in-flight.la \
  plugins/picker-p2c.la \
  plugins/picker-peak-ewma.la \
  plugins/picker-random.la \
  plugins/picker-round-robin.la \
  plugins/telemetry-jsonl.la \
  plugins/telemetry-log.la \
  plugins/telemetry-statsd.la \
  plugins/transport-insecure.la \
  plugins/transport-mock.la \
  plugins/transport-unix.la

if HAVE_LIBCRYPTO
plugin_LTLIBRARIES += plugins/transport-tls.la
endif
if HAVE_PROTOC_C
plugin_LTLIBRARIES += plugins/telemetry-otlp.la
endif
if HAVE_MICROHTTPD
plugin_LTLIBRARIES += plugins/telemetry-prometheus.la
endif

plugins_backoff_constant_la_SOURCES = \
  plugins/backoff/constant.c \
  plugins/backoff/jitter.h
plugins_backoff_constant_la_CFLAGS = $(plugin_compile_flags)
plugins_backoff_constant_la_LDFLAGS = $(plugin_link_flags)

plugins_backoff_decorrelated_la_SOURCES = plugins/backoff/decorrelated.c
plugins_backoff_decorrelated_la_CFLAGS = $(plugin_compile_flags)
plugins_backoff_decorrelated_la_LDFLAGS = $(plugin_link_flags)

plugins_backoff_exponential_la_SOURCES = \
  plugins/backoff/exponential.c \
  plugins/backoff/jitter.h
plugins_backoff_exponential_la_CFLAGS = $(plugin_compile_flags)
plugins_backoff_exponential_la_LDFLAGS = $(plugin_link_flags)

plugins_backoff_fibonacci_la_SOURCES = \
  plugins/backoff/fibonacci.c \
  plugins/backoff/jitter.h
plugins_backoff_fibonacci_la_CFLAGS = $(plugin_compile_flags)
plugins_backoff_fibonacci_la_LDFLAGS = $(plugin_link_flags)

plugins_backoff_linear_la_SOURCES = \
  plugins/backoff/linear.c \
  plugins/backoff/jitter.h
plugins_backoff_linear_la_CFLAGS = $(plugin_compile_flags)
plugins_backoff_linear_la_LDFLAGS = $(plugin_link_flags)

plugins_connector_caching_la_SOURCES = plugins/connector/caching.c
plugins_connector_caching_la_CFLAGS = $(plugin_compile_flags)
plugins_connector_caching_la_LDFLAGS = $(plugin_link_flags)

plugins_connector_elastic_la_SOURCES = \
  plugins/connector/elastic.c \
  plugins/connector/roster.c \
  plugins/connector/roster.h
plugins_connector_elastic_la_CFLAGS = $(plugin_compile_flags)
plugins_connector_elastic_la_LDFLAGS = $(plugin_link_flags)

plugins_connector_lazy_la_SOURCES = \
  plugins/connector/lazy.c \
  plugins/connector/roster.c \
  plugins/connector/roster.h
plugins_connector_lazy_la_CFLAGS = $(plugin_compile_flags)
plugins_connector_lazy_la_LDFLAGS = $(plugin_link_flags)

plugins_connector_persistent_la_SOURCES = \
  plugins/connector/persistent.c \
  plugins/connector/roster.c \
  plugins/connector/roster.h
plugins_connector_persistent_la_CFLAGS = $(plugin_compile_flags)
plugins_connector_persistent_la_LDFLAGS = $(plugin_link_flags)

plugins_picker_affinity_la_SOURCES = \
  plugins/picker/affinity.c \
  plugins/picker/two-choices.h
plugins_picker_affinity_la_CFLAGS = $(plugin_compile_flags)
plugins_picker_affinity_la_LDFLAGS = $(plugin_link_flags)
plugins_picker_affinity_la_LIBADD = -lm

plugins_picker_least_in_flight_la_SOURCES = \
  plugins/picker/least-in-flight.c \
  plugins/picker/two-choices.h
plugins_picker_least_in_flight_la_CFLAGS = $(plugin_compile_flags)
plugins_picker_least_in_flight_la_LDFLAGS = $(plugin_link_flags)

plugins_picker_p2c_la_SOURCES = \
  plugins/picker/p2c.c \
  plugins/picker/two-choices.h
plugins_picker_p2c_la_CFLAGS = $(plugin_compile_flags)
plugins_picker_p2c_la_LDFLAGS = $(plugin_link_flags)

plugins_picker_peak_ewma_la_SOURCES = \
  plugins/picker/estimate.c \
  plugins/picker/estimate.h \
  plugins/picker/peak-ewma.c \
  plugins/picker/two-choices.h
plugins_picker_peak_ewma_la_CFLAGS = $(plugin_compile_flags)
plugins_picker_peak_ewma_la_LDFLAGS = $(plugin_link_flags)
plugins_picker_peak_ewma_la_LIBADD = -lm

plugins_picker_random_la_SOURCES = plugins/picker/random.c
plugins_picker_random_la_CFLAGS = $(plugin_compile_flags)
plugins_picker_random_la_LDFLAGS = $(plugin_link_flags)

plugins_picker_round_robin_la_SOURCES = plugins/picker/round-robin.c
plugins_picker_round_robin_la_CFLAGS = $(plugin_compile_flags)
plugins_picker_round_robin_la_LDFLAGS = $(plugin_link_flags)

plugins_telemetry_jsonl_la_SOURCES = \
  plugins/telemetry/complaint.h \
  plugins/telemetry/events-option.c \
  plugins/telemetry/events-option.h \
  plugins/telemetry/hangup.c \
  plugins/telemetry/hangup.h \
  plugins/telemetry/json-line.c \
  plugins/telemetry/json-line.h \
  plugins/telemetry/json-text.c \
  plugins/telemetry/json-text.h \
  plugins/telemetry/jsonl.c \
  plugins/telemetry/line-file.c \
  plugins/telemetry/line-file.h \
  plugins/telemetry/metric-kind.h
plugins_telemetry_jsonl_la_CFLAGS = $(plugin_compile_flags)
plugins_telemetry_jsonl_la_LDFLAGS = $(plugin_link_flags)
plugins_telemetry_jsonl_la_LIBADD = $(GLIB_LIBS)

plugins_telemetry_log_la_SOURCES = \
  plugins/telemetry/events-option.c \
  plugins/telemetry/events-option.h \
  plugins/telemetry/log.c
plugins_telemetry_log_la_CFLAGS = $(plugin_compile_flags)
plugins_telemetry_log_la_LDFLAGS = $(plugin_link_flags)
plugins_telemetry_log_la_LIBADD = $(GLIB_LIBS)

plugins_telemetry_otlp_la_SOURCES = \
  plugins/telemetry/bounds.c \
  plugins/telemetry/bounds.h \
  plugins/telemetry/otlp-options.c \
  plugins/telemetry/otlp-options.h \
  plugins/telemetry/otlp-outcome.c \
  plugins/telemetry/otlp-outcome.h \
  plugins/telemetry/otlp-request.c \
  plugins/telemetry/otlp-request.h \
  plugins/telemetry/otlp.c
nodist_plugins_telemetry_otlp_la_SOURCES = $(otlp_made)
plugins_telemetry_otlp_la_CPPFLAGS = $(AM_CPPFLAGS) $(PROTOBUF_C_CFLAGS) -Iplugins/telemetry
plugins_telemetry_otlp_la_CFLAGS = $(plugin_compile_flags)
plugins_telemetry_otlp_la_LDFLAGS = $(plugin_link_flags)
plugins_telemetry_otlp_la_LIBADD = $(PROTOBUF_C_LIBS) $(GLIB_LIBS)

EXTRA_DIST += plugins/telemetry/otlp.proto
otlp_made = plugins/telemetry/otlp.pb-c.c plugins/telemetry/otlp.pb-c.h
if HAVE_PROTOC_C
plugins/telemetry/otlp_la-otlp-outcome.lo plugins/telemetry/otlp_la-otlp-request.lo: plugins/telemetry/otlp.pb-c.h
plugins/telemetry/otlp.pb-c.h: plugins/telemetry/otlp.pb-c.c
plugins/telemetry/otlp.pb-c.c: plugins/telemetry/otlp.proto
	$(AM_V_GEN)$(MKDIR_P) plugins/telemetry && \
	  $(PROTOC_C) --proto_path=$(srcdir)/plugins/telemetry --c_out=plugins/telemetry otlp.proto
CLEANFILES += $(otlp_made)
endif

plugins_telemetry_statsd_la_SOURCES = \
  plugins/telemetry/complaint.h \
  plugins/telemetry/decimal.h \
  plugins/telemetry/sink-thread.h \
  plugins/telemetry/statsd-address.c \
  plugins/telemetry/statsd-address.h \
  plugins/telemetry/statsd-socket.c \
  plugins/telemetry/statsd-socket.h \
  plugins/telemetry/statsd-spelling.c \
  plugins/telemetry/statsd-spelling.h \
  plugins/telemetry/statsd.c
plugins_telemetry_statsd_la_CFLAGS = $(plugin_compile_flags)
plugins_telemetry_statsd_la_LDFLAGS = $(plugin_link_flags)
plugins_telemetry_statsd_la_LIBADD = $(GLIB_LIBS)

# What can be tested by itself.
prometheus_parts = \
  plugins/telemetry/bounds.c \
  plugins/telemetry/bounds.h \
  plugins/telemetry/decimal.h \
  plugins/telemetry/json-text.c \
  plugins/telemetry/json-text.h \
  plugins/telemetry/metric-kind.h \
  plugins/telemetry/prometheus-connections.c \
  plugins/telemetry/prometheus-connections.h \
  plugins/telemetry/prometheus-errors.c \
  plugins/telemetry/prometheus-errors.h \
  plugins/telemetry/prometheus-exposition.c \
  plugins/telemetry/prometheus-exposition.h \
  plugins/telemetry/prometheus-health.c \
  plugins/telemetry/prometheus-health.h \
  plugins/telemetry/prometheus-history.c \
  plugins/telemetry/prometheus-history.h \
  plugins/telemetry/prometheus-listen.c \
  plugins/telemetry/prometheus-listen.h \
  plugins/telemetry/prometheus-request.c \
  plugins/telemetry/prometheus-request.h \
  plugins/telemetry/prometheus-status.c \
  plugins/telemetry/prometheus-status.h \
  plugins/telemetry/sink-thread.h
plugins_telemetry_prometheus_la_SOURCES = \
  $(prometheus_parts) \
  plugins/telemetry/prometheus-fork.c \
  plugins/telemetry/prometheus-fork.h \
  plugins/telemetry/prometheus-http.c \
  plugins/telemetry/prometheus-http.h \
  plugins/telemetry/prometheus-page.c \
  plugins/telemetry/prometheus-page.h \
  plugins/telemetry/prometheus-site.c \
  plugins/telemetry/prometheus-site.h \
  plugins/telemetry/prometheus.c
nodist_plugins_telemetry_prometheus_la_SOURCES = plugins/telemetry/page-data.c
plugins_telemetry_prometheus_la_CPPFLAGS = $(AM_CPPFLAGS) $(MICROHTTPD_CFLAGS) -I$(top_srcdir)/plugins/telemetry
plugins_telemetry_prometheus_la_CFLAGS = $(plugin_compile_flags)
plugins_telemetry_prometheus_la_LDFLAGS = $(plugin_link_flags)
plugins_telemetry_prometheus_la_LIBADD = $(MICROHTTPD_LIBS) $(GLIB_LIBS)

# The page's files as arrays of bytes, each ended by a NUL: prometheus_page_index_html, ….
prometheus_page = \
  plugins/telemetry/page/index.html \
  plugins/telemetry/page/script.js \
  plugins/telemetry/page/style.css
EXTRA_DIST += $(prometheus_page)
CLEANFILES += plugins/telemetry/page-data.c
plugins/telemetry/page-data.c: $(prometheus_page) plugins/local.mk
	$(AM_V_GEN)$(MKDIR_P) plugins/telemetry && { \
	  echo '#include "prometheus-page.h"'; \
	  for file in $(prometheus_page); do \
	    echo "const char prometheus_page_`basename $$file | tr . _`[] = {"; \
	    od -An -v -tu1 $(srcdir)/$$file | sed 's/[0-9][0-9]*/&,/g'; \
	    echo '0 };'; \
	  done; } >$@.tmp && mv $@.tmp $@

plugins_transport_insecure_la_SOURCES = plugins/transport/insecure.c
plugins_transport_insecure_la_CFLAGS = $(plugin_compile_flags)
plugins_transport_insecure_la_LDFLAGS = $(plugin_link_flags)
plugins_transport_insecure_la_LIBADD = $(GRPC_LIBS)

plugins_transport_mock_la_SOURCES = \
  plugins/transport/mock-script.c \
  plugins/transport/mock-script.h \
  plugins/transport/mock.c
plugins_transport_mock_la_CFLAGS = $(plugin_compile_flags)
plugins_transport_mock_la_LDFLAGS = $(plugin_link_flags)
plugins_transport_mock_la_LIBADD = $(GRPC_LIBS)

plugins_transport_tls_la_SOURCES = \
  plugins/transport/tls-credentials.c \
  plugins/transport/tls-credentials.h \
  plugins/transport/tls-explain.c \
  plugins/transport/tls-explain.h \
  plugins/transport/tls-file.c \
  plugins/transport/tls-file.h \
  plugins/transport/tls-identity.c \
  plugins/transport/tls-identity.h \
  plugins/transport/tls-material.c \
  plugins/transport/tls-material.h \
  plugins/transport/tls-peer.c \
  plugins/transport/tls-peer.h \
  plugins/transport/tls-trust.c \
  plugins/transport/tls-trust.h \
  plugins/transport/tls-x509.c \
  plugins/transport/tls-x509.h \
  plugins/transport/tls.c
plugins_transport_tls_la_CPPFLAGS = $(AM_CPPFLAGS) $(LIBCRYPTO_CFLAGS)
plugins_transport_tls_la_CFLAGS = $(plugin_compile_flags)
plugins_transport_tls_la_LDFLAGS = $(plugin_link_flags)
plugins_transport_tls_la_LIBADD = $(GRPC_LIBS) $(LIBCRYPTO_LIBS) $(GLIB_LIBS)

plugins_transport_unix_la_SOURCES = plugins/transport/unix.c
plugins_transport_unix_la_CFLAGS = $(plugin_compile_flags)
plugins_transport_unix_la_LDFLAGS = $(plugin_link_flags)
plugins_transport_unix_la_LIBADD = $(GRPC_LIBS)
