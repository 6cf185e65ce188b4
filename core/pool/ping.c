/* SPDX-License-Identifier: Apache-2.0 */
#include "ping.h"

#include <grpc/status.h>

#define PING_METHOD "/cenote.Ping/Ping"
/* Nobody should answer with a message; whoever does, lives. */
#define MAX_ANSWER_BYTES 1024

struct Ping {
  const PingSite *site;
  gpointer owner;
  Link *link;                /* NULL: stopped */
  Stream *stream;            /* NULL: none is on its way */
  gint64 begun_us;
  ControlTimer timer;
};

static Control *
control_of (const Ping *ping)
{
  return ping->site->streams->control;
}

static void
set_timer (Ping *ping, gint64 delay_us)
{
  control_timer_set (control_of (ping), &ping->timer, control_now_us (control_of (ping)) + delay_us);
}

static void
end (Ping *ping, const char *error)
{
  ping->stream = NULL;
  ping->site->ended (ping->owner, control_now_us (control_of (ping)) - ping->begun_us, error);
}

static void
heard_message (GBytes *message, gpointer data)
{
  Ping *ping = data;

  (void) message;
  ping->site->streams->drop (ping->stream);
  end (ping, NULL);
}

static gboolean
is_sign_of_life (int status)
{
  return status != GRPC_STATUS_UNAVAILABLE && status != GRPC_STATUS_DEADLINE_EXCEEDED;
}

static void
heard_status (int status, const char *details, gpointer data)
{
  Ping *ping = data;
  g_autofree char *error = NULL;

  if (status == GRPC_STATUS_DEADLINE_EXCEEDED)
    error = g_strdup_printf ("ping failed: no answer within %" G_GINT64_FORMAT " ms", ping->site->timeout_us / 1000);
  else if (!is_sign_of_life (status))
    error = g_strdup_printf ("ping failed: %s", details[0] == '\0' ? "UNAVAILABLE" : details);
  end (ping, error);
}

/* A link whose loss is on its way to us is not asked: C-core would dial (FACTS 3a). */
static void
is_due (gpointer data)
{
  Ping *ping = data;
  const StreamSpec spec = {
    .method = PING_METHOD,
    .timeout_us = ping->site->timeout_us,
    .max_message_bytes = MAX_ANSWER_BYTES,
    .message = heard_message,
    .ended = heard_status,
    .data = ping,
    .n_alive = ping->site->n_alive,
  };

  set_timer (ping, ping->site->interval_us);
  if (ping->stream != NULL || !link_is_up (ping->link))
    return;
  ping->begun_us = control_now_us (control_of (ping));
  ping->stream = ping->site->streams->start (ping->site->streams, link_channel (ping->link), &spec);
}

Ping *
ping_new (const PingSite *site, gpointer owner)
{
  Ping *ping = g_new0 (Ping, 1);

  ping->site = site;
  ping->owner = owner;
  ping->timer = (ControlTimer) { .func = is_due, .data = ping };
  return ping;
}

void
ping_free (Ping *ping)
{
  if (ping == NULL)
    return;
  ping_stop (ping);
  g_free (ping);
}

void
ping_start (Ping *ping, Link *link)
{
  World *world = control_world (control_of (ping));

  ping_stop (ping);
  ping->link = link;
  set_timer (ping, (gint64) (world->random (world) % (guint64) ping->site->interval_us));
}

void
ping_stop (Ping *ping)
{
  control_timer_unset (control_of (ping), &ping->timer);
  if (ping->stream != NULL)
    ping->site->streams->drop (g_steal_pointer (&ping->stream));
  ping->link = NULL;
}
