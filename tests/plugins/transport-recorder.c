/* SPDX-License-Identifier: Apache-2.0 */
/* transport/recorder: plaintext, and says in the log what it was given: "address A", "NAME=VALUE" per argument. */
#include <cenote/plugin.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <stdio.h>

static void *
create (const CenoteHost *host, const CenoteOptions *values, CenoteFault *fault)
{
  (void) values;
  (void) fault;
  return (void *) host;
}

static void
say_argument (const CenoteHost *host, const grpc_arg *argument)
{
  const char *string = argument->type == GRPC_ARG_STRING ? argument->value.string : "?";
  char text[256];

  if (argument->type == GRPC_ARG_INTEGER)
    snprintf (text, sizeof text, "%s=%d", argument->key, argument->value.integer);
  else
    snprintf (text, sizeof text, "%s=%s", argument->key, string);
  host->log (host, CENOTE_LOG_INFO, text);
}

static grpc_channel *
create_channel (void *state, const char *address, const void *args, CenoteFault *fault)
{
  grpc_channel_credentials *credentials = grpc_insecure_credentials_create ();
  grpc_channel *channel = grpc_channel_create (address, credentials, args);
  const grpc_channel_args *arguments = args;
  const CenoteHost *host = state;
  char text[256];

  (void) fault;
  snprintf (text, sizeof text, "address %s", address);
  host->log (host, CENOTE_LOG_INFO, text);
  for (size_t i = 0; i < arguments->num_args; i++)
    say_argument (host, &arguments->args[i]);
  grpc_channel_credentials_release (credentials);
  return channel;
}

static const CenoteTransportOps ops = {
  .struct_size = sizeof ops,
  .create = create,
  .create_channel = create_channel,
};

static const CenotePlugin plugin = {
  CENOTE_PLUGIN_HEAD (CENOTE_PLUGIN_TRANSPORT),
  .name = "recorder",
  .version = "1",
  .summary = "Says what it was given",
  .license = "Apache-2.0",
  .ops = &ops,
};

CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_TRANSPORT, "recorder")
