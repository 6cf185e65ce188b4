/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prometheus-page: index.html with style and script in their places.  The policy allows both by their hashes, so
 * that what somebody smuggles into the document does nothing.
 */
#include "prometheus-page.h"

#include <string.h>

#define STYLE_PLACE "<style></style>"
#define SCRIPT_PLACE "<script></script>"

static char *
hash_of (const char *text)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  guint8 digest[32];
  gsize size = sizeof digest;

  g_checksum_update (checksum, (const guint8 *) text, (gssize) strlen (text));
  g_checksum_get_digest (checksum, digest, &size);
  return g_base64_encode (digest, size);
}

/* Puts TEXT into the empty element that PLACE is. */
static void
fill (GString *html, const char *place, const char *text)
{
  const char *found = strstr (html->str, place);

  g_return_if_fail (found != NULL);
  g_string_insert (html, found - html->str + (strchr (place, '>') - place) + 1, text);
}

void
page_init (Page *page)
{
  GString *html = g_string_new (prometheus_page_index_html);
  g_autofree char *style = hash_of (prometheus_page_style_css);
  g_autofree char *script = hash_of (prometheus_page_script_js);

  fill (html, STYLE_PLACE, prometheus_page_style_css);
  fill (html, SCRIPT_PLACE, prometheus_page_script_js);
  page->html = g_string_free_to_bytes (html);
  page->policy = g_strdup_printf ("default-src 'none'; style-src 'sha256-%s'; script-src 'sha256-%s'; img-src data:; "
                                  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
                                  style, script);
}

void
page_clear (Page *page)
{
  g_clear_pointer (&page->html, g_bytes_unref);
  g_clear_pointer (&page->policy, g_free);
}
