/* SPDX-License-Identifier: Apache-2.0 */
/* command: what a shell command says. */
#ifndef CENOTE_TESTS_COMMAND_H
#define CENOTE_TESTS_COMMAND_H

#include <cstdio>

/* The number that COMMAND's output begins with; 0: none. */
static inline unsigned
command_number (const char *command)
{
  FILE *pipe = popen (command, "r");
  unsigned number = 0;

  if (pipe == nullptr)
    return 0;
  if (fscanf (pipe, "%u", &number) != 1)
    number = 0;
  pclose (pipe);
  return number;
}

#endif
