/* SPDX-License-Identifier: Apache-2.0 */
/* otlp-outcome: what the end of an export means, and what people are told of it.  Pure. */
#ifndef CENOTE_OTLP_OUTCOME_H
#define CENOTE_OTLP_OUTCOME_H

#include <cenote/plugin.h>
#include <glib.h>

typedef enum {
  OTLP_EXPORT_TAKEN = 0,
  OTLP_EXPORT_TAKEN_IN_PART, /* or whole, but the collector warns of something */
  OTLP_EXPORT_FAILED
} OtlpExportResult;

typedef struct OtlpOutcome {
  OtlpExportResult result;
  CenoteLogLevel level;
  char *text;
} OtlpOutcome;

/* As CenoteCallDone's arguments say. */
OtlpOutcome otlp_outcome_of (int status, const char *message, const void *response, gsize size);
void otlp_outcome_clear (OtlpOutcome *outcome);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (OtlpOutcome, otlp_outcome_clear)

#endif
