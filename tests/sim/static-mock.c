/* SPDX-License-Identifier: Apache-2.0 */
/* transport/mock, linked into the tests instead of being loaded. */
#define CENOTE_PLUGIN_STATIC static_mock
#include "plugins/transport/mock.c"

#include "plugins/transport/mock-script.c"
