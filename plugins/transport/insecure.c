/* SPDX-License-Identifier: Apache-2.0 */
/* transport/insecure: channels without encryption, to any target that gRPC knows. */
#include <cenote/plugin.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

static grpc_channel *
create_channel (void *state, const char *address, const void *args, CenoteFault *fault)
{
  grpc_channel_credentials *credentials = grpc_insecure_credentials_create ();
  grpc_channel *channel = grpc_channel_create (address, credentials, args);

  (void) state;
  (void) fault;              /* gRPC always makes a channel: what is wrong shows when it connects */
  grpc_channel_credentials_release (credentials);
  return channel;
}

static const CenoteTransportOps ops = {
  .struct_size = sizeof ops,
  .flags = CENOTE_TRANSPORT_TAKES_ADDRESSES,
  .create_channel = create_channel,
};

static const CenotePlugin plugin = {
  CENOTE_PLUGIN_HEAD (CENOTE_PLUGIN_TRANSPORT),
  .name = "insecure",
  .version = "0.1.0",
  .summary = "Plaintext HTTP/2",
  .license = "Apache-2.0",
  .ops = &ops,
};

CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_TRANSPORT, "insecure")
