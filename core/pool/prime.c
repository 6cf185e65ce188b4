/* SPDX-License-Identifier: Apache-2.0 */
#include "prime.h"

#include <grpc/status.h>
#include <string.h>

#include "core/grpc/health-message.h"
#include "core/grpc/blame.h"

#define PRIME_METHOD_NAME "/cenote.Prime/Prime"
/* Between a try that was refused at once and the next one. */
#define PAUSE_US (100 * 1000)

typedef enum { PRIME_STOPPED, PRIME_ASKING, PRIME_PAUSED } PrimeState;

struct Prime {
  const PrimeSite *site;
  gpointer owner;
  Link *link;
  PrimeState state;
  PrimeKind kind;
  Stream *stream;            /* in ASKING */
  GBytes *answer;            /* HEALTH's, until the status comes; NULL: none */
  guint n_tries;             /* so far */
  gint64 begun_us;           /* the try */
  ControlTimer timer;        /* in PAUSED */
};

gboolean
prime_kind_from_string (const char *text, PrimeKind *out_kind)
{
  static const char *const words[] = { [PRIME_NONE] = "none", [PRIME_HEADERS] = "headers", [PRIME_HEALTH] = "health" };
  gsize i;

  if (text == NULL)
    return FALSE;
  for (i = 0; i < G_N_ELEMENTS (words); i++) {
    if (strcmp (text, words[i]) != 0)
      continue;
    *out_kind = (PrimeKind) i;
    return TRUE;
  }
  if (text[0] == '/')
    *out_kind = PRIME_METHOD;
  return text[0] == '/';
}

static Control *
control_of (const Prime *prime)
{
  return prime->site->streams->control;
}

/* ------------------------------------------------------------------ answers */

/* (transfer full) (nullable): what is wrong with the answer. */
static char *
judge_health (const Prime *prime, int status, const char *details)
{
  ServingStatus serving;

  if (status == GRPC_STATUS_UNIMPLEMENTED && !blame_falls_on_channel (status, details))
    return NULL;
  if (status == GRPC_STATUS_NOT_FOUND)
    return g_strdup (serving_status_to_string (SERVING_STATUS_SERVICE_UNKNOWN));
  if (status != GRPC_STATUS_OK)
    return blame_to_string (status, details);
  if (prime->answer == NULL || !health_response_read (prime->answer, &serving))
    return g_strdup ("the answer is no HealthCheckResponse");
  return serving == SERVING_STATUS_SERVING ? NULL : g_strdup (serving_status_to_string (serving));
}

static char *
judge (const Prime *prime, int status, const char *details)
{
  gboolean good = TRUE;

  switch (prime->kind) {
  case PRIME_NONE:
    break;
  case PRIME_HEADERS:
    good = !blame_falls_on_channel (status, details);
    break;
  case PRIME_HEALTH:
    return judge_health (prime, status, details);
  case PRIME_METHOD:
    good = status == GRPC_STATUS_OK;
    break;
  }
  return good ? NULL : blame_to_string (status, details);
}

/* -------------------------------------------------------------------- asking */

static const char *
method_of (const Prime *prime)
{
  if (prime->kind == PRIME_HEALTH)
    return HEALTH_CHECK_METHOD;
  return prime->kind == PRIME_METHOD ? prime->site->method : PRIME_METHOD_NAME;
}

/* (transfer full) (nullable): for headers alone. */
static GBytes *
request_of (const Prime *prime)
{
  if (prime->kind == PRIME_HEALTH)
    return g_bytes_ref (prime->site->request);
  return prime->kind == PRIME_METHOD ? g_bytes_new_static ("", 0) : NULL;
}

static void
forget_try (Prime *prime)
{
  if (prime->stream != NULL)
    prime->site->streams->drop (g_steal_pointer (&prime->stream));
  g_clear_pointer (&prime->answer, g_bytes_unref);
}

static void
end (Prime *prime, const char *error)
{
  prime->state = PRIME_STOPPED;
  prime->site->ended (prime->owner, error);
}

/* A connection whose loss is on its way to us is the link's to tell. */
static void
try_again (Prime *prime)
{
  gint64 now_us = control_now_us (control_of (prime));

  prime->state = PRIME_PAUSED;
  control_timer_set (control_of (prime), &prime->timer, MAX (now_us, prime->begun_us + PAUSE_US));
}

static void
heard_message (GBytes *message, gpointer data)
{
  Prime *prime = data;

  g_clear_pointer (&prime->answer, g_bytes_unref);
  prime->answer = g_bytes_ref (message);
  prime->site->streams->next (prime->stream);
}

static void
heard_status (int status, const char *details, gpointer data)
{
  Prime *prime = data;
  g_autofree char *fault = judge (prime, status, details);
  g_autofree char *error = NULL;

  prime->stream = NULL;
  forget_try (prime);
  if (fault == NULL) {
    end (prime, NULL);
  } else if (prime->n_tries < prime->site->n_tries) {
    try_again (prime);
  } else {
    error = g_strdup_printf ("%s was not answered well in %u tries: %s", method_of (prime), prime->n_tries, fault);
    end (prime, error);
  }
}

static void
ask (Prime *prime)
{
  const StreamMaker *streams = prime->site->streams;
  g_autoptr (GBytes) request = request_of (prime);
  const StreamSpec spec = {
    .method = method_of (prime),
    .request = request,
    .timeout_us = prime->site->timeout_us,
    .max_message_bytes = prime->site->max_message_bytes,
    .message = heard_message,
    .ended = heard_status,
    .data = prime,
    .n_alive = prime->site->n_alive,
  };

  prime->state = PRIME_ASKING;
  prime->n_tries++;
  prime->begun_us = control_now_us (control_of (prime));
  prime->stream = streams->start (streams, link_channel (prime->link), &spec);
}

/* A link whose loss is on its way to us is not asked: C-core would dial (FACTS 3a). */
static void
pause_is_over (gpointer data)
{
  Prime *prime = data;

  if (link_is_up (prime->link))
    ask (prime);
}

/* --------------------------------------------------------------------- life */

Prime *
prime_new (const PrimeSite *site, gpointer owner)
{
  Prime *prime = g_new0 (Prime, 1);

  prime->site = site;
  prime->owner = owner;
  prime->timer = (ControlTimer) { .func = pause_is_over, .data = prime };
  return prime;
}

void
prime_free (Prime *prime)
{
  if (prime == NULL)
    return;
  prime_stop (prime);
  g_free (prime);
}

/* Through the timer, so that a link which has just been lost again is not asked. */
void
prime_start (Prime *prime, Link *link, PrimeKind kind)
{
  prime_stop (prime);
  prime->link = link;
  prime->kind = kind;
  prime->n_tries = 0;
  prime->state = PRIME_PAUSED;
  control_timer_set (control_of (prime), &prime->timer, control_now_us (control_of (prime)));
}

void
prime_stop (Prime *prime)
{
  control_timer_unset (control_of (prime), &prime->timer);
  forget_try (prime);
  prime->state = PRIME_STOPPED;
  prime->link = NULL;
}
