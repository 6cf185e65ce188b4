/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry: policy: where a plugin is looked for, whether it is taken, and what
 * stands in for its absent slots.  How one is judged and loaded is plugin-load.
 *
 * Lock: one mutex guards the lists; it is not held while a plugin's code runs.
 */
#ifndef CENOTE_CORE_REGISTRY_H
#define CENOTE_CORE_REGISTRY_H

#include <cenote/registry.h>

#include "core/config/option.h"

/* A checked plugin: the core's own copies, every slot filled.  Immutable; the
 * core never tests a slot for NULL.  Counted; the code behind stays for good. */
typedef struct Plugin {
  CenotePluginKind kind;
  guint abi_major;           /* it was built with */
  guint abi_minor;
  guint descriptor_size;     /* as it states them, of its tables and of a row of options */
  guint ops_size;
  guint option_size;         /* 0: it has none */
  char *name;
  char *version;
  char *summary;
  char *license;
  char *path;                /* of its file; NULL for a static descriptor */
  char **shadowed;           /* paths of later files of the same name, when it was loaded or added */
  OptionTable options;
  union {
    CenoteBackoffOps backoff;
    CenoteConnectorOps connector;
    CenotePickerOps picker;
    CenoteTransportOps transport;
    CenoteTelemetryOps telemetry;
  } ops;
  guint64 slots_filled;      /* bit i: the plugin itself filled slot i of its ops table (plugin-slots) */
  gatomicrefcount refs;
} Plugin;

Plugin *plugin_ref (Plugin *plugin);
void plugin_unref (Plugin *plugin);

/* As cenote_registry_new(), with what it takes from its surroundings handed in: PLUGIN_PATH
 * (nullable) for CENOTE_PLUGIN_PATH, and the built-in directory (nullable). */
CenoteRegistry *registry_new_with (const char *plugin_path, const char *built_in);

/* (transfer full): finds, checks and loads; errors as cenote_registry_load(). */
Plugin *registry_get (CenoteRegistry *registry, CenotePluginKind kind, const char *name, GError **error);

/* TRUE for a transport that fills watch and connect: C-core does not drive its channels. */
gboolean plugin_transport_drives_itself (const Plugin *plugin);
/* Whether others may own its channels. */
gboolean plugin_transport_gives_up (const Plugin *plugin);

/* Checks a descriptor (magic, major, sizes, kind, name, option table, required
 * slots) and makes the core's copy.  EXPECTED_KIND/NAME: what the file's note says, or 0/NULL. */
Plugin *plugin_new (const CenotePlugin *descriptor, CenotePluginKind expected_kind, const char *expected_name,
                    GError **error);

/* FALSE with CENOTE_ERROR_PLUGIN where NAME is no plugin's name: `[a-z][a-z0-9-]*` of at most
 * CENOTE_PLUGIN_NAME_MAX - 1 bytes. */
gboolean plugin_name_check (const char *name, GError **error);

/* FALSE where TEXT is none of the five kinds. */
gboolean plugin_kind_from_string (const char *text, CenotePluginKind *out_kind);

/* (transfer full): the JSON object of cenote_registry_describe_json(). */
char *plugin_describe_json (const Plugin *plugin);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Plugin, plugin_unref)

#endif
