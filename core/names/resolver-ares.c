/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolver-ares: the real resolver.
 *
 * The thread owns c-ares; the control thread hands it questions through a queue and
 * an eventfd, and gets each answer as a note.  A channel of c-ares lives from the first
 * question until none is under way, so a resolv.conf that changes is heeded.
 */
#include <ares.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/monitor.h"
#include "core/base/thread.h"
#include "resolver.h"

/* A server that does not answer is given up after 1 + 2 + 4 s. */
#define TRY_MS 1000
#define TRIES 3
/* More than any service has; what a hostile server sends beyond it is not heeded. */
#define MAX_ADDRESSES 1000

typedef struct AresResolver {
  Resolver resolver;         /* first */
  Control *control;
  GThread *thread;           /* NULL: nobody has asked yet */
  int wake_fd;
  Monitor monitor;           /* the next two */
  GQueue asked;              /* of ResolverQuery: the thread has not seen them */
  gboolean ending;
  ares_channel channel;      /* the thread's; NULL: no question is under way */
  guint n_under_way;         /* the thread's */
} AresResolver;

struct ResolverQuery {
  ControlNote note;          /* first */
  AresResolver *resolver;
  char *host;
  char **addresses;
  char *error;
  ResolverDone done;         /* the control thread's; NULL: cancelled */
  gpointer data;
};

/* ------------------------------------------------------------------ answers */

static void
query_free (ResolverQuery *query)
{
  g_free (query->host);
  g_strfreev (query->addresses);
  g_free (query->error);
  g_free (query);
}

/* On the control thread. */
static void
deliver (ControlNote *note)
{
  ResolverQuery *query = (ResolverQuery *) note;

  if (query->done != NULL)
    query->done ((const char *const *) query->addresses, query->error, query->data);
  query_free (query);
}

static void
end_query (ResolverQuery *query)
{
  query->note.handle = deliver;
  control_note (query->resolver->control, &query->note);
}

/* Whether this machine has a way to the address: an IPv6 address without IPv6 is of no use. */
static gboolean
has_route (const struct ares_addrinfo_node *node)
{
  int fd = socket (node->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  gboolean connected;

  if (fd < 0)
    return FALSE;
  connected = connect (fd, node->ai_addr, node->ai_addrlen) == 0;
  close (fd);
  return connected;
}

static gboolean
any_has_route (const struct ares_addrinfo_node *node)
{
  for (; node != NULL; node = node->ai_next) {
    if (has_route (node))
      return TRUE;
  }
  return FALSE;
}

static void
add_text (GPtrArray *texts, const struct ares_addrinfo_node *node)
{
  char text[NI_MAXHOST];

  if (getnameinfo (node->ai_addr, node->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST) == 0 &&
      !g_ptr_array_find_with_equal_func (texts, text, g_str_equal, NULL))
    g_ptr_array_add (texts, g_strdup (text));
}

/* (transfer full) (nullable): those with a route, or, where none has one, all. */
static char **
texts_of (const struct ares_addrinfo_node *nodes)
{
  GPtrArray *texts = g_ptr_array_new ();
  gboolean choosy = any_has_route (nodes);
  const struct ares_addrinfo_node *node;

  for (node = nodes; node != NULL && texts->len < MAX_ADDRESSES; node = node->ai_next) {
    if (!choosy || has_route (node))
      add_text (texts, node);
  }
  if (texts->len > 0)
    g_ptr_array_add (texts, NULL);
  return (char **) g_ptr_array_free (texts, texts->len == 0);
}

static void
answered (void *data, int status, int timeouts, struct ares_addrinfo *result)
{
  ResolverQuery *query = data;

  (void) timeouts;
  query->resolver->n_under_way--;
  if (status == ARES_SUCCESS)
    query->addresses = texts_of (result->nodes);
  if (query->addresses == NULL)
    query->error = g_strdup_printf ("%s cannot be resolved: %s", query->host,
                                    status == ARES_SUCCESS ? "it has no address" : ares_strerror (status));
  if (result != NULL)
    ares_freeaddrinfo (result);
  end_query (query);
}

/* --------------------------------------------------------------- the thread */

static gboolean
open_channel (AresResolver *self)
{
  struct ares_options options = { .timeout = TRY_MS, .tries = TRIES };

  if (self->channel != NULL)
    return TRUE;
  return ares_init_options (&self->channel, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES) == ARES_SUCCESS;
}

static void
ask_ares (AresResolver *self, ResolverQuery *query)
{
  const struct ares_addrinfo_hints hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };

  if (!open_channel (self)) {
    self->channel = NULL;
    query->error = g_strdup_printf ("%s cannot be resolved: /etc/resolv.conf cannot be read", query->host);
    end_query (query);
    return;
  }
  self->n_under_way++;
  ares_getaddrinfo (self->channel, query->host, NULL, &hints, answered, query);
}

/* FALSE: it is to end. */
static gboolean
take_asked (AresResolver *self)
{
  ResolverQuery *query;
  gboolean ending;

  do {
    monitor_lock (&self->monitor);
    ending = self->ending;
    query = g_queue_pop_head (&self->asked);
    monitor_unlock (&self->monitor);
    if (query != NULL)
      ask_ares (self, query);
  } while (query != NULL);
  return !ending;
}

static void
close_channel (AresResolver *self)
{
  if (self->channel != NULL)
    ares_destroy (self->channel);
  self->channel = NULL;
}

/* The sockets of c-ares behind the eventfd. */
static nfds_t
fill_polls (const AresResolver *self, struct pollfd *polls)
{
  ares_socket_t sockets[ARES_GETSOCK_MAXNUM];
  int bits = self->channel == NULL ? 0 : ares_getsock (self->channel, sockets, ARES_GETSOCK_MAXNUM);
  nfds_t n = 0;
  int i;

  polls[n++] = (struct pollfd) { .fd = self->wake_fd, .events = POLLIN };
  for (i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
    short events = (short) ((ARES_GETSOCK_READABLE (bits, i) ? POLLIN : 0) | (ARES_GETSOCK_WRITABLE (bits, i) ? POLLOUT : 0));

    if (events != 0)
      polls[n++] = (struct pollfd) { .fd = sockets[i], .events = events };
  }
  return n;
}

static int
timeout_ms (const AresResolver *self)
{
  struct timeval left;

  if (self->channel == NULL || ares_timeout (self->channel, NULL, &left) == NULL)
    return -1;
  return (int) (left.tv_sec * 1000 + (left.tv_usec + 999) / 1000);
}

static void
hear (AresResolver *self, const struct pollfd *polls, nfds_t n)
{
  nfds_t i;

  for (i = 1; i < n; i++) {
    ares_process_fd (self->channel, (polls[i].revents & ~POLLOUT) != 0 ? polls[i].fd : ARES_SOCKET_BAD,
                     (polls[i].revents & POLLOUT) != 0 ? polls[i].fd : ARES_SOCKET_BAD);
  }
  ares_process_fd (self->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD); /* what has timed out */
}

static void
wait_for_news (AresResolver *self)
{
  struct pollfd polls[1 + ARES_GETSOCK_MAXNUM];
  nfds_t n = fill_polls (self, polls);
  guint64 wakes;

  if (poll (polls, n, timeout_ms (self)) < 0 && errno != EINTR)
    return;
  if (polls[0].revents != 0 && read (self->wake_fd, &wakes, sizeof wakes) < 0)
    wakes = 0;               /* it is non-blocking, and somebody else may have read it */
  if (self->channel != NULL)
    hear (self, polls, n);
  if (self->n_under_way == 0)
    close_channel (self);
}

static gpointer
run (gpointer data)
{
  AresResolver *self = data;

  ares_library_init (ARES_LIB_INIT_ALL);
  while (take_asked (self))
    wait_for_news (self);
  close_channel (self);      /* ends what is under way */
  ares_library_cleanup ();
  return NULL;
}

/* ------------------------------------------------------------------- asking */

static void
wake (const AresResolver *self)
{
  const guint64 one = 1;

  while (write (self->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
    continue;
}

static ResolverQuery *
ask (Resolver *resolver, const char *host, ResolverDone done, gpointer data)
{
  AresResolver *self = (AresResolver *) resolver;
  ResolverQuery *query = g_new0 (ResolverQuery, 1);

  query->resolver = self;
  query->host = g_strdup (host);
  query->done = done;
  query->data = data;
  if (self->thread == NULL && self->wake_fd >= 0)
    self->thread = thread_start ("cenote-names", run, self, NULL);
  if (self->thread == NULL) {
    query->error = g_strdup_printf ("%s cannot be resolved: the system gives no more threads or descriptors", host);
    end_query (query);
    return query;
  }
  monitor_lock (&self->monitor);
  g_queue_push_tail (&self->asked, query);
  monitor_unlock (&self->monitor);
  wake (self);
  return query;
}

static void
cancel (ResolverQuery *query)
{
  query->done = NULL;
}

/* -------------------------------------------------------------------- lives */

Resolver *
resolver_ares_new (Control *control)
{
  AresResolver *self = g_new0 (AresResolver, 1);

  self->resolver = (Resolver) { ask, cancel };
  self->control = control;
  self->wake_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  monitor_init (&self->monitor);
  g_queue_init (&self->asked);
  return &self->resolver;
}

void
resolver_ares_stop (Resolver *resolver)
{
  AresResolver *self = (AresResolver *) resolver;

  if (self == NULL || self->thread == NULL)
    return;
  monitor_lock (&self->monitor);
  self->ending = TRUE;
  monitor_unlock (&self->monitor);
  wake (self);
  g_thread_join (g_steal_pointer (&self->thread));
}

void
resolver_ares_free (Resolver *resolver)
{
  AresResolver *self = (AresResolver *) resolver;

  if (self == NULL)
    return;
  if (self->wake_fd >= 0)
    close (self->wake_fd);
  monitor_clear (&self->monitor);
  g_free (self);
}
