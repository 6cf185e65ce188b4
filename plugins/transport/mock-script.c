/* SPDX-License-Identifier: Apache-2.0 */
/* mock-script: one pass over a step, word by word. */
#include "mock-script.h"

#include <stdbool.h>
#include <string.h>

#define MAX_TIME_US (INT64_C (24) * 3600 * 1000 * 1000)

static const char *
skip_blanks (const char *at)
{
  return at + strspn (at, " \t");
}

/* Takes WORD, which ends where no letter follows, from *AT. */
static bool
take_word (const char **at, const char *word)
{
  size_t length = strlen (word);

  if (strncmp (*at, word, length) != 0 || strspn (*at + length, "abcdefghijklmnopqrstuvwxyz") != 0)
    return false;
  *at = skip_blanks (*at + length);
  return true;
}

/* At most 15 digits, so that nothing is lost in a double. */
static bool
take_number (const char **at, double *out_number)
{
  const char *begin = *at;
  double number = 0, place = 1;
  bool is_fraction = false;

  for (; (**at >= '0' && **at <= '9') || (**at == '.' && !is_fraction); ++*at) {
    if (**at == '.') {
      is_fraction = true;
      continue;
    }
    number = number * 10 + (**at - '0');
    place *= is_fraction ? 10 : 1;
  }
  *out_number = number / place;
  return *at > begin && *begin != '.' && (*at)[-1] != '.' && *at - begin <= 15;
}

static bool
take_time (const char **at, int64_t *out_us)
{
  static const struct { const char *name; double us; } units[] = {
    { "us", 1 }, { "ms", 1e3 }, { "s", 1e6 }, { "min", 60e6 }, { "h", 3600e6 }
  };
  double number;

  if (!take_number (at, &number))
    return false;
  for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
    if (take_word (at, units[i].name)) {
      if (number * units[i].us > (double) MAX_TIME_US)
        return false;
      *out_us = (int64_t) (number * units[i].us + 0.5);
      return true;
    }
  }
  if (number != 0 || strspn (*at, "abcdefghijklmnopqrstuvwxyz") != 0)
    return false;
  *out_us = 0;
  *at = skip_blanks (*at);
  return true;
}

static const char *
take_outcome (const char **at, MockOutcome *out_outcome)
{
  if (take_word (at, "ok"))
    *out_outcome = MOCK_OK;
  else if (take_word (at, "fail"))
    *out_outcome = MOCK_FAIL;
  else if (take_word (at, "hang"))
    *out_outcome = MOCK_HANG;
  else
    return "begins with none of ok, fail, hang";
  return NULL;
}

const char *
mock_script_read_step (const char *text, MockStep *out_step)
{
  const char *at = skip_blanks (text);
  MockStep step = { MOCK_HANG, 0, -1, NULL };
  const char *problem = take_outcome (&at, &step.outcome);

  if (problem)
    return problem;
  if (step.outcome != MOCK_HANG && take_word (&at, "after") && !take_time (&at, &step.after_us))
    return "has no time after 'after' (e.g. 20ms; at most 24h)";
  if (step.outcome == MOCK_OK && take_word (&at, "for") && !take_time (&at, &step.lasts_us))
    return "has no time after 'for' (e.g. 2s; at most 24h)";
  if (step.outcome != MOCK_HANG && *at == ':') {
    step.text = skip_blanks (at + 1);
    at += strlen (at);
  }
  if (*at != '\0')
    return step.outcome == MOCK_OK     ? "goes on after its end (ok [after TIME] [for TIME] [: text])"
           : step.outcome == MOCK_FAIL ? "goes on after its end (fail [after TIME] [: text])"
                                       : "goes on after its end (hang stands alone)";
  *out_step = step;
  return NULL;
}
