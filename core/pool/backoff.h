/* SPDX-License-Identifier: Apache-2.0 */
/* backoff: a backoff plugin's operations, timed.  Control thread. */
#ifndef CENOTE_CORE_BACKOFF_H
#define CENOTE_CORE_BACKOFF_H

#include "core/registry/instance.h"

/* In us; what the plugin says, which may be negative. */
gint64 backoff_next (Instance *backoff);
void backoff_reset (Instance *backoff);

#endif
