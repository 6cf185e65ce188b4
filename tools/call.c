/* SPDX-License-Identifier: Apache-2.0 */
/* cenote call FILE POOL METHOD: calls a method over a pool, once or many times. */
#include <cenote/runtime.h>
#include <signal.h>
#include <stdio.h>

#include "call-input.h"
#include "call-report.h"
#include "call-run.h"
#include "changes.h"
#include "command.h"
#include "core/config/quantity.h"
#include "keyfile.h"
#include "terminal.h"

#define MAX_CALLS 100000000
#define MAX_THREADS 1000
#define LOOK_US (100 * 1000) /* how soon ^C is seen */
#define NO_COUNT G_MININT    /* -n was not given */

/* As given; what is in a word of its own is read from it. */
typedef struct Options {
  char *data_hex;
  char *data_file;
  char **metadata;
  char *timeout;
  char *retry;
  char *affinity;
  char *output;
  int n_calls;
  int n_threads;
  gboolean wait_for_ready;
  gboolean json;
} Options;

typedef struct Call {
  Options options;
  char *method;
  GBytes *request;
  CallMetadata metadata;
  CenoteCallOptions call_options;
  CenoteRuntime *runtime;    /* (reference) */
  CenotePool *pool;          /* (reference) */
} Call;

static int interrupted;      /* by ^C; atomic */

static void
call_clear (Call *call)
{
  g_free (call->options.data_hex);
  g_free (call->options.data_file);
  g_strfreev (call->options.metadata);
  g_free (call->options.timeout);
  g_free (call->options.retry);
  g_free (call->options.affinity);
  g_free (call->options.output);
  g_free (call->method);
  g_clear_pointer (&call->request, g_bytes_unref);
  call_metadata_clear (&call->metadata);
  g_clear_pointer (&call->pool, cenote_pool_unref);
  if (call->runtime != NULL)
    cenote_runtime_stop (call->runtime);
  g_clear_pointer (&call->runtime, cenote_runtime_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Call, call_clear)

/* ------------------------------------------------------------------- words */

static gboolean
is_repeated (const Options *options)
{
  return options->n_calls != NO_COUNT;
}

static gboolean
check_words (const Options *options, GError **error)
{
  const char *problem = NULL;

  if (options->data_hex != NULL && options->data_file != NULL)
    problem = "--data-hex and --data-file are two messages: give one";
  else if (is_repeated (options) && (options->n_calls < 1 || options->n_calls > MAX_CALLS))
    problem = "-n takes 1 to 100000000 calls";
  else if (options->n_threads < 1 || options->n_threads > MAX_THREADS)
    problem = "-c takes 1 to 1000 calls at a time";
  else if (g_strcmp0 (options->output, "-") == 0 && (options->json || is_repeated (options)))
    problem = "--output=- wants the standard output for the reply, and --json or -n for the summary";
  if (problem != NULL)
    g_set_error_literal (error, CENOTE_ERROR, CENOTE_ERROR_INVALID, problem);
  return problem == NULL;
}

static gboolean
read_timeout (const char *text, gint64 *out_ms, GError **error)
{
  gint64 us = 0;

  if (text == NULL)
    return TRUE;
  if (quantity_read_duration (text, &us) == QUANTITY_OK && us >= 1000) {
    *out_ms = us / 1000;
    return TRUE;
  }
  g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_INVALID, "--timeout=%s is not a duration of 1ms or more, e.g. 500ms or 10s", text);
  return FALSE;
}

static gboolean
read_retry (const char *text, CenoteRetry *out_retry, GError **error)
{
  static const char *const names[] = { "never", "unsent", "idempotent" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (text == NULL || g_str_equal (text, names[i])) {
      *out_retry = text == NULL ? *out_retry : (CenoteRetry) i;
      return TRUE;
    }
  g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_INVALID, "--retry=%s is none of never, unsent, idempotent", text);
  return FALSE;
}

static gboolean
read_request (Call *call, GError **error)
{
  const Options *options = &call->options;

  if (options->data_hex != NULL)
    call->request = call_input_hex (options->data_hex, error);
  else if (options->data_file != NULL)
    call->request = call_input_file (options->data_file, error);
  else
    call->request = g_bytes_new_static ("", 0);
  return call->request != NULL;
}

static gboolean
read_metadata (Call *call, GError **error)
{
  for (char **text = call->options.metadata; text != NULL && *text != NULL; text++)
    if (!call_metadata_add (&call->metadata, *text, error))
      return FALSE;
  if (call->metadata.rows != NULL) {
    call->call_options.metadata = (const CenoteMetadatum *) (gpointer) call->metadata.rows->data;
    call->call_options.n_metadata = call->metadata.rows->len;
  }
  return TRUE;
}

/* Makes of the words what is called; opens nothing but the file of data. */
static gboolean
read_words (Call *call, const char *method, GError **error)
{
  CenoteCallOptions *to = &call->call_options;

  *to = (CenoteCallOptions) CENOTE_CALL_OPTIONS_INIT;
  to->wait_for_ready = call->options.wait_for_ready;
  to->affinity_key = call->options.affinity;
  call->method = call_input_method (method, error);
  return call->method != NULL && check_words (&call->options, error) &&
         read_timeout (call->options.timeout, &to->timeout_ms, error) && read_retry (call->options.retry, &to->retry, error) &&
         read_metadata (call, error) && read_request (call, error);
}

static gboolean
parse (const Command *command, int argc, char **argv, Options *options, const GOptionEntry *keyfile_entries, char ***out_words)
{
  const GOptionEntry entries[] = {
    { "data-hex", 0, 0, G_OPTION_ARG_STRING, &options->data_hex, "The message, as hex digits", "HEX" },
    { "data-file", 0, 0, G_OPTION_ARG_FILENAME, &options->data_file, "The message, as it is in FILE; -: on stdin", "FILE" },
    { "header", 'H', 0, G_OPTION_ARG_STRING_ARRAY, &options->metadata,
      "Metadata to send; of a KEY that ends in -bin as base64; may be repeated", "'KEY: VALUE'" },
    { "timeout", 0, 0, G_OPTION_ARG_STRING, &options->timeout, "The deadline of each call, 30s unless given", "DURATION" },
    { "wait-for-ready", 0, 0, G_OPTION_ARG_NONE, &options->wait_for_ready, "Do not fail while the server is down", NULL },
    { "retry", 0, 0, G_OPTION_ARG_STRING, &options->retry, "never, unsent (unless given) or idempotent", "POLICY" },
    { "affinity", 0, 0, G_OPTION_ARG_STRING, &options->affinity, "The key, for pickers that keep one on a channel", "KEY" },
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &options->output, "Write the reply into FILE as it is; -: to stdout", "FILE" },
    { "count", 'n', 0, G_OPTION_ARG_INT, &options->n_calls, "Call N times and print a summary", "N" },
    { "concurrency", 'c', 0, G_OPTION_ARG_INT, &options->n_threads, "N calls at a time, 1 unless given", "N" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &options->json, "Print the summary as JSON", NULL },
    G_OPTION_ENTRY_NULL
  };

  return command_parse (command, argc, argv, out_words, entries, keyfile_entries, NULL);
}

/* ----------------------------------------------------------------- calling */

static void
on_interrupt (int signal)
{
  (void) signal;
  g_atomic_int_set (&interrupted, 1);
}

/* The first ^C ends the row of calls, so that its summary is printed; a second one ends the command. */
static void
heed_interrupts (void)
{
  struct sigaction action = { .sa_handler = on_interrupt, .sa_flags = (int) (SA_RESETHAND | SA_RESTART) };

  sigemptyset (&action.sa_mask);
  sigaction (SIGINT, &action, NULL);
}

/* Whether a first channel may still come: until then no call begins, so that no call's latency is
 * that of the connection.  A pool that wants no channel yet dials for the first call. */
static gboolean
is_hopeful (const Call *call, const CenotePoolStatus *status)
{
  return status->current_size == 0 && status->expected_size > 0 && status->state != CENOTE_POOL_STOPPED &&
         (call->call_options.wait_for_ready || status->last_error == NULL);
}

static void
await_first (const Call *call)
{
  gint64 until_us = g_get_monotonic_time () + call->call_options.timeout_ms * 1000;
  g_autoptr (Changes) changes = changes_new ();
  gboolean waits = TRUE;

  changes_follow (changes, call->pool);
  cenote_pool_connect (call->pool, 0, NULL);
  while (waits && g_atomic_int_get (&interrupted) == 0) {
    guint64 seen = changes_count (changes);
    gint64 now_us = g_get_monotonic_time ();
    g_autoptr (CenotePoolStatus) status = cenote_pool_get_status (call->pool);

    waits = is_hopeful (call, status) && now_us < until_us;
    if (waits)
      changes_wait (changes, seen, MIN (until_us, now_us + LOOK_US));
  }
}

typedef struct Progress {
  Terminal terminal;
  guint n_calls;
} Progress;

/* A line in place, on a terminal; the last one is empty. */
static void
show_progress (guint n_over, guint n_ok, gpointer data)
{
  Progress *progress = data;
  g_autofree char *line = NULL;

  if (!progress->terminal.live || progress->n_calls == 1)
    return;
  if (n_over < progress->n_calls && g_atomic_int_get (&interrupted) == 0)
    line = g_strdup_printf ("%u of %u calls, %u failed\n", n_over, progress->n_calls, n_over - n_ok);
  terminal_draw (&progress->terminal, line != NULL ? line : "");
}

/* ------------------------------------------------------------------ results */

/* Each kind of failure with its first text. */
static void
tell_failures (const Command *command, const CallTally *tally)
{
  for (guint i = 0; i < tally->ends->len; i++) {
    const CallEnd *end = &g_array_index (tally->ends, CallEnd, i);
    g_autofree char *name = call_end_name (end);
    g_autoptr (GError) error = NULL;

    if (end->domain == 0)
      continue;
    if (end->domain == CENOTE_ERROR || g_str_equal (name, end->message))
      error = g_error_new_literal (end->domain, end->code, end->message);
    else
      error = g_error_new (end->domain, end->code, "%s: %s", name, end->message);
    command_failed (command, NULL, error);
  }
}

static gboolean
write_reply (const char *path, GBytes *reply, GError **error)
{
  gsize length;
  const char *data = g_bytes_get_data (reply, &length);

  if (g_str_equal (path, "-")) {
    fwrite (data, 1, length, stdout); /* main() looks whether that went well */
    return TRUE;
  }
  return g_file_set_contents (path, data, (gssize) length, error);
}

static void
print_report (const CallJob *job, const CallTally *tally, gboolean json)
{
  g_autoptr (GString) out = g_string_new (NULL);

  if (json) {
    call_report_write_json (job, tally, out);
    g_string_append_c (out, '\n');
  } else {
    call_report_write (job, tally, out);
  }
  fputs (out->str, stdout);
}

/* The reply goes where it is wanted, and to stdout where nothing else goes there. */
static gboolean
print_results (const CallJob *job, const CallTally *tally, const Options *options, GError **error)
{
  if (options->json || is_repeated (options))
    print_report (job, tally, options->json);
  if (tally->reply == NULL)
    return TRUE;
  if (options->output != NULL)
    return write_reply (options->output, tally->reply, error);
  if (!options->json && !is_repeated (options)) {
    g_autofree char *hex = call_input_to_hex (tally->reply);

    puts (hex);
  }
  return TRUE;
}

static int
make_calls (const Command *command, Call *call)
{
  const CallJob job = {
    .pool = call->pool,
    .method = call->method,
    .request = call->request,
    .options = &call->call_options,
    .n_calls = is_repeated (&call->options) ? (guint) call->options.n_calls : 1,
    .n_threads = (guint) call->options.n_threads,
    .interrupted = &interrupted,
  };
  Progress progress = { .n_calls = job.n_calls };
  g_autoptr (CallTally) tally = NULL;
  g_autoptr (GError) error = NULL;

  terminal_init (&progress.terminal);
  heed_interrupts ();
  await_first (call);
  tally = call_run (&job, show_progress, &progress, &error);
  if (tally == NULL || !print_results (&job, tally, &call->options, &error))
    return command_failed (command, NULL, error);
  fflush (stdout);
  tell_failures (command, tally);
  if (tally->n_over < job.n_calls)
    fprintf (stderr, "cenote call: interrupted after %u of %u calls\n", tally->n_over, job.n_calls);
  return tally->n_ok == job.n_calls ? EXIT_GOOD : EXIT_FAILED;
}

static int
run (const Command *command, int argc, char **argv)
{
  g_auto (Keyfile) keyfile = { .config = NULL };
  g_autofree GOptionEntry *keyfile_entries = keyfile_options (&keyfile);
  g_auto (Call) call = { .options = { .n_calls = NO_COUNT, .n_threads = 1 } };
  g_auto (GStrv) words = NULL;
  g_autoptr (GError) error = NULL;

  if (!parse (command, argc, argv, &call.options, keyfile_entries, &words))
    return EXIT_USAGE;
  if (!read_words (&call, words[2], &error))
    return command_misused (command, "%s", error->message);
  if (!keyfile_open (&keyfile, words[0], NULL, &error))
    return command_failed (command, words[0], error);
  call.runtime = cenote_runtime_new_full (keyfile.config, keyfile.registry, &error);
  call.pool = call.runtime == NULL ? NULL : cenote_runtime_get_pool (call.runtime, words[1], &error);
  if (call.pool == NULL)
    return command_failed (command, words[0], error);
  return make_calls (command, &call);
}

const Command call_command = {
  .name = "call",
  .arguments = "FILE POOL METHOD",
  .summary = "calls a method over a pool, once or many times",
  .description = "Opens the pools of FILE and calls METHOD (PACKAGE.SERVICE/METHOD) over POOL with a message of bytes,\n"
                 "as they travel: given as hex, or as it is in a file.  One call prints its reply as a line of hex;\n"
                 "-n makes many and prints how they ended.  The exit status is 0 only where all of them were OK.",
  .min_words = 3,
  .max_words = 3,
  .run = run,
};
