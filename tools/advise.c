/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cenote advise: how many channels a load needs, by Little's law: calls under way at once are
 * calls a second times the seconds that each takes, and a connection takes so many at once.
 */
#include <math.h>
#include <stdio.h>

#include "command.h"
#include "core/base/json.h"
#include "core/config/quantity.h"

/* Loads are not even, and a connection may be lost: of each channel's streams this part is planned for, and two are the least. */
#define FILL 0.5
#define MAX_RATE 1e9
#define MAX_STREAMS 1000000
#define MAX_CHANNELS 10000

typedef struct Load {
  double rate;               /* calls a second */
  gint64 latency_us;
  gint64 streams;            /* that a server takes on one connection */
} Load;

typedef struct Advice {
  double in_flight;          /* calls under way at once, on average */
  gint64 least;              /* channels, where every stream is used all the time */
  gint64 size;               /* channels, with room for peaks */
} Advice;

static gint64
channels_for (double in_flight, double streams, gint64 least)
{
  return MAX (least, (gint64) ceil (in_flight / streams - 1e-9));
}

static Advice
advise (const Load *load)
{
  double in_flight = load->rate * (double) load->latency_us / G_USEC_PER_SEC;

  return (Advice) {
    .in_flight = in_flight,
    .least = channels_for (in_flight, (double) load->streams, 1),
    .size = channels_for (in_flight, MAX (1, (double) load->streams * FILL), 2),
  };
}

/* ------------------------------------------------------------------- options */

static int
misread (const Command *command, const char *option, const char *text, const char *expected)
{
  return command_misused (command, "--%s=%s: expected %s", option, text != NULL ? text : "", expected);
}

static gboolean
read_load (const Command *command, int argc, char **argv, Load *load, gboolean *json)
{
  g_autofree char *rate = NULL, *latency = NULL, *streams = NULL;
  const GOptionEntry entries[] = {
    { "rate", 0, 0, G_OPTION_ARG_STRING, &rate, "Calls a second, at the busiest time", "N" },
    { "latency", 0, 0, G_OPTION_ARG_STRING, &latency, "How long a call takes on average; a stream: how long it lives", "DURATION" },
    { "streams", 0, 0, G_OPTION_ARG_STRING, &streams, "Calls that the server takes on a connection at once, 100 unless given", "N" },
    { "json", 0, 0, G_OPTION_ARG_NONE, json, "Print JSON", NULL },
    G_OPTION_ENTRY_NULL
  };
  g_auto (GStrv) words = NULL;

  if (!command_parse (command, argc, argv, &words, entries, NULL))
    return FALSE;
  if (rate == NULL || quantity_read_real (rate, &load->rate) != QUANTITY_OK || load->rate <= 0 || load->rate > MAX_RATE)
    misread (command, "rate", rate, "calls a second, more than 0 and at most 1000000000");
  else if (latency == NULL || quantity_read_duration (latency, &load->latency_us) != QUANTITY_OK || load->latency_us <= 0)
    misread (command, "latency", latency, "a duration, e.g. 5ms");
  else if (streams != NULL && (quantity_read_int (streams, &load->streams) != QUANTITY_OK || load->streams < 1 ||
                               load->streams > MAX_STREAMS))
    misread (command, "streams", streams, "1 to 1000000");
  else
    return TRUE;
  return FALSE;
}

/* ------------------------------------------------------------------- printing */

/* A keyfile's lines, with why. */
static void
print_advice (const Load *load, const Advice *advice)
{
  printf ("# %.6g calls a second that take %.6g ms are %.6g at once.\n", load->rate, (double) load->latency_us / 1000,
          advice->in_flight);
  printf ("# A connection takes %" G_GINT64_FORMAT " at once: %" G_GINT64_FORMAT " full, or %" G_GINT64_FORMAT
          " half full, with room for peaks and while one is lost.\n",
          load->streams, advice->least, advice->size);
  printf ("size=%" G_GINT64_FORMAT "\nmax-streams-per-channel=%" G_GINT64_FORMAT "\n", MIN (advice->size, MAX_CHANNELS),
          load->streams);
}

static void
print_json (const Load *load, const Advice *advice)
{
  g_autoptr (GString) out = g_string_new (NULL);

  json_begin_object (out);
  json_member_int64 (out, "in_flight", (gint64) ceil (advice->in_flight));
  json_member_int64 (out, "min_size", advice->least);
  json_member_int64 (out, "size", advice->size);
  json_member_int64 (out, "max_streams_per_channel", load->streams);
  json_end_object (out);
  printf ("%s\n", out->str);
}

static int
run (const Command *command, int argc, char **argv)
{
  Load load = { .streams = 100 };
  gboolean json = FALSE;
  Advice advice;

  if (!read_load (command, argc, argv, &load, &json))
    return EXIT_USAGE;
  advice = advise (&load);
  if (json)
    print_json (&load, &advice);
  else
    print_advice (&load, &advice);
  if (advice.size <= MAX_CHANNELS)
    return EXIT_GOOD;
  fprintf (stderr, "cenote advise: a pool has at most %d channels: spread the load over more processes or pools\n", MAX_CHANNELS);
  return EXIT_FAILED;
}

const Command advise_command = {
  .name = "advise",
  .arguments = "--rate=N --latency=DURATION",
  .summary = "how many channels a load needs",
  .description = "By Little's law: calls a second, times how long each takes, are the calls at once; a server takes\n"
                 "so many of them on one connection.  Prints lines for a pool's group in a keyfile.",
  .min_words = 0,
  .max_words = 0,
  .run = run,
};
