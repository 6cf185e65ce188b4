/* SPDX-License-Identifier: Apache-2.0 */
/*
 * first: the smallest honest program.  Opens the pools of a keyfile, takes a
 * channel, asks the server for its health over it, and gives the channel back.
 *
 *   cc first.c -o first $(pkg-config --cflags --libs cenote grpc) && ./first demo.conf
 */
#include <cenote/cenote.h>
#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <grpc/slice.h>
#include <grpc/support/time.h>
#include <stdio.h>

/* One unary call by C-core's own functions; the message that comes back is not looked at. */
static grpc_status_code
call (grpc_channel *channel, const char *method, gint64 timeout_ms)
{
  /* Every call has a deadline. */
  gpr_timespec deadline = gpr_time_add (gpr_now (GPR_CLOCK_MONOTONIC), gpr_time_from_millis (timeout_ms, GPR_TIMESPAN));
  grpc_completion_queue *queue = grpc_completion_queue_create_for_pluck (NULL);
  grpc_call *rpc = grpc_channel_create_call (channel, NULL, GRPC_PROPAGATE_DEFAULTS, queue,
                                             grpc_slice_from_static_string (method), NULL, deadline, NULL);
  grpc_slice empty = grpc_empty_slice (); /* a message without fields */
  grpc_byte_buffer *request = grpc_raw_byte_buffer_create (&empty, 1);
  grpc_byte_buffer *response = NULL;
  grpc_metadata_array initial, trailing;
  grpc_status_code status = GRPC_STATUS_INTERNAL;
  grpc_slice details = grpc_empty_slice ();

  grpc_metadata_array_init (&initial);
  grpc_metadata_array_init (&trailing);

  /* Receive initial metadata in the same batch: without it the status does not come before the deadline. */
  grpc_op ops[] = {
    { .op = GRPC_OP_SEND_INITIAL_METADATA },
    { .op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = request },
    { .op = GRPC_OP_SEND_CLOSE_FROM_CLIENT },
    { .op = GRPC_OP_RECV_INITIAL_METADATA, .data.recv_initial_metadata.recv_initial_metadata = &initial },
    { .op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &response },
    { .op = GRPC_OP_RECV_STATUS_ON_CLIENT,
      .data.recv_status_on_client = { .trailing_metadata = &trailing, .status = &status, .status_details = &details } },
  };

  if (grpc_call_start_batch (rpc, ops, G_N_ELEMENTS (ops), rpc, NULL) == GRPC_CALL_OK)
    grpc_completion_queue_pluck (queue, rpc, gpr_inf_future (GPR_CLOCK_MONOTONIC), NULL);

  grpc_slice_unref (details);
  grpc_metadata_array_destroy (&trailing);
  grpc_metadata_array_destroy (&initial);
  grpc_byte_buffer_destroy (response);
  grpc_byte_buffer_destroy (request);
  grpc_call_unref (rpc);
  grpc_completion_queue_shutdown (queue);
  grpc_completion_queue_destroy (queue);
  return status;
}

/* FILE's only pool: wait for a channel, take it, call, give it back. */
static gboolean
run (const char *file, GError **error)
{
  g_autoptr (CenoteConfig) config = cenote_config_new_from_file (file, error);
  g_autoptr (CenoteRuntime) runtime = config != NULL ? cenote_runtime_new (config, error) : NULL;
  g_autoptr (CenotePool) pool = runtime != NULL ? cenote_runtime_get_pool (runtime, NULL, error) : NULL;
  g_auto (CenoteLease) lease = CENOTE_LEASE_INIT;
  grpc_status_code status;

  if (pool == NULL || !cenote_pool_await_ready (pool, 10000, error) || !cenote_pool_get_channel (pool, &lease, error))
    return FALSE;
  status = call (lease.channel, "/grpc.health.v1.Health/Check", 5000);
  cenote_lease_release_with_status (&lease, status);
  printf ("%s: the health check ended with status %d\n", cenote_pool_get_name (pool), status);
  return status == GRPC_STATUS_OK;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  if (argc != 2) {
    fprintf (stderr, "usage: first FILE\n");
    return 2;
  }
  if (run (argv[1], &error))
    return 0;
  if (error != NULL)
    fprintf (stderr, "first: %s\n", error->message);
  return 1;
}
