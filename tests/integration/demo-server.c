/* SPDX-License-Identifier: Apache-2.0 */
/* demo-server [PORT]: the demo's gRPC server alone, for tests: prints its port and serves until its stdin ends. */
#include "tools/demo-server.h"

#include <stdio.h>
#include <stdlib.h>

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (DemoServer) server = demo_server_new_on (argc > 1 ? (guint16) atoi (argv[1]) : 0, &error);

  if (server == NULL || !demo_server_start (server, &error)) {
    fprintf (stderr, "demo-server: %s\n", error->message);
    return 1;
  }
  printf ("%u\n", demo_server_get_port (server));
  fflush (stdout);
  while (getchar () != EOF)
    continue;
  return 0;
}
