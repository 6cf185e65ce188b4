/* SPDX-License-Identifier: Apache-2.0 */
/* backoff/constant, linked into the simulation instead of being loaded. */
#define CENOTE_PLUGIN_STATIC static_constant
#include "plugins/backoff/constant.c"
