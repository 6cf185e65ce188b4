/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp-outcome: OTLP says which statuses may be better the next time.  Nothing is sent
 * again by itself: all that adds up is cumulative, so the next export has it too.
 */
#include "otlp-outcome.h"

#include "otlp.pb-c.h"

typedef struct Status {
  const char *name;
  gboolean is_transient;     /* "retryable" */
} Status;

/* grpc/status.h's, by number. */
static const Status statuses[] = {
  { "OK", FALSE },                { "CANCELLED", TRUE },       { "UNKNOWN", FALSE },
  { "INVALID_ARGUMENT", FALSE },  { "DEADLINE_EXCEEDED", TRUE }, { "NOT_FOUND", FALSE },
  { "ALREADY_EXISTS", FALSE },    { "PERMISSION_DENIED", FALSE }, { "RESOURCE_EXHAUSTED", TRUE },
  { "FAILED_PRECONDITION", FALSE }, { "ABORTED", TRUE },        { "OUT_OF_RANGE", TRUE },
  { "UNIMPLEMENTED", FALSE },     { "INTERNAL", FALSE },       { "UNAVAILABLE", TRUE },
  { "DATA_LOSS", TRUE },          { "UNAUTHENTICATED", FALSE }
};

static Status
find_status (int status)
{
  return status >= 0 && status < (int) G_N_ELEMENTS (statuses) ? statuses[status]
                                                               : (Status) { "an unknown status", FALSE };
}

static OtlpOutcome
failed (int number, const char *message)
{
  Status status = find_status (number);

  return (OtlpOutcome) {
    OTLP_EXPORT_FAILED, status.is_transient ? CENOTE_LOG_WARNING : CENOTE_LOG_ERROR,
    g_strdup_printf ("export failed: %s (%d): %s; %s", status.name, number, message != NULL ? message : "no reason given",
                     status.is_transient ? "the next one has all that adds up"
                                         : "it will go on until the collector or the keyfile is mended")
  };
}

static OtlpOutcome
not_understood (void)
{
  return (OtlpOutcome) {
    OTLP_EXPORT_FAILED, CENOTE_LOG_ERROR,
    g_strdup ("export failed: the reply is no ExportMetricsServiceResponse; does the pool lead to a collector?")
  };
}

static OtlpOutcome
taken (void)
{
  return (OtlpOutcome) { OTLP_EXPORT_TAKEN, CENOTE_LOG_INFO, g_strdup ("the collector takes exports again") };
}

static OtlpOutcome
taken_in_part (const Otlp__ExportMetricsPartialSuccess *partial)
{
  return (OtlpOutcome) {
    OTLP_EXPORT_TAKEN_IN_PART, CENOTE_LOG_WARNING,
    g_strdup_printf ("the collector rejected %" G_GINT64_FORMAT " data points: %s", (gint64) partial->rejected_data_points,
                     *partial->error_message != '\0' ? partial->error_message : "no reason given")
  };
}

/* An empty message means the same as none. */
static gboolean
is_partial (const Otlp__ExportMetricsPartialSuccess *partial)
{
  return partial != NULL && (partial->rejected_data_points != 0 || *partial->error_message != '\0');
}

OtlpOutcome
otlp_outcome_of (int status, const char *message, const void *response, gsize size)
{
  Otlp__ExportMetricsServiceResponse *reply;
  OtlpOutcome outcome;

  if (status != 0)
    return failed (status, message);
  reply = otlp__export_metrics_service_response__unpack (NULL, size, response);
  if (reply == NULL)
    return not_understood ();
  outcome = is_partial (reply->partial_success) ? taken_in_part (reply->partial_success) : taken ();
  otlp__export_metrics_service_response__free_unpacked (reply, NULL);
  return outcome;
}

void
otlp_outcome_clear (OtlpOutcome *outcome)
{
  g_clear_pointer (&outcome->text, g_free);
}
