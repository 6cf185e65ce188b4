/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile: what stands between the table's defaults and the keyfile: production,
 * local, test, and custom, which sets nothing.
 *
 * Reads only what the keyfile says, so that both the check and the search for
 * unused groups can ask.  Pure.
 */
#ifndef CENOTE_CORE_PROFILE_H
#define CENOTE_CORE_PROFILE_H

#include "settings.h"

G_BEGIN_DECLS

/* POOL (nullable) is a [pool:NAME] group.  What its profile says in place of the
 * table's default of OPTION, or NULL where it says nothing.  Its targets have a say
 * too: unix sockets in the transport, and in the size those that C-core balances itself (1). */
const char *profile_default (const ConfigGroup *pool, PoolOption option);

/* Whether C-core balances TARGET (nullable) by itself, as SERVICE_CONFIG (nullable) may say:
 * then one channel is several connections. */
gboolean profile_is_balanced (const char *target, const char *service_config);

/* Whether TARGET is a unix socket's. */
gboolean profile_target_is_unix (const char *target);

G_END_DECLS

#endif
