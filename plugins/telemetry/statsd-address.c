/* SPDX-License-Identifier: Apache-2.0 */
#include "statsd-address.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/un.h>

#include "decimal.h"
#include "sink-thread.h"

#define UNIX_PATH_MAX (sizeof (((struct sockaddr_un *) 0)->sun_path) - 1)
#define FORMS "HOST:PORT, [IPV6]:PORT or unix:///PATH"

typedef enum { LOOKUP_RUNS, LOOKUP_FOUND, LOOKUP_FAILED } LookupState;

/* One question, shared by the address and the thread that asks. */
typedef struct Lookup {
  gint references;           /* atomic */
  char *host;
  char *port;
  gint state;                /* atomic: LookupState; what follows is read after it has left RUNS */
  struct sockaddr_storage found;
  socklen_t size;
  int error;                 /* of getaddrinfo() */
} Lookup;

struct StatsdAddress {
  char *host;
  char *port;
  Lookup *lookup;            /* (nullable) */
  struct sockaddr_storage known;
  socklen_t size;            /* 0: not known */
};

/* ----------------------------------------------------------------- lookups */

static void
lookup_unref (Lookup *lookup)
{
  if (lookup == NULL || !g_atomic_int_dec_and_test (&lookup->references))
    return;
  g_free (lookup->host);
  g_free (lookup->port);
  g_free (lookup);
}

static int
resolve (const char *host, const char *port, int flags, struct sockaddr_storage *out, socklen_t *out_size)
{
  const struct addrinfo hints = { .ai_flags = flags | AI_NUMERICSERV, .ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM };
  struct addrinfo *found;
  int error = getaddrinfo (host, port, &hints, &found);

  if (error != 0)
    return error;
  memcpy (out, found->ai_addr, found->ai_addrlen);
  *out_size = found->ai_addrlen;
  freeaddrinfo (found);
  return 0;
}

static gpointer
lookup_run (gpointer data)
{
  Lookup *lookup = data;

  lookup->error = resolve (lookup->host, lookup->port, 0, &lookup->found, &lookup->size);
  g_atomic_int_set (&lookup->state, lookup->error == 0 ? LOOKUP_FOUND : LOOKUP_FAILED);
  lookup_unref (lookup);
  return NULL;
}

static Lookup *
lookup_begin (const char *host, const char *port)
{
  Lookup *lookup = g_new0 (Lookup, 1);
  GThread *thread;

  lookup->references = 2;
  lookup->host = g_strdup (host);
  lookup->port = g_strdup (port);
  thread = sink_thread_start ("cenote-statsd", lookup_run, lookup);
  if (thread != NULL) {
    g_thread_unref (thread);
    return lookup;
  }
  lookup->error = EAI_AGAIN;
  lookup->state = LOOKUP_FAILED;
  lookup_unref (lookup);
  return lookup;
}

/* ----------------------------------------------------------------- reading */

static char *
problem_with (const char *text, const char *what)
{
  return g_strdup_printf ("address: '%s' %s (%s)", text, what, FORMS);
}

static gboolean
read_path (StatsdAddress *address, const char *text, const char *path, char **out_problem)
{
  struct sockaddr_un *unix_address = (struct sockaddr_un *) (void *) &address->known;

  if (path[0] != '/' || strlen (path) > UNIX_PATH_MAX) {
    *out_problem = problem_with (text, path[0] != '/' ? "has no absolute path" : "has a longer path than a socket's can be");
    return FALSE;
  }
  unix_address->sun_family = AF_UNIX;
  memcpy (unix_address->sun_path, path, strlen (path) + 1);
  address->size = sizeof *unix_address;
  return TRUE;
}

static gboolean
is_port (const char *text)
{
  guint64 port;

  return decimal_read (text, 1, G_MAXUINT16, &port);
}

/* Splits "host", "host:port", "[v6]" and "[v6]:port"; the parts are not looked at. */
static gboolean
split (const char *text, char **out_host, char **out_port)
{
  const char *bracket = text[0] == '[' ? strchr (text, ']') : NULL;
  const char *colon = strrchr (bracket != NULL ? bracket : text, ':');

  if (text[0] == '[' ? bracket == NULL || (bracket[1] != '\0' && colon != bracket + 1) : colon != strchr (text, ':'))
    return FALSE;
  *out_host = bracket != NULL ? g_strndup (text + 1, (gsize) (bracket - text - 1))
                              : g_strndup (text, colon != NULL ? (gsize) (colon - text) : strlen (text));
  *out_port = colon != NULL ? g_strdup (colon + 1) : g_strdup_printf ("%d", STATSD_DEFAULT_PORT);
  return TRUE;
}

static gboolean
read_host (StatsdAddress *address, const char *text, char **out_problem)
{
  const char *what = NULL;

  if (strstr (text, "://") != NULL)
    what = "has a scheme that is not unix";
  else if (!split (text, &address->host, &address->port))
    what = "has an IPv6 address without its brackets";
  else if (address->host[0] == '\0' || strpbrk (address->host, " /") != NULL)
    what = "has no host";
  else if (!is_port (address->port))
    what = "has no port from 1 to 65535";
  else if (text[0] == '[' && strchr (address->host, ':') == NULL)
    what = "has brackets without an IPv6 address";
  else if (resolve (address->host, address->port, AI_NUMERICHOST, &address->known, &address->size) == 0)
    what = NULL;
  else if (text[0] == '[')
    what = "has no IPv6 address in its brackets";
  else
    address->lookup = lookup_begin (address->host, address->port);
  if (what != NULL)
    *out_problem = problem_with (text, what);
  return what == NULL;
}

StatsdAddress *
statsd_address_new (const char *text, char **out_problem)
{
  StatsdAddress *address = g_new0 (StatsdAddress, 1);
  gboolean is_path = g_str_has_prefix (text, "unix:");
  gboolean done = is_path ? read_path (address, text, g_str_has_prefix (text, "unix://") ? text + 7 : "", out_problem)
                          : read_host (address, text, out_problem);

  if (done)
    return address;
  statsd_address_free (address);
  return NULL;
}

void
statsd_address_free (StatsdAddress *address)
{
  if (address == NULL)
    return;
  lookup_unref (address->lookup);
  g_free (address->host);
  g_free (address->port);
  g_free (address);
}

/* ----------------------------------------------------------------- answers */

/* What the lookup has found out becomes the address, or another lookup. */
static StatsdAddressState
take_answer (StatsdAddress *address, char **out_why)
{
  switch ((LookupState) g_atomic_int_get (&address->lookup->state)) {
  case LOOKUP_RUNS:
    return STATSD_ADDRESS_PENDING;
  case LOOKUP_FOUND:
    address->known = address->lookup->found;
    address->size = address->lookup->size;
    g_clear_pointer (&address->lookup, lookup_unref);
    return STATSD_ADDRESS_KNOWN;
  case LOOKUP_FAILED:
    break;
  }
  *out_why = g_strdup_printf ("'%s' has no address: %s", address->host, gai_strerror (address->lookup->error));
  lookup_unref (address->lookup);
  address->lookup = lookup_begin (address->host, address->port);
  return STATSD_ADDRESS_UNKNOWN;
}

StatsdAddressState
statsd_address_get (StatsdAddress *address, struct sockaddr_storage *out, socklen_t *out_size, char **out_why)
{
  StatsdAddressState state = address->size == 0 ? take_answer (address, out_why) : STATSD_ADDRESS_KNOWN;

  if (state == STATSD_ADDRESS_KNOWN) {
    *out = address->known;
    *out_size = address->size;
  }
  return state;
}
