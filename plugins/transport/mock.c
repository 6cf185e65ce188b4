/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transport/mock: connections that do what a script says, for programs' tests.
 *
 *   [transport:flaky]
 *   plugin=mock
 *   script=fail after 5ms: no route;ok after 20ms for 2s;hang
 *
 * The first connection attempt of the pool takes the first step, the next one,
 * on whichever channel, the second; the last step repeats, or with cycle=yes the
 * script begins again.  The grammar of a step is in mock-script.h.
 *
 * Nothing is connected and C-core drives nothing: states are told at the times
 * of the host's timers, so a simulation's clock decides.  A channel is a lame one:
 * calls on it fail with UNAVAILABLE.  Control thread only.
 */
#include <cenote/plugin.h>
#include <grpc/grpc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mock-script.h"

enum { SCRIPT, CYCLE };

static const CenoteOption options[] = {
  [SCRIPT] = { "script", CENOTE_OPTION_LIST, 0, "ok", NULL, NULL, NULL,
               "What connection attempts do, in order: ok [after TIME] [for TIME] [: text], "
               "fail [after TIME] [: text], or hang" },
  [CYCLE] = { "cycle", CENOTE_OPTION_BOOL, 0, "no", NULL, NULL, NULL,
              "Whether the script begins again after its last step, which repeats otherwise" },
};

typedef struct Mock Mock;

/* One channel.  At most one timer runs: for the next thing that will happen to it. */
typedef struct Connection {
  struct Connection *next;
  Mock *mock;
  grpc_channel *channel;
  CenoteTransportNotify notify; /* NULL until watched */
  void *notify_data;
  const MockStep *step;      /* of the attempt or connection that is going on; NULL: none */
  CenoteTimer *timer;
} Connection;

struct Mock {
  const CenoteHost *host;
  bool cycles;
  uint32_t position;         /* of the next attempt's step */
  uint32_t n_steps;
  MockStep *steps;
  char **texts;              /* the script, which the steps borrow from */
  Connection *connections;
};

/* --------------------------------------------------------------- attempts */

static void
tell (Connection *connection, CenoteChannelState state, const char *error)
{
  if (connection->notify)
    connection->notify (connection->notify_data, state, error);
}

static void
start_timer (Connection *connection, int64_t delay_us, void (*func) (void *data))
{
  const CenoteHost *host = connection->mock->host;

  connection->timer = host->timer_start (host, delay_us, func, connection);
}

static const char *
text_or (const MockStep *step, const char *otherwise)
{
  return step->text && *step->text ? step->text : otherwise;
}

static void
lose (void *data)
{
  Connection *connection = data;
  const MockStep *step = connection->step;

  connection->timer = NULL;
  connection->step = NULL;
  tell (connection, CENOTE_CHANNEL_IDLE, text_or (step, "the script ended the connection"));
}

static void
finish_attempt (void *data)
{
  Connection *connection = data;
  const MockStep *step = connection->step;

  connection->timer = NULL;
  if (step->outcome == MOCK_FAIL) {
    connection->step = NULL;
    tell (connection, CENOTE_CHANNEL_TRANSIENT_FAILURE, text_or (step, "the script failed the attempt"));
    return;
  }
  if (step->lasts_us >= 0)
    start_timer (connection, step->lasts_us, lose);
  tell (connection, CENOTE_CHANNEL_READY, NULL);
}

static void
begin_attempt (void *data)
{
  Connection *connection = data;

  connection->timer = NULL;
  if (connection->step->outcome != MOCK_HANG)
    start_timer (connection, connection->step->after_us, finish_attempt);
  tell (connection, CENOTE_CHANNEL_CONNECTING, NULL);
}

static const MockStep *
take_step (Mock *mock)
{
  const MockStep *step = &mock->steps[mock->position];

  if (mock->position + 1 < mock->n_steps)
    mock->position++;
  else if (mock->cycles)
    mock->position = 0;
  return step;
}

/* --------------------------------------------------------------- channels */

static Connection **
find_connection (Mock *mock, const grpc_channel *channel)
{
  Connection **at = &mock->connections;

  while (*at && (*at)->channel != channel)
    at = &(*at)->next;
  return at;
}

static grpc_channel *
create_channel (void *state, const char *address, const void *args, CenoteFault *fault)
{
  Mock *mock = state;
  Connection *connection = calloc (1, sizeof *connection);

  (void) args;
  if (!connection) {
    mock->host->fail (mock->host, fault, "out of memory");
    return NULL;
  }
  connection->mock = mock;
  connection->channel =
    grpc_lame_client_channel_create (address, GRPC_STATUS_UNAVAILABLE, "the mock transport carries no calls");
  connection->next = mock->connections;
  mock->connections = connection;
  return connection->channel;
}

static void
watch (void *state, grpc_channel *channel, CenoteTransportNotify notify, void *notify_data)
{
  Connection *connection = *find_connection (state, channel);

  connection->notify = notify;
  connection->notify_data = notify_data;
}

/* Told from a timer, never from within connect: as with a real connection, the caller is done by then. */
static void
connect_channel (void *state, grpc_channel *channel)
{
  Connection *connection = *find_connection (state, channel);

  if (connection->step)
    return;
  connection->step = take_step (state);
  start_timer (connection, 0, begin_attempt);
}

static void
close_channel (void *state, grpc_channel *channel)
{
  Mock *mock = state;
  Connection **at = find_connection (mock, channel);
  Connection *connection = *at;

  *at = connection->next;
  mock->host->timer_stop (mock->host, connection->timer);
  grpc_channel_destroy (connection->channel);
  free (connection);
}

/* ------------------------------------------------------------------ state */

static void
destroy (void *state)
{
  Mock *mock = state;

  for (uint32_t i = 0; mock->texts && i < mock->n_steps; i++)
    free (mock->texts[i]);
  free (mock->texts);
  free (mock->steps);
  free (mock);
}

static bool
read_steps (Mock *mock, const CenoteValue *script, CenoteFault *fault)
{
  char reason[400];

  for (uint32_t i = 0; i < mock->n_steps; i++) {
    const char *problem;

    mock->texts[i] = strdup (script->list[i]);
    problem = mock->texts[i] ? mock_script_read_step (mock->texts[i], &mock->steps[i]) : "is more than memory holds";
    if (problem) {
      snprintf (reason, sizeof reason, "script: step %u, '%.100s', %s", i + 1, script->list[i], problem);
      mock->host->fail (mock->host, fault, reason);
      return false;
    }
  }
  return true;
}

static void *
create (const CenoteHost *host, const CenoteOptions *values, CenoteFault *fault)
{
  const CenoteValue *script = cenote_options_at (values, SCRIPT);
  Mock *mock = calloc (1, sizeof *mock);

  if (!mock) {
    host->fail (host, fault, "out of memory");
    return NULL;
  }
  mock->host = host;
  mock->cycles = cenote_options_at (values, CYCLE)->number != 0;
  mock->n_steps = (uint32_t) script->number;
  if (mock->n_steps == 0) {
    host->fail (host, fault, "script: has no step (e.g. ok)");
    destroy (mock);
    return NULL;
  }
  mock->steps = calloc (mock->n_steps, sizeof *mock->steps);
  mock->texts = calloc (mock->n_steps, sizeof *mock->texts);
  if (!mock->steps || !mock->texts || !read_steps (mock, script, fault)) {
    destroy (mock);
    return NULL;
  }
  return mock;
}

static const CenoteTransportOps ops = {
  .struct_size = sizeof ops,
  .create = create,
  .create_channel = create_channel,
  .watch = watch,
  .connect = connect_channel,
  .close_channel = close_channel,
  .destroy = destroy,
};

static const CenotePlugin plugin = {
  CENOTE_PLUGIN_HEAD (CENOTE_PLUGIN_TRANSPORT),
  .name = "mock",
  .version = "0.1.0",
  .summary = "Connections that do what a script says, for tests",
  .license = "Apache-2.0",
  CENOTE_PLUGIN_OPTIONS (options),
  .ops = &ops,
};

CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_TRANSPORT, "mock")
