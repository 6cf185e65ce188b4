/* SPDX-License-Identifier: Apache-2.0 */
#include "call-plan.h"

#include <grpc/status.h>
#include <string.h>

#include "core/base/hot.h"
#include "core/runtime/process.h"
#include "limit-text.h"
#include "status-error.h"

/* A year. */
#define LONGEST_MS (G_GINT64_CONSTANT (365) * 24 * 3600 * 1000)

/* A caller's struct may be of an older header, and shorter. */
static CenoteCallOptions
options_copy (const CenoteCallOptions *options)
{
  CenoteCallOptions copy = CENOTE_CALL_OPTIONS_INIT;

  if (options == NULL)
    return copy;
  if (options->struct_size == sizeof copy)
    return *options;
  memcpy (&copy, options, MIN (options->struct_size, sizeof copy));
  return copy;
}

static COLD gboolean
refuse_timeout (const CenoteCallOptions *options, GError **error)
{
  g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_INVALID,
               "timeout_ms is %" G_GINT64_FORMAT ": a call takes 1 … %" G_GINT64_FORMAT " (one year)", options->timeout_ms,
               LONGEST_MS);
  return FALSE;
}

static COLD gboolean
refuse_retry (const CenoteCallOptions *options, GError **error)
{
  g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_INVALID, "retry is %d: use a CenoteRetry", (int) options->retry);
  return FALSE;
}

static COLD gboolean
refuse_metadata (const CenoteCallOptions *options, GError **error)
{
  g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_INVALID, "metadata is NULL and n_metadata is %" G_GSIZE_FORMAT,
               options->n_metadata);
  return FALSE;
}

static gboolean
check_options (const CenoteCallOptions *options, GError **error)
{
  if (options->timeout_ms < 1 || options->timeout_ms > LONGEST_MS)
    return refuse_timeout (options, error);
  if (options->retry > CENOTE_RETRY_IDEMPOTENT)
    return refuse_retry (options, error);
  if (options->metadata == NULL && options->n_metadata > 0)
    return refuse_metadata (options, error);
  return TRUE;
}

static COLD gboolean
refuse_stopped (CallPlan *plan, GError **error)
{
  g_propagate_error (error, pool_miss_error (plan->pool, LEASE_STOPPED));
  rpc_request_clear (&plan->request);
  return FALSE;
}

HOT gboolean
call_plan_init (CallPlan *plan, CenotePool *pool, guint id, const char *method, const RpcPayload *payload,
                const CenoteCallOptions *options, GError **error)
{
  const CenoteCallOptions copy = options_copy (options);

  memset (plan, 0, G_STRUCT_OFFSET (CallPlan, request));
  plan->pool = pool;
  plan->status = -1;
  plan->retry = copy.retry;
  plan->wait_for_ready = copy.wait_for_ready;
  if (!process_check_fork (error) || !check_options (&copy, error))
    return FALSE;
  if (!rpc_request_init (&plan->request, method, copy.metadata, copy.n_metadata, payload, error))
    return FALSE;
  plan->wish.key_hash = copy.affinity_key == NULL ? 0 : lease_hash_key (copy.affinity_key);
  plan->record.pool = pool;
  plan->record.id = id;
  plan->record.unary = payload != NULL;
  plan->begun_ns = world_now_ns (control_world (pool->control));
  plan->record.begun_us = plan->now_us = plan->begun_ns / 1000;
  plan->record.deadline_us = plan->now_us + copy.timeout_ms * 1000;
  return calls_enter (pool->calls, &plan->record) || refuse_stopped (plan, error);
}

static HOT void
count_call (const CallPlan *plan)
{
  PoolMeters *meters = &plan->pool->meters;

  counters_add (meters->counters, counter_of_call (plan->status), 1);
  durations_record (meters->durations, DURATION_CALL, world_now_ns (control_world (plan->pool->control)) - plan->begun_ns);
}

HOT void
call_plan_clear (CallPlan *plan)
{
  count_call (plan);
  rpc_request_clear (&plan->request);
  calls_leave (plan->pool->calls, &plan->record);
}

gint64
call_plan_look_at_clock (CallPlan *plan)
{
  return plan->now_us = control_now_us (plan->pool->control);
}

gint64
call_plan_remaining_us (CallPlan *plan)
{
  return plan->record.deadline_us - call_plan_look_at_clock (plan);
}

gboolean
call_plan_wait (CallPlan *plan, LeaseResult result, CenoteLease *lease, GError **error)
{
  gboolean got = pool_acquire_after (plan->pool, result, &plan->wish, call_plan_remaining_us (plan), plan->wait_for_ready,
                                     lease, error);

  call_plan_look_at_clock (plan);
  return got;
}

static void
count_retry (CallPlan *plan)
{
  switch (plan->retries) {
  case RETRY_NONE:
    break;
  case RETRY_UNSENT:
    counters_add (plan->pool->meters.counters, COUNTER_RETRIES_UNSENT, 1);
    break;
  case RETRY_REPEATED:
    counters_add (plan->pool->meters.counters, COUNTER_RETRIES_IDEMPOTENT, 1);
    break;
  }
  plan->retries = RETRY_NONE;
}

/* Credentials are those of the moment: a call that has waited may carry a newer token. */
HOT Rpc *
call_plan_attempt (CallPlan *plan, const CenoteLease *lease, RpcQueue *queue)
{
  CcoreCredentials *credentials = plan->pool->plain_credentials;
  Rpc *rpc;

  if (credentials != NULL)
    rpc_request_set_credentials (&plan->request, credentials);
  rpc = rpc_new (lease->channel, queue, &plan->request, plan->now_us, plan->record.deadline_us);
  plan->wish.avoid = lease_channel_id (lease);
  count_retry (plan);
  calls_set_attempt (plan->pool->calls, &plan->record, rpc, lease->channel);
  return rpc;
}

/* What the pool learns: what was not sent says nothing about the channel that its loss would not. */
static void
give_back (CenoteLease *lease, const Outcome *outcome)
{
  if (outcome->status == GRPC_STATUS_OK)
    lease_release_good (lease);
  else if (retry_is_unsent (outcome))
    lease_release_judged (lease, outcome->status, LEASE_ANSWERED);
  else
    lease_release_judged (lease, outcome->status, pool_verdict (outcome->status, outcome->details));
}

HOT void
call_plan_withdraw (CallPlan *plan)
{
  plan->goes_on = calls_clear_attempt (plan->pool->calls, &plan->record);
}

HOT gboolean
call_plan_settle (CallPlan *plan, Rpc *rpc, CenoteLease *lease)
{
  int status = rpc_status (rpc);
  const Outcome outcome = { status, status == GRPC_STATUS_OK ? "" : rpc_details (rpc), rpc_is_answered (rpc) };

  plan->status = status;
  give_back (lease, &outcome);
  retry_budget_heed (&plan->pool->retry_budget, &outcome);
  return plan->goes_on && status != GRPC_STATUS_OK;
}

HOT gint64
call_plan_judge (CallPlan *plan, Rpc *rpc, CenoteLease *lease)
{
  World *world = control_world (plan->pool->control);
  Outcome outcome;
  gint64 pause_us;

  if (!call_plan_settle (plan, rpc, lease))
    return -1;
  outcome = (Outcome) { rpc_status (rpc), rpc_details (rpc), rpc_is_answered (rpc) };
  plan->retries = retry_decide (plan->retry, &outcome, &plan->pool->retry_budget, &plan->count, world->random (world),
                                &pause_us);
  return plan->retries == RETRY_NONE || pause_us >= call_plan_remaining_us (plan) ? -1 : pause_us;
}

GError *
call_plan_error (const CallPlan *plan, Rpc *rpc)
{
  const PoolSettings *settings = plan->pool->settings;
  g_autoptr (Headers) trailing = rpc_trailing (rpc);
  g_autofree char *limit = NULL;

  if (rpc_status (rpc) == GRPC_STATUS_RESOURCE_EXHAUSTED)
    limit = limit_text (rpc_details (rpc), pool_number (settings, POOL_MAX_MESSAGE_SIZE),
                        pool_number (settings, POOL_MAX_METADATA_SIZE));
  return status_error_new (rpc_status (rpc), limit != NULL ? limit : rpc_details (rpc), trailing);
}
