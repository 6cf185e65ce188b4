/* SPDX-License-Identifier: Apache-2.0 */
#include "plugin-refuse.h"

#include <cenote/error.h>

gboolean
plugin_refuse (GError **error, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  if (error)
    *error = g_error_new_valist (CENOTE_ERROR, CENOTE_ERROR_PLUGIN, format, arguments);
  va_end (arguments);
  return FALSE;
}
