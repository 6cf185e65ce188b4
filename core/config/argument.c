/* SPDX-License-Identifier: Apache-2.0 */
/* argument: one element of channel-args, name=value, and the arguments that are Cenote's own. */
#include "argument.h"

#include <string.h>

#include "quantity.h"

/* KEY: the pool's key that says it; where there is none, WHY it has to be as it is. */
static const struct {
  const char *name;
  const char *key;
  const char *why;
} owned[] = {
  { "grpc.absolute_max_metadata_size", "max-metadata-size", NULL },
  { "grpc.channel_pooling_domain", NULL, "each channel has a connection of its own" },
  { "grpc.client_idle_timeout_ms", "idle-timeout", NULL },
  { "grpc.compression_enabled_algorithms_bitset", NULL,
    "compressed messages are refused, as they can grow without bound" },
  { "grpc.enable_http_proxy", "http-proxy", NULL },
  { "grpc.enable_retries", NULL, "C-core's retries can abort the process" },
  { "grpc.experimental.enable_hedging", NULL, "it needs C-core's retries" },
  { "grpc.http2.max_pings_without_data", "keepalive-permit-without-calls", NULL },
  { "grpc.initial_reconnect_backoff_ms", "backoff", NULL },
  { "grpc.keepalive_permit_without_calls", "keepalive-permit-without-calls", NULL },
  { "grpc.keepalive_time_ms", "keepalive-time", NULL },
  { "grpc.keepalive_timeout_ms", "keepalive-timeout", NULL },
  { "grpc.max_metadata_size", "max-metadata-size", NULL },
  { "grpc.max_receive_message_length", "max-message-size", NULL },
  { "grpc.max_reconnect_backoff_ms", "backoff", NULL },
  { "grpc.max_send_message_length", "max-message-size", NULL },
  { "grpc.min_reconnect_backoff_ms", "backoff", NULL },
  { "grpc.per_message_decompression", NULL, "compressed messages are refused, as they can grow without bound" },
  { "grpc.service_config", "service-config", NULL },
  { "grpc.use_local_subchannel_pool", NULL, "each channel has a connection of its own" },
};

static gboolean
check_owned (const char *name, char **out_problem)
{
  gsize i;

  for (i = 0; i < G_N_ELEMENTS (owned); i++) {
    if (strcmp (owned[i].name, name) != 0)
      continue;
    if (owned[i].key != NULL)
      *out_problem = g_strdup_printf ("%s is Cenote's to set (the key %s)", name, owned[i].key);
    else
      *out_problem = g_strdup_printf ("%s is Cenote's to set (%s)", name, owned[i].why);
    return FALSE;
  }
  return TRUE;
}

static gboolean
read_value (const char *text, Argument *out, char **out_problem)
{
  gint64 number;
  QuantityResult result = quantity_read_int (text, &number);

  if (result == QUANTITY_MALFORMED) {
    out->text = g_strdup (text);
    return TRUE;
  }
  if (result == QUANTITY_OK && number >= G_MININT && number <= G_MAXINT) {
    out->number = (gint) number;
    return TRUE;
  }
  *out_problem = g_strdup_printf ("the value of %s does not fit C-core (%d to %d)", out->name, G_MININT, G_MAXINT);
  return FALSE;
}

gboolean
argument_parse (const char *text, Argument *out_argument, char **out_problem)
{
  const char *equals = strchr (text, '=');
  Argument argument = { 0 };
  g_autofree char *value = NULL;

  if (equals == NULL || equals == text) {
    *out_problem = g_strdup_printf ("'%s' is no argument (NAME=VALUE)", text);
    return FALSE;
  }
  argument.name = g_strstrip (g_strndup (text, (gsize) (equals - text)));
  value = g_strstrip (g_strdup (equals + 1));
  if (!check_owned (argument.name, out_problem) || !read_value (value, &argument, out_problem)) {
    argument_clear (&argument);
    return FALSE;
  }
  *out_argument = argument;
  return TRUE;
}

void
argument_clear (Argument *argument)
{
  g_clear_pointer (&argument->name, g_free);
  g_clear_pointer (&argument->text, g_free);
}
