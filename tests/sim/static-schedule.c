/* SPDX-License-Identifier: Apache-2.0 */
/* backoff/schedule, linked into the simulation instead of being loaded. */
#define CENOTE_PLUGIN_STATIC static_schedule
#include "tests/plugins/backoff-schedule.c"
