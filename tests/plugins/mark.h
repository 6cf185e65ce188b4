/* SPDX-License-Identifier: Apache-2.0 */
/* A constructor that leaves a mark in the environment, so that a test can tell whether any code of a module has run. */
#include <stdlib.h>

__attribute__ ((constructor)) static void
leave_mark (void)
{
  setenv ("CENOTE_TEST_SCHEDULE_RAN", "yes", 1);
}
