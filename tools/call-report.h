/* SPDX-License-Identifier: Apache-2.0 */
/* call-report: how the calls of a CallTally ended, for people and for scripts. */
#ifndef CENOTE_TOOLS_CALL_REPORT_H
#define CENOTE_TOOLS_CALL_REPORT_H

#include "call-run.h"

G_BEGIN_DECLS

/* A few lines: how many, how fast, and the failures by status. */
void call_report_write (const CallJob *job, const CallTally *tally, GString *out);
/* One JSON object. */
void call_report_write_json (const CallJob *job, const CallTally *tally, GString *out);

G_END_DECLS

#endif
