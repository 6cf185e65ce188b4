/* SPDX-License-Identifier: Apache-2.0 */
/*
 * <cenote/event-text.h>: events as words: the names of their kinds, and one line
 * for people.
 *
 * For telemetry plugins and for programs with a sink of their own.  Everything
 * here is static inline, because a plugin links nothing of libcenote.  Allocates
 * nothing; any thread.
 */
#ifndef CENOTE_EVENT_TEXT_H
#define CENOTE_EVENT_TEXT_H

#include <cenote/telemetry.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A line is the pool's name and one of the texts, in which %letter stands for a
 * value (see cenote_event_text_value()); a part in [] is left out where one of its
 * values is absent. */
typedef struct CenoteEventWords {
  const char *name;
  const char *text;
  const char *text_not_ok;   /* where event->ok is 0; NULL: as text */
} CenoteEventWords;

static inline const CenoteEventWords *
cenote_event_words (uint32_t kind)
{
  static const CenoteEventWords words[] = {
    { "channel.get", "%H was taken[ in %d]", "no channel to take[: %e]" },
    { "channel.connected", "%H connected[ in %d]", NULL },
    { "channel.connection_failed", "%H did not connect[ (attempt %n)][ in %d][: %e]", NULL },
    { "channel.disconnected", "%H was disconnected[ after %d][: %r][ (%e)]", NULL },
    { "channel.reconnect_scheduled", "%H dials again[ in %D][ (attempt %n)][: %r]", NULL },
    { "channel.ping", "%H answered a ping[ in %d]", "%H did not answer a ping[ in %d][: %e]" },
    { "channel.health", "%H is healthy[: %r]", "%H is not healthy[: %r]" },
    { "channel.drained", "%H drained[ in %d][: %r]", NULL },
    { "pool.init", "opened[ with %x channels][ to %a]", NULL },
    { "pool.get_channel", "gave a channel[ in %d][ (%c ready)]", "had no channel to give[ (%c ready)]" },
    { "pool.status", "%c of %x channels ready[, %f leases in flight][, %w waiting]", NULL },
    { "pool.scale_up", "scaled up[ to %N channels][: %s of %q opened][, %F failed][ in %d]", NULL },
    { "pool.scale_down", "scaled down[ to %N channels][: %s of %q drain][, %F failed][ in %d]", NULL },
    { "pool.waiting", "a caller waits for a channel[ (%w waiting)]", NULL },
    { "pool.reload", "reloaded", "was not reloaded[: %e]" },
    { "connector.dial", "was asked for a channel to %a", NULL },
    { "connector.cache_miss", "has no channel to %a yet", NULL },
    { "connector.connection_count", "has %C connections", NULL },
    { "plugin.loaded", "plugin %r loaded", NULL },
    { "plugin.failed", "plugin %r failed[: %e]", NULL },
    { "channel.state", "%H: %r", NULL },
    { "telemetry.dropped", "%C events were lost on their way to this sink", NULL },
    { "channel.ejected", "%H is out of rotation[ for %D][: %r]", NULL },
    { "channel.unejected", "%H is in rotation again[ after %d][: %r]", NULL },
    { "lease.leak", "a lease on %H is held[ for %d so far][: %r]", NULL }
  };

  return kind < sizeof words / sizeof words[0] ? &words[kind] : NULL;
}

/**
 * cenote_event_kind_to_string:
 *
 * Returns: "channel.connected", …; "unknown" for no kind.  Since: 0.1
 */
static inline const char *
cenote_event_kind_to_string (uint32_t kind)
{
  const CenoteEventWords *words = cenote_event_words (kind);

  return words != NULL ? words->name : "unknown";
}

/**
 * cenote_event_kind_from_string:
 * @out_kind: untouched where there is no such name
 *
 * Returns: whether @name is a kind's.  Since: 0.1
 */
static inline bool
cenote_event_kind_from_string (const char *name, CenoteEventKind *out_kind)
{
  for (uint32_t kind = 0; kind < CENOTE_N_EVENTS; kind++)
    if (strcmp (cenote_event_words (kind)->name, name) == 0) {
      *out_kind = CENOTE_AS (CenoteEventKind, kind);
      return true;
    }
  return false;
}

/* NS as people say it: "950 ns", "1.2 ms", "5.0 s", "12.5 min". */
static inline void
cenote_event_text_duration (char *out, size_t size, int64_t ns)
{
  static const struct { int64_t ns; const char *name; } units[] = {
    { INT64_C (3600000000000), "h" }, { INT64_C (60000000000), "min" }, { INT64_C (1000000000), "s" },
    { 1000000, "ms" }, { 1000, "us" }
  };

  for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
    if (ns >= units[i].ns) {
      (void) snprintf (out, size, "%" PRId64 ".%d %s", ns / units[i].ns, CENOTE_AS (int, ns % units[i].ns / (units[i].ns / 10)),
                       units[i].name);
      return;
    }
  (void) snprintf (out, size, "%" PRId64 " ns", ns);
}

/* "channel 3 to ADDRESS", as much of it as there is. */
static inline void
cenote_event_text_subject (char *out, size_t size, const CenoteEvent *event)
{
  const char *to = event->address != NULL ? " to " : "", *address = event->address != NULL ? event->address : "";

  if (event->channel == 0)
    (void) snprintf (out, size, "a channel%s%s", to, address);
  else
    (void) snprintf (out, size, "channel %" PRIu64 "%s%s", event->channel, to, address);
}

/* The number that %LETTER stands for; -1: absent. */
static inline int64_t
cenote_event_text_number (const CenoteEvent *event, char letter)
{
  switch (letter) {
  case 'd': return event->duration_ns;
  case 'D': return event->delay_ms;
  case 'n': return event->attempt;
  case 'x': return event->expected_size;
  case 'c': return event->current_size;
  case 'f': return event->in_flight;
  case 'w': return event->waiters;
  case 'q': return event->requested;
  case 's': return event->succeeded;
  case 'F': return event->failed;
  case 'N': return event->new_size;
  case 'C': return event->count;
  default: return -1;
  }
}

/* What %LETTER stands for, perhaps in BUFFER; NULL: absent. */
static inline const char *
cenote_event_text_value (const CenoteEvent *event, char letter, char *buffer, size_t size)
{
  int64_t number = cenote_event_text_number (event, letter);

  switch (letter) {
  case 'a': return event->address;
  case 'r': return event->reason;
  case 'e': return event->error;
  case 'H': cenote_event_text_subject (buffer, size, event); return buffer;
  default: break;
  }
  if (number < 0)
    return NULL;
  if (letter == 'd')
    cenote_event_text_duration (buffer, size, number);
  else if (letter == 'D')
    cenote_event_text_duration (buffer, size, number > INT64_MAX / 1000000 ? INT64_MAX : number * 1000000);
  else
    (void) snprintf (buffer, size, "%" PRId64, number);
  return buffer;
}

/* Where a line is written, and how much of it there would be. */
typedef struct CenoteEventLine {
  char *out;
  size_t size;
  size_t length;
} CenoteEventLine;

/* Control characters become blanks, so that a peer's text stays on its line. */
static inline void
cenote_event_line_put (CenoteEventLine *line, const char *text, size_t length)
{
  for (size_t i = 0; i < length; i++, line->length++)
    if (line->length + 1 < line->size)
      line->out[line->length] = CENOTE_AS (unsigned char, text[i]) < 0x20 || text[i] == 0x7f ? ' ' : text[i];
}

/* Whether each value in TEXT, up to its ']', is there. */
static inline bool
cenote_event_part_is_there (const CenoteEvent *event, const char *text)
{
  char buffer[512];

  for (; *text != ']' && *text != '\0'; text++)
    if (*text == '%' && cenote_event_text_value (event, *++text, buffer, sizeof buffer) == NULL)
      return false;
  return true;
}

static inline void
cenote_event_line_put_text (CenoteEventLine *line, const CenoteEvent *event, const char *text)
{
  char buffer[512];

  for (; *text != '\0'; text++)
    if (*text == '[' && !cenote_event_part_is_there (event, text)) {
      text = strchr (text, ']');
    } else if (*text == '%') {
      const char *value = cenote_event_text_value (event, *++text, buffer, sizeof buffer);

      value = value != NULL ? value : "?";
      cenote_event_line_put (line, value, strlen (value));
    } else if (*text != '[' && *text != ']') {
      cenote_event_line_put (line, text, 1);
    }
}

/* Ends the line, if cut then before a whole character. */
static inline void
cenote_event_line_end (CenoteEventLine *line)
{
  size_t end = line->length;

  if (line->size == 0)
    return;
  if (end >= line->size) {
    end = line->size - 1;
    while (end > 0 && (CENOTE_AS (unsigned char, line->out[end - 1]) & 0xc0) == 0x80)
      end--;
    if (end > 0 && CENOTE_AS (unsigned char, line->out[end - 1]) >= 0xc0)
      end--;
  }
  line->out[end] = '\0';
}

/**
 * cenote_event_format:
 * @out: (nullable): where the line goes, always ended by a NUL where @size is not 0
 * @size: bytes at @out; 1024 hold every event that Cenote emits
 * @event: of this header's size (as sinks get it)
 *
 * Writes e.g. "users: channel 3 to dns:///users.example.com:443 connected in 1.2 ms":
 * one line without a newline.
 * Returns: the bytes of the whole line, without its NUL; @size or more: it was cut.  Since: 0.1
 */
static inline size_t
cenote_event_format (char *out, size_t size, const CenoteEvent *event)
{
  const CenoteEventWords *words = cenote_event_words (event->kind);
  CenoteEventLine line = { out, size, 0 };

  if (event->pool != NULL) {
    cenote_event_line_put (&line, event->pool, strlen (event->pool));
    cenote_event_line_put (&line, ": ", 2);
  }
  if (words == NULL)
    cenote_event_line_put_text (&line, event, "an event of an unknown kind");
  else if (event->ok == 0 && words->text_not_ok != NULL)
    cenote_event_line_put_text (&line, event, words->text_not_ok);
  else
    cenote_event_line_put_text (&line, event, words->text);
  cenote_event_line_end (&line);
  return line.length;
}

#ifdef __cplusplus
}
#endif

#endif
