/* SPDX-License-Identifier: Apache-2.0 */
/* connector/elastic, linked into the simulation instead of being loaded. */
#define CENOTE_PLUGIN_STATIC static_elastic
#include "plugins/connector/elastic.c"
