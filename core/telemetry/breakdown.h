/* SPDX-License-Identifier: Apache-2.0 */
/*
 * breakdown: one count by the values of a label, those that are known from the start
 * and those that turn up.
 *
 * At most BREAKDOWN_MAX values are told apart, so that who chooses them cannot make a
 * monitoring system's series without end: the rest, and what is no short text, is "other".
 * One thread counts, any thread reads; no lock.
 */
#ifndef CENOTE_CORE_BREAKDOWN_H
#define CENOTE_CORE_BREAKDOWN_H

#include <glib.h>

G_BEGIN_DECLS

#define BREAKDOWN_MAX 24
#define BREAKDOWN_MAX_BYTES 64

typedef struct Breakdown Breakdown;

/* KNOWN (copied): values that are there from the start, with 0; at most BREAKDOWN_MAX. */
Breakdown *breakdown_new (const char *const *known);
void breakdown_free (Breakdown *breakdown);
/* VALUE (copied). */
void breakdown_add (Breakdown *breakdown, const char *value);

/* Any thread: values keep their places.  OUT_VALUE lives as long as BREAKDOWN. */
guint breakdown_length (const Breakdown *breakdown);
guint64 breakdown_nth (const Breakdown *breakdown, guint i, const char **out_value);
guint64 breakdown_sum (const Breakdown *breakdown);

G_END_DECLS

#endif
