/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plugin-slots: what the operations table of each kind consists of: its slots in
 * order, which of them a plugin must fill, and what stands in for an absent one.
 *
 * Constant tables; no state, any thread.  A slot's number is its place here, so
 * that new slots, which are added at a table's end, leave the numbers alone.
 */
#ifndef CENOTE_CORE_PLUGIN_SLOTS_H
#define CENOTE_CORE_PLUGIN_SLOTS_H

#include <cenote/plugin.h>
#include <glib.h>

typedef void (*PluginFunc) (void);

typedef struct PluginSlot {
  const char *name;
  guint offset;              /* in the operations table */
  PluginFunc fallback;       /* NULL: the plugin must fill it */
} PluginSlot;

typedef struct PluginSlots {
  const char *kind;          /* "backoff", … */
  guint ops_size;            /* sizeof (Cenote<Kind>Ops) as the core knows it */
  guint min_size;            /* to the end of the last member that a plugin must have */
  guint32 flags;             /* that the core knows */
  guint n_slots;
  const PluginSlot *slots;
} PluginSlots;

/* (transfer none) (nullable): NULL where KIND is none. */
const PluginSlots *plugin_slots_get (CenotePluginKind kind);

/* The slots that say by being filled that a transport is not driven by C-core, and who may own its channels. */
enum { PLUGIN_SLOT_WATCH = 2, PLUGIN_SLOT_CONNECT = 3, PLUGIN_SLOT_CLOSE_CHANNEL = 4, PLUGIN_SLOT_GIVE_UP_CHANNEL = 7 };

#endif
