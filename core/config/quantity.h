/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quantity: numbers as people write them, with their units, read and written exactly.
 *
 * A decimal is `-?[0-9]+(\.[0-9]+)?`; no locale, no exponent, no blank before a
 * unit.  Durations become whole microseconds, sizes whole bytes; what would have
 * to be rounded is refused.  Pure.
 */
#ifndef CENOTE_CORE_QUANTITY_H
#define CENOTE_CORE_QUANTITY_H

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  QUANTITY_OK,
  QUANTITY_MALFORMED,
  QUANTITY_TOO_LARGE,        /* for 64 bits */
  QUANTITY_TOO_FINE          /* not a whole number of microseconds or bytes */
} QuantityResult;

/* OUT is untouched unless the result is QUANTITY_OK. */
QuantityResult quantity_read_int (const char *text, gint64 *out_number);
QuantityResult quantity_read_real (const char *text, double *out_number);
/* "0.2" or "20%" */
QuantityResult quantity_read_fraction (const char *text, double *out_number);
/* us ms s min h, or "0" */
QuantityResult quantity_read_duration (const char *text, gint64 *out_us);
/* B KiB MiB GiB, or "0" */
QuantityResult quantity_read_size (const char *text, gint64 *out_bytes);

/* (transfer full): in the largest unit that leaves a whole number. */
char *quantity_write_duration (gint64 us);
char *quantity_write_size (gint64 bytes);
/* (transfer full): the shortest text that reads back as NUMBER. */
char *quantity_write_real (double number);

G_END_DECLS

#endif
