/* SPDX-License-Identifier: Apache-2.0 */
/* picker/p2c, linked into the simulation instead of being loaded. */
#define CENOTE_PLUGIN_STATIC static_p2c
#include "plugins/picker/p2c.c"
