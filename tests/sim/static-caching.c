/* SPDX-License-Identifier: Apache-2.0 */
/* connector/caching, linked into the simulation instead of being loaded. */
#define CENOTE_PLUGIN_STATIC static_caching
#include "plugins/connector/caching.c"
