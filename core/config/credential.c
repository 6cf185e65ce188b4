/* SPDX-License-Identifier: Apache-2.0 */
#include "credential.h"

#include <string.h>

#include "text-file.h"

const char *
credential_header (CredentialsKind kind)
{
  switch (kind) {
  case CREDENTIALS_NONE:
    return NULL;
  case CREDENTIALS_API_KEY:
    return "api-key";
  case CREDENTIALS_TOKEN_FILE:
  case CREDENTIALS_BASIC:
    return "authorization";
  }
  g_return_val_if_reached (NULL);
}

static gboolean
is_legal (char c)
{
  return g_ascii_isgraph (c);
}

/* WHAT: whose text it is, for people.  A secret with a blank in it would be two words of the header. */
static gboolean
check_secret (const char *text, gsize length, const char *what, GError **error)
{
  gsize n = 0;

  if (length == 0)
    g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_CONFIG, "%s is empty", what);
  else if (length > CREDENTIAL_MAX_BYTES)
    g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_CONFIG, "%s has %" G_GSIZE_FORMAT " bytes (expected at most %d)",
                 what, length, CREDENTIAL_MAX_BYTES);
  else {
    while (n < length && is_legal (text[n]))
      n++;
    if (n == length)
      return TRUE;
    g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_CONFIG,
                 "%s has at place %" G_GSIZE_FORMAT " a byte that no header may have (expected one line of printable "
                 "ASCII without blanks)", what, n + 1);
  }
  return FALSE;
}

static char *
read_api_key (const char *key, GError **error)
{
  return check_secret (key, strlen (key), "api-key", error) ? g_strdup (key) : NULL;
}

/* The file may end with blanks and ends of lines, as editors and echo make them. */
static char *
read_token (const char *path, GError **error)
{
  gsize length = 0;
  g_autofree char *text = text_file_read (path, 8 * CREDENTIAL_MAX_BYTES, &length, error);
  g_autofree char *name = g_filename_display_name (path);
  g_autofree char *what = g_strdup_printf ("the token in '%s'", name);

  if (text == NULL) {
    g_prefix_error (error, "token-file: ");
    return NULL;
  }
  while (length > 0 && g_ascii_isspace (text[length - 1]))
    length--;
  if (!check_secret (text, length, what, error)) {
    g_prefix_error (error, "token-file: ");
    return NULL;
  }
  text[length] = '\0';
  return g_strconcat ("Bearer ", text, NULL);
}

static char *
write_basic (const char *pair, GError **error)
{
  gsize length = strlen (pair);
  g_autofree char *encoded = NULL;

  if (length > CREDENTIAL_MAX_BYTES / 2) {
    g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_CONFIG,
                 "user and password have %" G_GSIZE_FORMAT " bytes (expected at most %d)", length,
                 CREDENTIAL_MAX_BYTES / 2);
    return NULL;
  }
  encoded = g_base64_encode ((const guchar *) pair, length);
  return g_strconcat ("Basic ", encoded, NULL);
}

char *
credential_read (const PoolCredentials *credentials, GError **error)
{
  switch (credentials->kind) {
  case CREDENTIALS_API_KEY:
    return read_api_key (credentials->value, error);
  case CREDENTIALS_TOKEN_FILE:
    return read_token (credentials->value, error);
  case CREDENTIALS_BASIC:
    return write_basic (credentials->value, error);
  case CREDENTIALS_NONE:
    break;
  }
  g_return_val_if_reached (NULL);
}
