/* SPDX-License-Identifier: Apache-2.0 */
/*
 * health PORT [OPTION…]: a gRPC server whose health is commanded, for tests.
 *
 * Serves on 127.0.0.1:PORT (0: any): /cenote.test.Work/Echo gives the message back, at once or after
 * a delay, /cenote.test.Work/Hold when it is let go, /cenote.test.Work/Deadline says how many
 * milliseconds are left of the call's deadline; and grpc.health.v1 with Watch and Check.
 * Anything else is UNIMPLEMENTED.  Options:
 *   no-watch, no-check   that method is UNIMPLEMENTED
 *   mute                 Watch is taken, and not answered before the first flip
 *   min-ping=MS          pings that come more often, with calls or without, are struck
 *   delay=MS             Echo answers so much later
 *   streams=N            that many calls at once over one connection
 *   max-age=MS           a connection of that age is told to go away, and its calls may finish
 *   api-key=KEY          a call without the one header api-key with this value is UNAUTHENTICATED
 *   grace=MS             … within so long
 *   ids                  the message of an Echo is the id of its call
 *
 * Prints its port.  Then it obeys lines on stdin, answers each with one, and ends with it:
 *   serve N    from now on its health is ServingStatus N, and who watches is told;
 *              answers with the number of watchers
 *   break      ends every Watch with INTERNAL; answers with their number
 *   delay MS   from now on Echo answers so much later; answers with the number of Echo calls so far
 *   echoes     the number of Echo calls so far
 *   repeats    the number of Echo calls whose id came before
 *   health     the number of Watch and Check calls so far
 *   others     the number of calls of methods that it does not have so far
 *   holding    the number of Hold calls that are in it now
 *   release    lets them go; answers with their number
 *
 * Lock: `lock` guards everything; the main thread commands, another one serves.
 */
#include <glib.h>
#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/slice.h>
#include <grpc/support/time.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum { STAGE_WAIT, STAGE_READ, STAGE_HELD, STAGE_WATCH, STAGE_REPLY } Stage;

/* One call; its address is the tag of its operations, of which one is on the queue, but while it is HELD (or delayed) or
 * an idle WATCH. */
typedef struct Exchange {
  Stage stage;
  grpc_call *call;
  grpc_call_details details;
  grpc_metadata_array metadata;
  grpc_byte_buffer *request;
  gpr_timespec due;          /* an Echo: when it is to be answered */
  int cancelled;
  gboolean sending;          /* a Watch: an answer is on its way */
  gboolean greeted;          /* a Watch: headers have been sent */
  int told;                  /* a Watch: the status sent last; -1: none */
} Exchange;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* a sanitizer does not see into GLib's */
static grpc_server *server;
static grpc_completion_queue *queue;
static GPtrArray *held;      /* of Exchange: Hold calls, and Watch calls */
static GPtrArray *watchers;
static GQueue delayed = G_QUEUE_INIT; /* of Exchange: Echo calls, answered in their order */
static int delay_ms;
static int max_streams;
static int serving = 1;
static gboolean has_watch = TRUE, has_check = TRUE, mute;
static int min_ping_ms;
static int max_age_ms;
static const char *api_key;  /* NULL: none is wanted */
static int grace_ms = -1;    /* without end */
static GHashTable *ids;      /* of the Echo calls so far, as text; NULL: not kept */
static guint n_echoes, n_repeats, n_health, n_others;

static void
exchange_begin (void)
{
  Exchange *exchange = g_new0 (Exchange, 1);

  exchange->told = -1;
  grpc_call_details_init (&exchange->details);
  grpc_metadata_array_init (&exchange->metadata);
  grpc_server_request_call (server, &exchange->call, &exchange->details, &exchange->metadata, queue, queue, exchange);
}

static void
exchange_end (Exchange *exchange)
{
  if (exchange->call != NULL)
    grpc_call_unref (exchange->call);
  grpc_call_details_destroy (&exchange->details);
  grpc_metadata_array_destroy (&exchange->metadata);
  grpc_byte_buffer_destroy (exchange->request);
  g_free (exchange);
}

static gboolean
is_method (const Exchange *exchange, const char *method)
{
  return grpc_slice_str_cmp (exchange->details.method, method) == 0;
}

static grpc_byte_buffer *
health_message (int status)
{
  const char bytes[] = { 0x08, (char) status };
  grpc_slice slice = grpc_slice_from_copied_buffer (bytes, sizeof bytes);
  grpc_byte_buffer *buffer = grpc_raw_byte_buffer_create (&slice, 1);

  grpc_slice_unref (slice);
  return buffer;
}

/* ----------------------------------------------------------------- answering */

/* With RESPONSE (transfer full, nullable) and STATUS. */
static void
reply (Exchange *exchange, grpc_byte_buffer *response, grpc_status_code status)
{
  grpc_op ops[4];
  gsize n = 0;

  memset (ops, 0, sizeof ops);
  exchange->stage = STAGE_REPLY;
  if (!exchange->greeted)
    ops[n++].op = GRPC_OP_SEND_INITIAL_METADATA;
  if (response != NULL) {
    ops[n].op = GRPC_OP_SEND_MESSAGE;
    ops[n++].data.send_message.send_message = response;
  }
  ops[n].op = GRPC_OP_RECV_CLOSE_ON_SERVER;
  ops[n++].data.recv_close_on_server.cancelled = &exchange->cancelled;
  ops[n].op = GRPC_OP_SEND_STATUS_FROM_SERVER;
  ops[n++].data.send_status_from_server.status = status;
  grpc_call_start_batch (exchange->call, ops, n, exchange, NULL);
  grpc_byte_buffer_destroy (response);
}

/* Tells a watcher what it has not heard. */
static void
tell (Exchange *exchange)
{
  grpc_byte_buffer *message;
  grpc_op ops[2];
  gsize n = 0;

  if (exchange->sending || exchange->told == serving)
    return;
  memset (ops, 0, sizeof ops);
  message = health_message (serving);
  exchange->sending = TRUE;
  exchange->told = serving;
  if (!exchange->greeted)
    ops[n++].op = GRPC_OP_SEND_INITIAL_METADATA;
  exchange->greeted = TRUE;
  ops[n].op = GRPC_OP_SEND_MESSAGE;
  ops[n++].data.send_message.send_message = message;
  grpc_call_start_batch (exchange->call, ops, n, exchange, NULL);
  grpc_byte_buffer_destroy (message);
}

static void
watch (Exchange *exchange)
{
  exchange->stage = STAGE_WATCH;
  g_ptr_array_add (watchers, exchange);
  if (!mute)
    tell (exchange);
}

static gboolean
may_enter (const Exchange *exchange)
{
  guint n = 0, n_good = 0;
  gsize i;

  for (i = 0; i < exchange->metadata.count; i++) {
    const grpc_metadata *row = &exchange->metadata.metadata[i];
    gboolean is_key = grpc_slice_str_cmp (row->key, "api-key") == 0;

    n += is_key;
    n_good += is_key && api_key != NULL && grpc_slice_str_cmp (row->value, api_key) == 0;
  }
  return api_key == NULL || (n == 1 && n_good == 1);
}

static void
echo (Exchange *exchange)
{
  reply (exchange, grpc_byte_buffer_copy (exchange->request), GRPC_STATUS_OK);
}

static void
note_id (grpc_byte_buffer *request)
{
  grpc_byte_buffer_reader reader;
  grpc_slice all;

  if (ids == NULL || !grpc_byte_buffer_reader_init (&reader, request))
    return;
  all = grpc_byte_buffer_reader_readall (&reader);
  n_repeats += !g_hash_table_add (ids, g_strndup ((const char *) GRPC_SLICE_START_PTR (all), GRPC_SLICE_LENGTH (all)));
  grpc_slice_unref (all);
  grpc_byte_buffer_reader_destroy (&reader);
}

static void
echo_in_time (Exchange *exchange)
{
  n_echoes++;
  note_id (exchange->request);
  if (delay_ms == 0) {
    echo (exchange);
    return;
  }
  exchange->stage = STAGE_HELD;
  exchange->due = gpr_time_add (gpr_now (GPR_CLOCK_MONOTONIC), gpr_time_from_millis (delay_ms, GPR_TIMESPAN));
  g_queue_push_tail (&delayed, exchange);
}

static void
tell_deadline (Exchange *exchange)
{
  gpr_timespec left = gpr_time_sub (gpr_convert_clock_type (exchange->details.deadline, GPR_CLOCK_MONOTONIC),
                                    gpr_now (GPR_CLOCK_MONOTONIC));
  g_autofree char *text = g_strdup_printf ("%.0f", (double) left.tv_sec * 1000 + left.tv_nsec / 1000000);
  grpc_slice slice = grpc_slice_from_copied_string (text);

  reply (exchange, grpc_raw_byte_buffer_create (&slice, 1), GRPC_STATUS_OK);
  grpc_slice_unref (slice);
}

/* When that is to be done again. */
static gpr_timespec
echo_what_is_due (void)
{
  gpr_timespec now = gpr_now (GPR_CLOCK_MONOTONIC);
  Exchange *first;

  while ((first = g_queue_peek_head (&delayed)) != NULL && gpr_time_cmp (first->due, now) <= 0)
    echo (g_queue_pop_head (&delayed));
  return first == NULL ? gpr_inf_future (GPR_CLOCK_MONOTONIC) : first->due;
}

static void
answer (Exchange *exchange)
{
  gboolean watches = is_method (exchange, "/grpc.health.v1.Health/Watch");
  gboolean checks = is_method (exchange, "/grpc.health.v1.Health/Check");

  n_health += watches || checks;
  if (!may_enter (exchange)) {
    reply (exchange, NULL, GRPC_STATUS_UNAUTHENTICATED);
  } else if (is_method (exchange, "/cenote.test.Work/Echo") && exchange->request != NULL) {
    echo_in_time (exchange);
  } else if (is_method (exchange, "/cenote.test.Work/Hold")) {
    exchange->stage = STAGE_HELD;
    g_ptr_array_add (held, exchange);
  } else if (is_method (exchange, "/cenote.test.Work/Deadline")) {
    tell_deadline (exchange);
  } else if (watches && has_watch) {
    watch (exchange);
  } else if (checks && has_check) {
    reply (exchange, health_message (serving), GRPC_STATUS_OK);
  } else {
    n_others += !watches && !checks;
    reply (exchange, NULL, GRPC_STATUS_UNIMPLEMENTED);
  }
}

static void
read_request (Exchange *exchange)
{
  grpc_op op = { .op = GRPC_OP_RECV_MESSAGE };

  exchange->stage = STAGE_READ;
  op.data.recv_message.recv_message = &exchange->request;
  grpc_call_start_batch (exchange->call, &op, 1, exchange, NULL);
}

/* A watcher that has gone is noticed when it is to be told something. */
static void
told (Exchange *exchange, gboolean ok)
{
  exchange->sending = FALSE;
  if (ok) {
    tell (exchange);
    return;
  }
  g_ptr_array_remove (watchers, exchange);
  exchange_end (exchange);
}

static void
advance (Exchange *exchange, gboolean ok)
{
  switch (exchange->stage) {
  case STAGE_WAIT:
    if (!ok) {
      exchange_end (exchange);
      break;
    }
    exchange_begin ();
    read_request (exchange);
    break;
  case STAGE_READ:
    answer (exchange);
    break;
  case STAGE_WATCH:
    told (exchange, ok);
    break;
  case STAGE_HELD:
  case STAGE_REPLY:
    exchange_end (exchange);
    break;
  }
}

static void *
serve (void *data)
{
  gpr_timespec due = gpr_inf_future (GPR_CLOCK_MONOTONIC);

  (void) data;
  for (;;) {
    grpc_event event = grpc_completion_queue_next (queue, due, NULL);

    if (event.type == GRPC_QUEUE_SHUTDOWN)
      return NULL;
    pthread_mutex_lock (&lock);
    if (event.type == GRPC_OP_COMPLETE)
      advance (event.tag, event.success != 0);
    due = echo_what_is_due ();
    pthread_mutex_unlock (&lock);
  }
}

/* ---------------------------------------------------------------- commanding */

static guint
flip (int status)
{
  guint i;

  serving = status;
  for (i = 0; i < watchers->len; i++)
    tell (watchers->pdata[i]);
  return watchers->len;
}

/* Those that are being told something are let be. */
static guint
break_watches (void)
{
  guint n = 0;
  guint i;

  for (i = watchers->len; i-- > 0;) {
    Exchange *exchange = watchers->pdata[i];

    if (exchange->sending)
      continue;
    g_ptr_array_remove_index (watchers, i);
    reply (exchange, NULL, GRPC_STATUS_INTERNAL);
    n++;
  }
  return n;
}

static guint
release (void)
{
  guint n = held->len;
  guint i;

  for (i = 0; i < n; i++) {
    Exchange *exchange = held->pdata[i];

    reply (exchange, exchange->request == NULL ? NULL : grpc_byte_buffer_copy (exchange->request), GRPC_STATUS_OK);
  }
  g_ptr_array_set_size (held, 0);
  return n;
}

static guint
obey (const char *line)
{
  int status;

  if (sscanf (line, "serve %d", &status) == 1)
    return flip (status);
  if (sscanf (line, "delay %d", &delay_ms) == 1)
    return n_echoes;
  if (g_str_has_prefix (line, "break"))
    return break_watches ();
  if (g_str_has_prefix (line, "release"))
    return release ();
  if (g_str_has_prefix (line, "echoes"))
    return n_echoes;
  if (g_str_has_prefix (line, "repeats"))
    return n_repeats;
  if (g_str_has_prefix (line, "others"))
    return n_others;
  return g_str_has_prefix (line, "health") ? n_health : held->len;
}

/* ------------------------------------------------------------------ starting */

static void
read_option (const char *option)
{
  if (strcmp (option, "no-watch") == 0)
    has_watch = FALSE;
  else if (strcmp (option, "no-check") == 0)
    has_check = FALSE;
  else if (strcmp (option, "mute") == 0)
    mute = TRUE;
  else if (g_str_has_prefix (option, "api-key="))
    api_key = option + strlen ("api-key=");
  else if (strcmp (option, "ids") == 0)
    ids = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  else if (sscanf (option, "min-ping=%d", &min_ping_ms) != 1 && sscanf (option, "delay=%d", &delay_ms) != 1 &&
           sscanf (option, "streams=%d", &max_streams) != 1 && sscanf (option, "max-age=%d", &max_age_ms) != 1 &&
           sscanf (option, "grace=%d", &grace_ms) != 1)
    fprintf (stderr, "health: what is %s?\n", option);
}

static grpc_arg
integer_arg (const char *key, int value)
{
  return (grpc_arg) { .type = GRPC_ARG_INTEGER, .key = (char *) key, .value.integer = value };
}

/* The port; 0: it cannot be had. */
static int
start (const char *port)
{
  g_autofree char *address = g_strdup_printf ("127.0.0.1:%s", port);
  grpc_server_credentials *plaintext = grpc_insecure_server_credentials_create ();
  grpc_arg rows[5];
  gsize n_rows = 0;
  grpc_channel_args args;
  int bound;

  if (max_streams > 0)
    rows[n_rows++] = integer_arg (GRPC_ARG_MAX_CONCURRENT_STREAMS, max_streams);
  if (max_age_ms > 0)
    rows[n_rows++] = integer_arg (GRPC_ARG_MAX_CONNECTION_AGE_MS, max_age_ms);
  if (grace_ms >= 0)
    rows[n_rows++] = integer_arg (GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, grace_ms);
  if (min_ping_ms > 0) {
    rows[n_rows++] = integer_arg (GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, min_ping_ms);
    rows[n_rows++] = integer_arg (GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  }
  args = (grpc_channel_args) { n_rows, rows };
  server = grpc_server_create (&args, NULL);
  queue = grpc_completion_queue_create_for_next (NULL);
  grpc_server_register_completion_queue (server, queue, NULL);
  bound = grpc_server_add_http2_port (server, address, plaintext);
  grpc_server_credentials_release (plaintext);
  grpc_server_start (server);
  return bound;
}

int
main (int argc, char **argv)
{
  pthread_t thread;
  char line[64];
  int port, i;

  for (i = 2; i < argc; i++)
    read_option (argv[i]);
  held = g_ptr_array_new ();
  watchers = g_ptr_array_new ();
  grpc_init ();
  port = argc < 2 ? 0 : start (argv[1]);
  if (port == 0) {
    fputs ("usage: health PORT [no-watch] [no-check] [mute] [min-ping=MS] [delay=MS] [streams=N] [max-age=MS] [grace=MS]"
           " [ids] [api-key=KEY]\n",
           stderr);
    return 2;
  }
  exchange_begin ();
  if (pthread_create (&thread, NULL, serve, NULL) != 0)
    return 1;
  setvbuf (stdout, NULL, _IOLBF, 0);
  printf ("%d\n", port);
  while (fgets (line, sizeof line, stdin) != NULL) {
    pthread_mutex_lock (&lock);
    printf ("%u\n", obey (line));
    pthread_mutex_unlock (&lock);
  }
  /* The end of the process is the end of its calls. */
  _Exit (0);
}
