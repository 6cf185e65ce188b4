/* SPDX-License-Identifier: Apache-2.0 */
#include "backoff.h"

gint64
backoff_next (Instance *backoff)
{
  gint64 began_us = instance_begin (backoff);
  gint64 delay_us = backoff->plugin->ops.backoff.next (backoff->state);

  instance_end (backoff, "next", began_us);
  return delay_us;
}

void
backoff_reset (Instance *backoff)
{
  gint64 began_us = instance_begin (backoff);

  backoff->plugin->ops.backoff.reset (backoff->state);
  instance_end (backoff, "reset", began_us);
}
