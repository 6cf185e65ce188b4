/* SPDX-License-Identifier: Apache-2.0 */
/* expand: ${VAR} and ${VAR:-default} from the environment, once. */
#include "expand.h"

#include <string.h>

#define NAME_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
#define NAME_REST NAME_LETTERS "0123456789"

static gsize
name_length (const char *text)
{
  return strspn (text, NAME_LETTERS) == 0 ? 0 : strspn (text, NAME_REST);
}

static gboolean
append_variable (GString *out, const char *name, const char *fallback, char **out_problem)
{
  const char *value = g_getenv (name);

  if (fallback != NULL && (value == NULL || *value == '\0'))
    value = fallback;
  if (value == NULL) {
    *out_problem =
      g_strdup_printf ("${%s} is not set (set %s in the environment, or write ${%s:-default})", name, name, name);
    return FALSE;
  }
  if (!g_utf8_validate (value, -1, NULL)) {
    *out_problem = g_strdup_printf ("${%s} holds text that is not UTF-8", name);
    return FALSE;
  }
  g_string_append (out, value);
  return TRUE;
}

/* BODY: what stands between the braces. */
static gboolean
append_expansion (GString *out, const char *body, char **out_problem)
{
  gsize length = name_length (body);
  g_autofree char *name = g_strndup (body, length);
  const char *rest = body + length;

  if (length == 0 || (*rest != '\0' && !g_str_has_prefix (rest, ":-"))) {
    *out_problem = g_strdup ("has a ${…} that names no variable (${VAR} or ${VAR:-default}; $${ for a literal ${)");
    return FALSE;
  }
  return append_variable (out, name, *rest == '\0' ? NULL : rest + 2, out_problem);
}

char *
expand_text (const char *text, char **out_problem)
{
  g_autoptr (GString) out = g_string_new (NULL);
  const char *p = text;

  while (*p != '\0') {
    if (g_str_has_prefix (p, "$${")) {
      g_string_append (out, "${");
      p += 3;
    } else if (g_str_has_prefix (p, "${")) {
      const char *end = strchr (p, '}');
      g_autofree char *body = end == NULL ? NULL : g_strndup (p + 2, (gsize) (end - p - 2));

      if (body == NULL) {
        *out_problem = g_strdup ("has ${ without } (${VAR} or ${VAR:-default}; $${ for a literal ${)");
        return NULL;
      }
      if (!append_expansion (out, body, out_problem))
        return NULL;
      p = end + 1;
    } else {
      g_string_append_c (out, *p++);
    }
  }
  return g_string_free (g_steal_pointer (&out), FALSE);
}
