/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trial: makes what the pools of a sound config would be made of, and throws it away.
 *
 * It finds what only a plugin itself, or a file that is named, can tell: a
 * certificate that has expired, a script that cannot be read.  Telemetry sinks are
 * left out, since making one may open something.  No connection is opened, and no gRPC used.
 */
#ifndef CENOTE_CORE_TRIAL_H
#define CENOTE_CORE_TRIAL_H

#include "settings.h"

G_BEGIN_DECLS

/* Adds what is wrong to PROBLEMS, and what is wrong with a pool that is not critical to NOTES. */
void trial_settings (const Settings *settings, Problems *problems, Problems *notes);

G_END_DECLS

#endif
