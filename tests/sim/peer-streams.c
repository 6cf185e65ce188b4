/* SPDX-License-Identifier: Apache-2.0 */
#include "peer-streams.h"

#include <grpc/status.h>
#include <string.h>

typedef enum { KIND_PING, KIND_PRIME, KIND_WATCH, KIND_CHECK } Kind;

struct Stream {
  Control *control;
  StreamSpec spec;
  Peer *peer;
  Kind kind;
  gboolean asked;            /* for a message */
  gboolean has_news;         /* the peer has something to tell */
  ControlTimer answer;
  ControlTimer deadline;
};

/* Those that are not over. */
static GPtrArray *
all (void)
{
  static GPtrArray *streams;

  if (streams == NULL)
    streams = g_ptr_array_new ();
  return streams;
}

static void
stream_end (Stream *stream)
{
  (*stream->spec.n_alive)--;
  stream->peer->voice.n_watching -= stream->kind == KIND_WATCH;
  control_timer_unset (stream->control, &stream->answer);
  control_timer_unset (stream->control, &stream->deadline);
  g_ptr_array_remove (all (), stream);
  g_free (stream);
}

static void
end_with (Stream *stream, int status, const char *details)
{
  const StreamSpec spec = stream->spec;

  stream_end (stream);
  spec.ended (status, details, spec.data);
}

/* ------------------------------------------------------------------ answers */

static void
send_status (Stream *stream)
{
  const guint8 bytes[] = { 0x08, (guint8) stream->peer->voice.serving };
  g_autoptr (GBytes) message = g_bytes_new (bytes, sizeof bytes);

  stream->asked = stream->has_news = FALSE;
  stream->spec.message (message, stream->spec.data);
}

static void
answer_check (Stream *stream)
{
  const PeerVoice *voice = &stream->peer->voice;

  if (!voice->has_check)
    end_with (stream, GRPC_STATUS_UNIMPLEMENTED, "no Check");
  else if (stream->has_news)
    send_status (stream);
  else
    end_with (stream, GRPC_STATUS_OK, "");
}

static void
answer_is_due (gpointer data)
{
  Stream *stream = data;
  const PeerVoice *voice = &stream->peer->voice;

  if (voice->is_silent)
    return;
  switch (stream->kind) {
  case KIND_PING:
    end_with (stream, voice->ping_status, "an answer");
    break;
  case KIND_PRIME:
    end_with (stream, voice->prime_status, "an answer");
    break;
  case KIND_WATCH:
    if (!voice->has_watch)
      end_with (stream, GRPC_STATUS_UNIMPLEMENTED, "no Watch");
    else if (stream->has_news && stream->asked)
      send_status (stream);
    break;
  case KIND_CHECK:
    answer_check (stream);
    break;
  }
}

static void
answer_soon (Stream *stream)
{
  control_timer_set (stream->control, &stream->answer, control_now_us (stream->control) + stream->peer->voice.after_us);
}

static void
is_late (gpointer data)
{
  end_with (data, GRPC_STATUS_DEADLINE_EXCEEDED, "no answer in time");
}

/* -------------------------------------------------------------------- maker */

static Kind
kind_of (const char *method)
{
  if (strcmp (method, HEALTH_WATCH_METHOD) == 0)
    return KIND_WATCH;
  if (strcmp (method, HEALTH_CHECK_METHOD) == 0)
    return KIND_CHECK;
  return strstr (method, "Ping") != NULL ? KIND_PING : KIND_PRIME;
}

static void
count (Stream *stream)
{
  PeerVoice *voice = &stream->peer->voice;

  voice->n_pings += stream->kind == KIND_PING;
  voice->n_primes += stream->kind == KIND_PRIME;
  voice->n_watches += stream->kind == KIND_WATCH;
  voice->n_watching += stream->kind == KIND_WATCH;
  voice->n_checks += stream->kind == KIND_CHECK;
}

static Stream *
start (const StreamMaker *maker, grpc_channel *channel, const StreamSpec *spec)
{
  Stream *stream = g_new0 (Stream, 1);
  Connection *connection = connection_of (channel);

  if (connection->state != CONNECTION_UP)
    connection->peer->peers->n_faults++;
  stream->control = maker->control;
  stream->spec = *spec;
  stream->peer = connection->peer;
  stream->kind = kind_of (spec->method);
  stream->asked = stream->has_news = TRUE;
  stream->answer = (ControlTimer){ .func = answer_is_due, .data = stream };
  stream->deadline = (ControlTimer){ .func = is_late, .data = stream };
  (*spec->n_alive)++;
  count (stream);
  g_ptr_array_add (all (), stream);
  if (spec->timeout_us != CENOTE_OFF)
    control_timer_set (maker->control, &stream->deadline, control_now_us (maker->control) + spec->timeout_us);
  answer_soon (stream);
  return stream;
}

static void
next (Stream *stream)
{
  stream->asked = TRUE;
  answer_soon (stream);
}

static void
drop (Stream *stream)
{
  stream_end (stream);
}

StreamMaker
peer_stream_maker (Control *control)
{
  return (StreamMaker){ .start = start, .next = next, .drop = drop, .control = control };
}

void
peer_serves (Peer *peer, ServingStatus status)
{
  guint i;

  peer->voice.serving = status;
  for (i = 0; i < all ()->len; i++) {
    Stream *stream = all ()->pdata[i];

    if (stream->peer != peer || stream->kind != KIND_WATCH)
      continue;
    stream->has_news = TRUE;
    answer_soon (stream);
  }
}

void
peer_end_watches (Peer *peer, int status, const char *details)
{
  guint i;

  for (i = all ()->len; i-- > 0;) {
    Stream *stream = all ()->pdata[i];

    if (stream->peer == peer && stream->kind == KIND_WATCH)
      end_with (stream, status, details);
  }
}
