/* SPDX-License-Identifier: Apache-2.0 */
/* pool-rules: what no single row of the table can say: keys that need, exclude or bound each other. */
#ifndef CENOTE_CORE_POOL_RULES_H
#define CENOTE_CORE_POOL_RULES_H

#include "check.h"

G_BEGIN_DECLS

/* POOL has its values and plugins. */
void pool_rules_check (Check *check, const PoolSettings *pool, const ConfigGroup *group);

G_END_DECLS

#endif
