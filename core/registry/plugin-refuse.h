/* SPDX-License-Identifier: Apache-2.0 */
/* plugin-refuse: the error of a plugin that is not taken. */
#ifndef CENOTE_CORE_PLUGIN_REFUSE_H
#define CENOTE_CORE_PLUGIN_REFUSE_H

#include <glib.h>

/* FALSE, with CENOTE_ERROR_PLUGIN.  Any thread. */
gboolean plugin_refuse (GError **error, const char *format, ...) G_GNUC_PRINTF (2, 3);

#endif
