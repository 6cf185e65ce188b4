/* SPDX-License-Identifier: Apache-2.0 */
/* conformance-states: create and destroy, with any options, in any order, any number of times, and in no time. */
#include <malloc.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "conformance.h"

/* ------------------------------------------------------------------ create */

static char *
check_settings (const Conformance *run)
{
  for (const char *const *setting = run->settings; setting && *setting; setting++) {
    g_autofree char *name = g_strndup (*setting, strcspn (*setting, "="));

    if (option_table_find (&run->plugin->options, name) < 0)
      return g_strdup_printf ("the plugin has no option '%s'", name);
  }
  return NULL;
}

static char *
check_create (const Conformance *run)
{
  g_autoptr (GError) error = NULL;
  char *problem = check_settings (run);
  g_autoptr (Fixture) fixture = problem ? NULL : conformance_create_with (run, NULL, &error);

  return problem || fixture ? problem : g_strdup (error->message);
}

/* ----------------------------------------------------------------- options */

/* Longer than any buffer that somebody took for long enough. */
enum { LONG_TEXT = 70000 };

typedef struct Extremes {
  const Conformance *run;
  char *(*func) (const Conformance *run, const char *setting);
  const CenoteOption *row;
  char *problem;
} Extremes;

/* What the option's own parser refuses never reaches a plugin. */
static gboolean
is_taken (const CenoteOption *row, const char *text)
{
  CenoteValue value = { 0 };
  g_autofree char *problem = NULL;
  gboolean is_good = option_parse (row, text, &value, &problem);

  if (is_good)
    option_value_clear (&value);
  return is_good;
}

static void
try_text (Extremes *extremes, const char *text)
{
  g_autofree char *setting = NULL;

  if (!text || extremes->problem || !is_taken (extremes->row, text))
    return;
  setting = g_strdup_printf ("%s=%s", extremes->row->name, text);
  extremes->problem = extremes->func (extremes->run, setting);
}

static void
try_choices (Extremes *extremes, const char *choices)
{
  g_auto (GStrv) words = g_strsplit (choices ? choices : "", "|", -1);

  for (char **word = words; *word; word++)
    try_text (extremes, *word);
}

static void
try_row (Extremes *extremes)
{
  static const char *const texts[] = {
    "", "off", "true", "false", "0", "0us", "1us", "100%", "-1", "9223372036854775807", "-9223372036854775808",
    "9223372036854775807us", "1e308", "%", "\xff\xfe", "a\nb",
  };
  g_autofree char *endless = g_strnfill (LONG_TEXT, 'a');

  try_text (extremes, extremes->row->min);
  try_text (extremes, extremes->row->max);
  try_choices (extremes, extremes->row->choices);
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    try_text (extremes, texts[i]);
  try_text (extremes, endless);
}

char *
conformance_each_extreme (const Conformance *run, char *(*func) (const Conformance *run, const char *setting))
{
  Extremes extremes = { .run = run, .func = func };

  for (guint i = 0; i < run->plugin->options.n_rows && !extremes.problem; i++) {
    CenoteOption row;

    option_table_row (&run->plugin->options, i, &row);
    extremes.row = &row;
    try_row (&extremes);
  }
  return extremes.problem;
}

/* create() may refuse what the table allows, but then says why. */
static char *
judge_create_with (const Conformance *run, const char *setting)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Fixture) fixture = conformance_create_with (run, setting, &error);

  if (fixture || !g_str_has_suffix (error->message, "without saying why"))
    return NULL;
  return g_strdup_printf ("with %.60s: %s", setting, error->message);
}

static char *
check_create_options (const Conformance *run)
{
  return conformance_each_extreme (run, judge_create_with);
}

/* -------------------------------------------------------------------- time */

enum { N_TIMED = 3 };

/* What one call has cost. */
typedef struct Cost {
  gint64 cpu_us;
  gint64 waited_us;          /* 0: it did not give its thread away */
} Cost;

static gint64
thread_cpu_us (void)
{
  struct timespec time;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &time);
  return (gint64) time.tv_sec * G_USEC_PER_SEC + time.tv_nsec / 1000;
}

static glong
thread_sleeps (void)
{
  struct rusage usage;

  getrusage (RUSAGE_THREAD, &usage);
  return usage.ru_nvcsw;
}

typedef void (*TimedFunc) (const Conformance *run, const ConformanceCall *call, Fixture *fixture);

static Cost
cost_of (TimedFunc func, const Conformance *run, const ConformanceCall *call, Fixture *fixture)
{
  gint64 cpu_us = thread_cpu_us ();
  gint64 begun_us = g_get_monotonic_time ();
  glong sleeps = thread_sleeps ();
  Cost cost;

  func (run, call, fixture);
  cost.waited_us = thread_sleeps () > sleeps ? g_get_monotonic_time () - begun_us : 0;
  cost.cpu_us = thread_cpu_us () - cpu_us;
  return cost;
}

static gint
compare_costs (gconstpointer a, gconstpointer b)
{
  gint64 one = ((const Cost *) a)->cpu_us, other = ((const Cost *) b)->cpu_us;

  return (one > other) - (one < other);
}

/* The median of CPU time and the least of waiting: a machine that is busy with something else has no part in the
 * first, and in the second only as far as the call itself computes. */
static char *
judge_cost (const char *name, gint64 budget_us, TimedFunc func, const Conformance *run, const ConformanceCall *call,
            Fixture *fixture)
{
  enum { LONGEST_WAIT_US = 100000, BUSY_FACTOR = 10 };
  Cost costs[N_TIMED];
  gint64 waited_us = G_MAXINT64, cpu_us;

  for (guint i = 0; i < N_TIMED; i++) {
    costs[i] = cost_of (func, run, call, fixture);
    waited_us = MIN (waited_us, costs[i].waited_us);
  }
  qsort (costs, N_TIMED, sizeof costs[0], compare_costs);
  cpu_us = costs[N_TIMED / 2].cpu_us;
  if (waited_us > LONGEST_WAIT_US + BUSY_FACTOR * cpu_us)
    return g_strdup_printf ("%s waits: %" G_GINT64_FORMAT " us at least, each of %d times", name, waited_us, N_TIMED);
  if (cpu_us > budget_us)
    return g_strdup_printf ("%s takes %" G_GINT64_FORMAT " us of CPU time, expected at most %" G_GINT64_FORMAT, name,
                            cpu_us, budget_us);
  return NULL;
}

static void
create_once (const Conformance *run, const ConformanceCall *call, Fixture *fixture)
{
  (void) call;
  (void) fixture;
  fixture_free (conformance_create (run));
}

static char *
check_create_time (const Conformance *run)
{
  return judge_cost ("create, then destroy", G_USEC_PER_SEC, create_once, run, NULL, NULL);
}

static void
make_call (const Conformance *run, const ConformanceCall *call, Fixture *fixture)
{
  (void) run;
  call->make (fixture);
}

static char *
check_call_time (const Conformance *run)
{
  const ConformancePart *part = conformance_part (run->plugin->kind);
  g_autoptr (Fixture) fixture = conformance_create (run);
  char *problem = NULL;

  for (guint i = 0; i < part->n_calls && !problem; i++)
    problem = judge_cost (part->calls[i].name, 10000, make_call, run, &part->calls[i], fixture);
  return problem;
}

/* --------------------------------------------------------- many, and again */

/* N, or as many states as can be made in half a second, but 10 at least: one of transport/tls reads and
 * checks all CAs that the system trusts, and a thousand would keep whoever waits for the suite for long.  What each
 * state leaves is seen after ten, too. */
static guint
affordable (const Conformance *run, guint n)
{
  gint64 cost_us = MAX (cost_of (create_once, run, NULL, NULL).cpu_us, 1);

  return (guint) CLAMP (G_USEC_PER_SEC / 2 / cost_us, 10, n);
}

static char *
check_create_many (const Conformance *run)
{
  g_autoptr (GPtrArray) fixtures = g_ptr_array_new_with_free_func ((GDestroyNotify) fixture_free);
  guint n = affordable (run, 100);
  Fixture *fixture;

  while (fixtures->len < n && (fixture = conformance_create (run)))
    g_ptr_array_add (fixtures, fixture);
  return fixtures->len < n ? g_strdup_printf ("create fails while %u others live", fixtures->len) : NULL;
}

/* What a process has that a state may have left behind. */
typedef struct Holdings {
  gint64 bytes;              /* 0 where a sanitizer has its own allocator */
  gint64 files;
  gint64 threads;            /* those that end still among them */
} Holdings;

static gint64
count_entries (const char *path)
{
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  gint64 n = 0;

  while (directory && g_dir_read_name (directory))
    n++;
  return n;
}

static Holdings
take_stock (void)
{
  const struct mallinfo2 memory = mallinfo2 ();

  return (Holdings) { (gint64) (memory.uordblks + memory.hblkhd), count_entries ("/proc/self/fd"),
                      count_entries ("/proc/self/task") };
}

/* Creates and destroys N states, unused; FALSE: one could not be created. */
static gboolean
repeat (const Conformance *run, guint n)
{
  for (guint i = 0; i < n; i++) {
    Fixture *fixture = conformance_create (run);

    if (!fixture)
      return FALSE;
    fixture_free (fixture);
  }
  return TRUE;
}

/* Caches fill and then stay: what grows by each round, and by much, is lost. */
static char *
check_create_repeats (const Conformance *run)
{
  enum { N_ROUNDS = 4 };
  guint n = affordable (run, 1000 / N_ROUNDS);
  Holdings grown = { G_MAXINT64, G_MAXINT64, G_MAXINT64 };

  for (guint round = 0; round < N_ROUNDS; round++) {
    Holdings before = take_stock (), after;

    if (!repeat (run, n))
      return g_strdup_printf ("create fails after at least %u states came and went", round * n);
    after = take_stock ();
    grown.bytes = MIN (grown.bytes, after.bytes - before.bytes);
    grown.files = MIN (grown.files, after.files - before.files);
    grown.threads = MIN (grown.threads, after.threads - before.threads);
  }
  if (grown.files >= n / 5)
    return g_strdup_printf ("%u states that came and went left %" G_GINT64_FORMAT " files open", n, grown.files);
  if (grown.threads >= n / 5)
    return g_strdup_printf ("%u states that came and went left %" G_GINT64_FORMAT " threads", n, grown.threads);
  if (grown.bytes >= n * 16)
    return g_strdup_printf ("%u states that came and went left %" G_GINT64_FORMAT " bytes", n, grown.bytes);
  return NULL;
}

/* ------------------------------------------------------------------- order */

static guint64
use (Fixture *fixture)
{
  return conformance_part (fixture->plugin->kind)->calls[0].make (fixture);
}

static guint64
use_alone (const Conformance *run)
{
  g_autoptr (Fixture) fixture = conformance_create (run);

  return use (fixture);
}

/* A plugin whose states are not alike even when they are alone is another check's. */
static char *
check_destroy_order (const Conformance *run)
{
  guint64 expected = use_alone (run);
  gboolean is_steady = use_alone (run) == expected;
  Fixture *fixtures[5];
  guint unlike = 0;

  for (guint i = 0; i < G_N_ELEMENTS (fixtures); i++)
    fixtures[i] = conformance_create (run);
  for (guint i = 0; i < G_N_ELEMENTS (fixtures); i += 2)
    fixture_free (fixtures[i]);
  for (guint i = 1; i < G_N_ELEMENTS (fixtures); i += 2) {
    unlike += use (fixtures[i]) != expected;
    fixture_free (fixtures[i]);
  }
  return is_steady && unlike > 0 ? g_strdup ("a state does otherwise after others were destroyed") : NULL;
}

static const ConformanceCheck checks[] = {
  { .name = "create", .promise = "a state comes of the defaults", .run = check_create, .is_vital = TRUE },
  { .name = "create-time", .promise = "states come and go within their time",
    .run = check_create_time, .is_vital = TRUE },
  { .name = "call-time", .promise = "no operation blocks or takes long", .run = check_call_time, .is_vital = TRUE },
  { .name = "create-many", .promise = "up to a hundred states live side by side",
    .run = check_create_many, .is_vital = TRUE },
  { .name = "create-repeats", .promise = "up to a thousand states leave nothing",
    .run = check_create_repeats, .is_vital = TRUE },
  { .name = "create-options", .promise = "options at their ends give a state or a reason",
    .run = check_create_options },
  { .name = "destroy-order", .promise = "states go in any order", .run = check_destroy_order },
};

const ConformancePart conformance_states = { .checks = checks, .n_checks = G_N_ELEMENTS (checks) };
