/* SPDX-License-Identifier: Apache-2.0 */
/* watched: a process that somebody looks into: opens the keyfile, and calls each few milliseconds until its standard
 * input ends.  What a call comes to is for the telemetry to tell. */
#include <cenote/cenote.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "tools/demo-server.h"

#define PAUSE_MS 5

/* Whether standard input has ended, within PAUSE_MS. */
static gboolean
is_over (void)
{
  struct pollfd input = { STDIN_FILENO, POLLIN, 0 };
  char byte;

  return poll (&input, 1, PAUSE_MS) > 0 && read (STDIN_FILENO, &byte, 1) <= 0;
}

static void
call (CenotePool *pool)
{
  g_autoptr (GBytes) request = g_bytes_new_static ("hello", 5);
  g_autoptr (GBytes) reply = NULL;
  CenoteCallOptions options = CENOTE_CALL_OPTIONS_INIT;

  options.timeout_ms = 100;
  (void) cenote_call_unary (pool, DEMO_ECHO_METHOD, request, &options, &reply, NULL);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CenoteConfig) config = cenote_config_new_from_file (argc > 1 ? argv[1] : "", &error);
  g_autoptr (CenoteRuntime) runtime = config != NULL ? cenote_runtime_new (config, &error) : NULL;
  g_autoptr (CenotePool) pool = runtime != NULL ? cenote_runtime_get_pool (runtime, NULL, &error) : NULL;

  if (pool == NULL) {
    fprintf (stderr, "watched: %s\n", error->message);
    return 1;
  }
  while (!is_over ())
    call (pool);
  return 0;
}
