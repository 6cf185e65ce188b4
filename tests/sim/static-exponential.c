/* SPDX-License-Identifier: Apache-2.0 */
/* backoff/exponential, linked into the simulation instead of being loaded. */
#define CENOTE_PLUGIN_STATIC static_exponential
#include "plugins/backoff/exponential.c"
