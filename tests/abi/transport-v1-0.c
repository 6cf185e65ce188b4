/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transport/v1-0: connections to nothing: the first attempt fails, all others succeed.
 * Built with the header of ABI 1.0.
 */
#include "plugin-1.0.h"

#include <grpc/grpc.h>
#include <stdlib.h>

#if CENOTE_ABI_MAJOR != 1 || CENOTE_ABI_MINOR != 0
#error "this plugin must be built with the kept header, not with today's"
#endif

typedef struct Nowhere Nowhere;

typedef struct Connection {
  struct Connection *next;
  Nowhere *nowhere;
  grpc_channel *channel;
  CenoteTransportNotify notify;
  void *notify_data;
  CenoteTimer *timer;        /* of the attempt that goes on */
  bool ready;
} Connection;

struct Nowhere {
  const CenoteHost *host;
  uint32_t attempts;
  Connection *connections;
};

static Connection **
find (Nowhere *nowhere, const grpc_channel *channel)
{
  Connection **at = &nowhere->connections;

  while ((*at)->channel != channel)
    at = &(*at)->next;
  return at;
}

static void *
create (const CenoteHost *host, const CenoteOptions *values, CenoteFault *fault)
{
  Nowhere *nowhere = calloc (1, sizeof *nowhere);

  (void) values;
  if (nowhere)
    nowhere->host = host;
  else
    host->fail (host, fault, "out of memory");
  return nowhere;
}

static grpc_channel *
create_channel (void *state, const char *address, const void *args, CenoteFault *fault)
{
  Nowhere *nowhere = state;
  Connection *connection = calloc (1, sizeof *connection);

  (void) args;
  if (!connection) {
    nowhere->host->fail (nowhere->host, fault, "out of memory");
    return NULL;
  }
  *connection = (Connection) { .next = nowhere->connections, .nowhere = nowhere };
  connection->channel = grpc_lame_client_channel_create (address, GRPC_STATUS_UNAVAILABLE, "it leads to nothing");
  nowhere->connections = connection;
  return connection->channel;
}

static void
watch (void *state, grpc_channel *channel, CenoteTransportNotify notify, void *notify_data)
{
  Connection *connection = *find (state, channel);

  connection->notify = notify;
  connection->notify_data = notify_data;
}

static void
finish_attempt (void *data)
{
  Connection *connection = data;

  connection->timer = NULL;
  connection->ready = connection->nowhere->attempts++ > 0;
  if (!connection->ready)
    connection->notify (connection->notify_data, CENOTE_CHANNEL_TRANSIENT_FAILURE, "the first attempt fails");
  else
    connection->notify (connection->notify_data, CENOTE_CHANNEL_READY, NULL);
}

static void
begin_attempt (void *data)
{
  Connection *connection = data;
  const CenoteHost *host = connection->nowhere->host;

  connection->timer = host->timer_start (host, 1000, finish_attempt, connection);
  connection->notify (connection->notify_data, CENOTE_CHANNEL_CONNECTING, NULL);
}

static void
connect_channel (void *state, grpc_channel *channel)
{
  Connection *connection = *find (state, channel);
  const CenoteHost *host = connection->nowhere->host;

  if (!connection->timer && !connection->ready)
    connection->timer = host->timer_start (host, 0, begin_attempt, connection);
}

static void
close_channel (void *state, grpc_channel *channel)
{
  Nowhere *nowhere = state;
  Connection **at = find (nowhere, channel);
  Connection *connection = *at;

  *at = connection->next;
  nowhere->host->timer_stop (nowhere->host, connection->timer);
  grpc_channel_destroy (connection->channel);
  free (connection);
}

static const CenoteTransportOps ops = {
  .struct_size = sizeof ops, .create = create, .create_channel = create_channel, .watch = watch,
  .connect = connect_channel, .close_channel = close_channel, .destroy = free
};

static const CenotePlugin plugin = {
  CENOTE_PLUGIN_HEAD (CENOTE_PLUGIN_TRANSPORT),
  .name = "v1-0", .version = "1.0", .summary = "Was built with the header of ABI 1.0", .license = "Apache-2.0",
  .ops = &ops,
};

CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_TRANSPORT, "v1-0")
