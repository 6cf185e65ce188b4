/* SPDX-License-Identifier: Apache-2.0 */
/*
 * first-call: from a keyfile to the reply of a call, over a pool that looks after its channels.
 *
 *   cc first-call.c -o first-call $(pkg-config --cflags --libs cenote) && ./first-call demo.conf
 */
#include <cenote/cenote.h>
#include <stdio.h>

/* A message of bytes, in hex: "0801" is SERVING in the reply of grpc.health.v1. */
static void
print_message (GBytes *message)
{
  gsize length;
  const guint8 *bytes = g_bytes_get_data (message, &length);

  for (gsize i = 0; i < length; i++)
    printf ("%02x", bytes[i]);
  printf ("\n");
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) reply = NULL;
  g_autoptr (CenoteConfig) config = cenote_config_new_from_file (argc > 1 ? argv[1] : "demo.conf", &error);
  g_autoptr (CenoteRuntime) runtime = config != NULL ? cenote_runtime_new (config, &error) : NULL;
  g_autoptr (CenotePool) pool = runtime != NULL ? cenote_runtime_get_pool (runtime, NULL, &error) : NULL;

  if (pool != NULL && cenote_call_unary (pool, "/grpc.health.v1.Health/Check", NULL, NULL, &reply, &error))
    print_message (reply);
  else
    fprintf (stderr, "first-call: %s\n", error->message);
  return error == NULL ? 0 : 1;
}
