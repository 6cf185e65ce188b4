/* SPDX-License-Identifier: Apache-2.0 */
#include "limit-text.h"

/* C-core's words. */
static const char *const message_words[] = { "Received message larger than max (", "Sent message larger than max (" };
static const char *const metadata_words[] = {
  "received initial metadata size exceeds ",
  "received trailing metadata size exceeds ",
};

static gboolean
begins_with_any (const char *text, const char *const *starts, gsize n)
{
  gsize i;

  for (i = 0; i < n; i++)
    if (g_str_has_prefix (text, starts[i]))
      return TRUE;
  return FALSE;
}

char *
limit_text (const char *details, gint64 max_message_bytes, gint64 max_metadata_bytes)
{
  g_autofree char *ours = g_strdup_printf (" vs. %" G_GINT64_FORMAT ")", max_message_bytes);

  if (begins_with_any (details, message_words, G_N_ELEMENTS (message_words)) && g_str_has_suffix (details, ours))
    return g_strdup_printf ("%s: the pool's max-message-size", details);
  if (begins_with_any (details, metadata_words, G_N_ELEMENTS (metadata_words)))
    return g_strdup_printf ("%s: the pool takes %" G_GINT64_FORMAT " bytes (max-metadata-size)", details, max_metadata_bytes);
  return NULL;
}
