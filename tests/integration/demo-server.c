/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demo-server [PORT [CERTIFICATE KEY [CLIENT-AUTHORITIES]]]: the demo's gRPC server alone, for tests:
 * prints its port and serves until its stdin ends; with files of PEM by TLS.
 */
#include "tools/demo-server.h"

#include <stdio.h>
#include <stdlib.h>

/* (transfer full) (nullable): the text of the file that is argument I. */
static char *
read_argument (int argc, char **argv, int i)
{
  char *text = NULL;

  if (i < argc && !g_file_get_contents (argv[i], &text, NULL, NULL))
    fprintf (stderr, "demo-server: %s cannot be read\n", argv[i]);
  return text;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (DemoServer) server = demo_server_new_on (argc > 1 ? (guint16) atoi (argv[1]) : 0, &error);
  g_autofree char *certificate = read_argument (argc, argv, 2);
  g_autofree char *key = read_argument (argc, argv, 3);
  g_autofree char *client_authorities = read_argument (argc, argv, 4);

  if (server != NULL && certificate != NULL)
    demo_server_set_tls (server, certificate, key, client_authorities);
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
