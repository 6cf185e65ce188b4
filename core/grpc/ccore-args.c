/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The channel arguments that every connection of Cenote's carries, with why.
 * settings refuses channel-args that name one of them.
 */
#include <grpc/grpc.h>
#include <limits.h>

#include "core/config/argument.h"
#include "ccore.h"

struct CcoreArgs {
  GArray *rows;              /* of grpc_arg; strings are owned */
  grpc_channel_args args;
};

static void
add_integer (CcoreArgs *args, const char *name, gint64 value)
{
  grpc_arg row = { .type = GRPC_ARG_INTEGER, .key = g_strdup (name) };

  row.value.integer = (int) CLAMP (value, INT_MIN, INT_MAX);
  g_array_append_val (args->rows, row);
}

static void
add_string (CcoreArgs *args, const char *name, const char *value)
{
  grpc_arg row = { .type = GRPC_ARG_STRING, .key = g_strdup (name) };

  row.value.string = g_strdup (value);
  g_array_append_val (args->rows, row);
}

gint64
ccore_attempt_us (gint64 connect_timeout_us)
{
  return connect_timeout_us + 250 * 1000;
}

/* One channel object is one attempt: C-core's own backoff must not end before our
 * timer does, nor keep a given-up socket for long (FACTS 5). */
static void
add_attempt (CcoreArgs *args, const CcoreArgsInput *input)
{
  gint64 attempt_ms = ccore_attempt_us (input->connect_timeout_us) / 1000;

  add_integer (args, "grpc.initial_reconnect_backoff_ms", attempt_ms);
  add_integer (args, GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, attempt_ms);
  add_integer (args, GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, attempt_ms);
}

/* All four are needed, or pings stop in silence (FACTS 21). */
static void
add_keepalive (CcoreArgs *args, const CcoreArgsInput *input)
{
  if (input->keepalive_time_us == CENOTE_OFF)
    return;
  add_integer (args, GRPC_ARG_KEEPALIVE_TIME_MS, input->keepalive_time_us / 1000);
  add_integer (args, GRPC_ARG_KEEPALIVE_TIMEOUT_MS, input->keepalive_timeout_us / 1000);
  add_integer (args, GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, input->keepalive_permit_without_calls);
  add_integer (args, GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
}

static void
add_limits (CcoreArgs *args, const CcoreArgsInput *input)
{
  add_integer (args, GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, input->max_message_bytes);
  add_integer (args, GRPC_ARG_MAX_SEND_MESSAGE_LENGTH, input->max_message_bytes);
  add_integer (args, GRPC_ARG_MAX_METADATA_SIZE, input->max_metadata_bytes);
  /* Identity alone: a peer cannot make a small message large (FACTS 24).  A call with another
   * encoding is ended; without the second line its first message is inflated before that. */
  add_integer (args, GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, 1);
  add_integer (args, GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
}

/* What argument_parse() refuses was a fault of the keyfile, and does not come here. */
static void
add_extra (CcoreArgs *args, const char *const *extra)
{
  for (; extra != NULL && *extra != NULL; extra++) {
    g_autofree char *problem = NULL;
    Argument argument;

    if (!argument_parse (*extra, &argument, &problem))
      continue;
    if (argument.text == NULL)
      add_integer (args, argument.name, argument.number);
    else
      add_string (args, argument.name, argument.text);
    argument_clear (&argument);
  }
}

CcoreArgs *
ccore_args_new (const CcoreArgsInput *input)
{
  CcoreArgs *args = g_new0 (CcoreArgs, 1);

  args->rows = g_array_new (FALSE, FALSE, sizeof (grpc_arg));
  /* N channels are N connections (FACTS 1). */
  add_integer (args, GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  /* Trailers without a status abort the process with C-core's retries (FACTS 19). */
  add_integer (args, GRPC_ARG_ENABLE_RETRIES, 0);
  add_integer (args, GRPC_ARG_ENABLE_HTTP_PROXY, input->http_proxy);
  /* An idle connection is a connection (FACTS 3). */
  add_integer (args, GRPC_ARG_CLIENT_IDLE_TIMEOUT_MS, INT_MAX);
  add_attempt (args, input);
  add_keepalive (args, input);
  add_limits (args, input);
  if (input->authority != NULL)
    add_string (args, GRPC_ARG_DEFAULT_AUTHORITY, input->authority);
  if (input->service_config != NULL)
    add_string (args, GRPC_ARG_SERVICE_CONFIG, input->service_config);
  add_extra (args, input->extra);
  args->args = (grpc_channel_args) { .num_args = args->rows->len, .args = (grpc_arg *) (void *) args->rows->data };
  return args;
}

const void *
ccore_args_get (const CcoreArgs *args)
{
  return &args->args;
}

void
ccore_args_free (CcoreArgs *args)
{
  guint i;

  if (args == NULL)
    return;
  for (i = 0; i < args->rows->len; i++) {
    grpc_arg *row = &g_array_index (args->rows, grpc_arg, i);

    g_free (row->key);
    if (row->type == GRPC_ARG_STRING)
      g_free (row->value.string);
  }
  g_array_free (args->rows, TRUE);
  g_free (args);
}
