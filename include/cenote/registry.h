/* SPDX-License-Identifier: Apache-2.0 */
/* <cenote/registry.h>: finds, checks and keeps plugins. */
#ifndef CENOTE_REGISTRY_H
#define CENOTE_REGISTRY_H

#include <cenote/error.h>
#include <cenote/plugin.h>
#include <glib.h>

G_BEGIN_DECLS

/**
 * CenoteRegistry:
 *
 * Where plugins are looked for and what has been loaded.  Looked for in: static
 * descriptors, then the directories added here in the order of adding, then
 * those of `CENOTE_PLUGIN_PATH` (colon-separated; ignored where privileges were
 * raised), then the built-in directory (pkg-config variable `plugindir`).  The
 * first that has <kind>-<name>.so wins.  A loaded plugin stays in the process.
 *
 * Nothing of a file runs before it was found good.  Its directory and each one
 * above must belong to root, to the effective user, or to whoever can replace
 * libcenote itself (the owner of its file or of a directory above that), and none
 * but a sticky directory further up may be written by anybody.  The file is a
 * regular one, of such an owner and mode, and no symbolic link; its note says
 * its ABI, kind and name; and it needs no other gRPC than libcenote does.
 *
 * Counted.  Threads: all functions from any; one registry may serve many runtimes.
 */
typedef struct CenoteRegistry CenoteRegistry;

/**
 * cenote_registry_new:
 *
 * Returns: (transfer full): a registry without static descriptors.
 * Errors: none; what is wrong with a directory shows when a plugin is loaded from it.
 * Threads: any.  Blocks: no.  Since: 0.1
 */
CENOTE_API CenoteRegistry *cenote_registry_new (void);

/** cenote_registry_ref: Returns: (transfer full): the registry.  Errors: none.  Threads: any.  Blocks: no.  Since: 0.1 */
CENOTE_API CenoteRegistry *cenote_registry_ref (CenoteRegistry *registry);
/** cenote_registry_unref: gives a reference back; what was loaded stays loaded.  Errors: none.  Threads: any.  Blocks: no.  Since: 0.1 */
CENOTE_API void cenote_registry_unref (CenoteRegistry *registry);

/**
 * cenote_registry_add_directory:
 * @path: an existing directory; a relative one is made absolute now
 *
 * Searches @path after what was added before and before the environment's and
 * the built-in directory.  One that is searched already keeps its place.
 *
 * Returns: FALSE on error.
 * Errors: CENOTE_ERROR_NOT_FOUND; CENOTE_ERROR_PLUGIN where it is no directory, or
 *   it or one above it belongs to somebody else or may be written by anybody.
 * Threads: any.  Blocks: looks at the directories.  Since: 0.1
 */
CENOTE_API gboolean cenote_registry_add_directory (CenoteRegistry *registry, const char *path, GError **error);

/**
 * cenote_registry_add_static:
 * @plugin: a descriptor that lives as long as the process
 *
 * Checks @plugin as a loaded one is and adds it; it wins over every directory.
 *
 * Returns: FALSE on error.
 * Errors: CENOTE_ERROR_PLUGIN naming what was found and what was expected, or
 *   where one of that kind and name was added or loaded before.
 * Threads: any.  Blocks: looks at the directories.  Since: 0.1
 */
CENOTE_API gboolean cenote_registry_add_static (CenoteRegistry *registry, const CenotePlugin *plugin, GError **error);

/**
 * cenote_registry_load:
 * @kind: which kind
 * @name: `[a-z][a-z0-9-]*`
 *
 * Finds, checks and loads a plugin; once loaded it is found at once.  A file that
 * is refused hides those of the same name in later directories.
 *
 * Returns: FALSE on error.
 * Errors: CENOTE_ERROR_NOT_FOUND with the directories searched and the nearest
 *   name; CENOTE_ERROR_PLUGIN with the reason it was refused and both values.
 * Threads: any.  Blocks: reads files, runs the plugin's constructors.  Since: 0.1
 */
CENOTE_API gboolean cenote_registry_load (CenoteRegistry *registry, CenotePluginKind kind, const char *name,
                                          GError **error);

/**
 * cenote_registry_list:
 *
 * Returns: (transfer full): NULL-terminated sorted names of the plugins of @kind
 *   that can be found and are not refused by what their files say, loaded or not,
 *   without running any code of theirs; free with g_strfreev().
 * Errors: none.  Threads: any.  Blocks: reads the directories.  Since: 0.1
 */
CENOTE_API char **cenote_registry_list (CenoteRegistry *registry, CenotePluginKind kind);

/**
 * cenote_registry_describe_json:
 *
 * Loads the plugin and describes it: kind, name, version, summary, license, abi,
 * path (null: static), shadowed paths, slots (whether the plugin itself fills
 * them), options with type, default, min, max, range, flags and summary, sizes of its
 * tables (in bytes, as the plugin states them and as this Cenote knows them).
 *
 * Returns: (transfer full) (nullable): one JSON object; free with g_free().
 * Errors: as cenote_registry_load().  Threads: any.  Blocks: as cenote_registry_load().  Since: 0.1
 */
CENOTE_API char *cenote_registry_describe_json (CenoteRegistry *registry, CenotePluginKind kind, const char *name,
                                                GError **error);

/**
 * cenote_plugin_kind_to_string:
 *
 * Returns: (transfer none): "backoff", …; "unknown" for no kind.
 * Errors: none.  Threads: any.  Blocks: no.  Since: 0.1
 */
CENOTE_API const char *cenote_plugin_kind_to_string (CenotePluginKind kind);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CenoteRegistry, cenote_registry_unref)

G_END_DECLS

#endif
