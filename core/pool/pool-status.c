/* SPDX-License-Identifier: Apache-2.0 */
/* pool-status: a snapshot of a pool for people and programs. */
#include "core/base/json.h"
#include "pool.h"

static CenoteChannelStatus *
channel_status_new (const CenotePool *pool, const Channel *channel)
{
  CenoteChannelStatus *status = g_new0 (CenoteChannelStatus, 1);
  gint64 now_us = control_now_us (pool->control);
  gint64 until_us = address_until_attempt (channel->address, channel);

  status->struct_size = sizeof *status;
  status->id = channel->id;
  status->address = g_strdup (channel->address->name);
  status->state = channel->state;
  status->why = g_strdup (channel->why);
  status->in_flight = channel_in_flight (channel);
  status->age_ms = channel->ready_us < 0 ? -1 : (now_us - channel->ready_us) / 1000;
  status->attempts = channel->attempts;
  status->next_attempt_ms = until_us < 0 ? -1 : (until_us + 999) / 1000;
  status->last_error = g_strdup (channel->last_error);
  status->calls = channel_calls (channel);
  status->failures = channel_failures (channel);
  return status;
}

static CenoteDurations
durations_of (CenotePool *pool, DurationId id)
{
  g_autoptr (HistogramReading) reading = histogram_read (pool_durations (pool, id));

  return (CenoteDurations) {
    .count = (gint64) histogram_reading_count (reading),
    .sum_ns = (gint64) histogram_reading_sum (reading),
    .p50_ns = histogram_reading_quantile (reading, 0.5),
    .p90_ns = histogram_reading_quantile (reading, 0.9),
    .p99_ns = histogram_reading_quantile (reading, 0.99),
  };
}

void
pool_status_add_durations (CenotePoolStatus *status, CenotePool *pool)
{
  status->wait = durations_of (pool, DURATION_WAIT);
  status->call = durations_of (pool, DURATION_CALL);
  status->create = durations_of (pool, DURATION_CREATE);
  status->use = durations_of (pool, DURATION_USE);
}

static CenotePoolState
pool_state (const CenotePool *pool, gint64 current, gint64 expected)
{
  if (pool->phase >= POOL_STOPPING || pool->settings->failure != NULL)
    return CENOTE_POOL_STOPPED;
  if (current >= expected)
    return CENOTE_POOL_HEALTHY;
  return current == 0 ? CENOTE_POOL_DOWN : CENOTE_POOL_DEGRADED;
}

static void
fill_channels (CenotePoolStatus *status, const CenotePool *pool)
{
  guint i;

  status->n_channels = pool->channels->len;
  status->channels = g_new0 (CenoteChannelStatus *, status->n_channels + 1);
  for (i = 0; i < pool->channels->len; i++) {
    const Channel *channel = pool->channels->pdata[i];

    status->channels[i] = channel_status_new (pool, channel);
    status->connecting += channel->state == CENOTE_CHANNEL_CONNECTING;
  }
}

CenotePoolStatus *
pool_status_new (CenotePool *pool)
{
  CenotePoolStatus *status = g_new0 (CenotePoolStatus, 1);
  char **targets = pool->settings->targets;

  pool_show (pool);
  status->struct_size = sizeof *status;
  status->name = g_strdup (pool->settings->name);
  status->target = targets == NULL || targets[0] == NULL ? NULL : g_strjoinv (";", targets);
  status->expected_size = pool_expected (pool);
  status->current_size = pool->n_ready;
  status->draining = pool->n_draining;
  status->in_flight = slot_table_in_flight (pool->table);
  status->waiters = g_queue_get_length (&pool->waiters);
  status->state = pool_state (pool, status->current_size, status->expected_size);
  monitor_lock (&pool->lock);
  status->last_error = g_strdup (pool->settings->failure != NULL ? pool->settings->failure->message : pool->last_error);
  status->last_error_age_ms = pool->last_error_us < 0 ? -1 : (control_now_us (pool->control) - pool->last_error_us) / 1000;
  monitor_unlock (&pool->lock);
  status->leaks = slot_table_leaks (pool->table);
  fill_channels (status, pool);
  return status;
}

static void
channel_status_free (CenoteChannelStatus *status)
{
  g_free (status->address);
  g_free (status->why);
  g_free (status->last_error);
  g_free (status);
}

void
cenote_pool_status_free (CenotePoolStatus *status)
{
  gsize i;

  if (status == NULL)
    return;
  for (i = 0; i < status->n_channels; i++)
    channel_status_free (status->channels[i]);
  g_free (status->channels);
  g_free (status->name);
  g_free (status->target);
  g_free (status->last_error);
  g_free (status);
}

const char *
cenote_pool_state_to_string (CenotePoolState state)
{
  switch (state) {
  case CENOTE_POOL_STOPPED:
    return "stopped";
  case CENOTE_POOL_HEALTHY:
    return "healthy";
  case CENOTE_POOL_DOWN:
    return "down";
  case CENOTE_POOL_DEGRADED:
    return "degraded";
  }
  return "unknown";
}

const char *
cenote_channel_state_to_string (CenoteChannelState state)
{
  switch (state) {
  case CENOTE_CHANNEL_IDLE:
    return "idle";
  case CENOTE_CHANNEL_CONNECTING:
    return "connecting";
  case CENOTE_CHANNEL_READY:
    return "ready";
  case CENOTE_CHANNEL_TRANSIENT_FAILURE:
    return "transient_failure";
  case CENOTE_CHANNEL_SHUTDOWN:
    return "shutdown";
  case CENOTE_CHANNEL_DRAINING:
    return "draining";
  }
  return "unknown";
}

/* --------------------------------------------------------------------- json */

static void
append_channel (GString *json, const CenoteChannelStatus *status)
{
  json_begin_object (json);
  json_member_int64 (json, "id", (gint64) status->id);
  json_member_string (json, "address", status->address);
  json_member_string (json, "state", cenote_channel_state_to_string (status->state));
  json_member_string (json, "why", status->why);
  json_member_int64 (json, "in_flight", status->in_flight);
  json_member_optional (json, "age_ms", status->age_ms);
  json_member_int64 (json, "attempts", status->attempts);
  json_member_optional (json, "next_attempt_ms", status->next_attempt_ms);
  json_member_string (json, "last_error", status->last_error);
  json_member_int64 (json, "calls", status->calls);
  json_member_int64 (json, "failures", status->failures);
  json_end_object (json);
}

static void
append_counts (GString *json, const CenotePoolStatus *status)
{
  json_member_int64 (json, "expected_size", status->expected_size);
  json_member_int64 (json, "current_size", status->current_size);
  json_member_int64 (json, "connecting", status->connecting);
  json_member_int64 (json, "draining", status->draining);
  json_member_int64 (json, "in_flight", status->in_flight);
  json_member_int64 (json, "waiters", status->waiters);
  json_member_int64 (json, "leaks", status->leaks);
}

static void
append_durations (GString *json, const char *name, const CenoteDurations *durations)
{
  json_name (json, name);
  json_begin_object (json);
  json_member_int64 (json, "count", durations->count);
  json_member_int64 (json, "sum_ns", durations->sum_ns);
  json_member_optional (json, "p50_ns", durations->p50_ns);
  json_member_optional (json, "p90_ns", durations->p90_ns);
  json_member_optional (json, "p99_ns", durations->p99_ns);
  json_end_object (json);
}

static void
append_pool (GString *json, const CenotePoolStatus *status)
{
  gsize i;

  json_begin_object (json);
  json_member_string (json, "name", status->name);
  json_member_string (json, "target", status->target);
  json_member_string (json, "state", cenote_pool_state_to_string (status->state));
  append_counts (json, status);
  json_member_string (json, "last_error", status->last_error);
  json_member_optional (json, "last_error_age_ms", status->last_error_age_ms);
  append_durations (json, "wait", &status->wait);
  append_durations (json, "call", &status->call);
  append_durations (json, "create", &status->create);
  append_durations (json, "use", &status->use);
  json_name (json, "channels");
  json_begin_array (json);
  for (i = 0; i < status->n_channels; i++)
    append_channel (json, status->channels[i]);
  json_end_array (json);
  json_end_object (json);
}

char *
cenote_pool_status_to_json (const CenotePoolStatus *status)
{
  GString *json = g_string_new (NULL);

  g_return_val_if_fail (status != NULL, NULL);
  append_pool (json, status);
  return g_string_free (json, FALSE);
}

char *
pools_status_to_json (const GPtrArray *pools)
{
  GString *json = g_string_new (NULL);
  guint i;

  json_begin_object (json);
  json_name (json, "pools");
  json_begin_array (json);
  for (i = 0; i < pools->len; i++) {
    g_autoptr (CenotePoolStatus) status = cenote_pool_get_status (pools->pdata[i]);

    append_pool (json, status);
  }
  json_end_array (json);
  json_end_object (json);
  return g_string_free (json, FALSE);
}
