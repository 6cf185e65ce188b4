/* SPDX-License-Identifier: Apache-2.0 */
/*
 * async: a program with a main loop of its own calls without blocking it: ten calls at
 * once, each answered by a callback on the loop.
 *
 *   cc async.c -o async $(pkg-config --cflags --libs cenote) && ./async demo.conf
 */
#include <cenote/cenote.h>
#include <stdio.h>

#define N_CALLS 10

typedef struct Client {
  GMainLoop *loop;
  int waiting;               /* for so many answers */
  int failed;
} Client;

/* On the loop's thread, once for each call. */
static void
answered (CenotePool *pool, GBytes *reply, const GError *error, gpointer data)
{
  Client *client = data;

  if (error != NULL)
    fprintf (stderr, "%s: %s\n", cenote_pool_get_name (pool), error->message);
  else
    printf ("%s: a reply of %zu bytes\n", cenote_pool_get_name (pool), g_bytes_get_size (reply));
  client->failed += error != NULL;
  if (--client->waiting == 0)
    g_main_loop_quit (client->loop);
}

/* Returns how many failed. */
static int
make_calls (CenotePool *pool)
{
  Client client = { .loop = g_main_loop_new (NULL, FALSE), .waiting = N_CALLS };

  for (int i = 0; i < N_CALLS; i++)
    cenote_call_unary_async (pool, "/grpc.health.v1.Health/Check", NULL, NULL, NULL, answered, &client, NULL);
  g_main_loop_run (client.loop);
  g_main_loop_unref (client.loop);
  return client.failed;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CenoteConfig) config = cenote_config_new_from_file (argc > 1 ? argv[1] : "demo.conf", &error);
  g_autoptr (CenoteRuntime) runtime = config != NULL ? cenote_runtime_new (config, &error) : NULL;
  g_autoptr (CenotePool) pool = runtime != NULL ? cenote_runtime_get_pool (runtime, NULL, &error) : NULL;

  if (pool != NULL)
    return make_calls (pool) == 0 ? 0 : 1;
  fprintf (stderr, "async: %s\n", error->message);
  return 1;
}
