/* SPDX-License-Identifier: Apache-2.0 */
/* The channels of transport/@NAME@, none of which connects. */
#include <cenote/plugin-test.h>
#include <grpc/grpc.h>
#include <grpc/support/alloc.h>

static CenoteTestHost test;
static CenoteTestValues values;

static void *
create (const char *compression)
{
  const CenotePlugin *plugin = CENOTE_TEST_PLUGIN;
  const CenoteTransportOps *ops = plugin->ops;
  void *state;

  cenote_test_host_init (&test);
  cenote_test_values_init (&values, plugin);
  cenote_test_values_set (&values, "compression", compression);
  state = ops->create (&test.host, &values.options, cenote_test_fault (&test));
  cenote_test_values_clear (&values); /* valid during create() only */
  CENOTE_TEST_CHECK (state != NULL);
  return state;
}

static void
destroy (void *state)
{
  const CenoteTransportOps *ops = CENOTE_TEST_PLUGIN->ops;

  ops->destroy (state);
  cenote_test_host_clear (&test);
}

static void
test_a_channel_is_to_its_address (void)
{
  const CenoteTransportOps *ops = CENOTE_TEST_PLUGIN->ops;
  grpc_channel_args none = { 0, NULL };
  void *state = create ("gzip");
  grpc_channel *channel = ops->create_channel (state, "ipv4:192.0.2.1:443", &none, cenote_test_fault (&test));
  char *target;

  CENOTE_TEST_CHECK (channel != NULL && test.fault[0] == '\0');
  target = grpc_channel_get_target (channel);
  CENOTE_TEST_CHECK (strcmp (target, "ipv4:192.0.2.1:443") == 0);
  gpr_free (target);
  grpc_channel_destroy (channel);
  destroy (state);
}

static void
test_what_every_connection_carries_is_kept (void)
{
  const CenoteTransportOps *ops = CENOTE_TEST_PLUGIN->ops;
  grpc_arg authority = { .type = GRPC_ARG_STRING, .key = (char *) GRPC_ARG_DEFAULT_AUTHORITY, .value.string = (char *) "users" };
  grpc_channel_args args = { 1, &authority };
  void *state = create ("none");
  grpc_channel *channel = ops->create_channel (state, "ipv4:192.0.2.1:443", &args, cenote_test_fault (&test));

  CENOTE_TEST_CHECK (channel != NULL);
  CENOTE_TEST_CHECK (strcmp (authority.value.string, "users") == 0);
  grpc_channel_destroy (channel);
  destroy (state);
}

static void
test_an_empty_address_is_an_error (void)
{
  const CenoteTransportOps *ops = CENOTE_TEST_PLUGIN->ops;
  grpc_channel_args none = { 0, NULL };
  void *state = create ("none");

  CENOTE_TEST_CHECK (ops->create_channel (state, "", &none, cenote_test_fault (&test)) == NULL);
  CENOTE_TEST_CHECK (strstr (test.fault, "empty address") != NULL);
  destroy (state);
}

int
main (void)
{
  grpc_init ();
  test_a_channel_is_to_its_address ();
  test_what_every_connection_carries_is_kept ();
  test_an_empty_address_is_an_error ();
  grpc_shutdown ();
  return 0;
}
