/* SPDX-License-Identifier: Apache-2.0 */
#include "health.h"

#include <grpc/status.h>

#include "core/grpc/health-message.h"

/* A HealthCheckResponse has 2 bytes today. */
#define MAX_ANSWER_BYTES 1024
#define PACE_US (10 * 1000)

/* A Watch is opened again after that, 1.6 times longer each time that no answer
 * came, each ± 20 %.  One that stood for so long breaks for a new reason. */
#define BACKOFF_US (500 * 1000)
#define BACKOFF_MAX_US (10 * G_USEC_PER_SEC)

typedef enum {
  HEALTH_STOPPED,
  HEALTH_WATCHING,
  HEALTH_RESTING,
  HEALTH_CHECKING,
  HEALTH_WAITING,
  HEALTH_WITHOUT_OPINION
} HealthState;

typedef enum { OPINION_NONE, OPINION_SERVES, OPINION_SERVES_NOT } Opinion;

struct Health {
  const HealthSite *site;
  gpointer owner;
  Link *link;
  HealthState state;
  Stream *stream;            /* in WATCHING and CHECKING */
  Opinion opinion;
  char *why;                 /* of the opinion */
  gboolean answered;         /* the stream: at least once */
  GBytes *answer;            /* to a Check, until its status comes; NULL: none */
  gint64 opened_us;          /* the stream */
  gint64 backoff_us;         /* before the next Watch */
  /* WATCHING: no first answer yet, then: the next one may be asked for.  RESTING, WAITING: the next question. */
  ControlTimer timer;
};

static void watch (Health *health);
static void check (Health *health);

static Control *
control_of (const Health *health)
{
  return health->site->streams->control;
}

static gint64
now_us (const Health *health)
{
  return control_now_us (control_of (health));
}

static void
set_timer (Health *health, gint64 delay_us)
{
  control_timer_set (control_of (health), &health->timer, now_us (health) + delay_us);
}

/* DELAY_US, less or more by up to a fifth. */
static gint64
spread (const Health *health, gint64 delay_us)
{
  World *world = control_world (control_of (health));

  return delay_us - delay_us / 5 + (gint64) (world->random (world) % (guint64) (2 * delay_us / 5 + 1));
}

/* ----------------------------------------------------------------- opinions */

static void
opine (Health *health, gboolean serves, const char *why)
{
  Opinion opinion = serves ? OPINION_SERVES : OPINION_SERVES_NOT;
  g_autofree char *old_why = NULL;

  if (health->opinion == opinion && g_strcmp0 (health->why, why) == 0)
    return;
  health->opinion = opinion;
  old_why = g_steal_pointer (&health->why);
  health->why = g_strdup (why);
  health->site->told (health->owner, serves, health->why);
}

static void
opine_on_answer (Health *health, GBytes *answer)
{
  ServingStatus status;

  if (health_response_read (answer, &status))
    opine (health, status == SERVING_STATUS_SERVING, serving_status_to_string (status));
  else
    opine (health, FALSE, "the health check's answer is no HealthCheckResponse");
}

static void
opine_on_failure (Health *health, const char *what, int status, const char *details)
{
  g_autofree char *why = g_strdup_printf ("the health %s (status %d%s%s)", what, status,
                                          details[0] == '\0' ? "" : ": ", details);

  opine (health, FALSE, why);
}

/* -------------------------------------------------------------------- asking */

static void
drop_stream (Health *health)
{
  if (health->stream != NULL)
    health->site->streams->drop (g_steal_pointer (&health->stream));
  g_clear_pointer (&health->answer, g_bytes_unref);
}

static void
ask (Health *health, const char *method, gint64 timeout_us, void (*message) (GBytes *message, gpointer data),
     void (*ended) (int status, const char *details, gpointer data))
{
  const StreamMaker *streams = health->site->streams;
  const StreamSpec spec = {
    .method = method,
    .request = health->site->request,
    .timeout_us = timeout_us,
    .max_message_bytes = MAX_ANSWER_BYTES,
    .message = message,
    .ended = ended,
    .data = health,
    .n_alive = health->site->n_alive,
  };

  health->answered = FALSE;
  health->opened_us = now_us (health);
  health->stream = streams->start (streams, link_channel (health->link), &spec);
}

/* -------------------------------------------------------------------- Watch */

static gint64
next_backoff (Health *health)
{
  gint64 backoff_us = health->backoff_us;

  if (health->answered && now_us (health) - health->opened_us >= BACKOFF_US) {
    health->backoff_us = BACKOFF_US;
    return 0;
  }
  health->backoff_us = MIN (backoff_us * 8 / 5, BACKOFF_MAX_US);
  return spread (health, backoff_us);
}

static void
rest (Health *health)
{
  health->state = HEALTH_RESTING;
  set_timer (health, next_backoff (health));
}

/* The next answer is asked for when the pace allows it. */
static void
watch_answered (GBytes *message, gpointer data)
{
  Health *health = data;

  health->answered = TRUE;
  set_timer (health, PACE_US);
  opine_on_answer (health, message);
}

/* The end of the connection ends a Watch too; that is the link's to tell. */
static void
watch_ended (int status, const char *details, gpointer data)
{
  Health *health = data;

  health->stream = NULL;
  control_timer_unset (control_of (health), &health->timer);
  if (status == GRPC_STATUS_UNIMPLEMENTED) {
    check (health);
    return;
  }
  rest (health);
  if (link_is_up (health->link))
    opine_on_failure (health, "watch broke", status, details);
}

static void
watch_is_silent (Health *health)
{
  g_autofree char *why = g_strdup_printf ("no answer to the health watch within %" G_GINT64_FORMAT " ms",
                                          health->site->answer_timeout_us / 1000);

  drop_stream (health);
  rest (health);
  opine (health, FALSE, why);
}

static void
watch (Health *health)
{
  health->state = HEALTH_WATCHING;
  set_timer (health, health->site->answer_timeout_us);
  ask (health, HEALTH_WATCH_METHOD, CENOTE_OFF, watch_answered, watch_ended);
}

/* -------------------------------------------------------------------- Check */

/* Reads on, because a status comes only after all messages; of more than one, the last counts. */
static void
check_answered (GBytes *message, gpointer data)
{
  Health *health = data;

  g_clear_pointer (&health->answer, g_bytes_unref);
  health->answer = g_bytes_ref (message);
  health->site->streams->next (health->stream);
}

static void
check_ended (int status, const char *details, gpointer data)
{
  Health *health = data;
  g_autoptr (GBytes) answer = g_steal_pointer (&health->answer);

  health->stream = NULL;
  if (status == GRPC_STATUS_UNIMPLEMENTED) {
    health->state = HEALTH_WITHOUT_OPINION;
    opine (health, TRUE, "the server has no health service, which is no opinion");
    return;
  }
  health->state = HEALTH_WAITING;
  set_timer (health, spread (health, health->site->interval_us));
  if (status == GRPC_STATUS_NOT_FOUND)
    opine (health, FALSE, serving_status_to_string (SERVING_STATUS_SERVICE_UNKNOWN));
  else if (status == GRPC_STATUS_OK && answer != NULL)
    opine_on_answer (health, answer);
  else if (link_is_up (health->link))
    opine_on_failure (health, "check failed", status, details);
}

static void
check (Health *health)
{
  health->state = HEALTH_CHECKING;
  ask (health, HEALTH_CHECK_METHOD, health->site->answer_timeout_us, check_answered, check_ended);
}

/* --------------------------------------------------------------------- life */

/* A link whose loss is on its way to us is not asked: C-core would dial (FACTS 3a). */
static void
is_due (gpointer data)
{
  Health *health = data;

  switch (health->state) {
  case HEALTH_WATCHING:
    if (health->answered)
      health->site->streams->next (health->stream);
    else
      watch_is_silent (health);
    break;
  case HEALTH_RESTING:
    if (link_is_up (health->link))
      watch (health);
    break;
  case HEALTH_WAITING:
    if (link_is_up (health->link))
      check (health);
    break;
  case HEALTH_STOPPED:
  case HEALTH_CHECKING:
  case HEALTH_WITHOUT_OPINION:
    break;
  }
}

Health *
health_new (const HealthSite *site, gpointer owner)
{
  Health *health = g_new0 (Health, 1);

  health->site = site;
  health->owner = owner;
  health->timer = (ControlTimer) { .func = is_due, .data = health };
  return health;
}

void
health_free (Health *health)
{
  if (health == NULL)
    return;
  health_stop (health);
  g_free (health->why);
  g_free (health);
}

void
health_start (Health *health, Link *link)
{
  health_stop (health);
  health->link = link;
  health->opinion = OPINION_NONE;
  health->backoff_us = BACKOFF_US;
  watch (health);
}

void
health_stop (Health *health)
{
  control_timer_unset (control_of (health), &health->timer);
  drop_stream (health);
  health->state = HEALTH_STOPPED;
  health->link = NULL;
}
