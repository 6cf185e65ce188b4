/* SPDX-License-Identifier: Apache-2.0 */
#include "statsd-socket.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

struct StatsdSocket {
  StatsdAddress *address;
  int fd;                    /* -1: none */
};

StatsdSocket *
statsd_socket_new (StatsdAddress *address)
{
  StatsdSocket *self = g_new0 (StatsdSocket, 1);

  self->address = address;
  self->fd = -1;
  return self;
}

static void
close_socket (StatsdSocket *self)
{
  if (self->fd >= 0)
    (void) close (self->fd);
  self->fd = -1;
}

void
statsd_socket_free (StatsdSocket *self)
{
  if (self == NULL)
    return;
  close_socket (self);
  statsd_address_free (self->address);
  g_free (self);
}

/* An errno; 0: it is connected. */
static int
connect_to (StatsdSocket *self, const struct sockaddr_storage *to, socklen_t size)
{
  int error;

  self->fd = socket (to->ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (self->fd >= 0 && connect (self->fd, (const struct sockaddr *) to, size) == 0)
    return 0;
  error = errno;
  close_socket (self);
  return error;
}

/* Of the last datagram, where it went no further than this machine: a port where nobody listens answers at once. */
static int
pending_error (const StatsdSocket *self)
{
  int error = 0;
  socklen_t size = sizeof error;

  return getsockopt (self->fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

static int
send_once (StatsdSocket *self, const char *bytes, gsize n)
{
  gssize sent;

  do
    sent = send (self->fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent < 0 ? errno : pending_error (self);
}

static gboolean
means_no_room (int error)
{
  return error == EAGAIN || error == ENOBUFS;
}

static int
send_patiently (StatsdSocket *self, const char *bytes, gsize n, gint patience_ms)
{
  struct pollfd room = { self->fd, POLLOUT, 0 };
  int error = send_once (self, bytes, n);

  if (means_no_room (error) && patience_ms > 0 && poll (&room, 1, patience_ms) > 0)
    error = send_once (self, bytes, n);
  return error;
}

/* On the socket that is there, and where that fails, on a new one: the daemon may be another by now. */
static int
send_to (StatsdSocket *self, const struct sockaddr_storage *to, socklen_t size, const char *bytes, gsize n,
         gint patience_ms)
{
  int error;

  if (self->fd >= 0) {
    (void) pending_error (self); /* of what was sent long ago */
    error = send_patiently (self, bytes, n, patience_ms);
    if (error == 0 || means_no_room (error))
      return error;
    close_socket (self);
  }
  error = connect_to (self, to, size);
  return error == 0 ? send_patiently (self, bytes, n, patience_ms) : error;
}

static StatsdResult
send_known (StatsdSocket *self, const struct sockaddr_storage *to, socklen_t size, const char *bytes, gsize n,
            gint patience_ms, char **out_why)
{
  int error = send_to (self, to, size, bytes, n, patience_ms);

  if (error == 0)
    return STATSD_SENT;
  if (means_no_room (error))
    return STATSD_LATER;
  close_socket (self);
  *out_why = g_strdup (g_strerror (error));
  return STATSD_FAILED;
}

StatsdResult
statsd_socket_send (StatsdSocket *self, const char *bytes, gsize n, gint patience_ms, char **out_why)
{
  struct sockaddr_storage to;
  socklen_t size;

  switch (statsd_address_get (self->address, &to, &size, out_why)) {
  case STATSD_ADDRESS_PENDING:
    return STATSD_LATER;
  case STATSD_ADDRESS_UNKNOWN:
    return STATSD_FAILED;
  case STATSD_ADDRESS_KNOWN:
    break;
  }
  return send_known (self, &to, size, bytes, n, patience_ms, out_why);
}
