/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp-options: besides what is written, a resource has an id of its own
 * (service.instance.id), because two processes of one service would else claim
 * the same cumulative series, and a collector could tell neither's from the other's.
 */
#include "otlp-options.h"

#include <errno.h>
#include <string.h>

#define SERVICE_NAME "service.name"
#define INSTANCE_ID "service.instance.id"

enum { ROW_POOL, ROW_INTERVAL, ROW_TIMEOUT, ROW_SERVICE_NAME, ROW_ATTRIBUTES, ROW_BUCKETS, ROW_MAX_REQUEST_SIZE };

const CenoteOption otlp_options[OTLP_N_OPTIONS] = {
  [ROW_POOL] = { "pool", CENOTE_OPTION_STRING, CENOTE_OPTION_REQUIRED, NULL, NULL, NULL, NULL,
                 "The [pool:NAME] that leads to the collector" },
  [ROW_INTERVAL] = { "interval", CENOTE_OPTION_DURATION, 0, "10s", "1s", "24h", NULL, "How often metrics are exported" },
  [ROW_TIMEOUT] = { "timeout", CENOTE_OPTION_DURATION, 0, "5s", "100ms", "10min", NULL,
                    "How long one export may take, the wait for a channel among it" },
  [ROW_SERVICE_NAME] = { "service-name", CENOTE_OPTION_STRING, 0, NULL, NULL, NULL, NULL,
                         "The resource's service.name; without it the program's name" },
  [ROW_ATTRIBUTES] = { "attributes", CENOTE_OPTION_LIST, 0, NULL, NULL, NULL, NULL,
                       "More of the resource, as KEY:VALUE each; service.instance.id is a random UUID unless it is here" },
  [ROW_BUCKETS] = { "buckets", CENOTE_OPTION_LIST, 0,
                    "1us;10us;100us;250us;500us;1ms;2.5ms;5ms;10ms;25ms;50ms;100ms;250ms;500ms;1s;2.5s;5s;10s;1min;10min;1h;24h",
                    NULL, NULL, NULL, "The upper bounds of histograms' buckets: at most 64 durations, ascending" },
  [ROW_MAX_REQUEST_SIZE] = { "max-request-size", CENOTE_OPTION_SIZE, 0, "4MiB", "64KiB", "64MiB", NULL,
                             "The largest export; what is beyond it is left out, and told" }
};

/* --------------------------------------------------------------- resource */

static void
clear_label (gpointer data)
{
  CenoteLabel *label = data;

  g_free ((char *) label->name);
  g_free ((char *) label->value);
}

/* NAME and VALUE: (transfer full). */
static void
add (GArray *resource, char *name, char *value)
{
  CenoteLabel label = { name, value };

  g_array_append_val (resource, label);
}

static gboolean
has (const GArray *resource, const char *name)
{
  for (guint i = 0; i < resource->len; i++)
    if (g_str_equal (g_array_index (resource, CenoteLabel, i).name, name))
      return TRUE;
  return FALSE;
}

static char *
read_attribute (const char *text, GArray *resource)
{
  const char *colon = strchr (text, ':');
  g_autofree char *name = colon == NULL ? NULL : g_strndup (text, (gsize) (colon - text));

  if (name == NULL || *name == '\0')
    return g_strdup_printf ("attributes: '%s' is not KEY:VALUE, as in deployment.environment.name:production", text);
  if (g_str_equal (name, SERVICE_NAME))
    return g_strdup_printf ("attributes: '%s' is what service-name=%s says", text, colon + 1);
  if (has (resource, name))
    return g_strdup_printf ("attributes: '%s' is the second with the key %s (each key once)", text, name);
  add (resource, g_steal_pointer (&name), g_strdup (colon + 1));
  return NULL;
}

static char *
read_attributes (const CenoteValue *value, GArray *resource)
{
  char *fault = NULL;

  for (guint i = 0; value->is_set && value->list[i] != NULL && fault == NULL; i++)
    fault = read_attribute (value->list[i], resource);
  return fault;
}

static const char *
name_of_program (void)
{
  const char *name = g_get_prgname ();

  return name != NULL ? name : program_invocation_short_name;
}

/* A UUID of version 4 (RFC 9562). */
static char *
new_instance_id (const CenoteHost *host)
{
  guint64 high = (host->random (host) & ~G_GUINT64_CONSTANT (0xf000)) | 0x4000;
  guint64 low = (host->random (host) & G_MAXUINT64 >> 2) | G_GUINT64_CONSTANT (1) << 63;

  return g_strdup_printf ("%08x-%04x-%04x-%04x-%012" G_GINT64_MODIFIER "x", (guint) (high >> 32),
                          (guint) (high >> 16 & 0xffff), (guint) (high & 0xffff), (guint) (low >> 48),
                          low & G_GUINT64_CONSTANT (0xffffffffffff));
}

/* ----------------------------------------------------------------- values */

/* A row that is not to be given empty. */
static char *
check_not_empty (const CenoteValue *value, const char *row, const char *right)
{
  return value->is_set && *value->text == '\0' ? g_strdup_printf ("%s: it is empty (%s)", row, right) : NULL;
}

static char *
read_resource (const CenoteOptions *values, const CenoteHost *host, GArray *resource)
{
  const CenoteValue *name = cenote_options_at (values, ROW_SERVICE_NAME);
  char *fault = check_not_empty (name, "service-name", "a name, or without the key the program's");

  if (fault != NULL)
    return fault;
  add (resource, g_strdup (SERVICE_NAME), g_strdup (name->is_set ? name->text : name_of_program ()));
  fault = read_attributes (cenote_options_at (values, ROW_ATTRIBUTES), resource);
  if (fault == NULL && !has (resource, INSTANCE_ID))
    add (resource, g_strdup (INSTANCE_ID), new_instance_id (host));
  return fault;
}

char *
otlp_options_read (const CenoteOptions *values, const CenoteHost *host, OtlpOptions *out)
{
  const CenoteValue *pool = cenote_options_at (values, ROW_POOL);
  char *fault = check_not_empty (pool, "pool", "the NAME of a [pool:NAME]");

  *out = (OtlpOptions) {
    .pool = g_strdup (pool->text),
    .interval_us = cenote_options_at (values, ROW_INTERVAL)->number,
    .timeout_us = cenote_options_at (values, ROW_TIMEOUT)->number,
    .max_size = (gsize) cenote_options_at (values, ROW_MAX_REQUEST_SIZE)->number,
    .resource = g_array_new (FALSE, FALSE, sizeof (CenoteLabel))
  };
  g_array_set_clear_func (out->resource, clear_label);
  if (fault == NULL)
    fault = bounds_read (cenote_options_at (values, ROW_BUCKETS)->list, &out->bounds);
  if (fault == NULL)
    fault = read_resource (values, host, out->resource);
  return fault;
}

void
otlp_options_clear (OtlpOptions *options)
{
  g_clear_pointer (&options->pool, g_free);
  g_clear_pointer (&options->resource, g_array_unref);
}
