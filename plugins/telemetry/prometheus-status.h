/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prometheus-status: the pools' status, asked for on a thread of its own.
 *
 * The host's answer waits for the control thread; the HTTP thread does not, so that a scrape is answered whatever
 * the control thread is at.  Whoever asks gets a ticket, and a status that was read after he asked; any number of
 * them costs two readings.
 */
#ifndef CENOTE_PROMETHEUS_STATUS_H
#define CENOTE_PROMETHEUS_STATUS_H

#include <cenote/plugin.h>
#include <glib.h>

typedef struct StatusDesk StatusDesk;

/* ARRIVED is called on the desk's thread: tickets up to TICKET have their status.  NULL: the system gives no thread. */
StatusDesk *status_desk_new (const CenoteHost *host, void (*arrived) (gpointer data, guint64 ticket), gpointer data);
void status_desk_free (StatusDesk *desk);

/* Any thread; never blocks. */
guint64 status_desk_ask (StatusDesk *desk);
/* (transfer full) (nullable): the latest status, JSON; NULL: there is none. */
GBytes *status_desk_take (StatusDesk *desk);

#endif
