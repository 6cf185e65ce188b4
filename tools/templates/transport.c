/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transport/@NAME@: plaintext channels whose calls are compressed.
 *
 * C-core drives the channels (watch and connect are left out), so all that there is
 * to do is to make one.  All of it on the control thread.
 */
#include <cenote/plugin.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <stdlib.h>
#include <string.h>

enum { COMPRESSION };

static const CenoteOption options[] = {
  [COMPRESSION] = { "compression", CENOTE_OPTION_ENUM, 0, "none", NULL, NULL, "none|deflate|gzip",
                    "How messages are compressed that the pool's calls send" },
};

typedef struct Transport {
  const CenoteHost *host;
  grpc_compression_algorithm compression;
} Transport;

static void *
create (const CenoteHost *host, const CenoteOptions *values, CenoteFault *fault)
{
  static const grpc_compression_algorithm algorithms[] = { GRPC_COMPRESS_NONE, GRPC_COMPRESS_DEFLATE, GRPC_COMPRESS_GZIP };
  Transport *transport = calloc (1, sizeof *transport);

  if (transport == NULL) {
    host->fail (host, fault, "out of memory");
    return NULL;
  }
  transport->host = host;
  transport->compression = algorithms[cenote_options_at (values, COMPRESSION)->number];
  return transport;
}

/* ARGS with one more, whose array is the caller's to free; false: out of memory. */
static bool
add_compression (const Transport *transport, const grpc_channel_args *args, grpc_channel_args *out)
{
  out->num_args = args->num_args + 1;
  out->args = calloc (out->num_args, sizeof *out->args);
  if (out->args == NULL)
    return false;
  if (args->num_args > 0)
    memcpy (out->args, args->args, args->num_args * sizeof *out->args);
  out->args[args->num_args].type = GRPC_ARG_INTEGER;
  out->args[args->num_args].key = (char *) GRPC_COMPRESSION_CHANNEL_DEFAULT_ALGORITHM;
  out->args[args->num_args].value.integer = (int) transport->compression;
  return true;
}

static grpc_channel *
create_channel (void *state, const char *address, const void *args, CenoteFault *fault)
{
  const Transport *transport = state;
  grpc_channel_credentials *credentials;
  grpc_channel_args all;
  grpc_channel *channel;

  if (address[0] == '\0') {
    transport->host->fail (transport->host, fault, "an empty address leads nowhere");
    return NULL;
  }
  if (!add_compression (transport, args, &all)) {
    transport->host->fail (transport->host, fault, "out of memory");
    return NULL;
  }
  credentials = grpc_insecure_credentials_create ();
  channel = grpc_channel_create (address, credentials, &all); /* copies what it is given */
  grpc_channel_credentials_release (credentials);
  free (all.args);
  return channel;
}

static const CenoteTransportOps ops = {
  .struct_size = sizeof ops,
  .flags = CENOTE_TRANSPORT_TAKES_ADDRESSES,
  .create = create,
  .create_channel = create_channel,
  .destroy = free,
};

static const CenotePlugin plugin = {
  CENOTE_PLUGIN_HEAD (CENOTE_PLUGIN_TRANSPORT),
  .name = "@NAME@",
  .version = "0.1.0",
  .summary = "Plaintext HTTP/2 with compressed messages",
  .license = "Apache-2.0",
  CENOTE_PLUGIN_OPTIONS (options),
  .ops = &ops,
};

CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_TRANSPORT, "@NAME@")
