/* SPDX-License-Identifier: Apache-2.0 */
/* connector/persistent, linked into the simulation instead of being loaded. */
#define CENOTE_PLUGIN_STATIC static_persistent
#include "plugins/connector/persistent.c"
