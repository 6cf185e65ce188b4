/* SPDX-License-Identifier: Apache-2.0 */
/* greeter: the server of examples/greeter alone: prints its port and serves until its stdin ends. */
#include "greeter.h"

#include <cstdio>

int
main ()
{
  GreeterServer server;

  if (!server.start ())
    return 1;
  std::printf ("%d\n", server.port ());
  std::fflush (stdout);
  while (std::getchar () != EOF)
    continue;
  return 0;
}
