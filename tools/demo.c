/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cenote demo [FILE]: one pool's life in five steps, with a server of our own.
 *
 * Everything waits for events: the pool's observers push `changes`, and each
 * wait has a limit after which its step has failed.  Pauses are only for people:
 * none is made unless stdout is a terminal.
 */
#include <cenote/runtime.h>
#include <stdio.h>
#include <string.h>

#include "changes.h"
#include "command.h"
#include "demo-conf.h"
#include "demo-delays.h"
#include "demo-server.h"
#include "demo-view.h"
#include "keyfile.h"
#include "raw-call.h"

#define STEP_LIMIT_MS 10000
#define CALL_LIMIT_MS 5000
#define BATCHES 20
#define CALLS_A_BATCH 50
/* Attempts that must fail, at the backoff's times, before the server comes back; more for a person to watch. */
#define FAILURES_WANTED 4
#define FAILURES_TO_WATCH 6
#define FRAME_MS 60
#define PAUSE_MS 500

typedef struct Demo {
  Terminal terminal;
  const Keyfile *keyfile;
  DemoServer *server;
  CenoteRuntime *runtime;
  CenotePool *pool;
  Changes *changes;
  DemoDelays *delays;
  RawCaller *caller;
  GBytes *message;
} Demo;

typedef struct Step {
  const char *name;
  const char *title;
  gboolean (*run) (Demo *demo, DemoPhase *phase, GError **error);
} Step;

/* ----------------------------------------------------------------- waiting */

static void
pause_ms (const Demo *demo, guint ms)
{
  if (demo->terminal.live)
    g_usleep (ms * 1000);
}

static gboolean
is_complete (const CenotePoolStatus *status)
{
  return status->expected_size > 0 && status->current_size >= status->expected_size;
}

static gboolean
is_empty (const CenotePoolStatus *status)
{
  return status->current_size == 0;
}

/* Waits until TEST holds of the pool's status; an error says WHAT did not happen. */
static gboolean
wait_until (Demo *demo, gboolean (*test) (const CenotePoolStatus *), const char *what, GError **error)
{
  gint64 until = g_get_monotonic_time () + STEP_LIMIT_MS * 1000;

  for (;;) {
    guint64 seen = changes_count (demo->changes);
    g_autoptr (CenotePoolStatus) status = cenote_pool_get_status (demo->pool);

    if (test (status))
      return TRUE;
    if (changes_wait (demo->changes, seen, until))
      continue;
    g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_TIMEOUT,
                 "%s within %d s: %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " channels; last error: %s", what,
                 STEP_LIMIT_MS / 1000, status->current_size, status->expected_size,
                 status->last_error != NULL ? status->last_error : "none");
    return FALSE;
  }
}

/* ------------------------------------------------------------------ calling */

static gboolean
is_echo (const Demo *demo, const RawReply *reply)
{
  return reply->status == GRPC_STATUS_OK && reply->message != NULL && g_bytes_equal (reply->message, demo->message);
}

/* Calls over LEASE and gives it back; FALSE with an error where the echo did not come. */
static gboolean
call_and_release (Demo *demo, CenoteLease *lease, GError **error)
{
  g_auto (RawReply) reply = { .message = NULL };
  gboolean ok;

  raw_caller_call (demo->caller, lease->channel, DEMO_ECHO_METHOD, demo->message, CALL_LIMIT_MS, &reply);
  ok = is_echo (demo, &reply);
  cenote_lease_release_with_status (lease, reply.status);
  if (!ok)
    g_set_error (error, CENOTE_STATUS, reply.status, "the echo did not come: status %d, '%s'", reply.status,
                 reply.details);
  return ok;
}

static gboolean
call_batch (Demo *demo, DemoPhase *phase, GError **error)
{
  gint64 start = g_get_monotonic_time ();

  for (guint i = 0; i < CALLS_A_BATCH; i++) {
    g_auto (CenoteLease) lease = CENOTE_LEASE_INIT;

    phase->calls++;
    if (!cenote_pool_get_channel (demo->pool, &lease, error) || !call_and_release (demo, &lease, error)) {
      phase->failed++;
      return FALSE;
    }
  }
  phase->time_us += g_get_monotonic_time () - start;
  return TRUE;
}

static gboolean
step_calls (Demo *demo, DemoPhase *phase, GError **error)
{
  g_autoptr (CenotePoolStatus) before = cenote_pool_get_status (demo->pool);
  g_autofree char *each = NULL;

  phase->time_us = 0;
  for (guint i = 1; i <= BATCHES; i++) {
    if (!call_batch (demo, phase, error))
      return FALSE;
    if (demo->terminal.live || i == BATCHES) {
      g_autoptr (CenotePoolStatus) status = cenote_pool_get_status (demo->pool);

      demo_view_spread (&demo->terminal, status, before, BATCHES * CALLS_A_BATCH);
    }
    pause_ms (demo, FRAME_MS);
  }
  terminal_keep (&demo->terminal);
  each = format_us (phase->time_us / phase->calls);
  demo_view_say (&demo->terminal, COLOUR_GREEN,
                 "%" G_GINT64_FORMAT " calls answered, %s each; the server saw them come over %u connections.",
                 phase->calls, each, demo_server_count_connections (demo->server));
  return TRUE;
}

/* -------------------------------------------------------------------- steps */

static gboolean
open_pool (Demo *demo, GError **error)
{
  demo->runtime = cenote_runtime_new_full (demo->keyfile->config, demo->keyfile->registry, error);
  if (demo->runtime == NULL)
    return FALSE;
  demo_delays_follow (demo->delays, demo->runtime);
  demo->pool = cenote_runtime_get_pool (demo->runtime, NULL, error);
  if (demo->pool == NULL)
    return FALSE;
  changes_follow (demo->changes, demo->pool);
  return TRUE;
}

static gboolean
step_open (Demo *demo, DemoPhase *phase, GError **error)
{
  gint64 start = g_get_monotonic_time ();
  g_autofree char *all = NULL;
  g_autofree char *first = NULL;

  if (!demo_server_start (demo->server, error) || !open_pool (demo, error) ||
      !cenote_pool_await_ready (demo->pool, STEP_LIMIT_MS, error))
    return FALSE;
  first = format_us (g_get_monotonic_time () - start);
  if (!wait_until (demo, is_complete, "the pool was not complete", error))
    return FALSE;
  phase->time_us = g_get_monotonic_time () - start;
  all = format_us (phase->time_us);
  demo_view_say (&demo->terminal, COLOUR_GREEN,
                 "One channel tried the address and was ready after %s; all were after %s.", first, all);
  return TRUE;
}

/* With nothing ready a get fails at once, and says why. */
static gboolean
get_and_fail (Demo *demo, DemoPhase *phase, GError **error)
{
  g_auto (CenoteLease) lease = CENOTE_LEASE_INIT;
  g_autoptr (GError) refused = NULL;

  phase->calls++;
  if (cenote_pool_get_channel (demo->pool, &lease, &refused)) {
    g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_INVALID, "a channel was handed out although the server is gone");
    return FALSE;
  }
  phase->failed++;
  demo_view_say (&demo->terminal, COLOUR_PLAIN, "A get fails at once: %s", refused->message);
  return TRUE;
}

static void
draw_channels (Demo *demo)
{
  g_autoptr (CenotePoolStatus) status = cenote_pool_get_status (demo->pool);

  demo_view_channels (&demo->terminal, status);
}

/* Returns when the count of changes is not SEEN, or the next frame is due. */
static void
await_frame (Demo *demo, guint64 seen)
{
  changes_wait (demo->changes, seen, g_get_monotonic_time () + FRAME_MS * 1000);
}

/* Shows the channels wait until enough attempts have failed. */
static gboolean
watch_outage (Demo *demo, GError **error)
{
  gint64 until = g_get_monotonic_time () + STEP_LIMIT_MS * 1000;
  guint wanted = demo->terminal.live ? FAILURES_TO_WATCH : FAILURES_WANTED;

  while (demo_delays_count (demo->delays) < wanted) {
    guint64 seen = changes_count (demo->changes);

    if (demo->terminal.live) {
      draw_channels (demo);
      await_frame (demo, seen);
    } else {
      demo_delays_wait (demo->delays, wanted, until);
    }
    if (g_get_monotonic_time () < until)
      continue;
    g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_TIMEOUT, "only %u attempts within %d s",
                 demo_delays_count (demo->delays), STEP_LIMIT_MS / 1000);
    return FALSE;
  }
  return TRUE;
}

static gboolean
step_outage (Demo *demo, DemoPhase *phase, GError **error)
{
  gint64 start = g_get_monotonic_time ();
  g_autofree char *lost = NULL;
  g_autofree char *delays = NULL;

  demo_delays_clear (demo->delays);
  demo_server_stop (demo->server);
  if (!wait_until (demo, is_empty, "the loss was not noticed", error))
    return FALSE;
  lost = format_us (g_get_monotonic_time () - start);
  demo_view_say (&demo->terminal, COLOUR_RED, "The server is gone, and %s after its end began so are all channels.",
                 lost);
  if (!get_and_fail (demo, phase, error) || !watch_outage (demo, error))
    return FALSE;
  draw_channels (demo);
  terminal_keep (&demo->terminal);
  phase->time_us = g_get_monotonic_time () - start;
  delays = demo_delays_to_string (demo->delays);
  demo_view_say (&demo->terminal, COLOUR_YELLOW, "One channel tries for all of them; its backoff waited %s.", delays);
  return TRUE;
}

/* A caller that waits in acquire for the pool's return, on a thread of its own. */
typedef struct Caller {
  Demo *demo;
  gint64 answered_us;        /* when its call was answered */
  GError *error;             /* why it was not */
  gint done;                 /* atomic */
} Caller;

static gpointer
acquire_and_call (gpointer data)
{
  Caller *caller = data;
  g_auto (CenoteLease) lease = CENOTE_LEASE_INIT;

  if (cenote_pool_acquire (caller->demo->pool, STEP_LIMIT_MS, &lease, &caller->error))
    call_and_release (caller->demo, &lease, &caller->error);
  caller->answered_us = g_get_monotonic_time ();
  g_atomic_int_set (&caller->done, 1);
  changes_push (caller->demo->changes);
  return NULL;
}

/* The server starts while CALLER waits; what the channels do meanwhile is for people to see. */
static gboolean
serve_caller (Demo *demo, Caller *caller, GError **error)
{
  GThread *thread = g_thread_new ("caller", acquire_and_call, caller);
  gboolean started = demo_server_start (demo->server, error);

  while (demo->terminal.live && started) {
    guint64 seen = changes_count (demo->changes);

    if (g_atomic_int_get (&caller->done) != 0)
      break;
    draw_channels (demo);
    await_frame (demo, seen);
  }
  g_thread_join (thread);
  if (!started)
    g_clear_error (&caller->error);
  else if (caller->error != NULL)
    g_propagate_error (error, g_steal_pointer (&caller->error));
  else
    return TRUE;
  return FALSE;
}

static gboolean
step_return (Demo *demo, DemoPhase *phase, GError **error)
{
  gint64 start = g_get_monotonic_time ();
  Caller caller = { .demo = demo };
  g_autofree char *answer = NULL;
  g_autofree char *all = NULL;

  phase->calls++;
  if (!serve_caller (demo, &caller, error) || !wait_until (demo, is_complete, "the channels did not return", error)) {
    phase->failed++;
    return FALSE;
  }
  phase->time_us = g_get_monotonic_time () - start;
  if (demo->terminal.live)
    draw_channels (demo);
  terminal_keep (&demo->terminal);
  answer = format_us (caller.answered_us - start);
  all = format_us (phase->time_us);
  demo_view_say (&demo->terminal, COLOUR_GREEN,
                 "A caller that waited in acquire had its answer after %s; all channels were back after %s.",
                 answer, all);
  return TRUE;
}

static const Step steps[] = {
  { "open", "The pool opens", step_open },
  { "calls", "Calls, each over a leased channel", step_calls },
  { "outage", "The server dies", step_outage },
  { "return", "The server returns, on the same port", step_return },
  { "calls again", "Calls again", step_calls },
};

/* ------------------------------------------------------------------- frame */

static void
demo_clear (Demo *demo)
{
  g_clear_pointer (&demo->changes, changes_free);
  g_clear_pointer (&demo->pool, cenote_pool_unref);
  if (demo->runtime != NULL)
    cenote_runtime_stop (demo->runtime);
  g_clear_pointer (&demo->runtime, cenote_runtime_unref);
  g_clear_pointer (&demo->delays, demo_delays_free);
  g_clear_pointer (&demo->caller, raw_caller_free);
  g_clear_pointer (&demo->message, g_bytes_unref);
  g_clear_pointer (&demo->server, demo_server_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Demo, demo_clear)

static gboolean
run_step (Demo *demo, guint i, DemoPhase *phase, GError **error)
{
  g_autoptr (CenotePoolStatus) status = NULL;

  *phase = (DemoPhase) { .name = steps[i].name };
  pause_ms (demo, PAUSE_MS);
  demo_view_heading (&demo->terminal, i + 1, steps[i].title);
  if (!steps[i].run (demo, phase, error)) {
    g_prefix_error (error, "step %u, %s: ", i + 1, steps[i].name);
    return FALSE;
  }
  status = cenote_pool_get_status (demo->pool);
  phase->current_size = status->current_size;
  phase->expected_size = status->expected_size;
  return TRUE;
}

static gboolean
tell_story (Demo *demo, GError **error)
{
  DemoPhase phases[G_N_ELEMENTS (steps)];

  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    if (!run_step (demo, i, &phases[i], error))
      return FALSE;
  pause_ms (demo, PAUSE_MS);
  demo_view_summary (&demo->terminal, phases, G_N_ELEMENTS (steps));
  return TRUE;
}

/* The port is in the environment before the first thread starts. */
static gboolean
take_port (Demo *demo, GError **error)
{
  g_autofree char *port = NULL;

  demo->server = demo_server_new (error);
  if (demo->server == NULL)
    return FALSE;
  port = g_strdup_printf ("%u", demo_server_get_port (demo->server));
  g_setenv ("CENOTE_DEMO_PORT", port, TRUE);
  return TRUE;
}

static void
prepare (Demo *demo, const Keyfile *keyfile)
{
  demo->keyfile = keyfile;
  terminal_init (&demo->terminal);
  demo->message = g_bytes_new_static ("hello, cenote", strlen ("hello, cenote"));
  demo->caller = raw_caller_new ();
  demo->delays = demo_delays_new ();
  demo->changes = changes_new ();
}

/* (transfer full): the text to show; what is run is read by the library. */
static char *
keyfile_text (const char *path)
{
  g_autofree char *text = NULL;

  if (path == NULL)
    return g_strdup (demo_conf);
  return g_file_get_contents (path, &text, NULL, NULL) ? g_steal_pointer (&text) : g_strdup ("");
}

static int
run (const Command *command, int argc, char **argv)
{
  g_auto (Keyfile) keyfile = { .config = NULL };
  g_autofree GOptionEntry *keyfile_entries = keyfile_options (&keyfile);
  g_auto (GStrv) words = NULL;
  g_auto (Demo) demo = { .server = NULL };
  g_autofree char *text = NULL;
  g_autoptr (GError) error = NULL;

  if (!command_parse (command, argc, argv, &words, keyfile_entries, NULL))
    return EXIT_USAGE;
  if (!take_port (&demo, &error) || !keyfile_open (&keyfile, words[0], words[0] == NULL ? demo_conf : NULL, &error))
    return command_failed (command, words[0] != NULL ? words[0] : "(data)", error);
  prepare (&demo, &keyfile);
  text = keyfile_text (words[0]);
  demo_view_keyfile (&demo.terminal, words[0] != NULL ? words[0] : "examples/demo.conf", text);
  if (!tell_story (&demo, &error))
    return command_failed (command, words[0], error);
  return EXIT_GOOD;
}

const Command demo_command = {
  .name = "demo",
  .arguments = "[FILE]",
  .summary = "a pool's life in ten seconds, with a server of its own",
  .description = "Starts a gRPC server in this process, opens the pool of FILE (unless given: a copy of\n"
                 "examples/demo.conf) to it, calls, stops the server, starts it again, and shows what the pool\n"
                 "does.  FILE finds the server's port in ${CENOTE_DEMO_PORT}.",
  .min_words = 0,
  .max_words = 1,
  .run = run,
};
