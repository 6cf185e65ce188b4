/* SPDX-License-Identifier: Apache-2.0 */
/* prometheus-status: the lock guards all but what is set in new; it is never held over a call of the host's. */
#include "prometheus-status.h"

#include <pthread.h>
#include <string.h>

#include "sink-thread.h"

struct StatusDesk {
  const CenoteHost *host;
  void (*arrived) (gpointer data, guint64 ticket);
  gpointer data;
  GThread *thread;

  pthread_mutex_t lock;      /* rather than GLib's, which ThreadSanitizer does not see */
  pthread_cond_t changed;
  gboolean is_over;
  guint64 asked;             /* the last ticket given */
  guint64 begun;             /* the last ticket of the reading that is under way, or was the last */
  GBytes *latest;            /* (nullable) */
};

static GBytes *
read_status (const StatusDesk *desk)
{
  char *json = desk->host->status_json (desk->host);
  GBytes *bytes = json != NULL ? g_bytes_new (json, strlen (json)) : NULL;

  desk->host->free_memory (desk->host, json);
  return bytes;
}

/* Waits for a ticket that nobody reads for.  0: the desk closes. */
static guint64
next_ticket (StatusDesk *desk)
{
  guint64 ticket;

  pthread_mutex_lock (&desk->lock);
  while (!desk->is_over && desk->asked == desk->begun)
    pthread_cond_wait (&desk->changed, &desk->lock);
  ticket = desk->is_over ? 0 : (desk->begun = desk->asked);
  pthread_mutex_unlock (&desk->lock);
  return ticket;
}

static void
keep (StatusDesk *desk, GBytes *status)
{
  pthread_mutex_lock (&desk->lock);
  g_clear_pointer (&desk->latest, g_bytes_unref);
  desk->latest = status;
  pthread_mutex_unlock (&desk->lock);
}

static gpointer
run (gpointer data)
{
  StatusDesk *desk = data;
  guint64 ticket;

  while ((ticket = next_ticket (desk)) != 0) {
    keep (desk, read_status (desk));
    desk->arrived (desk->data, ticket);
  }
  return NULL;
}

StatusDesk *
status_desk_new (const CenoteHost *host, void (*arrived) (gpointer data, guint64 ticket), gpointer data)
{
  StatusDesk *desk = g_new0 (StatusDesk, 1);

  desk->host = host;
  desk->arrived = arrived;
  desk->data = data;
  pthread_mutex_init (&desk->lock, NULL);
  pthread_cond_init (&desk->changed, NULL);
  desk->thread = sink_thread_start ("cenote-status", run, desk);
  if (desk->thread != NULL)
    return desk;
  status_desk_free (desk);
  return NULL;
}

void
status_desk_free (StatusDesk *desk)
{
  if (desk == NULL)
    return;
  pthread_mutex_lock (&desk->lock);
  desk->is_over = TRUE;
  pthread_cond_signal (&desk->changed);
  pthread_mutex_unlock (&desk->lock);
  g_clear_pointer (&desk->thread, g_thread_join);
  g_clear_pointer (&desk->latest, g_bytes_unref);
  pthread_mutex_destroy (&desk->lock);
  pthread_cond_destroy (&desk->changed);
  g_free (desk);
}

guint64
status_desk_ask (StatusDesk *desk)
{
  guint64 ticket;

  pthread_mutex_lock (&desk->lock);
  if (desk->asked == desk->begun)
    desk->asked++;
  ticket = desk->asked;
  pthread_cond_signal (&desk->changed);
  pthread_mutex_unlock (&desk->lock);
  return ticket;
}

GBytes *
status_desk_take (StatusDesk *desk)
{
  GBytes *latest;

  pthread_mutex_lock (&desk->lock);
  latest = desk->latest != NULL ? g_bytes_ref (desk->latest) : NULL;
  pthread_mutex_unlock (&desk->lock);
  return latest;
}
