/* SPDX-License-Identifier: Apache-2.0 */
#include "headers.h"

#include <string.h>

Headers *
headers_new (gsize n)
{
  Headers *headers = g_new0 (Headers, 1);

  headers->n = n;
  headers->rows = g_new0 (Header, n);
  return headers;
}

Headers *
headers_copy (const Headers *headers)
{
  Headers *copy;
  gsize i;

  if (headers == NULL)
    return NULL;
  copy = headers_new (headers->n);
  for (i = 0; i < headers->n; i++) {
    const Header *row = &headers->rows[i];

    headers_put (copy, i, row->key, strlen (row->key), row->value, row->length);
  }
  return copy;
}

void
headers_free (Headers *headers)
{
  gsize i;

  if (headers == NULL)
    return;
  for (i = 0; i < headers->n; i++) {
    g_free (headers->rows[i].key);
    g_free (headers->rows[i].value);
  }
  g_free (headers->rows);
  g_free (headers);
}

static char *
with_nul (const char *bytes, gsize length)
{
  char *copy = g_malloc (length + 1);

  if (length > 0)
    memcpy (copy, bytes, length);
  copy[length] = '\0';
  return copy;
}

void
headers_put (Headers *headers, gsize i, const char *key, gsize key_length, const char *value, gsize length)
{
  headers->rows[i] = (Header) { with_nul (key, key_length), with_nul (value, length), length };
}

const char *
headers_get (const Headers *headers, const char *key, gsize *out_length)
{
  gsize i;

  for (i = 0; headers != NULL && i < headers->n; i++) {
    if (strcmp (headers->rows[i].key, key) != 0)
      continue;
    if (out_length != NULL)
      *out_length = headers->rows[i].length;
    return headers->rows[i].value;
  }
  return NULL;
}
