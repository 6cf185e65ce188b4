/* SPDX-License-Identifier: Apache-2.0 */
#include "metadatum.h"

#include <string.h>

/* Those that credentials are sent as have keys of their own, which keep them from plaintext. */
static const char *const for_credentials[] = { "api-key", "authorization" };
/* Those that are gRPC's, besides grpc-…. */
static const char *const of_grpc[] = { "connection", "content-type", "host", "te", "user-agent" };

static gboolean
is_among (const char *name, const char *const *names, gsize n)
{
  while (n > 0 && strcmp (name, names[n - 1]) != 0)
    n--;
  return n > 0;
}

static gboolean
is_name (const char *name)
{
  const char *at = name;

  while (g_ascii_islower (*at) || g_ascii_isdigit (*at) || (*at != '\0' && strchr ("-_.", *at) != NULL))
    at++;
  return at > name && *at == '\0';
}

static gboolean
is_printable (const char *value)
{
  while (g_ascii_isprint (*value))
    value++;
  return *value == '\0';
}

char *
metadatum_split (const char *text, const char **out_value)
{
  const char *colon = strchr (text, ':');
  char *name = g_strstrip (g_strndup (text, (gsize) (colon - text)));

  *out_value = colon + 1 + strspn (colon + 1, " \t");
  return name;
}

char *
metadatum_check (const char *text)
{
  g_autofree char *name = NULL;
  const char *value;

  if (strchr (text, ':') == NULL)
    return g_strdup ("an element has no ':' (expected NAME:VALUE;…)");
  name = metadatum_split (text, &value);
  if (!is_name (name))
    return g_strdup_printf ("'%s' is no name of metadata (expected lower case letters, digits, '-', '_' and '.')", name);
  if (is_among (name, for_credentials, G_N_ELEMENTS (for_credentials)))
    return g_strdup_printf ("%s is for credentials (api-key, token-file, or user and password in a connection string)", name);
  if (g_str_has_prefix (name, "grpc-") || is_among (name, of_grpc, G_N_ELEMENTS (of_grpc)))
    return g_strdup_printf ("%s is gRPC's own (another name)", name);
  if (g_str_has_suffix (name, "-bin"))
    return g_strdup_printf ("%s is for bytes, and these are texts (a name that does not end in -bin)", name);
  if (!is_printable (value))
    return g_strdup_printf ("the value of %s is not printable ASCII", name);
  return NULL;
}
