/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prometheus-http: all state but `told` and `is_over` belongs to the HTTP thread once it runs.
 *
 * One epoll set has the listening socket, a bell, libmicrohttpd's own set, and each client until its first byte.
 * A connection is closed by shutdown(): libmicrohttpd then finds its end and lets it go.
 */
#include "prometheus-http.h"

#include <errno.h>
#include <microhttpd.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "prometheus-connections.h"
#include "prometheus-fork.h"
#include "sink-thread.h"

/* Accepted at a time, before those that are there get their turn. */
#define ACCEPT_BURST 64
#define MAX_EVENTS 128
/* Without descriptors for newcomers. */
#define ACCEPT_REST_US 100000
/* Beside a request, for what libmicrohttpd keeps of it, and for the reply's head. */
#define POOL_RESERVE 8192
/* Of all replies that are on their way. */
#define MAX_REPLY_BYTES (32u << 20)

struct HttpServer {
  const CenoteHost *host;
  int listen_fd;
  HttpLimits limits;
  const HttpFuncs *funcs;
  gpointer data;

  struct MHD_Daemon *daemon;
  int epoll_fd;
  int bell_fd;
  GThread *thread;
  Connections connections;
  gint64 tick_us;
  gint64 accept_rest_us;     /* newcomers wait until then; 0: they do not */

  guint64 told;              /* atomic */
  gint is_over;              /* atomic */
};

static gint64
now_us (const HttpServer *server)
{
  return server->host->now_us (server->host);
}

/* ----------------------------------------------------------------- watching */

static gboolean
watch (HttpServer *server, int fd, guint32 events, gpointer what)
{
  struct epoll_event event = { .events = events, .data.ptr = what };

  return fd >= 0 && epoll_ctl (server->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void
watch_listener (HttpServer *server, guint32 events)
{
  struct epoll_event event = { .events = events, .data.ptr = &server->listen_fd };

  (void) epoll_ctl (server->epoll_fd, EPOLL_CTL_MOD, server->listen_fd, &event);
}

static void
ring (HttpServer *server)
{
  const guint64 one = 1;

  (void) !write (server->bell_fd, &one, sizeof one);
}

/* -------------------------------------------------------------- connections */

static Connection *
connection_of (struct MHD_Connection *handle)
{
  return MHD_get_connection_info (handle, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static void
begin_connection (HttpServer *server, struct MHD_Connection *handle, void **context)
{
  int fd = MHD_get_connection_info (handle, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
  Connection *connection = connections_add (&server->connections, fd, handle, now_us (server));

  fork_guard_add (fd);
  watch (server, fd, EPOLLIN | EPOLLONESHOT, connection);
  *context = connection;
}

static void
end_connection (HttpServer *server, Connection *connection)
{
  (void) epoll_ctl (server->epoll_fd, EPOLL_CTL_DEL, connection->fd, NULL);
  fork_guard_remove (connection->fd);
  connections_remove (&server->connections, connection);
}

/* libmicrohttpd has a connection more or less. */
static void
connection_changed (void *data, struct MHD_Connection *handle, void **context, enum MHD_ConnectionNotificationCode what)
{
  if (what == MHD_CONNECTION_NOTIFY_STARTED)
    begin_connection (data, handle, context);
  else if (*context != NULL)
    end_connection (data, *context);
}

/* What was not taken yet is dropped, rather than kept by the kernel.  A suspended one would not notice. */
static void
close_connection (HttpServer *server, Connection *connection)
{
  const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

  (void) setsockopt (connection->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  if (connection->phase == PHASE_WAITING)
    MHD_resume_connection (connection->handle);
  connection_enter (&server->connections, connection, PHASE_CLOSING, now_us (server));
  (void) shutdown (connection->fd, SHUT_RDWR);
}

/* Who waits for an answer is given one that says so; others are cut off. */
static void
expire_connections (HttpServer *server)
{
  gint64 now = now_us (server);
  Connection *connection;

  while ((connection = connections_expired (&server->connections, now)) != NULL)
    if (connection->phase == PHASE_WAITING) {
      connection_enter (&server->connections, connection, PHASE_REPLY, now);
      connection->is_late = TRUE;
      MHD_resume_connection (connection->handle);
    } else {
      close_connection (server, connection);
    }
}

static void
resume_told (HttpServer *server)
{
  guint64 told = __atomic_load_n (&server->told, __ATOMIC_ACQUIRE);

  for (GList *link = server->connections.all.head; link != NULL; link = link->next) {
    Connection *connection = link->data;

    if (connection->phase != PHASE_WAITING || connection->ticket > told)
      continue;
    connection_enter (&server->connections, connection, PHASE_REPLY, now_us (server));
    MHD_resume_connection (connection->handle);
  }
}

/* ----------------------------------------------------------------- requests */

static const char *
header_of (struct MHD_Connection *handle, const char *name)
{
  return MHD_lookup_connection_value (handle, MHD_HEADER_KIND, name);
}

static gboolean
announces_body (struct MHD_Connection *handle)
{
  const char *length = header_of (handle, MHD_HTTP_HEADER_CONTENT_LENGTH);

  return header_of (handle, MHD_HTTP_HEADER_TRANSFER_ENCODING) != NULL || (length != NULL && strcmp (length, "0") != 0);
}

static Request
request_of (struct MHD_Connection *handle, const char *method, const char *path)
{
  const Connection *connection = connection_of (handle);

  return (Request) {
    .method = method,
    .path = path,
    .host = header_of (handle, MHD_HTTP_HEADER_HOST),
    .accept = header_of (handle, MHD_HTTP_HEADER_ACCEPT),
    .since = MHD_lookup_connection_value (handle, MHD_GET_ARGUMENT_KIND, "since"),
    .head_size = MHD_get_connection_info (handle, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)->header_size,
    .has_body = announces_body (handle),
    .has_waited = connection->ticket != 0,
    .is_late = connection->is_late,
  };
}

static struct MHD_Response *
response_of (const Reply *reply)
{
  gsize size;
  const void *bytes = g_bytes_get_data (reply->body, &size);
  struct MHD_Response *response = MHD_create_response_from_buffer_with_free_callback_cls (
    size, (void *) bytes, (MHD_ContentReaderFreeCallback) g_bytes_unref, g_bytes_ref (reply->body));

  for (guint i = 0; i < G_N_ELEMENTS (reply->headers) && reply->headers[i].name != NULL; i++)
    MHD_add_response_header (response, reply->headers[i].name, reply->headers[i].value);
  MHD_add_response_header (response, MHD_HTTP_HEADER_CONNECTION, "close");
  return response;
}

static void
make_room_for_reply (HttpServer *server, const Connection *spared)
{
  Connection *victim;

  while ((victim = connections_reply_victim (&server->connections, spared)) != NULL) {
    connection_hold (&server->connections, victim, 0);
    close_connection (server, victim);
  }
}

static enum MHD_Result
send_reply (HttpServer *server, struct MHD_Connection *handle, Reply *reply)
{
  Connection *connection = connection_of (handle);
  struct MHD_Response *response = response_of (reply);
  enum MHD_Result result = MHD_queue_response (handle, reply->status, response);

  connection_enter (&server->connections, connection, PHASE_REPLY, now_us (server));
  connection_hold (&server->connections, connection, g_bytes_get_size (reply->body));
  make_room_for_reply (server, connection);
  MHD_destroy_response (response);
  g_bytes_unref (reply->body);
  return result;
}

static enum MHD_Result
wait_for (HttpServer *server, struct MHD_Connection *handle, guint64 ticket)
{
  Connection *connection = connection_of (handle);

  connection_enter (&server->connections, connection, PHASE_WAITING, now_us (server));
  connection->ticket = ticket;
  MHD_suspend_connection (handle);
  return MHD_YES;
}

/* A request's head is there, whole; or what it waits for is. */
static enum MHD_Result
handle_request (void *data, struct MHD_Connection *handle, const char *path, const char *method, const char *version,
                const char *body, size_t *body_size, void **context)
{
  HttpServer *server = data;
  Request request = request_of (handle, method, path);
  Reply reply = { .status = 0 };
  guint64 ticket;

  (void) version, (void) body, (void) body_size, (void) context;
  if (connection_of (handle)->phase == PHASE_CLOSING)
    return MHD_NO;
  ticket = server->funcs->answer (server->data, &request, &reply);
  return ticket == 0 ? send_reply (server, handle, &reply) : wait_for (server, handle, ticket);
}

/* ---------------------------------------------------------------- newcomers */

static void
make_place (HttpServer *server)
{
  Connection *victim = connections_victim (&server->connections);

  if (victim != NULL)
    close_connection (server, victim);
}

static void
rest_from_accepting (HttpServer *server)
{
  server->accept_rest_us = now_us (server) + ACCEPT_REST_US;
  watch_listener (server, 0);
}

static void
end_rest (HttpServer *server)
{
  if (server->accept_rest_us == 0 || now_us (server) < server->accept_rest_us)
    return;
  server->accept_rest_us = 0;
  watch_listener (server, EPOLLIN);
}

static void
accept_newcomers (HttpServer *server)
{
  struct sockaddr_storage address;

  for (guint i = 0; i < ACCEPT_BURST; i++) {
    socklen_t size = sizeof address;
    int fd = accept4 (server->listen_fd, (struct sockaddr *) &address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM))
      rest_from_accepting (server);
    if (fd < 0)
      return;
    make_place (server);
    (void) MHD_add_connection (server->daemon, fd, (struct sockaddr *) &address, size); /* it closes what it refuses */
  }
}

/* ------------------------------------------------------------------ the loop */

static gint64
tick (HttpServer *server)
{
  gint64 now = now_us (server);

  if (now >= server->tick_us)
    server->tick_us = server->funcs->tick (server->data, now);
  return server->tick_us;
}

/* Milliseconds until there is something to do without anybody's call; -1: never. */
static int
until_next (HttpServer *server)
{
  gint64 next_us = MIN (tick (server), connections_next_us (&server->connections));
  gint64 left_us;
  MHD_UNSIGNED_LONG_LONG own_ms;

  if (server->accept_rest_us != 0)
    next_us = MIN (next_us, server->accept_rest_us);
  left_us = CLAMP (next_us - now_us (server), 0, G_GINT64_CONSTANT (60000000));
  if (MHD_get_timeout (server->daemon, &own_ms) == MHD_YES && own_ms * 1000 < (guint64) left_us)
    left_us = (gint64) own_ms * 1000;
  return (int) ((left_us + 999) / 1000);
}

static void
take_event (HttpServer *server, const struct epoll_event *event)
{
  guint64 rings;
  Connection *connection = event->data.ptr;

  if (event->data.ptr == &server->listen_fd || event->data.ptr == &server->daemon)
    return;
  if (event->data.ptr == &server->bell_fd)
    (void) !read (server->bell_fd, &rings, sizeof rings);
  else if (connection->phase == PHASE_SILENT)
    connection_enter (&server->connections, connection, PHASE_REQUEST, now_us (server));
}

static gpointer
run (gpointer data)
{
  HttpServer *server = data;
  struct epoll_event events[MAX_EVENTS];

  while (!g_atomic_int_get (&server->is_over)) {
    int n = epoll_wait (server->epoll_fd, events, MAX_EVENTS, until_next (server));

    for (int i = 0; i < n; i++)
      take_event (server, &events[i]);
    resume_told (server);
    expire_connections (server);
    end_rest (server);
    if (server->accept_rest_us == 0)
      accept_newcomers (server);
    MHD_run (server->daemon);
  }
  return NULL;
}

/* ------------------------------------------------------------- start and end */

HttpServer *
http_server_new (const CenoteHost *host, int listen_fd, const HttpLimits *limits, const HttpFuncs *funcs, gpointer data)
{
  HttpServer *server = g_new0 (HttpServer, 1);

  server->host = host;
  server->listen_fd = listen_fd;
  server->limits = *limits;
  server->funcs = funcs;
  server->data = data;
  server->epoll_fd = server->bell_fd = -1;
  connections_init (&server->connections, limits->max_connections, limits->request_timeout_us, MAX_REPLY_BYTES);
  fork_guard_add (listen_fd);
  return server;
}

static struct MHD_Daemon *
start_daemon (HttpServer *server)
{
  return MHD_start_daemon (
    MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, handle_request, server,
    MHD_OPTION_NOTIFY_CONNECTION, connection_changed, server,
    MHD_OPTION_CONNECTION_LIMIT, server->limits.max_connections + ACCEPT_BURST,
    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t) (server->limits.max_request_bytes + POOL_RESERVE),
    MHD_OPTION_CONNECTION_TIMEOUT, 0u, MHD_OPTION_END);
}

static int
daemon_epoll_fd (HttpServer *server)
{
  return MHD_get_daemon_info (server->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

gboolean
http_server_start (HttpServer *server)
{
  server->epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
  server->bell_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  server->daemon = start_daemon (server);
  if (server->daemon != NULL && watch (server, server->bell_fd, EPOLLIN, &server->bell_fd) &&
      watch (server, server->listen_fd, EPOLLIN, &server->listen_fd) &&
      watch (server, daemon_epoll_fd (server), EPOLLIN, &server->daemon))
    server->thread = sink_thread_start ("cenote-http", run, server);
  return server->thread != NULL;
}

void
http_server_tell (HttpServer *server, guint64 ticket)
{
  __atomic_store_n (&server->told, ticket, __ATOMIC_RELEASE);
  ring (server);
}

/* libmicrohttpd wants nobody suspended at its end. */
static void
stop_daemon (HttpServer *server)
{
  for (GList *link = server->connections.all.head; link != NULL; link = link->next)
    close_connection (server, link->data);
  MHD_stop_daemon (server->daemon);
  server->daemon = NULL;
}

void
http_server_stop (HttpServer *server)
{
  g_atomic_int_set (&server->is_over, TRUE);
  if (server->bell_fd >= 0)
    ring (server);
  g_clear_pointer (&server->thread, g_thread_join);
  if (server->daemon != NULL)
    stop_daemon (server);
  fork_guard_remove (server->listen_fd);
}

void
http_server_free (HttpServer *server)
{
  if (server == NULL)
    return;
  if (server->bell_fd >= 0)
    close (server->bell_fd);
  if (server->epoll_fd >= 0)
    close (server->epoll_fd);
  g_free (server);
}
