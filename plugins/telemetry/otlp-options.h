/* SPDX-License-Identifier: Apache-2.0 */
/* otlp-options: the rows of telemetry/otlp, and what their values say. */
#ifndef CENOTE_OTLP_OPTIONS_H
#define CENOTE_OTLP_OPTIONS_H

#include <cenote/plugin.h>
#include <cenote/telemetry.h>
#include <glib.h>

#include "bounds.h"

typedef struct OtlpOptions {
  char *pool;
  gint64 interval_us;
  gint64 timeout_us;
  gsize max_size;
  Bounds bounds;
  GArray *resource;          /* of CenoteLabel that own their strings: whose metrics these are */
} OtlpOptions;

#define OTLP_N_OPTIONS 7
extern const CenoteOption otlp_options[OTLP_N_OPTIONS];

/* NULL, or (transfer full) what is wrong, and what would be right.  OUT is to be cleared either way.
 * HOST's luck names the instance. */
char *otlp_options_read (const CenoteOptions *values, const CenoteHost *host, OtlpOptions *out);
void otlp_options_clear (OtlpOptions *options);

#endif
