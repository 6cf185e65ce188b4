/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transport/unix: plaintext channels over sockets of this machine.
 *
 * Takes unix:/path, unix:///path and unix-abstract:name.  gRPC makes a channel
 * of anything and lets it fail later, or connects elsewhere than was meant: it
 * reads a target as a URI, so that '?' and '#' end the path and %XX is a byte,
 * and it reads ',' as a list of addresses.  What it would not take as one
 * socket's address is refused here with the reason.
 */
#include <cenote/plugin.h>
#include <ctype.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

/* A path ends with a NUL, an abstract name begins with one. */
#define MAX_ADDRESS_BYTES (sizeof ((struct sockaddr_un *) NULL)->sun_path - 1)

/* (nullable): the path or the abstract name in ADDRESS. */
static const char *
find_socket (const char *address)
{
  if (strncmp (address, "unix-abstract:", 14) == 0)
    return address[14] != '\0' && address[14] != '/' ? address + 14 : NULL;
  if (strncmp (address, "unix:///", 8) == 0)
    address += 7;
  else if (strncmp (address, "unix:/", 6) == 0)
    address += 5;
  else
    return NULL;
  return address[1] != '\0' && address[1] != '/' ? address : NULL;
}

static int
is_escape (const char *text)
{
  return text[0] == '%' && isxdigit ((unsigned char) text[1]) && isxdigit ((unsigned char) text[2]);
}

/* The bytes of SOCKET once its escapes are read. */
static size_t
count_bytes (const char *socket)
{
  size_t n = 0;

  for (; *socket != '\0'; socket += is_escape (socket) ? 3 : 1)
    n++;
  return n;
}

/* Leaves in REASON why gRPC would not take ADDRESS as one socket; returns whether there is a reason. */
static int
find_fault (const char *address, char *reason, size_t size)
{
  const char *socket = find_socket (address);
  size_t n = socket ? count_bytes (socket) : 0;

  if (!socket)
    snprintf (reason, size, "'%.200s' is no socket's address (expected unix:/path, unix:///path or unix-abstract:name)",
              address);
  else if (strpbrk (socket, "?#,") != NULL)
    snprintf (reason, size, "'%.200s' contains '%c', which gRPC does not take as part of a %s", address,
              *strpbrk (socket, "?#,"), *socket == '/' ? "path" : "name");
  else if (strstr (socket, "%00") != NULL || strcasestr (socket, "%2c") != NULL)
    snprintf (reason, size, "'%.200s' contains an escaped NUL or comma, which gRPC does not take as part of a %s",
              address, *socket == '/' ? "path" : "name");
  else if (n > MAX_ADDRESS_BYTES)
    snprintf (reason, size, "the %s in '%.200s' has %zu bytes, expected at most %zu", *socket == '/' ? "path" : "name",
              address, n, MAX_ADDRESS_BYTES);
  else
    return 0;
  return 1;
}

static void *
create (const CenoteHost *host, const CenoteOptions *options, CenoteFault *fault)
{
  (void) options;
  (void) fault;
  return (void *) host;      /* all that a channel's fault needs */
}

static grpc_channel *
create_channel (void *state, const char *address, const void *args, CenoteFault *fault)
{
  const CenoteHost *host = state;
  grpc_channel_credentials *credentials;
  grpc_channel *channel;
  char reason[512];

  if (find_fault (address, reason, sizeof reason)) {
    host->fail (host, fault, reason);
    return NULL;
  }
  credentials = grpc_insecure_credentials_create ();
  channel = grpc_channel_create (address, credentials, args);
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
  .name = "unix",
  .version = "0.1.0",
  .summary = "Plaintext HTTP/2 over sockets of this machine",
  .license = "Apache-2.0",
  .ops = &ops,
};

CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_TRANSPORT, "unix")
