/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench-calls: Cenote's calls against the same calls by hand: a hundred lines of C-core
 * that know nothing of leases, outcomes, retries or a second message.
 *
 * Blocking: pluck on a queue of the thread's own.  Asynchronous: a hundred in flight,
 * ours called back on a GMainContext, by hand in cq_next.
 */
#include <grpc/support/time.h>
#include <string.h>

#include "rig.h"
#include "tools/demo-server.h"

#define N_CHANNELS 5
#define IN_FLIGHT 100

typedef struct Setup {
  Rig *rig;
  grpc_channel *channels[N_CHANNELS];
  gint next;                 /* of them; atomic */
  grpc_slice method;
  grpc_byte_buffer *request;
  GBytes *bytes;
} Setup;

static void
check (gboolean good, const char *what)
{
  if (!good)
    g_error ("%s", what);
}

/* --------------------------------------------------------- blocking, by hand */

static void
pluck_one (Setup *setup, grpc_completion_queue *queue)
{
  grpc_channel *channel = setup->channels[(guint) g_atomic_int_add (&setup->next, 1) % N_CHANNELS];
  gpr_timespec deadline = gpr_time_add (gpr_now (GPR_CLOCK_MONOTONIC), gpr_time_from_seconds (30, GPR_TIMESPAN));
  grpc_call *call =
    grpc_channel_create_call (channel, NULL, GRPC_PROPAGATE_DEFAULTS, queue, setup->method, NULL, deadline, NULL);
  grpc_metadata_array initial, trailing;
  grpc_byte_buffer *response = NULL;
  grpc_status_code status;
  grpc_slice details;
  grpc_op ops[6] = {
    { .op = GRPC_OP_SEND_INITIAL_METADATA },
    { .op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = setup->request },
    { .op = GRPC_OP_SEND_CLOSE_FROM_CLIENT },
    { .op = GRPC_OP_RECV_INITIAL_METADATA, .data.recv_initial_metadata.recv_initial_metadata = &initial },
    { .op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &response },
    { .op = GRPC_OP_RECV_STATUS_ON_CLIENT,
      .data.recv_status_on_client = { .trailing_metadata = &trailing, .status = &status, .status_details = &details } },
  };

  grpc_metadata_array_init (&initial);
  grpc_metadata_array_init (&trailing);
  check (grpc_call_start_batch (call, ops, G_N_ELEMENTS (ops), call, NULL) == GRPC_CALL_OK, "a call cannot be started");
  grpc_completion_queue_pluck (queue, call, gpr_inf_future (GPR_CLOCK_MONOTONIC), NULL);
  check (status == GRPC_STATUS_OK, "a call failed");
  grpc_metadata_array_destroy (&initial);
  grpc_metadata_array_destroy (&trailing);
  grpc_byte_buffer_destroy (response);
  grpc_slice_unref (details);
  grpc_call_unref (call);
}

static void
run_plucked (guint64 n, gpointer data)
{
  grpc_completion_queue *queue = grpc_completion_queue_create_for_pluck (NULL);

  while (n-- > 0)
    pluck_one (data, queue);
  grpc_completion_queue_shutdown (queue);
  grpc_completion_queue_destroy (queue);
}

/* ------------------------------------------------------------ blocking, ours */

static void
run_unary (guint64 n, gpointer data)
{
  Setup *setup = data;

  while (n-- > 0) {
    g_autoptr (GBytes) response = NULL;

    check (cenote_call_unary (setup->rig->pool, DEMO_ECHO_METHOD, setup->bytes, NULL, &response, NULL), "a call failed");
  }
}

/* ------------------------------------------------------------- asynchronous */

static grpc_channel *
take_plain (gpointer data, CenoteLease *lease)
{
  Setup *setup = data;

  (void) lease;
  return setup->channels[(guint) g_atomic_int_add (&setup->next, 1) % N_CHANNELS];
}

static void
run_next (guint64 n, gpointer data)
{
  const RigSource source = { take_plain, data };

  check (rig_call (&source, n, IN_FLIGHT) == 0, "a call failed");
}

typedef struct Async {
  Setup *setup;
  GMainContext *context;
  guint64 to_begin, to_end;
} Async;

static void async_begin (Async *async);

static void
async_done (CenotePool *pool, GBytes *response, const GError *error, gpointer data)
{
  Async *async = data;

  (void) pool;
  (void) response;
  check (error == NULL, "a call failed");
  async->to_end--;
  async_begin (async);
}

static void
async_begin (Async *async)
{
  if (async->to_begin == 0)
    return;
  async->to_begin--;
  cenote_call_unary_async (async->setup->rig->pool, DEMO_ECHO_METHOD, async->setup->bytes, NULL, async->context, async_done,
                           async, NULL);
}

static void
run_async (guint64 n, gpointer data)
{
  Async async = { data, g_main_context_new (), n, n };
  guint i;

  for (i = 0; i < IN_FLIGHT; i++)
    async_begin (&async);
  while (async.to_end > 0)
    g_main_context_iteration (async.context, TRUE);
  g_main_context_unref (async.context);
}

/* --------------------------------------------------------------- comparison */

static void
setup_init (Setup *setup, guint port)
{
  static const char message[] = "a small message";
  grpc_slice body = grpc_slice_from_static_string (message);
  g_autofree char *target = g_strdup_printf ("ipv4:127.0.0.1:%u", port);
  guint i;

  memset (setup, 0, sizeof *setup);
  setup->rig = rig_new (port);
  setup->method = grpc_slice_from_static_string (DEMO_ECHO_METHOD);
  setup->request = grpc_raw_byte_buffer_create (&body, 1);
  setup->bytes = g_bytes_new_static (message, sizeof message - 1);
  for (i = 0; i < N_CHANNELS; i++)
    setup->channels[i] = rig_plain_channel (target);
}

static void
setup_clear (Setup *setup)
{
  guint i;

  for (i = 0; i < N_CHANNELS; i++)
    grpc_channel_destroy (setup->channels[i]);
  grpc_byte_buffer_destroy (setup->request);
  g_bytes_unref (setup->bytes);
  rig_free (setup->rig);
}

static void
compare (const char *what, BenchWay way, BenchWay base)
{
  const BenchRatio ratio = bench_rate_ratio (&way, &base);

  bench_print (what, &ratio, BENCH_AT_LEAST, 0.97);
}

int
main (void)
{
  guint port = 0;
  Child *server = rig_start_server (&port);
  Setup setup;

  setup_init (&setup, port);
  bench_title ("calls, against the same by hand");
  compare ("blocking, 1 thread", (BenchWay) { "unary", run_unary, &setup, 1 }, (BenchWay) { "pluck", run_plucked, &setup, 1 });
  compare ("blocking, 2 threads", (BenchWay) { "unary", run_unary, &setup, 2 }, (BenchWay) { "pluck", run_plucked, &setup, 2 });
  compare ("asynchronous, 100 in flight", (BenchWay) { "async", run_async, &setup, 1 }, (BenchWay) { "next", run_next, &setup, 1 });
  setup_clear (&setup);
  child_free (server);
  return 0;
}
