/* SPDX-License-Identifier: Apache-2.0 */
/* scale: how long the long tests are. */
#ifndef CENOTE_TESTS_SCALE_H
#define CENOTE_TESTS_SCALE_H

#include <glib.h>

#include <algorithm>

/* N at full length, less by CENOTE_TEST_SCALE, never under LEAST. */
static inline unsigned
scaled (unsigned n, unsigned least)
{
  const char *scale = g_getenv ("CENOTE_TEST_SCALE");

  return std::max (least, static_cast<unsigned> (n * (scale == nullptr ? 0.1 : g_ascii_strtod (scale, nullptr))));
}

/* N in check and at full length, less where a sanitizer's stage has less scale, never under LEAST. */
static inline unsigned
scaled_down (unsigned n, unsigned least)
{
  return std::min (n, scaled (10 * n, least));
}

#endif
