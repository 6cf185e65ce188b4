/* SPDX-License-Identifier: Apache-2.0 */
/* connector/lazy, linked into the simulation instead of being loaded. */
#define CENOTE_PLUGIN_STATIC static_lazy
#include "plugins/connector/lazy.c"
