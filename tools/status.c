/* SPDX-License-Identifier: Apache-2.0 */
/* cenote status FILE [POOL]: opens the pools of FILE, waits until they are healthy, and shows them. */
#include <cenote/runtime.h>
#include <stdio.h>

#include "changes.h"
#include "command.h"
#include "core/config/quantity.h"
#include "keyfile.h"
#include "status-table.h"

typedef struct Options {
  gboolean json;
  gboolean watch;
  gint64 wait_us;
} Options;

typedef struct Pools {
  CenoteRuntime *runtime;    /* (reference) */
  GPtrArray *pools;          /* of CenotePool (references): the ones to show */
  gboolean all;              /* no POOL was named */
  Changes *changes;
} Pools;

static void
pools_clear (Pools *pools)
{
  g_clear_pointer (&pools->changes, changes_free);
  g_clear_pointer (&pools->pools, g_ptr_array_unref);
  if (pools->runtime != NULL)
    cenote_runtime_stop (pools->runtime);
  g_clear_pointer (&pools->runtime, cenote_runtime_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Pools, pools_clear)

/* Also dials where the pool would wait to be told (initialization=manual). */
static gboolean
pools_add (Pools *pools, const char *name, GError **error)
{
  CenotePool *pool = cenote_runtime_get_pool (pools->runtime, name, error);

  if (pool == NULL)
    return FALSE;
  g_ptr_array_add (pools->pools, pool);
  changes_follow (pools->changes, pool);
  cenote_pool_connect (pool, 0, NULL);
  return TRUE;
}

/* Opens the pools of KEYFILE and follows the one called NAME, or all of them. */
static gboolean
pools_open (Pools *pools, const Keyfile *keyfile, const char *name, GError **error)
{
  g_auto (GStrv) names = NULL;

  pools->runtime = cenote_runtime_new_full (keyfile->config, keyfile->registry, error);
  if (pools->runtime == NULL)
    return FALSE;
  pools->pools = g_ptr_array_new_with_free_func ((GDestroyNotify) cenote_pool_unref);
  pools->changes = changes_new ();
  pools->all = name == NULL;
  if (!pools->all)
    return pools_add (pools, name, error);
  names = cenote_runtime_list_pools (pools->runtime);
  for (guint i = 0; names[i] != NULL; i++)
    if (!pools_add (pools, names[i], error))
      return FALSE;
  return TRUE;
}

/* How many are healthy, and how many may become so: a stopped pool never will. */
static void
pools_count (const Pools *pools, guint *out_healthy, guint *out_hopeful)
{
  *out_healthy = *out_hopeful = 0;
  for (guint i = 0; i < pools->pools->len; i++) {
    g_autoptr (CenotePoolStatus) status = cenote_pool_get_status (pools->pools->pdata[i]);

    *out_healthy += status->state == CENOTE_POOL_HEALTHY;
    *out_hopeful += status->state != CENOTE_POOL_STOPPED;
  }
}

/* Waits until all that may become healthy are, or the wait is over; returns whether all are healthy. */
static gboolean
pools_wait (const Pools *pools, gint64 wait_us)
{
  gint64 until = g_get_monotonic_time () + wait_us;
  gboolean in_time = TRUE;
  guint healthy, hopeful;

  for (;;) {
    guint64 seen = changes_count (pools->changes);

    pools_count (pools, &healthy, &hopeful);
    if (healthy == hopeful || !in_time)
      return healthy == pools->pools->len;
    in_time = changes_wait (pools->changes, seen, until);
  }
}

/* (transfer full): one pool's object among the pools, in the form of cenote_runtime_status_to_json(). */
static char *
one_pool_json (CenotePool *pool)
{
  g_autoptr (CenotePoolStatus) status = cenote_pool_get_status (pool);
  g_autofree char *object = cenote_pool_status_to_json (status);

  return g_strdup_printf ("{\"pools\":[%s]}", object);
}

static void
print_json (const Pools *pools)
{
  g_autofree char *json =
    pools->all ? cenote_runtime_status_to_json (pools->runtime) : one_pool_json (pools->pools->pdata[0]);

  printf ("%s\n", json);
  fflush (stdout);
}

static void
write_tables (const Pools *pools, const Terminal *terminal, GString *out)
{
  for (guint i = 0; i < pools->pools->len; i++) {
    g_autoptr (CenotePoolStatus) status = cenote_pool_get_status (pools->pools->pdata[i]);

    if (i > 0)
      g_string_append_c (out, '\n');
    status_table_write (status, terminal, out);
  }
}

static void
print_tables (const Pools *pools, const Terminal *terminal)
{
  g_autoptr (GString) out = g_string_new (NULL);

  write_tables (pools, terminal, out);
  printf ("%s", out->str);
}

/* In place on a terminal; elsewhere one after the other, with a blank line between. */
static void
draw_tables (const Pools *pools, Terminal *terminal)
{
  g_autoptr (GString) out = g_string_new (NULL);

  write_tables (pools, terminal, out);
  if (!terminal->live)
    g_string_append_c (out, '\n');
  terminal_draw (terminal, out->str);
}

/* Shows them at each change and at least once a second, until interrupted or stdout is gone. */
static void
watch (const Pools *pools, Terminal *terminal, gboolean json)
{
  guint64 seen;

  do {
    seen = changes_count (pools->changes);
    if (json)
      print_json (pools);
    else
      draw_tables (pools, terminal);
    changes_wait (pools->changes, seen, g_get_monotonic_time () + G_USEC_PER_SEC);
  } while (!ferror (stdout));
}

static gboolean
read_options (const Command *command, int argc, char **argv, Options *options, const GOptionEntry *keyfile_entries,
              char ***out_words)
{
  g_autofree char *wait = NULL;
  const GOptionEntry entries[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &options->json, "Print JSON; with --watch an object a line", NULL },
    { "watch", 0, 0, G_OPTION_ARG_NONE, &options->watch, "Show each change until interrupted, waiting for nothing",
      NULL },
    { "wait", 0, 0, G_OPTION_ARG_STRING, &wait, "How long to wait for health, 10s unless given", "DURATION" },
    G_OPTION_ENTRY_NULL
  };

  if (!command_parse (command, argc, argv, out_words, entries, keyfile_entries, NULL))
    return FALSE;
  options->wait_us = 10 * G_USEC_PER_SEC;
  if (wait == NULL || (quantity_read_duration (wait, &options->wait_us) == QUANTITY_OK && options->wait_us >= 0))
    return TRUE;
  command_misused (command, "--wait=%s is not a duration, e.g. 500ms, 10s or 0", wait);
  return FALSE;
}

static int
show_pools (const Command *command, const Keyfile *keyfile, char **words, const Options *options)
{
  g_auto (Pools) pools = { .runtime = NULL };
  g_autoptr (GError) error = NULL;
  Terminal terminal;
  gboolean healthy;

  if (!pools_open (&pools, keyfile, words[1], &error))
    return command_failed (command, words[0], error);
  terminal_init (&terminal);
  if (options->watch) {
    watch (&pools, &terminal, options->json);
    return EXIT_FAILED;
  }
  healthy = pools_wait (&pools, options->wait_us);
  if (options->json)
    print_json (&pools);
  else
    print_tables (&pools, &terminal);
  return healthy ? EXIT_GOOD : EXIT_FAILED;
}

static int
run (const Command *command, int argc, char **argv)
{
  g_auto (Keyfile) keyfile = { .config = NULL };
  g_autofree GOptionEntry *keyfile_entries = keyfile_options (&keyfile);
  Options options = { .json = FALSE };
  g_auto (GStrv) words = NULL;
  g_autoptr (GError) error = NULL;

  if (!read_options (command, argc, argv, &options, keyfile_entries, &words))
    return EXIT_USAGE;
  if (!keyfile_open (&keyfile, words[0], NULL, &error))
    return command_failed (command, words[0], error);
  return show_pools (command, &keyfile, words, &options);
}

const Command status_command = {
  .name = "status",
  .arguments = "FILE [POOL]",
  .summary = "opens the pools of FILE and shows their channels",
  .description = "Opens the pools of FILE itself, waits until each of them (or POOL) is healthy or --wait is over,\n"
                 "and shows them with their channels.  The exit status is 0 only where all are healthy.\n"
                 "It does not ask a running process.",
  .min_words = 1,
  .max_words = 2,
  .run = run,
};
