/* SPDX-License-Identifier: Apache-2.0 */
#include "status-error.h"

#include <cenote/call.h>

#include "status-name.h"

/* What GLib keeps before a GError of the domain. */
typedef struct {
  Headers *trailing;
} Extra;

static gsize extra_offset;

static Extra *
extra_of (const GError *error)
{
  return (Extra *) (gpointer) ((char *) error - extra_offset);
}

static void
extra_init (GError *error)
{
  extra_of (error)->trailing = NULL;
}

static void
extra_copy (const GError *from, GError *to)
{
  extra_of (to)->trailing = headers_copy (extra_of (from)->trailing);
}

static void
extra_clear (GError *error)
{
  headers_free (extra_of (error)->trailing);
}

/* As G_DEFINE_EXTENDED_ERROR() does, with the domain's name after GLib's habit. */
GQuark
cenote_status_quark (void)
{
  static gsize quark;

  if (g_once_init_enter (&quark)) {
    extra_offset = (sizeof (Extra) + 2 * sizeof (gsize) - 1) / (2 * sizeof (gsize)) * (2 * sizeof (gsize));
    g_once_init_leave (&quark, g_error_domain_register_static ("cenote-status-quark", sizeof (Extra), extra_init, extra_copy,
                                                               extra_clear));
  }
  return (GQuark) quark;
}

GError *
status_error_new (int status, const char *details, const Headers *trailing)
{
  g_autofree char *text = details == NULL ? g_strdup ("") : g_utf8_make_valid (details, -1);
  const char *name = status_name (status);
  GError *error;

  if (text[0] != '\0')
    error = g_error_new_literal (CENOTE_STATUS, status, text);
  else if (name != NULL)
    error = g_error_new_literal (CENOTE_STATUS, status, name);
  else
    error = g_error_new (CENOTE_STATUS, status, "status %d, which gRPC does not define", status);
  extra_of (error)->trailing = headers_copy (trailing);
  return error;
}

const char *
cenote_status_error_get_trailing (const GError *error, const char *key)
{
  if (error == NULL || error->domain != CENOTE_STATUS)
    return NULL;
  return headers_get (extra_of (error)->trailing, key, NULL);
}
