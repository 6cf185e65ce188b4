/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prometheus-errors: a queue of N_KEPT, the newest first.  An outage says the same again and again: what is like one
 * of the queue is counted there and moves to the front, so that it does not push out what came before it.
 */
#include "prometheus-errors.h"

#include <cenote/event-text.h>
#include <pthread.h>

#include "json-text.h"

#define N_KEPT 40
#define MAX_TEXT 512

typedef struct Entry {
  guint32 kind;
  guint64 count;
  gint64 wall_us;            /* of the last one */
  char *pool;
  char *address;
  char *text;                /* the last one's, for people, without the pool */
} Entry;

struct Errors {
  pthread_mutex_t lock;      /* rather than GLib's, which ThreadSanitizer does not see */
  GQueue entries;
};

static void
entry_free (gpointer data)
{
  Entry *entry = data;

  g_free (entry->pool);
  g_free (entry->address);
  g_free (entry->text);
  g_free (entry);
}

Errors *
errors_new (void)
{
  Errors *errors = g_new0 (Errors, 1);

  pthread_mutex_init (&errors->lock, NULL);
  g_queue_init (&errors->entries);
  return errors;
}

void
errors_free (Errors *errors)
{
  g_queue_clear_full (&errors->entries, entry_free);
  pthread_mutex_destroy (&errors->lock);
  g_free (errors);
}

/* ------------------------------------------------------------------ taking */

static gboolean
is_bad_news (const CenoteEvent *event)
{
  if ((ERROR_EVENTS & CENOTE_EVENT_BIT (event->kind)) == 0)
    return FALSE;
  if (event->kind == CENOTE_EVENT_POOL_SCALE_UP)
    return event->failed > 0;
  if (event->kind == CENOTE_EVENT_CHANNEL_PING || event->kind == CENOTE_EVENT_CHANNEL_HEALTH ||
      event->kind == CENOTE_EVENT_POOL_RELOAD)
    return event->ok == 0;
  return TRUE;
}

static char *
text_of (const CenoteEvent *event)
{
  CenoteEvent nameless = *event;
  char line[MAX_TEXT];

  nameless.pool = NULL;
  (void) cenote_event_format (line, sizeof line, &nameless);
  return g_strdup (line);
}

static Entry *
entry_new (const CenoteEvent *event)
{
  Entry *entry = g_new0 (Entry, 1);

  entry->kind = event->kind;
  entry->pool = g_strdup (event->pool);
  entry->address = g_strdup (event->address);
  return entry;
}

static gint
is_unlike (gconstpointer data, gconstpointer wanted)
{
  const Entry *entry = data;
  const CenoteEvent *event = wanted;

  return entry->kind != event->kind || g_strcmp0 (entry->pool, event->pool) != 0 ||
         g_strcmp0 (entry->address, event->address) != 0;
}

static Entry *
take_like (Errors *errors, const CenoteEvent *event)
{
  GList *link = g_queue_find_custom (&errors->entries, event, is_unlike);
  Entry *entry = link != NULL ? link->data : NULL;

  if (link != NULL)
    g_queue_delete_link (&errors->entries, link);
  return entry != NULL ? entry : entry_new (event);
}

void
errors_take (Errors *errors, const CenoteEvent *event)
{
  Entry *entry;

  if (!is_bad_news (event))
    return;
  pthread_mutex_lock (&errors->lock);
  entry = take_like (errors, event);
  entry->count++;
  entry->wall_us = event->wall_us;
  g_free (entry->text);
  entry->text = text_of (event);
  g_queue_push_head (&errors->entries, entry);
  if (errors->entries.length > N_KEPT)
    entry_free (g_queue_pop_tail (&errors->entries));
  pthread_mutex_unlock (&errors->lock);
}

/* ------------------------------------------------------------------- telling */

static void
append_entry (gpointer data, gpointer user_data)
{
  const Entry *entry = data;
  GString *out = user_data;

  g_string_append_printf (out, "%s{\"at_ms\":%" G_GINT64_FORMAT ",\"count\":%" G_GUINT64_FORMAT ",\"kind\":\"%s\",\"pool\":",
                          out->str[out->len - 1] == '[' ? "" : ",", entry->wall_us / 1000, entry->count,
                          cenote_event_kind_to_string (entry->kind));
  json_append_string (out, entry->pool);
  g_string_append (out, ",\"text\":");
  json_append_string (out, entry->text);
  g_string_append_c (out, '}');
}

void
errors_append_json (Errors *errors, GString *out)
{
  g_string_append_c (out, '[');
  pthread_mutex_lock (&errors->lock);
  g_queue_foreach (&errors->entries, append_entry, out);
  pthread_mutex_unlock (&errors->lock);
  g_string_append_c (out, ']');
}
