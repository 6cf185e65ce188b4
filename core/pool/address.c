/* SPDX-License-Identifier: Apache-2.0 */
#include "address.h"

#include "backoff.h"
#include "core/grpc/ccore.h"

static void address_pump (gpointer data);

/* Dials begin at the end of the iteration, never inside what asked for them: an
 * attempt may fail at once, and asks again. */
static void
pump_later (Address *address)
{
  control_defer (address->site->control, &address->pump);
}

static void
retry_is_due (gpointer data)
{
  pump_later (data);
}

Address *
address_new (const AddressSite *site, guint32 id, const char *name, const char *target, Instance *backoff)
{
  Address *address = g_new0 (Address, 1);

  address->site = site;
  address->id = id;
  address->name = g_strdup (name);
  address->target = g_strdup (target);
  address->backoff = backoff;
  address->last_use_us = -1;
  address->retry = (ControlTimer) { .func = retry_is_due, .data = address };
  address->pump = (ControlDeferred) { .func = address_pump, .data = address };
  g_queue_init (&address->waiting);
  return address;
}

void
address_free (Address *address)
{
  if (address == NULL)
    return;
  control_timer_unset (address->site->control, &address->retry);
  control_undefer (address->site->control, &address->pump);
  g_queue_remove (&address->site->budget->waiting, address);
  g_queue_clear (&address->waiting);
  instance_unref (address->backoff);
  ccore_args_free (address->args);
  g_free (address->name);
  g_free (address->target);
  g_free (address->last_error);
  g_free (address);
}

/* ----------------------------------------------------------------- dialling */

/* Room in the process, or a place in the queue for it. */
static gboolean
budget_take (Address *address)
{
  DialBudget *budget = address->site->budget;

  if (budget->in_use < budget->max) {
    budget->in_use++;
    return TRUE;
  }
  if (g_queue_find (&budget->waiting, address) == NULL)
    g_queue_push_tail (&budget->waiting, address);
  return FALSE;
}

static void
budget_give (DialBudget *budget)
{
  Address *next;

  budget->in_use--;
  while (budget->in_use < budget->max && (next = g_queue_pop_head (&budget->waiting)) != NULL)
    pump_later (next);
}

static gboolean
may_dial (const Address *address)
{
  if (address->resting || g_queue_is_empty ((GQueue *) &address->waiting) ||
      address->dialing >= address->site->max_dials)
    return FALSE;
  if (address->site->wants != NULL && !address->site->wants (g_queue_peek_head ((GQueue *) &address->waiting)))
    return FALSE;
  if (address->gate == CENOTE_GATE_OPEN)
    return TRUE;
  return address->prober == NULL && control_now_us (address->site->control) >= address->next_attempt_us;
}

static void
dial_next (Address *address)
{
  Channel *channel = g_queue_pop_head (&address->waiting);

  address->dialing++;
  address->closed_by_loss = FALSE;
  if (address->gate != CENOTE_GATE_OPEN)
    address->prober = channel;
  address->site->dial (channel);
}

/* Lets go whoever may: where the gate is not open, one, whose attempt may fail
 * within this call and be due again at once. */
static void
address_pump (gpointer data)
{
  Address *address = data;
  gboolean more = TRUE;

  while (more && may_dial (address) && budget_take (address)) {
    dial_next (address);
    more = address->gate == CENOTE_GATE_OPEN;
  }
}

static void
dial_is_over (Address *address, Channel *channel)
{
  address->dialing--;
  if (address->prober == channel)
    address->prober = NULL;
}

void
address_ask (Address *address, Channel *channel, gboolean first)
{
  if (first)
    g_queue_push_head (&address->waiting, channel);
  else
    g_queue_push_tail (&address->waiting, channel);
  pump_later (address);
}

void
address_unask (Address *address, Channel *channel)
{
  g_queue_remove (&address->waiting, channel);
}

/* ----------------------------------------------------------------- the gate */

/* The one writer of the gate. */
static void
set_gate (Address *address, CenoteGate gate)
{
  if (address->gate == gate)
    return;
  address->gate = gate;
  address->site->changed (address->site->pool, address);
}

static void
schedule (Address *address, gint64 delay_us, const char *reason)
{
  Control *control = address->site->control;

  address->next_attempt_us = control_now_us (control) + delay_us;
  control_timer_set (control, &address->retry, address->next_attempt_us);
  address->site->scheduled (address->site->pool, address, delay_us, reason);
}

/* The plugin's, which is 0 or more. */
static gint64
next_delay (Address *address)
{
  Instance *backoff = address->backoff;
  gint64 delay_us = backoff_next (backoff);

  if (delay_us >= 0)
    return delay_us;
  g_log_structured ("Cenote", G_LOG_LEVEL_WARNING, "CENOTE_ADDRESS", address->name, "MESSAGE",
                    "backoff/%s: a delay of %" G_GINT64_FORMAT " us before the next attempt to reach %s: taken as 0",
                    backoff->plugin->name, delay_us, address->name);
  return 0;
}

/* The gate closes after a failed attempt: a new epoch, and the plugin's delay. */
static void
close_gate (Address *address, const char *reason)
{
  address->epoch++;
  set_gate (address, CENOTE_GATE_DOWN);
  address->failures++;
  if (address->site->max_attempts != 0 && address->failures >= address->site->max_attempts) {
    address->resting = TRUE;
    address->site->rested (address->site->pool, address);
    return;
  }
  schedule (address, next_delay (address), reason);
}

static void
open_gate (Address *address)
{
  set_gate (address, CENOTE_GATE_OPEN);
  address->resting = FALSE;
  control_timer_unset (address->site->control, &address->retry);
}

/* One that began before the gate closed does not open it: a peer that accepts and
 * closes at once would otherwise be dialled in a loop, by turns. */
void
address_succeeded (Address *address, Channel *channel, guint64 epoch)
{
  dial_is_over (address, channel);
  if (epoch == address->epoch)
    open_gate (address);
  budget_give (address->site->budget);
  pump_later (address);
}

void
address_failed (Address *address, Channel *channel, guint64 epoch, const char *reason)
{
  dial_is_over (address, channel);
  if (epoch == address->epoch)
    close_gate (address, reason);
  budget_give (address->site->budget);
  pump_later (address);
}

void
address_found_open (Address *address)
{
  if (address->prober == NULL)
    open_gate (address);
  pump_later (address);
}

void
address_gave_up (Address *address, Channel *channel)
{
  dial_is_over (address, channel);
  budget_give (address->site->budget);
  pump_later (address);
}

/* One death of a server takes its connections one by one: where the first to go had
 * not proved itself and closed the gate, one that had still opens the way at once,
 * as long as nothing has been tried since. */
static gboolean
heeds_healthy_loss (const Address *address)
{
  return address->gate == CENOTE_GATE_OPEN || (address->gate == CENOTE_GATE_DOWN && address->closed_by_loss);
}

/* Of a burst of losses the first one counts: it leaves the gate no longer open.
 * One of a healthy connection tells of the peer as it is, however long ago the
 * connection was made; one of another only where nothing newer is known. */
void
address_lost (Address *address, guint64 epoch, gboolean healthy, const char *reason)
{
  if (healthy ? !heeds_healthy_loss (address) : address->gate != CENOTE_GATE_OPEN || epoch != address->epoch)
    return;
  address->closed_by_loss = TRUE;
  if (!healthy) {
    close_gate (address, reason);
    return;
  }
  address_proved (address);
  address->epoch++;
  set_gate (address, CENOTE_GATE_UNKNOWN);
  schedule (address, 0, reason);
}

void
address_proved (Address *address)
{
  address->failures = 0;
  backoff_reset (address->backoff);
  if (address->resting)
    address_wake (address);
}

void
address_poke (Address *address)
{
  pump_later (address);
}

void
address_wake (Address *address)
{
  address->resting = FALSE;
  address->failures = 0;
  if (address->gate == CENOTE_GATE_DOWN)
    set_gate (address, CENOTE_GATE_UNKNOWN);
  address->next_attempt_us = 0;
  control_timer_unset (address->site->control, &address->retry);
  pump_later (address);
}

gint64
address_next_attempt_us (const Address *address)
{
  if (address->resting)
    return G_MAXINT64;
  return address->gate == CENOTE_GATE_DOWN ? address->next_attempt_us : 0;
}

gint64
address_until_attempt (const Address *address, const Channel *channel)
{
  if (address->resting || address->prober != NULL || g_queue_peek_head ((GQueue *) &address->waiting) != channel)
    return -1;
  return MAX (0, address->next_attempt_us - control_now_us (address->site->control));
}
