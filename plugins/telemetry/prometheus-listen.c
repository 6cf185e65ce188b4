/* SPDX-License-Identifier: Apache-2.0 */
/* prometheus-listen: names are not looked up, since that could block whoever starts the runtime. */
#include "prometheus-listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "decimal.h"

#define UNIX_PREFIX "unix://"

/* ----------------------------------------------------------------- reading */

static char *
wrong (const char *text)
{
  return g_strdup_printf ("listen: '%s' is no address to listen at "
                          "(127.0.0.1:9464, [::1]:9464, 0.0.0.0:9464 for all, or unix:///run/app.sock)", text);
}

static gboolean
set_ipv4 (ListenAddress *out, const char *host, guint16 port)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons (port) };

  if (inet_pton (AF_INET, host, &address.sin_addr) != 1)
    return FALSE;
  memcpy (&out->socket, &address, sizeof address);
  out->size = sizeof address;
  return TRUE;
}

static gboolean
set_ipv6 (ListenAddress *out, const char *host, guint16 port)
{
  struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_port = htons (port) };

  if (inet_pton (AF_INET6, host, &address.sin6_addr) != 1)
    return FALSE;
  memcpy (&out->socket, &address, sizeof address);
  out->size = sizeof address;
  return TRUE;
}

static char *
read_unix (const char *path, ListenAddress *out)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };

  if (path[0] != '/' || strlen (path) >= sizeof address.sun_path)
    return g_strdup_printf ("listen: '%s' is no path for a unix socket (an absolute one of at most %zu bytes)", path,
                            sizeof address.sun_path - 1);
  strcpy (address.sun_path, path);
  memcpy (&out->socket, &address, sizeof address);
  out->size = sizeof address;
  out->path = g_strdup (path);
  return NULL;
}

/* [HOST] without its brackets; NULL: HOST has none. */
static char *
unbracketed (const char *host)
{
  gsize length = strlen (host);

  return length > 2 && host[0] == '[' && host[length - 1] == ']' ? g_strndup (host + 1, length - 2) : NULL;
}

char *
listen_address_read (const char *text, ListenAddress *out)
{
  const char *colon = strrchr (text, ':');
  g_autofree char *host = colon != NULL ? g_strndup (text, (gsize) (colon - text)) : NULL;
  g_autofree char *inside = host != NULL ? unbracketed (host) : NULL;
  guint64 port;
  gboolean is_set;

  *out = (ListenAddress) { .size = 0 };
  if (g_str_has_prefix (text, UNIX_PREFIX))
    return read_unix (text + strlen (UNIX_PREFIX), out);
  if (host == NULL || !decimal_read (colon + 1, 0, G_MAXUINT16, &port))
    return wrong (text);
  if (inside != NULL)
    is_set = set_ipv6 (out, inside, (guint16) port);
  else
    is_set = set_ipv4 (out, g_ascii_strcasecmp (host, "localhost") == 0 ? "127.0.0.1" : host, (guint16) port);
  return is_set ? NULL : wrong (text);
}

void
listen_address_clear (ListenAddress *address)
{
  g_clear_pointer (&address->path, g_free);
}

/* ----------------------------------------------------------------- opening */

/* "127.0.0.1:9464" of SOCKET. */
static char *
socket_text (const struct sockaddr_storage *socket)
{
  const struct sockaddr_in *ipv4 = (const struct sockaddr_in *) socket;
  const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *) socket;
  char host[INET6_ADDRSTRLEN] = "";

  if (socket->ss_family == AF_INET6) {
    inet_ntop (AF_INET6, &ipv6->sin6_addr, host, sizeof host);
    return g_strdup_printf ("[%s]:%u", host, ntohs (ipv6->sin6_port));
  }
  inet_ntop (AF_INET, &ipv4->sin_addr, host, sizeof host);
  return g_strdup_printf ("%s:%u", host, ntohs (ipv4->sin_port));
}

static char *
address_text (const ListenAddress *address)
{
  return address->path != NULL ? g_strconcat (UNIX_PREFIX, address->path, NULL) : socket_text (&address->socket);
}

static char *
why_not (const ListenAddress *address, int code)
{
  g_autofree char *text = address_text (address);

  if (code == EADDRINUSE)
    return g_strdup_printf ("listen: %s is in use: somebody else listens there (%s)", text,
                            address->path != NULL ? "take another path" : "take another port, or port 0 for a free one");
  if (code == EADDRNOTAVAIL)
    return g_strdup_printf ("listen: %s is no address of this machine (127.0.0.1:9464, or 0.0.0.0:9464 for all)", text);
  if (code == EACCES && address->path == NULL)
    return g_strdup_printf ("listen: %s may not be used by this user (a port of 1024 or more)", text);
  return g_strdup_printf ("listen: %s cannot be listened at: %s", text, g_strerror (code));
}

/* A socket file that refuses connections is left over from a process that has ended. */
static void
remove_left_over (const ListenAddress *address)
{
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  struct stat file;

  if (stat (address->path, &file) == 0 && S_ISSOCK (file.st_mode) &&
      connect (fd, (const struct sockaddr *) &address->socket, address->size) != 0 && errno == ECONNREFUSED)
    (void) unlink (address->path);
  if (fd >= 0)
    close (fd);
}

int
listen_open (const ListenAddress *address, char **out_why)
{
  int fd = socket (address->socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  int on = 1;

  if (address->path != NULL)
    remove_left_over (address);
  if (fd >= 0 && setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
      bind (fd, (const struct sockaddr *) &address->socket, address->size) == 0 && listen (fd, SOMAXCONN) == 0)
    return fd;
  *out_why = why_not (address, errno);
  if (fd >= 0)
    close (fd);
  return -1;
}

char *
listen_url (const ListenAddress *address, int fd)
{
  struct sockaddr_storage bound = address->socket;
  socklen_t size = sizeof bound;
  g_autofree char *text = NULL;

  if (address->path != NULL)
    return address_text (address);
  (void) getsockname (fd, (struct sockaddr *) &bound, &size);
  text = socket_text (&bound);
  return g_strdup_printf ("http://%s/", text);
}

/* The file may have been taken over by another process since: its socket then answers. */
void
listen_close (const ListenAddress *address, int fd)
{
  close (fd);
  if (address->path != NULL)
    remove_left_over (address);
}
