/* SPDX-License-Identifier: Apache-2.0 */
/*
 * <cenote/plugin-test.h>: a world for the unit tests of a plugin: a host whose time
 * and luck a test sets by hand, and which keeps what the plugin said; an option
 * table's values; a view and a plan for connectors, a view for pickers.
 *
 * For tests alone, on one thread.  Everything is static inline and needs libc
 * only, so that a test links its plugin's source and nothing of Cenote's:
 *
 *   CenoteTestHost test;
 *   CenoteTestValues values;
 *   const CenotePlugin *plugin = CENOTE_TEST_PLUGIN;
 *   const CenoteBackoffOps *ops = plugin->ops;
 *
 *   cenote_test_host_init (&test);
 *   cenote_test_values_init (&values, plugin);
 *   cenote_test_values_set (&values, "step", "100ms");
 *   state = ops->create (&test.host, &values.options, cenote_test_fault (&test));
 *   CENOTE_TEST_CHECK (ops->next (state) == 100000);
 *
 * What a test does wrong (a name that is no option's, a value that is none) and a
 * check that does not hold end the test with a line on stderr and exit status 1.
 * The structs here are a test's own: they may change with any release and are no
 * part of the ABI promise.
 */
#ifndef CENOTE_PLUGIN_TEST_H
#define CENOTE_PLUGIN_TEST_H

#include <cenote/plugin.h>
#include <cenote/telemetry.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Room for a text that is kept; a longer one is cut. */
#define CENOTE_TEST_TEXT_MAX 256
/* How many timers run at most: one more is not started, as at the end of a pool. */
#define CENOTE_TEST_TIMERS_MAX 16
/* How many addresses, channels and places a view here has at most. */
#define CENOTE_TEST_ROWS_MAX 64

/* The plugin whose source is linked into the test.  Since: 0.1 */
CENOTE_PLUGIN_LINKAGE CENOTE_PLUGIN_EXPORT const CenotePlugin *cenote_plugin_query (uint32_t host_abi);
#define CENOTE_TEST_PLUGIN cenote_plugin_query (CENOTE_ABI_MAJOR << 16 | CENOTE_ABI_MINOR)

/* ----------------------------------------------------------------- checks */

/* Ends the test unless CONDITION holds, also where NDEBUG is defined.  Since: 0.1 */
#define CENOTE_TEST_CHECK(condition) \
  ((condition) ? (void) 0 : cenote_test_fail (__FILE__, __LINE__, "does not hold", #condition))

static inline void
cenote_test_fail (const char *file, int line, const char *problem, const char *what)
{
  (void) fprintf (stderr, "%s:%d: %s: %s\n", file, line, problem, what);
  exit (1);
}

/* ------------------------------------------------------------------- host */

typedef struct CenoteTestTimer {
  bool runs;
  int64_t due_us;
  void (*func) (void *data);
  void *data;
} CenoteTestTimer;

/* Every slot is there.  What belongs to a pool that runs (read_metrics, status_json, call_async,
 * call_credentials) gives nothing; a test may put functions of its own into `host`. */
typedef struct CenoteTestHost {
  CenoteHost host;           /* &test.host is what create() is given */
  int64_t now_us;            /* begins at 1 s; set it at will, or see cenote_test_advance() */
  uint64_t luck;             /* what random() gives each time, or where it is seeded its state */
  bool luck_is_seeded;
  char fault[CENOTE_TEST_TEXT_MAX]; /* the reason that an operation left; "": none */
  char logged[CENOTE_TEST_TEXT_MAX]; /* the last line */
  uint32_t log_level;        /* of that, a CenoteLogLevel */
  uint32_t n_logged;
  uint32_t n_events;         /* that were emitted, in all and by kind */
  uint32_t n_events_of[CENOTE_N_EVENTS];
  uint32_t n_renewals;
  CenoteTestTimer timers[CENOTE_TEST_TIMERS_MAX];
} CenoteTestHost;

static inline void
cenote_test_keep (char *out, const char *text)
{
  (void) snprintf (out, CENOTE_TEST_TEXT_MAX, "%s", text != NULL ? text : "");
}

static inline CenoteTestHost *
cenote_test_of (const CenoteHost *host)
{
  return (CenoteTestHost *) (uintptr_t) host; /* its first member */
}

static inline void
cenote_test_log (const CenoteHost *host, uint32_t level, const char *text)
{
  CenoteTestHost *test = cenote_test_of (host);

  test->n_logged++;
  test->log_level = level;
  cenote_test_keep (test->logged, text);
}

static inline int64_t
cenote_test_now_us (const CenoteHost *host)
{
  return cenote_test_of (host)->now_us;
}

/* splitmix64 (Steele, Lea and Flood 2014) where luck is seeded. */
static inline uint64_t
cenote_test_random (const CenoteHost *host)
{
  CenoteTestHost *test = cenote_test_of (host);
  uint64_t z;

  if (!test->luck_is_seeded)
    return test->luck;
  z = test->luck += UINT64_C (0x9e3779b97f4a7c15);
  z = (z ^ z >> 30) * UINT64_C (0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C (0x94d049bb133111eb);
  return z ^ z >> 31;
}

static inline void
cenote_test_take_fault (const CenoteHost *host, CenoteFault *fault, const char *text)
{
  (void) host;
  cenote_test_keep ((char *) (void *) fault, text);
}

static inline CenoteTimer *
cenote_test_timer_start (const CenoteHost *host, int64_t delay_us, void (*func) (void *data), void *data)
{
  CenoteTestHost *test = cenote_test_of (host);

  for (uint32_t i = 0; i < CENOTE_TEST_TIMERS_MAX; i++)
    if (!test->timers[i].runs) {
      test->timers[i].runs = true;
      test->timers[i].due_us = test->now_us + delay_us;
      test->timers[i].func = func;
      test->timers[i].data = data;
      return (CenoteTimer *) (void *) &test->timers[i];
    }
  return NULL;
}

static inline void
cenote_test_timer_stop (const CenoteHost *host, CenoteTimer *timer)
{
  (void) host;
  if (timer != NULL)
    ((CenoteTestTimer *) (void *) timer)->runs = false;
}

static inline void
cenote_test_emit (const CenoteHost *host, const CenoteEvent *event)
{
  CenoteTestHost *test = cenote_test_of (host);

  test->n_events++;
  if (event->kind < CENOTE_N_EVENTS)
    test->n_events_of[event->kind]++;
}

static inline void
cenote_test_renew (const CenoteHost *host, const char *why)
{
  (void) why;
  cenote_test_of (host)->n_renewals++;
}

static inline struct grpc_call_credentials *
cenote_test_no_credentials (const CenoteHost *host)
{
  (void) host;
  return NULL;
}

static inline void
cenote_test_no_metrics (const CenoteHost *host, CenoteMetricFunc func, void *data)
{
  (void) host;
  (void) func;
  (void) data;
}

static inline char *
cenote_test_no_status (const CenoteHost *host)
{
  (void) host;
  return NULL;
}

static inline void
cenote_test_free_memory (const CenoteHost *host, void *memory)
{
  (void) host;
  free (memory);
}

static inline bool
cenote_test_no_call (const CenoteHost *host, const char *pool, const char *method, const void *request, size_t size,
                     int64_t timeout_us, CenoteCallDone done, void *data)
{
  (void) host;
  (void) pool;
  (void) method;
  (void) request;
  (void) size;
  (void) timeout_us;
  (void) done;
  (void) data;
  return false;
}

/**
 * cenote_test_host_init:
 * @test: where the host is to stand; must not be moved while a state uses it
 *
 * The clock stands at 1 s, luck is 0, nothing has been said.  Since: 0.1
 */
static inline void
cenote_test_host_init (CenoteTestHost *test)
{
  memset (test, 0, sizeof *test);
  test->now_us = 1000000;
  test->host.struct_size = sizeof test->host;
  test->host.abi_minor = CENOTE_ABI_MINOR;
  test->host.log = cenote_test_log;
  test->host.now_us = cenote_test_now_us;
  test->host.random = cenote_test_random;
  test->host.fail = cenote_test_take_fault;
  test->host.timer_start = cenote_test_timer_start;
  test->host.timer_stop = cenote_test_timer_stop;
  test->host.emit = cenote_test_emit;
  test->host.renew = cenote_test_renew;
  test->host.call_credentials = cenote_test_no_credentials;
  test->host.read_metrics = cenote_test_no_metrics;
  test->host.status_json = cenote_test_no_status;
  test->host.free_memory = cenote_test_free_memory;
  test->host.call_async = cenote_test_no_call;
}

/**
 * cenote_test_host_clear:
 *
 * The state has been destroyed: ends the test where it has left a timer that runs.  Since: 0.1
 */
static inline void
cenote_test_host_clear (CenoteTestHost *test)
{
  for (uint32_t i = 0; i < CENOTE_TEST_TIMERS_MAX; i++)
    CENOTE_TEST_CHECK (!test->timers[i].runs);
}

/**
 * cenote_test_fix_luck:
 * @luck: what random() gives from now on, each time
 *
 * 0 and UINT64_MAX are the ends of what a plugin must bear.  Since: 0.1
 */
static inline void
cenote_test_fix_luck (CenoteTestHost *test, uint64_t luck)
{
  test->luck = luck;
  test->luck_is_seeded = false;
}

/**
 * cenote_test_seed_luck:
 * @seed: from now on random() gives the sequence that belongs to it, the same in each run
 *
 * Since: 0.1
 */
static inline void
cenote_test_seed_luck (CenoteTestHost *test, uint64_t seed)
{
  test->luck = seed;
  test->luck_is_seeded = true;
}

/**
 * cenote_test_fault:
 *
 * Returns: what an operation that can fail is given; the reason is then in @test->fault,
 * which is "" again from now on.  Since: 0.1
 */
static inline CenoteFault *
cenote_test_fault (CenoteTestHost *test)
{
  test->fault[0] = '\0';
  return (CenoteFault *) (void *) test->fault;
}

/* The timer that is due first, at END_US at the latest; NULL: none. */
static inline CenoteTestTimer *
cenote_test_timer_due (CenoteTestHost *test, int64_t end_us)
{
  CenoteTestTimer *first = NULL;

  for (uint32_t i = 0; i < CENOTE_TEST_TIMERS_MAX; i++) {
    CenoteTestTimer *timer = &test->timers[i];

    if (timer->runs && timer->due_us <= end_us && (first == NULL || timer->due_us < first->due_us))
      first = timer;
  }
  return first;
}

/**
 * cenote_test_advance:
 * @delay_us: 0 or more
 *
 * Moves the clock, and runs each timer that is due up to then at its time, in their order.  Since: 0.1
 */
static inline void
cenote_test_advance (CenoteTestHost *test, int64_t delay_us)
{
  int64_t end_us = test->now_us + delay_us;
  CenoteTestTimer *timer;

  while ((timer = cenote_test_timer_due (test, end_us)) != NULL) {
    timer->runs = false;
    test->now_us = timer->due_us > test->now_us ? timer->due_us : test->now_us;
    timer->func (timer->data);
  }
  test->now_us = end_us;
}

/* ----------------------------------------------------------------- values */

/* Memory that a value points to. */
typedef struct CenoteTestMemory {
  struct CenoteTestMemory *next;
  int64_t room[1];           /* what is pointed to, aligned for any value */
} CenoteTestMemory;

/* One value for each row of a plugin's table.  No value is held against its row's min and max, so that
 * a test can give what a host never would. */
typedef struct CenoteTestValues {
  CenoteOptions options;     /* &values.options is what create() is given */
  const CenotePlugin *plugin;
  CenoteValue *rows;         /* options.values, to be set by hand */
  CenoteTestMemory *memory;
} CenoteTestValues;

static inline void *
cenote_test_allocate (CenoteTestValues *values, size_t size)
{
  CenoteTestMemory *memory = (CenoteTestMemory *) calloc (1, sizeof *memory + size);

  if (memory == NULL)
    abort ();
  memory->next = values->memory;
  values->memory = memory;
  return memory->room;
}

static inline char *
cenote_test_copy (CenoteTestValues *values, const char *text)
{
  size_t size = strlen (text) + 1;

  return (char *) memcpy (cenote_test_allocate (values, size), text, size);
}

typedef struct CenoteTestUnit {
  const char *name;
  double factor;
} CenoteTestUnit;

/* "1.5s" by UNITS, which end with one without a name. */
static inline bool
cenote_test_read_real (const char *text, const CenoteTestUnit *units, double *out)
{
  char *end;
  double number = strtod (text, &end);

  if (end == text)
    return false;
  for (; units->name != NULL; units++)
    if (strcmp (end, units->name) == 0) {
      *out = number * units->factor;
      return true;
    }
  return false;
}

static inline bool
cenote_test_read_whole (const char *text, const CenoteTestUnit *units, int64_t *out)
{
  double number;

  if (!cenote_test_read_real (text, units, &number) || number >= 9.2e18 || number <= -9.2e18)
    return false;
  *out = (int64_t) (number < 0 ? number - 0.5 : number + 0.5);
  return true;
}

static inline bool
cenote_test_read_int (const char *text, int64_t *out)
{
  char *end;

  errno = 0;
  *out = strtoll (text, &end, 10);
  return end != text && *end == '\0' && errno == 0;
}

static inline bool
cenote_test_read_bool (const char *text, int64_t *out)
{
  static const char *const words[] = { "false", "true", "no", "yes", "off", "on", "0", "1" };

  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
    if (strcmp (text, words[i]) == 0) {
      *out = (int64_t) (i % 2);
      return true;
    }
  return false;
}

/* Which of CHOICES ("full|none") TEXT is. */
static inline bool
cenote_test_read_choice (const char *text, const char *choices, int64_t *out)
{
  size_t length = strlen (text);

  for (*out = 0; choices != NULL; (*out)++) {
    if (strcspn (choices, "|") == length && strncmp (choices, text, length) == 0)
      return true;
    choices = strchr (choices, '|');
    choices = choices != NULL ? choices + 1 : NULL;
  }
  return false;
}

/* "a;b" as a list of two. */
static inline bool
cenote_test_read_list (CenoteTestValues *values, const char *text, CenoteValue *out)
{
  char *copy = cenote_test_copy (values, text), *at = copy;
  char **items = (char **) cenote_test_allocate (values, (strlen (text) + 2) * sizeof *items);

  for (out->number = 0; at != NULL && *at != '\0'; out->number++) {
    items[out->number] = at;
    at = strchr (at, ';');
    if (at != NULL)
      *at++ = '\0';
  }
  out->list = (const char *const *) items;
  return true;
}

static inline bool
cenote_test_read (CenoteTestValues *values, const CenoteOption *row, const char *text, CenoteValue *out)
{
  static const CenoteTestUnit none[] = { { "", 1 }, { NULL, 0 } };
  static const CenoteTestUnit fractions[] = { { "", 1 }, { "%", 0.01 }, { NULL, 0 } };
  static const CenoteTestUnit sizes[] = { { "B", 1 }, { "KiB", 1024 }, { "MiB", 1048576 }, { "GiB", 1073741824 }, { NULL, 0 } };
  static const CenoteTestUnit times[] = { { "us", 1 }, { "ms", 1e3 }, { "s", 1e6 }, { "min", 6e7 }, { "h", 3.6e9 }, { NULL, 0 } };

  switch (row->type) {
  case CENOTE_OPTION_BOOL: return cenote_test_read_bool (text, &out->number);
  case CENOTE_OPTION_INT: return cenote_test_read_int (text, &out->number);
  case CENOTE_OPTION_DOUBLE: return cenote_test_read_real (text, none, &out->real);
  case CENOTE_OPTION_FRACTION: return cenote_test_read_real (text, fractions, &out->real);
  case CENOTE_OPTION_LIST: return cenote_test_read_list (values, text, out);
  case CENOTE_OPTION_DURATION:
    out->number = strcmp (text, "off") == 0 ? CENOTE_OFF : 0;
    return out->number != 0 || strcmp (text, "0") == 0 || cenote_test_read_whole (text, times, &out->number);
  case CENOTE_OPTION_SIZE:
    return strcmp (text, "0") == 0 || cenote_test_read_whole (text, sizes, &out->number);
  case CENOTE_OPTION_ENUM:
    out->text = cenote_test_copy (values, text);
    return cenote_test_read_choice (text, row->choices, &out->number);
  default:                   /* a text */
    out->text = cenote_test_copy (values, text);
    return true;
  }
}

/**
 * cenote_test_values_set:
 * @name: of an option of the plugin's
 * @text: as in a keyfile ("100ms", "20%", "a;b"), without escapes and ${VAR}; NULL: not given, and no default
 *
 * Sets the value that a next create() is given.  Since: 0.1
 */
static inline void
cenote_test_values_set (CenoteTestValues *values, const char *name, const char *text)
{
  for (uint32_t i = 0; i < values->plugin->n_options; i++) {
    const CenoteOption *row = &values->plugin->options[i];
    CenoteValue value;

    if (strcmp (row->name, name) != 0)
      continue;
    memset (&value, 0, sizeof value);
    value.is_set = text != NULL;
    if (text != NULL && !cenote_test_read (values, row, text, &value))
      cenote_test_fail (name, (int) i, "is not of the type of this option", text);
    values->rows[i] = value;
    return;
  }
  cenote_test_fail (values->plugin->name, 0, "has no option of this name", name);
}

/**
 * cenote_test_values_init:
 * @plugin: (transfer none): of the header that the test is compiled with
 *
 * Every option has its default; the instance is called as the plugin is.  Since: 0.1
 */
static inline void
cenote_test_values_init (CenoteTestValues *values, const CenotePlugin *plugin)
{
  memset (values, 0, sizeof *values);
  values->plugin = plugin;
  values->rows = (CenoteValue *) cenote_test_allocate (values, (plugin->n_options + 1) * sizeof (CenoteValue));
  values->options.struct_size = sizeof values->options;
  values->options.n_values = plugin->n_options;
  values->options.value_size = sizeof (CenoteValue);
  values->options.values = values->rows;
  values->options.instance = plugin->name;
  for (uint32_t i = 0; i < plugin->n_options; i++)
    cenote_test_values_set (values, plugin->options[i].name, plugin->options[i].default_text);
}

/* Frees what the values point to.  Since: 0.1 */
static inline void
cenote_test_values_clear (CenoteTestValues *values)
{
  while (values->memory != NULL) {
    CenoteTestMemory *next = values->memory->next;

    free (values->memory);
    values->memory = next;
  }
  memset (values, 0, sizeof *values);
}

/* ------------------------------------------------- what a connector is shown */

/* A pool as a view shows it; every member of the view and of the rows may be set at will.  All of its
 * channels stand in `changed`.  Must not be moved once a row was added. */
typedef struct CenoteTestPool {
  CenoteConnectorView view;  /* &pool.view is what plan() is given */
  CenoteAddressView addresses[CENOTE_TEST_ROWS_MAX];
  CenoteChannelView channels[CENOTE_TEST_ROWS_MAX];
  uint32_t changed[CENOTE_TEST_ROWS_MAX];
} CenoteTestPool;

/**
 * cenote_test_pool_init:
 * @wanted: the pool's size
 *
 * No address and no channel yet, no verb, the clock at 1 s, from 1 to 10000 channels.  Since: 0.1
 */
static inline void
cenote_test_pool_init (CenoteTestPool *pool, uint32_t wanted)
{
  memset (pool, 0, sizeof *pool);
  pool->view.struct_size = sizeof pool->view;
  pool->view.verb_address = CENOTE_NO_ADDRESS;
  pool->view.wanted = wanted;
  pool->view.min = 1;
  pool->view.max = 10000;
  pool->view.now_us = 1000000;
  pool->view.oldest_deadline_us = INT64_MAX;
  pool->view.address_size = sizeof (CenoteAddressView);
  pool->view.channel_size = sizeof (CenoteChannelView);
  pool->view.addresses = pool->addresses;
  pool->view.channels = pool->channels;
  pool->view.changed = pool->changed;
  pool->view.idle_timeout_us = CENOTE_OFF;
  pool->view.max_streams_per_channel = 100;
}

/**
 * cenote_test_pool_add_address:
 * @address: (transfer none)
 *
 * Returns: its row; its id is 1 for the first one, 2 for the next.  Nobody has tried it.  Since: 0.1
 */
static inline CenoteAddressView *
cenote_test_pool_add_address (CenoteTestPool *pool, const char *address)
{
  CenoteAddressView *row = &pool->addresses[pool->view.n_addresses];

  CENOTE_TEST_CHECK (pool->view.n_addresses < CENOTE_TEST_ROWS_MAX);
  row->address = address;
  row->id = ++pool->view.n_addresses;
  row->last_use_us = -1;
  return row;
}

/**
 * cenote_test_pool_add_channel:
 * @address: an id
 *
 * Returns: its row; its id is 1 for the first one, 2 for the next.  Nobody has used it.  Since: 0.1
 */
static inline CenoteChannelView *
cenote_test_pool_add_channel (CenoteTestPool *pool, uint32_t address, CenoteChannelState state)
{
  CenoteChannelView *row = &pool->channels[pool->view.n_channels];

  CENOTE_TEST_CHECK (pool->view.n_channels < CENOTE_TEST_ROWS_MAX);
  pool->changed[pool->view.n_changed++] = pool->view.n_channels;
  row->id = ++pool->view.n_channels;
  row->address = address;
  row->state = (uint32_t) state;
  row->ready_since_us = state == CENOTE_CHANNEL_READY ? pool->view.now_us : -1;
  row->last_use_us = -1;
  return row;
}

/* What a plan said: how often, and the last time of each. */
typedef struct CenoteTestPlan {
  CenotePlan plan;           /* &recorded.plan is what plan() is given */
  uint32_t n_opened;         /* channels, not calls */
  uint32_t opened_at;        /* an address */
  uint64_t replaced;         /* a channel; 0: none */
  uint32_t n_drained;
  uint64_t drained;
  uint32_t n_closed;
  uint64_t closed;
  uint32_t n_revived;
  uint64_t revived;
  uint32_t n_forgotten;
  uint32_t forgotten;        /* an address */
  uint32_t n_refused;
  uint32_t refused;          /* an address */
  int64_t wake_at_us;        /* the earliest; INT64_MAX: none */
  int64_t expected;          /* -1: not said */
  char why[CENOTE_TEST_TEXT_MAX];
} CenoteTestPlan;

static inline CenoteTestPlan *
cenote_test_plan_of (CenotePlan *plan)
{
  return (CenoteTestPlan *) (void *) plan; /* its first member */
}

static inline void
cenote_test_plan_open (CenotePlan *plan, uint32_t address, uint32_t n, uint64_t replaces)
{
  CenoteTestPlan *recorded = cenote_test_plan_of (plan);

  CENOTE_TEST_CHECK (replaces == 0 || n == 1);
  recorded->n_opened += n;
  recorded->opened_at = address;
  recorded->replaced = replaces;
}

static inline void
cenote_test_plan_drain (CenotePlan *plan, uint64_t channel, const char *why)
{
  CenoteTestPlan *recorded = cenote_test_plan_of (plan);

  recorded->n_drained++;
  recorded->drained = channel;
  cenote_test_keep (recorded->why, why);
}

static inline void
cenote_test_plan_close (CenotePlan *plan, uint64_t channel, const char *why)
{
  CenoteTestPlan *recorded = cenote_test_plan_of (plan);

  recorded->n_closed++;
  recorded->closed = channel;
  cenote_test_keep (recorded->why, why);
}

static inline void
cenote_test_plan_revive (CenotePlan *plan, uint64_t channel)
{
  CenoteTestPlan *recorded = cenote_test_plan_of (plan);

  recorded->n_revived++;
  recorded->revived = channel;
}

static inline void
cenote_test_plan_forget (CenotePlan *plan, uint32_t address)
{
  CenoteTestPlan *recorded = cenote_test_plan_of (plan);

  recorded->n_forgotten++;
  recorded->forgotten = address;
}

static inline void
cenote_test_plan_wake_at (CenotePlan *plan, int64_t time_us)
{
  CenoteTestPlan *recorded = cenote_test_plan_of (plan);

  if (time_us < recorded->wake_at_us)
    recorded->wake_at_us = time_us;
}

static inline void
cenote_test_plan_refuse (CenotePlan *plan, uint32_t address, const char *why)
{
  CenoteTestPlan *recorded = cenote_test_plan_of (plan);

  recorded->n_refused++;
  recorded->refused = address;
  cenote_test_keep (recorded->why, why);
}

static inline void
cenote_test_plan_expect (CenotePlan *plan, uint32_t n, const char *why)
{
  CenoteTestPlan *recorded = cenote_test_plan_of (plan);

  recorded->expected = n;
  cenote_test_keep (recorded->why, why);
}

/* Nothing has been said yet: once before each plan().  Since: 0.1 */
static inline void
cenote_test_plan_init (CenoteTestPlan *recorded)
{
  memset (recorded, 0, sizeof *recorded);
  recorded->wake_at_us = INT64_MAX;
  recorded->expected = -1;
  recorded->plan.struct_size = sizeof recorded->plan;
  recorded->plan.open = cenote_test_plan_open;
  recorded->plan.drain = cenote_test_plan_drain;
  recorded->plan.revive = cenote_test_plan_revive;
  recorded->plan.close = cenote_test_plan_close;
  recorded->plan.forget = cenote_test_plan_forget;
  recorded->plan.wake_at = cenote_test_plan_wake_at;
  recorded->plan.refuse = cenote_test_plan_refuse;
  recorded->plan.expect = cenote_test_plan_expect;
}

/* ----------------------------------------------------- what a picker is shown */

/* Channels to choose from, as one thread sees them; every member of the view and of the rows may be set
 * at will.  A lease of place I is ++pick.tallies[I].taken.  Must not be moved. */
typedef struct CenoteTestPick {
  CenotePickView view;       /* &pick.view is what pick() is given */
  CenotePlace places[CENOTE_TEST_ROWS_MAX];
  CenoteTally tallies[CENOTE_TEST_ROWS_MAX];
  const CenoteTally *blocks[1];
  uint64_t luck;
  uint64_t scratch;
} CenoteTestPick;

/**
 * cenote_test_pick_init:
 * @n_places: 1 to %CENOTE_TEST_ROWS_MAX
 *
 * All are alike, warm and without leases; the caller avoids none and has no key; the thread's scratch word is 0.
 * Since: 0.1
 */
static inline void
cenote_test_pick_init (CenoteTestPick *pick, uint32_t n_places)
{
  CENOTE_TEST_CHECK (n_places >= 1 && n_places <= CENOTE_TEST_ROWS_MAX);
  memset (pick, 0, sizeof *pick);
  for (uint32_t i = 0; i < n_places; i++) {
    pick->places[i].channel_id = i + 1;
    pick->places[i].number = i;
    pick->places[i].weight = 1;
    pick->places[i].tally_offset = i * (uint32_t) sizeof (CenoteTally);
  }
  pick->luck = 1;
  pick->blocks[0] = pick->tallies;
  pick->view.struct_size = sizeof pick->view;
  pick->view.n_places = n_places;
  pick->view.place_size = sizeof (CenotePlace);
  pick->view.avoid = CENOTE_PICK_NONE;
  pick->view.luck = &pick->luck;
  pick->view.places = pick->places;
  pick->view.scratch = &pick->scratch;
  pick->view.tallies = pick->blocks;
  pick->view.now_us = 1000000;
}

#ifdef __cplusplus
}
#endif

#endif
