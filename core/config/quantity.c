/* SPDX-License-Identifier: Apache-2.0 */
/* quantity: numbers as people write them, with their units, read and written exactly. */
#include "quantity.h"

#include <math.h>
#include <string.h>

/* More decimals than this are finer than any unit's whole parts. */
#define MAX_DECIMALS 9

typedef struct Unit {
  const char *name;
  gint64 factor;
} Unit;

/* From small to large; the writers walk them backwards. */
static const Unit duration_units[] = {
  { "us", 1 },
  { "ms", 1000 },
  { "s", G_USEC_PER_SEC },
  { "min", 60 * (gint64) G_USEC_PER_SEC },
  { "h", 3600 * (gint64) G_USEC_PER_SEC },
};

static const Unit size_units[] = {
  { "B", 1 },
  { "KiB", G_GINT64_CONSTANT (1) << 10 },
  { "MiB", G_GINT64_CONSTANT (1) << 20 },
  { "GiB", G_GINT64_CONSTANT (1) << 30 },
};

/* A decimal taken apart: WHOLE and DECIMALS are runs of digits in the text. */
typedef struct Decimal {
  gboolean negative;
  const char *whole;
  gsize n_whole;
  const char *decimals;
  gsize n_decimals;          /* without zeros at the end */
  const char *rest;          /* what follows: the unit */
} Decimal;

static gsize
digits_at (const char *text)
{
  return strspn (text, "0123456789");
}

static gboolean
take_apart (const char *text, Decimal *out)
{
  memset (out, 0, sizeof *out);
  out->negative = *text == '-';
  out->whole = text + (out->negative ? 1 : 0);
  out->n_whole = digits_at (out->whole);
  if (out->n_whole == 0)
    return FALSE;
  out->rest = out->whole + out->n_whole;
  if (*out->rest != '.')
    return TRUE;
  out->decimals = out->rest + 1;
  out->n_decimals = digits_at (out->decimals);
  if (out->n_decimals == 0)
    return FALSE;
  out->rest = out->decimals + out->n_decimals;
  while (out->n_decimals > 0 && out->decimals[out->n_decimals - 1] == '0')
    out->n_decimals--;
  return TRUE;
}

static gboolean
read_digits (const char *digits, gsize n, guint64 *out)
{
  guint64 number = 0;
  gsize i;

  for (i = 0; i < n; i++) {
    if (!g_uint64_checked_mul (&number, number, 10) || !g_uint64_checked_add (&number, number, digits[i] - '0'))
      return FALSE;
  }
  *out = number;
  return TRUE;
}

static guint64
power_of_ten (gsize n)
{
  guint64 power = 1;

  while (n-- > 0)
    power *= 10;
  return power;
}

/* WHOLE.DECIMALS × FACTOR, exactly.  9 decimals × the largest factor fit in 64 bits. */
static QuantityResult
scale (const Decimal *decimal, gint64 factor, gint64 *out)
{
  guint64 whole, decimals, number;
  guint64 power = power_of_ten (MIN (decimal->n_decimals, MAX_DECIMALS));

  if (!read_digits (decimal->whole, decimal->n_whole, &whole))
    return QUANTITY_TOO_LARGE;
  if (decimal->n_decimals > MAX_DECIMALS || !read_digits (decimal->decimals, decimal->n_decimals, &decimals))
    return QUANTITY_TOO_FINE;
  if (decimals * (guint64) factor % power != 0)
    return QUANTITY_TOO_FINE;
  if (!g_uint64_checked_mul (&number, whole, (guint64) factor)
      || !g_uint64_checked_add (&number, number, decimals * (guint64) factor / power) || number > G_MAXINT64)
    return QUANTITY_TOO_LARGE;
  *out = decimal->negative ? -(gint64) number : (gint64) number;
  return QUANTITY_OK;
}

static const Unit *
find_unit (const Unit *units, gsize n_units, const char *name)
{
  gsize i;

  for (i = 0; i < n_units; i++) {
    if (strcmp (units[i].name, name) == 0)
      return &units[i];
  }
  return NULL;
}

static QuantityResult
read_with_unit (const char *text, const Unit *units, gsize n_units, gint64 *out)
{
  const Unit *unit;
  Decimal decimal;

  if (strcmp (text, "0") == 0) {
    *out = 0;
    return QUANTITY_OK;
  }
  if (!take_apart (text, &decimal) || decimal.negative)
    return QUANTITY_MALFORMED;
  unit = find_unit (units, n_units, decimal.rest);
  return unit == NULL ? QUANTITY_MALFORMED : scale (&decimal, unit->factor, out);
}

QuantityResult
quantity_read_int (const char *text, gint64 *out_number)
{
  Decimal decimal;

  if (!take_apart (text, &decimal) || decimal.decimals != NULL || *decimal.rest != '\0')
    return QUANTITY_MALFORMED;
  return scale (&decimal, 1, out_number);
}

/* TEXT is a decimal, then UNIT and nothing else. */
static QuantityResult
read_real_before (const char *text, const char *unit, double *out_number)
{
  Decimal decimal;
  double number;

  if (!take_apart (text, &decimal) || strcmp (decimal.rest, unit) != 0)
    return QUANTITY_MALFORMED;
  number = g_ascii_strtod (text, NULL);
  if (!isfinite (number))
    return QUANTITY_TOO_LARGE;
  *out_number = number;
  return QUANTITY_OK;
}

QuantityResult
quantity_read_real (const char *text, double *out_number)
{
  return read_real_before (text, "", out_number);
}

QuantityResult
quantity_read_fraction (const char *text, double *out_number)
{
  double percent;
  QuantityResult result = read_real_before (text, "%", &percent);

  if (result == QUANTITY_MALFORMED)
    return read_real_before (text, "", out_number);
  if (result == QUANTITY_OK)
    *out_number = percent / 100;
  return result;
}

QuantityResult
quantity_read_duration (const char *text, gint64 *out_us)
{
  return read_with_unit (text, duration_units, G_N_ELEMENTS (duration_units), out_us);
}

QuantityResult
quantity_read_size (const char *text, gint64 *out_bytes)
{
  return read_with_unit (text, size_units, G_N_ELEMENTS (size_units), out_bytes);
}

static char *
write_with_unit (gint64 number, const Unit *units, gsize n_units)
{
  gsize i = n_units - 1;

  if (number == 0)
    return g_strdup ("0");
  while (number % units[i].factor != 0)
    i--;
  return g_strdup_printf ("%" G_GINT64_FORMAT "%s", number / units[i].factor, units[i].name);
}

char *
quantity_write_duration (gint64 us)
{
  return write_with_unit (us, duration_units, G_N_ELEMENTS (duration_units));
}

char *
quantity_write_size (gint64 bytes)
{
  return write_with_unit (bytes, size_units, G_N_ELEMENTS (size_units));
}

char *
quantity_write_real (double number)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE], format[8];
  int digits;

  for (digits = 1; digits <= 17; digits++) {
    g_snprintf (format, sizeof format, "%%.%dg", digits);
    g_ascii_formatd (text, sizeof text, format, number);
    if (g_ascii_strtod (text, NULL) == number)
      break;
  }
  return g_strdup (text);
}
