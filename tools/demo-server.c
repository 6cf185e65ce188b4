/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demo-server: a gRPC server inside this process.  See demo-server.h.
 *
 * Lock: `monitor` guards the counts, which other threads read.  The rest belongs to
 * the serving thread while it runs, and to the caller of start and stop while it does not.
 */
#include "demo-server.h"

#include <arpa/inet.h>
#include <cenote/error.h>
#include <errno.h>
#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/monitor.h"

struct DemoServer {
  int placeholder;           /* the bound socket that keeps the port */
  char *address;
  guint16 port;
  char *certificate;         /* NULL: plaintext */
  char *key;
  char *client_authorities;  /* NULL: any client */

  GThread *thread;           /* NULL: not running */
  grpc_server *server;
  grpc_completion_queue *queue;
  guint exchanges;           /* alive: each has one operation on the queue */
  gboolean stopping;         /* set by the serving thread when the server has shut down */

  Monitor monitor;
  guint calls;
  GHashTable *peers;         /* set of "ipv4:127.0.0.1:PORT" */
};

typedef enum { STAGE_WAIT, STAGE_READ, STAGE_REPLY } Stage;

/* One call as the server sees it; its address is the tag of its operations. */
typedef struct Exchange {
  Stage stage;               /* what the operation on the queue does */
  grpc_call *call;           /* NULL until one came */
  grpc_call_details details;
  grpc_metadata_array metadata;
  grpc_byte_buffer *request;
  grpc_byte_buffer *response;
  int cancelled;
} Exchange;

/* ------------------------------------------------------------------- port */

/* PORT 0: any free one. */
static gboolean
bind_port (int fd, const char *host, guint16 port, guint16 *out_port)
{
  struct sockaddr_in address = {
    .sin_family = AF_INET, .sin_port = htons (port), .sin_addr.s_addr = inet_addr (host),
  };
  socklen_t size = sizeof address;
  int on = 1;

  /* SO_REUSEPORT lets the server, which sets it too, bind the port besides us. */
  if (setsockopt (fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0 ||
      bind (fd, (struct sockaddr *) &address, sizeof address) != 0 ||
      getsockname (fd, (struct sockaddr *) &address, &size) != 0)
    return FALSE;
  *out_port = ntohs (address.sin_port);
  return TRUE;
}

DemoServer *
demo_server_new_at (const char *address, guint16 wanted, GError **error)
{
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  guint16 port;
  DemoServer *server;

  if (fd < 0 || !bind_port (fd, address, wanted, &port)) {
    g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_CALL, "port %u (0: any) of %s is not free: %s", wanted, address,
                 g_strerror (errno));
    if (fd >= 0)
      close (fd);
    return NULL;
  }
  server = g_new0 (DemoServer, 1);
  server->placeholder = fd;
  server->address = g_strdup (address);
  server->port = port;
  server->peers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  monitor_init (&server->monitor);
  return server;
}

DemoServer *
demo_server_new_on (guint16 port, GError **error)
{
  return demo_server_new_at ("127.0.0.1", port, error);
}

DemoServer *
demo_server_new (GError **error)
{
  return demo_server_new_on (0, error);
}

void
demo_server_free (DemoServer *server)
{
  if (server == NULL)
    return;
  demo_server_stop (server);
  close (server->placeholder);
  g_free (server->address);
  g_free (server->certificate);
  g_free (server->key);
  g_free (server->client_authorities);
  g_hash_table_unref (server->peers);
  monitor_clear (&server->monitor);
  g_free (server);
}

guint16
demo_server_get_port (const DemoServer *server)
{
  return server->port;
}

/* ------------------------------------------------------------------ counts */

static void
count_call (DemoServer *server, grpc_call *call)
{
  char *peer = grpc_call_get_peer (call);

  monitor_lock (&server->monitor);
  server->calls++;
  g_hash_table_add (server->peers, g_strdup (peer));
  monitor_unlock (&server->monitor);
  gpr_free (peer);
}

static void
reset_counts (DemoServer *server)
{
  monitor_lock (&server->monitor);
  server->calls = 0;
  g_hash_table_remove_all (server->peers);
  monitor_unlock (&server->monitor);
}

guint
demo_server_count_calls (DemoServer *server)
{
  guint count;

  monitor_lock (&server->monitor);
  count = server->calls;
  monitor_unlock (&server->monitor);
  return count;
}

guint
demo_server_count_connections (DemoServer *server)
{
  guint count;

  monitor_lock (&server->monitor);
  count = g_hash_table_size (server->peers);
  monitor_unlock (&server->monitor);
  return count;
}

/* ---------------------------------------------------------------- exchanges */

/* Waits for the next call. */
static void
exchange_begin (DemoServer *server)
{
  Exchange *exchange = g_new0 (Exchange, 1);

  grpc_call_details_init (&exchange->details);
  grpc_metadata_array_init (&exchange->metadata);
  grpc_server_request_call (server->server, &exchange->call, &exchange->details, &exchange->metadata, server->queue,
                            server->queue, exchange);
  server->exchanges++;
}

static void
exchange_end (DemoServer *server, Exchange *exchange)
{
  if (exchange->call != NULL)
    grpc_call_unref (exchange->call);
  grpc_call_details_destroy (&exchange->details);
  grpc_metadata_array_destroy (&exchange->metadata);
  grpc_byte_buffer_destroy (exchange->request);
  grpc_byte_buffer_destroy (exchange->response);
  g_free (exchange);
  server->exchanges--;
}

static gboolean
exchange_read (Exchange *exchange)
{
  grpc_op op = { .op = GRPC_OP_RECV_MESSAGE };

  exchange->stage = STAGE_READ;
  op.data.recv_message.recv_message = &exchange->request;
  return grpc_call_start_batch (exchange->call, &op, 1, exchange, NULL) == GRPC_CALL_OK;
}

/* (transfer full) */
static grpc_byte_buffer *
buffer_new (const char *bytes, gsize length)
{
  grpc_slice slice = grpc_slice_from_copied_buffer (bytes, length);
  grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create (&slice, 1);

  grpc_slice_unref (slice);
  return buffer;
}

/* (transfer full) */
static char *
string_of (grpc_byte_buffer *buffer)
{
  grpc_byte_buffer_reader reader;
  grpc_slice slice;
  char *text;

  if (!grpc_byte_buffer_reader_init (&reader, buffer))
    return g_strdup ("");
  slice = grpc_byte_buffer_reader_readall (&reader);
  text = g_strndup ((const char *) GRPC_SLICE_START_PTR (slice), GRPC_SLICE_LENGTH (slice));
  grpc_slice_unref (slice);
  grpc_byte_buffer_reader_destroy (&reader);
  return text;
}

/* (transfer full): "" where the client has shown no certificate. */
static char *
name_of_peer (grpc_call *call)
{
  grpc_auth_context *context = grpc_call_auth_context (call);
  grpc_auth_property_iterator names = grpc_auth_context_find_properties_by_name (context, GRPC_X509_CN_PROPERTY_NAME);
  const grpc_auth_property *name = grpc_auth_property_iterator_next (&names);
  char *text = g_strdup (name != NULL ? name->value : "");

  grpc_auth_context_release (context);
  return text;
}

/* All that came, as lines "name: value", in their order. */
static char *
list_metadata (const Exchange *exchange)
{
  g_autoptr (GString) lines = g_string_new (NULL);

  for (size_t i = 0; i < exchange->metadata.count; i++) {
    const grpc_metadata *row = &exchange->metadata.metadata[i];

    g_string_append_len (lines, (const char *) GRPC_SLICE_START_PTR (row->key), (gssize) GRPC_SLICE_LENGTH (row->key));
    g_string_append (lines, ": ");
    g_string_append_len (lines, (const char *) GRPC_SLICE_START_PTR (row->value), (gssize) GRPC_SLICE_LENGTH (row->value));
    g_string_append_c (lines, '\n');
  }
  return g_strdup (lines->str);
}

/* (transfer full): "" where there is none such; one that came more than once is joined by ", ", as HTTP does. */
static char *
find_header (const Exchange *exchange, const char *name)
{
  g_autoptr (GString) values = g_string_new (NULL);

  if (strcmp (name, ":all") == 0)
    return list_metadata (exchange);
  if (strcmp (name, ":peer") == 0)
    return name_of_peer (exchange->call);
  if (strcmp (name, ":authority") == 0)
    return g_strndup ((const char *) GRPC_SLICE_START_PTR (exchange->details.host),
                      GRPC_SLICE_LENGTH (exchange->details.host));
  for (size_t i = 0; i < exchange->metadata.count; i++) {
    const grpc_metadata *row = &exchange->metadata.metadata[i];

    if (grpc_slice_str_cmp (row->key, name) != 0)
      continue;
    if (values->len > 0)
      g_string_append (values, ", ");
    g_string_append_len (values, (const char *) GRPC_SLICE_START_PTR (row->value), (gssize) GRPC_SLICE_LENGTH (row->value));
  }
  return g_strdup (values->str);
}

static grpc_byte_buffer *
answer_header (const Exchange *exchange)
{
  g_autofree char *name = string_of (exchange->request);
  g_autofree char *value = find_header (exchange, name);

  return buffer_new (value, strlen (value));
}

/* (transfer full): what EXCHANGE's method answers to its request; NULL: there is no such method, or no request. */
static grpc_byte_buffer *
answer (const Exchange *exchange)
{
  /* HealthCheckResponse { status: SERVING }: field 1, varint, 1. */
  static const char serving[] = { 0x08, 0x01 };
  grpc_slice method = exchange->details.method;

  if (exchange->request == NULL)
    return NULL;
  if (grpc_slice_str_cmp (method, DEMO_ECHO_METHOD) == 0)
    return grpc_byte_buffer_copy (exchange->request);
  if (grpc_slice_str_cmp (method, DEMO_HEADER_METHOD) == 0)
    return answer_header (exchange);
  return grpc_slice_str_cmp (method, DEMO_HEALTH_METHOD) == 0 ? buffer_new (serving, sizeof serving) : NULL;
}

static gboolean
exchange_reply (Exchange *exchange)
{
  grpc_slice details = grpc_slice_from_static_string ("the demo server has Echo and Health/Check");
  grpc_op ops[4];
  size_t n_ops = 3;

  memset (ops, 0, sizeof ops);
  exchange->stage = STAGE_REPLY;
  exchange->response = answer (exchange);
  ops[0].op = GRPC_OP_SEND_INITIAL_METADATA;
  ops[1].op = GRPC_OP_RECV_CLOSE_ON_SERVER;
  ops[1].data.recv_close_on_server.cancelled = &exchange->cancelled;
  ops[2].op = GRPC_OP_SEND_STATUS_FROM_SERVER;
  ops[2].data.send_status_from_server.status = exchange->response != NULL ? GRPC_STATUS_OK : GRPC_STATUS_UNIMPLEMENTED;
  if (exchange->response == NULL) {
    ops[2].data.send_status_from_server.status_details = &details;
  } else {
    ops[3].op = GRPC_OP_SEND_MESSAGE;
    ops[3].data.send_message.send_message = exchange->response;
    n_ops = 4;
  }
  return grpc_call_start_batch (exchange->call, ops, n_ops, exchange, NULL) == GRPC_CALL_OK;
}

/* The operation of EXCHANGE's stage is over. */
static void
exchange_advance (DemoServer *server, Exchange *exchange, gboolean ok)
{
  gboolean alive = FALSE;

  switch (exchange->stage) {
  case STAGE_WAIT:
    if (ok) {
      exchange_begin (server);
      alive = exchange_read (exchange);
    }
    break;
  case STAGE_READ:
    alive = ok && exchange_reply (exchange);
    break;
  case STAGE_REPLY:
    if (ok)
      count_call (server, exchange->call);
    break;
  }
  if (!alive)
    exchange_end (server, exchange);
}

/* ------------------------------------------------------------------ running */

/* The serving thread.  The queue is shut down only when no exchange is alive,
 * because each may start one more operation on it. */
static gpointer
serve (gpointer data)
{
  DemoServer *server = data;

  exchange_begin (server);
  for (;;) {
    grpc_event event = grpc_completion_queue_next (server->queue, gpr_inf_future (GPR_CLOCK_MONOTONIC), NULL);

    if (event.type == GRPC_QUEUE_SHUTDOWN)
      return NULL;
    if (event.tag == server)
      server->stopping = TRUE;
    else
      exchange_advance (server, event.tag, event.success != 0);
    if (server->stopping && server->exchanges == 0)
      grpc_completion_queue_shutdown (server->queue);
  }
}

static void
destroy (DemoServer *server)
{
  g_clear_pointer (&server->server, grpc_server_destroy);
  g_clear_pointer (&server->queue, grpc_completion_queue_destroy);
  grpc_shutdown ();
}

void
demo_server_set_tls (DemoServer *server, const char *certificate, const char *key, const char *client_authorities)
{
  g_free (server->certificate);
  g_free (server->key);
  g_free (server->client_authorities);
  server->certificate = g_strdup (certificate);
  server->key = g_strdup (key);
  server->client_authorities = g_strdup (client_authorities);
}

static grpc_server_credentials *
make_credentials (const DemoServer *server)
{
  grpc_ssl_pem_key_cert_pair pair = { server->key, server->certificate };

  if (server->certificate == NULL)
    return grpc_insecure_server_credentials_create ();
  return grpc_ssl_server_credentials_create_ex (
    server->client_authorities, &pair, 1,
    server->client_authorities == NULL ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
                                       : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY, NULL);
}

gboolean
demo_server_start (DemoServer *server, GError **error)
{
  grpc_server_credentials *credentials;
  g_autofree char *address = g_strdup_printf ("%s:%u", server->address, server->port);
  int port;

  grpc_init ();
  reset_counts (server);
  server->stopping = FALSE;
  server->queue = grpc_completion_queue_create_for_next (NULL);
  server->server = grpc_server_create (NULL, NULL);
  grpc_server_register_completion_queue (server->server, server->queue, NULL);
  credentials = make_credentials (server);
  port = credentials == NULL ? 0 : grpc_server_add_http2_port (server->server, address, credentials);
  if (credentials != NULL)
    grpc_server_credentials_release (credentials);
  grpc_server_start (server->server);
  server->thread = g_thread_new ("demo-server", serve, server);
  if (port == server->port)
    return TRUE;
  demo_server_stop (server);
  g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_CALL, "%s cannot be served", address);
  return FALSE;
}

void
demo_server_stop (DemoServer *server)
{
  if (server->thread == NULL)
    return;
  grpc_server_shutdown_and_notify (server->server, server->queue, server);
  grpc_server_cancel_all_calls (server->server);
  g_thread_join (g_steal_pointer (&server->thread));
  destroy (server);
}
