/* SPDX-License-Identifier: Apache-2.0 */
/* picker/round-robin, linked into the simulation instead of being loaded. */
#define CENOTE_PLUGIN_STATIC static_round_robin
#include "plugins/picker/round-robin.c"
