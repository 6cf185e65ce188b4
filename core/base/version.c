/* SPDX-License-Identifier: Apache-2.0 */
/* version: which libcenote runs, as against the headers compiled against.  Constant; any thread. */
#include <cenote/version.h>

const char *
cenote_version (void)
{
  return CENOTE_VERSION_STRING;
}
