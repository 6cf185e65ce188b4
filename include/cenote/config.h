/* SPDX-License-Identifier: Apache-2.0 */
/* <cenote/config.h>: what a keyfile says, checked for form and kept for good. */
#ifndef CENOTE_CONFIG_H
#define CENOTE_CONFIG_H

#include <cenote/error.h>
#include <cenote/registry.h>
#include <glib.h>

G_BEGIN_DECLS

/**
 * CenoteConfig:
 *
 * The groups, keys and expanded values of one keyfile, with the line of each.
 * Immutable and counted.  Names and syntax have been checked; values are checked
 * against the option tables of the core and of the named plugins by
 * cenote_runtime_new(), cenote_runtime_reload() and `cenote check`, because only
 * there the plugins are known.  The grammar is in cenote.conf(5).
 *
 * Making a config never touches gRPC and loads no plugin.
 */
typedef struct CenoteConfig CenoteConfig;

/**
 * cenote_config_new_from_file:
 * @path: a regular file of at most 4 MiB, in the file system's encoding
 * @error: all that is wrong, a line each: `FILE:LINE: [group] key: …`
 *
 * Returns: (transfer full) (nullable): the config.
 * Errors: CENOTE_ERROR_CONFIG; CENOTE_ERROR_NOT_FOUND where there is no such file.
 * Threads: any.  Blocks: reads the file; a FIFO or device is refused and cannot hang it.  Since: 0.1
 */
CENOTE_API CenoteConfig *cenote_config_new_from_file (const char *path, GError **error);

/**
 * cenote_config_new_from_data:
 * @data: the text of a keyfile
 * @length: its bytes, or -1 where it ends with a NUL
 *
 * A keyfile's text as cenote_config_new_from_file() reads it; the file is called `(data)` in errors.
 * Returns: (transfer full) (nullable): the config.
 * Errors: CENOTE_ERROR_CONFIG.  Threads: any.  Blocks: no.  Since: 0.1
 */
CENOTE_API CenoteConfig *cenote_config_new_from_data (const char *data, gssize length, GError **error);

/**
 * cenote_config_new_from_key_file:
 * @key_file: (transfer none): copied; errors then carry no line
 *
 * What a GKeyFile holds, as cenote_config_new_from_data().
 * Returns: (transfer full) (nullable): the config.
 * Errors: CENOTE_ERROR_CONFIG.  Threads: any.  Blocks: no.  Since: 0.1
 */
CENOTE_API CenoteConfig *cenote_config_new_from_key_file (GKeyFile *key_file, GError **error);

/**
 * cenote_config_new_from_uri:
 * @uri: a connection string: `grpc://HOST:PORT`, `grpcs://HOST`, `unix:///PATH` or
 *   `chronicle://HOST`, perhaps with USER:PASSWORD@, several hosts and ?KEY=VALUE&…;
 *   the whole grammar is in cenote.conf(5).  Taken as it stands: `${VAR}` is not expanded
 *
 * A config with one pool, named `default`, and everything else by default.  The string's
 * own keys can be set again by cenote_config_new_with() (`pool:default/size=10`).
 * Returns: (transfer full) (nullable): the config.
 * Errors: CENOTE_ERROR_CONFIG: all that is wrong with the string's form and the names of its keys, a line
 *   each: `(uri): …`; values are checked where those of keyfiles are.  No error shows the string or a part
 *   of it but its scheme and the names of keys.
 * Threads: any.  Blocks: no.  Since: 0.1
 */
CENOTE_API CenoteConfig *cenote_config_new_from_uri (const char *uri, GError **error);

/**
 * cenote_config_new_with:
 * @base: (transfer none): not changed
 * @settings: NULL-terminated, each `group/key=value`, e.g. `pool:users/size=10`
 *   or `cenote/telemetry=log`; the layer above the keyfile.  VALUE is written as in
 *   a keyfile; the later of two settings of one key wins
 *
 * Returns: (transfer full) (nullable): a new config with the settings laid over @base.
 * Errors: CENOTE_ERROR_CONFIG, with `(program)` in place of FILE:LINE.  Threads: any.  Blocks: no.  Since: 0.1
 */
CENOTE_API CenoteConfig *cenote_config_new_with (CenoteConfig *base, const char *const *settings, GError **error);

/**
 * cenote_config_get_warnings:
 *
 * What is legal but looks wrong: a value containing ` #`, an unused group.
 * Returns: (transfer full): NULL-terminated, perhaps empty; free with g_strfreev().
 * Errors: none.  Threads: any.  Blocks: no.  Since: 0.1
 */
CENOTE_API char **cenote_config_get_warnings (CenoteConfig *config);

/**
 * cenote_config_check_file:
 * @path: as for cenote_config_new_from_file()
 * @settings: (nullable): as for cenote_config_new_with(), laid over the file
 * @registry: (transfer none): where plugins come from; gets the directories of plugin-path added
 * @out_notes: (out) (optional) (transfer full): what is legal but odd, as from
 *   cenote_config_get_warnings() and more, because here the plugins are known; g_strfreev()
 *
 * All that a file must pass before a runtime runs it, in one: form and values, and
 * where these are sound a state of each plugin but sinks, made and thrown away.
 * So its one error has everything that is wrong, where the constructor of a
 * config can tell faults of form alone.  Opens nothing but plugins' files and those
 * that values name (certificates, tokens).
 * Returns: FALSE: there is an error.
 * Errors: CENOTE_ERROR_CONFIG, every problem on a line of its own;
 *   CENOTE_ERROR_PLUGIN or _NOT_FOUND where one plugin, or the file, is all that is wrong.
 * Threads: any.  Blocks: reads the files, loads the named plugins.  Since: 0.1
 */
CENOTE_API gboolean cenote_config_check_file (const char *path, const char *const *settings, CenoteRegistry *registry,
                                              char ***out_notes, GError **error);

/**
 * cenote_config_explain:
 * @registry: (transfer none): as for cenote_config_check_file()
 * @json: for a program; else a text for people
 *
 * Every effective value of the process, the pools and their plugins, and where
 * each comes from: default, profile, keyfile (with its line), connection string or program.  Secrets are not shown.
 * Returns: (transfer full) (nullable): the text.  Errors: as cenote_runtime_new() before it opens anything.
 * Threads: any.  Blocks: loads the named plugins.  Since: 0.1
 */
CENOTE_API char *cenote_config_explain (CenoteConfig *config, CenoteRegistry *registry, gboolean json, GError **error);

/** cenote_config_ref: Returns: (transfer full): the config.  Errors: none.  Threads: any.  Blocks: no.  Since: 0.1 */
CENOTE_API CenoteConfig *cenote_config_ref (CenoteConfig *config);
/** cenote_config_unref: gives a reference back.  Errors: none.  Threads: any.  Blocks: no.  Since: 0.1 */
CENOTE_API void cenote_config_unref (CenoteConfig *config);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (CenoteConfig, cenote_config_unref)

G_END_DECLS

#endif
