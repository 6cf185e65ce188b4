/* SPDX-License-Identifier: Apache-2.0 */
#include <grpc/grpc_security.h>

#include "rig.h"

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/slice.h>
#include <grpc/support/time.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/demo-server.h"

/* ----------------------------------------------------------------- servers */

/* PROGRAM with ARGUMENTS (NULL-terminated, 4 at most); it prints its port. */
static Child *
start (const char *program, const char *const *arguments, guint *out_port)
{
  g_autofree char *path = child_program (program);
  const char *argv[6] = { path };
  g_autofree char *line = NULL;
  Child *child;
  guint i;

  for (i = 0; arguments[i] != NULL; i++)
    argv[i + 1] = arguments[i];
  child = child_start (argv, NULL);
  line = child == NULL ? NULL : child_read (child);
  if (line == NULL)
    g_error ("%s does not start", path);
  *out_port = (guint) atoi (line);
  return child;
}

Child *
rig_start_server (guint *port)
{
  g_autofree char *text = g_strdup_printf ("%u", *port);
  const char *arguments[] = { text, NULL };

  return start ("tests/integration/demo-server", arguments, port);
}

Child *
rig_start_slow_server (guint delay_ms, guint streams, guint *port)
{
  g_autofree char *text = g_strdup_printf ("%u", *port);
  g_autofree char *delay = g_strdup_printf ("delay=%u", delay_ms);
  g_autofree char *limit = g_strdup_printf ("streams=%u", streams);
  const char *arguments[] = { text, delay, limit, NULL };

  return start ("tests/servers/health", arguments, port);
}

Child *
rig_start_late_server (guint delay_ms, guint streams, guint *out_port)
{
  g_autofree char *delay = g_strdup_printf ("%u", delay_ms);
  g_autofree char *limit = g_strdup_printf ("%u", streams);
  const char *arguments[] = { delay, limit, NULL };

  return start ("bench/late-server", arguments, out_port);
}

Child *
rig_start_proxy (guint port, guint *out_port)
{
  g_autofree char *text = g_strdup_printf ("%u", port);
  const char *arguments[] = { "forward", text, NULL };

  return start ("tests/servers/peer", arguments, out_port);
}

/* -------------------------------------------------------------------- pool */

static void
take_event (const CenoteEvent *event, gpointer data)
{
  Rig *rig = data;

  g_mutex_lock (&rig->lock);
  g_array_append_val (event->kind == CENOTE_EVENT_CHANNEL_CONNECTED ? rig->found_us : rig->lost_us, event->time_us);
  g_cond_broadcast (&rig->changed);
  g_mutex_unlock (&rig->lock);
}

static void
open_pool (Rig *rig, guint port)
{
  g_autofree char *text = g_strdup_printf ("[cenote]\ntelemetry=\n"
                                           "[pool:bench]\nprofile=local\nsize=5\npicker=p2c\n"
                                           "initialization=manual\ntarget=ipv4:127.0.0.1:%u\n",
                                           port);
  g_autoptr (GError) error = NULL;
  g_autoptr (CenoteConfig) config = cenote_config_new_from_data (text, -1, &error);

  rig->runtime = config == NULL ? NULL : cenote_runtime_new (config, &error);
  rig->pool = rig->runtime == NULL ? NULL : cenote_runtime_get_pool (rig->runtime, NULL, &error);
  if (rig->pool == NULL)
    g_error ("%s", error->message);
}

Rig *
rig_new (guint port)
{
  const guint64 mask =
    CENOTE_EVENT_BIT (CENOTE_EVENT_CHANNEL_CONNECTED) | CENOTE_EVENT_BIT (CENOTE_EVENT_CHANNEL_DISCONNECTED);
  Rig *rig = g_new0 (Rig, 1);
  gint64 first_us, last_us;

  g_mutex_init (&rig->lock);
  g_cond_init (&rig->changed);
  rig->lost_us = g_array_new (FALSE, FALSE, sizeof (gint64));
  rig->found_us = g_array_new (FALSE, FALSE, sizeof (gint64));
  open_pool (rig, port);
  cenote_runtime_add_sink (rig->runtime, mask, take_event, rig, NULL);
  cenote_pool_connect (rig->pool, 0, NULL);
  rig_await_found (rig, 5, &first_us, &last_us);
  return rig;
}

void
rig_free (Rig *rig)
{
  cenote_pool_unref (rig->pool);
  cenote_runtime_unref (rig->runtime);
  g_array_unref (rig->lost_us);
  g_array_unref (rig->found_us);
  g_mutex_clear (&rig->lock);
  g_cond_clear (&rig->changed);
  g_free (rig);
}

void
rig_forget (Rig *rig)
{
  g_mutex_lock (&rig->lock);
  g_array_set_size (rig->lost_us, 0);
  g_array_set_size (rig->found_us, 0);
  g_mutex_unlock (&rig->lock);
}

static void
await (Rig *rig, const GArray *times_us, guint n, gint64 *out_first_us, gint64 *out_last_us)
{
  gint64 until_us = g_get_monotonic_time () + G_TIME_SPAN_MINUTE;

  g_mutex_lock (&rig->lock);
  while (times_us->len < n)
    if (!g_cond_wait_until (&rig->changed, &rig->lock, until_us))
      g_error ("%u of %u channels after a minute", times_us->len, n);
  *out_first_us = g_array_index (times_us, gint64, 0);
  *out_last_us = g_array_index (times_us, gint64, n - 1);
  g_mutex_unlock (&rig->lock);
}

void
rig_await_lost (Rig *rig, guint n, gint64 *out_first_us, gint64 *out_last_us)
{
  await (rig, rig->lost_us, n, out_first_us, out_last_us);
}

void
rig_await_found (Rig *rig, guint n, gint64 *out_first_us, gint64 *out_last_us)
{
  await (rig, rig->found_us, n, out_first_us, out_last_us);
}

/* ------------------------------------------------------------------- calls */

#define CALL_TIMEOUT_MS 30000
#define MESSAGE "a small message"

/* The tag of its RigCall. */
typedef struct Call {
  RigCall call;
  CenoteLease lease;
} Call;

typedef struct Caller {
  const RigSource *source;
  grpc_completion_queue *queue;
  grpc_slice method;
  guint64 to_start, in_flight, failed;
} Caller;

static grpc_channel *
take_from_pool (gpointer data, CenoteLease *lease)
{
  return cenote_pool_get_channel (data, lease, NULL) ? lease->channel : NULL;
}

RigSource
rig_source_of_pool (CenotePool *pool)
{
  return (RigSource) { .take = take_from_pool, .data = pool };
}

guint
rig_random (guint n)
{
  static _Thread_local guint32 luck;

  if (luck == 0)
    luck = g_random_int () | 1;
  luck ^= luck << 13;
  luck ^= luck >> 17;
  luck ^= luck << 5;
  return luck % n;
}

/* FALSE: nothing has come. */
static gboolean
take_reply (grpc_byte_buffer *response, RigTake take)
{
  grpc_byte_buffer_reader reader;
  grpc_slice all;
  gsize length;

  if (response == NULL || !grpc_byte_buffer_reader_init (&reader, response))
    return FALSE;
  all = grpc_byte_buffer_reader_readall (&reader);
  length = GRPC_SLICE_LENGTH (all);
  if (take != NULL)
    take (GRPC_SLICE_START_PTR (all), length);
  grpc_slice_unref (all);
  grpc_byte_buffer_reader_destroy (&reader);
  return length > 0;
}

static void
start_batch (RigCall *call, gpointer tag)
{
  grpc_op ops[6] = {
    { .op = GRPC_OP_SEND_INITIAL_METADATA },
    { .op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = call->request },
    { .op = GRPC_OP_SEND_CLOSE_FROM_CLIENT },
    { .op = GRPC_OP_RECV_INITIAL_METADATA, .data.recv_initial_metadata.recv_initial_metadata = &call->initial },
    { .op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &call->response },
    { .op = GRPC_OP_RECV_STATUS_ON_CLIENT,
      .data.recv_status_on_client = { .trailing_metadata = &call->trailing,
                                      .status = &call->status,
                                      .status_details = &call->details } },
  };

  if (grpc_call_start_batch (call->call, ops, G_N_ELEMENTS (ops), tag, NULL) != GRPC_CALL_OK)
    g_error ("a call cannot be started");
}

void
rig_call_begin (RigCall *call, grpc_channel *channel, grpc_completion_queue *queue, grpc_slice method,
                grpc_slice message, gint64 timeout_ms, gpointer tag)
{
  gpr_timespec deadline =
    gpr_time_add (gpr_now (GPR_CLOCK_MONOTONIC), gpr_time_from_millis (timeout_ms, GPR_TIMESPAN));

  memset (call, 0, sizeof *call);
  grpc_metadata_array_init (&call->initial);
  grpc_metadata_array_init (&call->trailing);
  call->details = grpc_empty_slice ();
  call->request = grpc_raw_byte_buffer_create (&message, 1);
  call->call =
    grpc_channel_create_call (channel, NULL, GRPC_PROPAGATE_DEFAULTS, queue, method, NULL, deadline, NULL);
  start_batch (call, tag);
}

gboolean
rig_call_end (RigCall *call, RigTake take)
{
  gboolean good = call->status == GRPC_STATUS_OK && take_reply (call->response, take);

  grpc_metadata_array_destroy (&call->initial);
  grpc_metadata_array_destroy (&call->trailing);
  grpc_byte_buffer_destroy (call->request);
  grpc_byte_buffer_destroy (call->response);
  grpc_slice_unref (call->details);
  grpc_call_unref (call->call);
  return good;
}

/* FALSE: none is left. */
static gboolean
call_start (Caller *caller, Call *call)
{
  grpc_channel *channel;
  grpc_slice message;

  call->lease = (CenoteLease) CENOTE_LEASE_INIT;
  while (caller->to_start > 0 && (channel = caller->source->take (caller->source->data, &call->lease)) == NULL) {
    caller->to_start--;
    caller->failed++;
  }
  if (caller->to_start == 0)
    return FALSE;
  caller->to_start--;
  caller->in_flight++;
  message = caller->source->pack != NULL ? caller->source->pack () : grpc_slice_from_copied_string (MESSAGE);
  rig_call_begin (&call->call, channel, caller->queue, caller->method, message, CALL_TIMEOUT_MS, call);
  grpc_slice_unref (message);
  return TRUE;
}

static void
call_end (Caller *caller, Call *call)
{
  grpc_status_code status = call->call.status;

  caller->in_flight--;
  caller->failed += !rig_call_end (&call->call, caller->source->read);
  if (call->lease.channel != NULL)
    cenote_lease_release_with_status (&call->lease, (int) status);
}

static grpc_event
next_event (Caller *caller)
{
  return grpc_completion_queue_next (caller->queue, gpr_inf_future (GPR_CLOCK_MONOTONIC), NULL);
}

static void
caller_end (Caller *caller)
{
  grpc_slice_unref (caller->method);
  grpc_completion_queue_destroy (caller->queue);
}

guint64
rig_pluck (const RigSource *source, guint64 n)
{
  Caller caller = {
    .source = source,
    .queue = grpc_completion_queue_create_for_pluck (NULL),
    .method = grpc_slice_from_static_string (DEMO_ECHO_METHOD),
    .to_start = n,
  };
  Call call;

  while (call_start (&caller, &call)) {
    grpc_completion_queue_pluck (caller.queue, &call, gpr_inf_future (GPR_CLOCK_MONOTONIC), NULL);
    call_end (&caller, &call);
  }
  grpc_completion_queue_shutdown (caller.queue);
  caller_end (&caller);
  return caller.failed;
}

guint64
rig_call (const RigSource *source, guint64 n, guint in_flight)
{
  return rig_call_method (source, DEMO_ECHO_METHOD, n, in_flight);
}

guint64
rig_call_method (const RigSource *source, const char *method, guint64 n, guint in_flight)
{
  Caller caller = {
    .source = source,
    .queue = grpc_completion_queue_create_for_next (NULL),
    .method = grpc_slice_from_static_string (method),
    .to_start = n,
  };
  g_autofree Call *calls = g_new0 (Call, in_flight);
  guint i;

  for (i = 0; i < in_flight; i++)
    call_start (&caller, &calls[i]);
  while (caller.in_flight > 0) {
    grpc_event event = next_event (&caller);

    call_end (&caller, event.tag);
    call_start (&caller, event.tag);
  }
  grpc_completion_queue_shutdown (caller.queue);
  while (next_event (&caller).type != GRPC_QUEUE_SHUTDOWN)
    continue;
  caller_end (&caller);
  return caller.failed;
}

static grpc_channel *
create_channel (const char *target, grpc_arg *rows, gsize n)
{
  grpc_channel_args args = { .num_args = n, .args = rows };
  grpc_channel_credentials *credentials = grpc_insecure_credentials_create ();
  grpc_channel *channel = grpc_channel_create (target, credentials, &args);

  grpc_channel_credentials_release (credentials);
  return channel;
}

grpc_channel *
rig_plain_channel (const char *target)
{
  grpc_arg rows[] = {
    { .type = GRPC_ARG_INTEGER, .key = (char *) GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, .value.integer = 1 },
    { .type = GRPC_ARG_INTEGER, .key = (char *) GRPC_ARG_ENABLE_RETRIES, .value.integer = 0 },
    { .type = GRPC_ARG_INTEGER, .key = (char *) GRPC_ARG_ENABLE_HTTP_PROXY, .value.integer = 0 },
    { .type = GRPC_ARG_INTEGER,
      .key = (char *) GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET,
      .value.integer = 1 },
    { .type = GRPC_ARG_INTEGER, .key = (char *) GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, .value.integer = 0 },
  };

  return create_channel (target, rows, G_N_ELEMENTS (rows));
}

grpc_channel *
rig_default_channel (const char *target)
{
  grpc_arg own = { .type = GRPC_ARG_INTEGER, .key = (char *) GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, .value.integer = 1 };

  return create_channel (target, &own, 1);
}

/* ----------------------------------------------------------------- figures */

static int
compare (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

static double
at (const GArray *sorted, double share)
{
  return g_array_index (sorted, double, (guint) (share * (sorted->len - 1) + 0.5));
}

double
rig_quantile (GArray *values, double share)
{
  g_array_sort (values, compare);
  return at (values, share);
}

void
rig_add (GArray *values, double value)
{
  g_array_append_val (values, value);
}

void
rig_title (const char *title)
{
  printf ("\n%-52s %8s %8s %8s\n", title, "median", "p10", "p90");
}

void
rig_print (const char *what, const char *unit, GArray *values, BenchBar bar, double limit)
{
  gboolean holds;

  g_array_sort (values, compare);
  printf ("  %-50s %8.3f %8.3f %8.3f %s", what, at (values, 0.5), at (values, 0.1), at (values, 0.9), unit);
  holds = bar == BENCH_AT_MOST ? at (values, 0.5) <= limit : at (values, 0.5) >= limit;
  if (bar != BENCH_NO_BAR)
    printf ("   at %s %g: %s", bar == BENCH_AT_MOST ? "most" : "least", limit, holds ? "holds" : "MISSED");
  printf ("   (%u)\n", values->len);
  fflush (stdout);
}
