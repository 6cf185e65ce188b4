/* SPDX-License-Identifier: Apache-2.0 */
/* log-writer: what the library logs, one line each on stderr.  See log-writer.h; any thread. */
#include "log-writer.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "terminal.h"

static const char *
find_field (const GLogField *fields, gsize n_fields, const char *key)
{
  for (gsize i = 0; i < n_fields; i++)
    if (g_str_equal (fields[i].key, key) && fields[i].length < 0)
      return fields[i].value;
  return NULL;
}

/* Events of the sink `log` are as informational as can be here: the commands show what happens themselves. */
static gboolean
is_dropped (GLogLevelFlags level, const char *domain, const GLogField *fields, gsize n_fields)
{
  gboolean is_event = find_field (fields, n_fields, "CENOTE_EVENT") != NULL;

  return g_log_writer_default_would_drop (is_event ? G_LOG_LEVEL_INFO : level, domain);
}

static GLogWriterOutput
write_entry (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  const char *domain = find_field (fields, n_fields, "GLIB_DOMAIN");
  const char *message = find_field (fields, n_fields, "MESSAGE");
  g_autofree char *safe = NULL;

  (void) data;
  if (g_strcmp0 (domain, "Cenote") != 0 || message == NULL || (level & G_LOG_FLAG_FATAL) != 0)
    return g_log_writer_default (level, fields, n_fields, NULL);
  if (is_dropped (level, domain, fields, n_fields))
    return G_LOG_WRITER_HANDLED;
  safe = terminal_safe (message);
  fprintf (stderr, "cenote: %s%s\n", (level & G_LOG_LEVEL_MASK) <= G_LOG_LEVEL_WARNING ? "warning: " : "", safe);
  return G_LOG_WRITER_HANDLED;
}

void
log_writer_install (void)
{
  g_log_set_writer_func (write_entry, NULL, NULL);
}
