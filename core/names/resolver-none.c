/* SPDX-License-Identifier: Apache-2.0 */
/* resolver-none: in place of resolver-ares where c-ares is absent: names are C-core's affair. */
#include "resolver.h"

Resolver *
resolver_ares_new (Control *control)
{
  (void) control;
  return NULL;
}

void
resolver_ares_stop (Resolver *resolver)
{
  (void) resolver;
}

void
resolver_ares_free (Resolver *resolver)
{
  (void) resolver;
}
