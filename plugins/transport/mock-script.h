/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mock-script: what transport/mock's connection attempts do, as written in its option.
 *
 *   step    = "ok" ["after" TIME] ["for" TIME] [":" TEXT]
 *           | "fail" ["after" TIME] [":" TEXT]
 *           | "hang"
 *   TIME    = a whole or decimal number and us, ms, s, min or h, or 0
 *   TEXT    = the rest of the step: the error's text, or why the connection was lost
 *
 * Without "after" a step takes no time; without "for" a connection lasts.
 */
#ifndef CENOTE_MOCK_SCRIPT_H
#define CENOTE_MOCK_SCRIPT_H

#include <stddef.h>
#include <stdint.h>

typedef enum { MOCK_OK, MOCK_FAIL, MOCK_HANG } MockOutcome;

typedef struct MockStep {
  MockOutcome outcome;
  int64_t after_us;          /* from CONNECTING to the outcome */
  int64_t lasts_us;          /* OK: from READY to the loss; -1: it lasts */
  const char *text;          /* borrowed from what was read; NULL: none given */
} MockStep;

/* Reads TEXT, which must outlive OUT_STEP.  NULL where it is a step, else what is wrong with it. */
const char *mock_script_read_step (const char *text, MockStep *out_step);

#endif
