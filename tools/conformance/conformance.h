/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conformance: whether a plugin keeps what <cenote/plugin.h> asks of it and of its kind.
 *
 * Plain functions over a plugin, so that tests and the command for authors run the
 * same.  A check says what it found, or nothing; it judges its own promise alone, so
 * that a plugin with one fault breaks one check.  What would crash or hang with the
 * plugin is for whoever runs the suite to keep away (test-plugin does it in a child).
 * One thread, but for the checks that make threads of their own.  Nothing outside the
 * process is touched, except that a transport may try to connect, and a sink do its work.
 */
#ifndef CENOTE_TOOLS_CONFORMANCE_H
#define CENOTE_TOOLS_CONFORMANCE_H

#include "fixture.h"

G_BEGIN_DECLS

/* One run: what the checks are given. */
typedef struct Conformance {
  Plugin *plugin;
  const char *const *settings; /* "key=value", NULL-terminated (nullable) */
} Conformance;

typedef struct ConformanceCheck {
  const char *name;          /* "backoff-reset"; stays */
  const char *promise;       /* what is kept where it is good, in a line */
  /* (transfer full) (nullable): what was found instead. */
  char *(*run) (const Conformance *run);
  /* NULL: to every plugin of the kind. */
  gboolean (*applies) (const Plugin *plugin);
  gboolean is_vital;         /* where it is broken, no other check can be run after it */
} ConformanceCheck;

typedef enum { CONFORMANCE_BEGUN, CONFORMANCE_KEPT, CONFORMANCE_BROKEN } ConformanceVerdict;

/* Each check is reported when it begins and when it ends.  PROBLEM: where it is BROKEN, else NULL. */
typedef void (*ConformanceReport) (gpointer data, const ConformanceCheck *check, ConformanceVerdict verdict,
                                   const char *problem);

/* (transfer full) (nullable): the plugin that the suite is for. */
typedef Plugin *(*ConformanceLoad) (gpointer data, GError **error);

/* Runs what applies to PLUGIN.  SETTINGS ("key=value", nullable): for options without a default.
 * gRPC must be initialised for transports.  Returns the number of checks that were broken. */
guint conformance_run (Plugin *plugin, const char *const *settings, ConformanceReport report, gpointer data);
/* The same for what LOAD gives; that it gives a plugin is the first check, "load". */
guint conformance_run_loading (ConformanceLoad load, gpointer load_data, const char *const *settings,
                               ConformanceReport report, gpointer data);

/* (transfer container): of ConformanceCheck: all that there are for KIND, "load" first. */
GPtrArray *conformance_list (CenotePluginKind kind);

/* ------------------------------------------------------- for the checks */

/* An operation that may not block, once, with what it needs. */
typedef struct ConformanceCall {
  const char *name;
  guint64 (*make) (Fixture *fixture); /* alike for states that are alike */
} ConformanceCall;

/* A part of the suite. */
typedef struct ConformancePart {
  const ConformanceCheck *checks;
  guint n_checks;
  const ConformanceCall *calls; /* of a kind; the first says most of the state */
  guint n_calls;
} ConformancePart;

extern const ConformancePart conformance_descriptor;
extern const ConformancePart conformance_states;
extern const ConformancePart conformance_backoff;
extern const ConformancePart conformance_connector;
extern const ConformancePart conformance_picker;
extern const ConformancePart conformance_transport;
extern const ConformancePart conformance_telemetry;

/* That of KIND's own checks. */
const ConformancePart *conformance_part (CenotePluginKind kind);

/* (nullable): a fixture with a state, by the run's settings; there is one where "create" is kept. */
Fixture *conformance_create (const Conformance *run);
/* (nullable): the same with SETTING ("key=value") before the run's. */
Fixture *conformance_create_with (const Conformance *run, const char *setting, GError **error);

/* Called for each option at each of its ends, "key=value", until FUNC gives a problem, which is returned. */
char *conformance_each_extreme (const Conformance *run, char *(*func) (const Conformance *run, const char *setting));

G_END_DECLS

#endif
