/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settings: the one checking pass: config × option tables of the core and of the
 * named plugins → every effective value, or everything that is wrong.
 *
 * Layers, low to high: the row's default, the pool's profile, the keyfile, the program.
 * Opens nothing but the named plugins' files.  Control thread or caller; pure apart from that.
 * What it makes is immutable.
 */
#ifndef CENOTE_CORE_SETTINGS_H
#define CENOTE_CORE_SETTINGS_H

#include "config.h"
#include "option.h"
#include "core/registry/registry.h"

G_BEGIN_DECLS

/* Rows of the [cenote] group, in the order of process_options. */
typedef enum {
  PROCESS_PLUGIN_PATH,
  PROCESS_TELEMETRY,
  PROCESS_MAX_CONCURRENT_DIALS,
  N_PROCESS_OPTIONS
} ProcessOption;

/* Rows of a [pool:NAME] group, in the order of pool_options (SPEC §3). */
typedef enum {
  POOL_TARGET,
  POOL_TARGETS,
  POOL_URI,
  POOL_PROFILE,
  POOL_TRANSPORT,
  POOL_CONNECTOR,
  POOL_PICKER,
  POOL_BACKOFF,
  POOL_TELEMETRY,
  POOL_SIZE,
  POOL_MIN_CHANNELS,
  POOL_MAX_CHANNELS,
  POOL_INITIALIZATION,
  POOL_CRITICAL,
  POOL_ACQUIRE_TIMEOUT,
  POOL_MAX_WAITERS,
  POOL_CONNECT_TIMEOUT,
  POOL_MAX_CONCURRENT_DIALS,
  POOL_MAX_CONNECT_ATTEMPTS,
  POOL_DRAIN_TIMEOUT,
  POOL_DNS_REFRESH,
  POOL_PRIME,
  POOL_PRIME_TIMEOUT,
  POOL_PRIME_TRIES,
  POOL_PING_INTERVAL,
  POOL_HEALTH_CHECK,
  POOL_HEALTH_SERVICE,
  POOL_EJECT_AFTER,
  POOL_EJECT_SHARE,
  POOL_EJECT_WINDOW,
  POOL_UNRESPONSIVE_TIME,
  POOL_UNRESPONSIVE_CALLS,
  POOL_EJECTION_TIME,
  POOL_MAX_EJECTED,
  POOL_PANIC_THRESHOLD,
  POOL_KEEPALIVE_TIME,
  POOL_KEEPALIVE_TIMEOUT,
  POOL_KEEPALIVE_PERMIT_WITHOUT_CALLS,
  POOL_IDLE_TIMEOUT,
  POOL_MAX_CONNECTION_AGE,
  POOL_MAX_CONNECTION_AGE_JITTER,
  POOL_MAX_STREAMS_PER_CHANNEL,
  POOL_MAX_MESSAGE_SIZE,
  POOL_MAX_METADATA_SIZE,
  POOL_HTTP_PROXY,
  POOL_STATUS_INTERVAL,
  POOL_TELEMETRY_SAMPLE_RATE,
  POOL_LEAK_THRESHOLD,
  POOL_HARD_STREAM_LIMIT,
  POOL_API_KEY,
  POOL_TOKEN_FILE,
  POOL_METADATA,
  POOL_SERVICE_CONFIG,
  POOL_CHANNEL_ARGS,
  POOL_ALLOW_PLAINTEXT_CREDENTIALS,
  N_POOL_OPTIONS
} PoolOption;

/* POOL_INITIALIZATION's choices, by index. */
typedef enum { INITIALIZATION_EAGER, INITIALIZATION_FAIL_FAST, INITIALIZATION_MANUAL } Initialization;
/* POOL_PROFILE's. */
typedef enum { PROFILE_PRODUCTION, PROFILE_LOCAL, PROFILE_TEST, PROFILE_CUSTOM } Profile;
/* POOL_HEALTH_CHECK's. */
typedef enum { HEALTH_CHECK_OFF, HEALTH_CHECK_GRPC } HealthCheck;

extern const OptionTable process_options;
extern const OptionTable pool_options;
/* TRUE for the rows whose feature this version does not have: they are checked and kept, and setting one is a note. */
extern const gboolean pool_options_pending[N_POOL_OPTIONS];

/* A value and where it comes from: `explain` prints it. */
typedef struct Setting {
  CenoteValue value;
  ConfigLayer layer;
  guint line;                /* as ConfigEntry's */
  gboolean from_uri;         /* it stands in, or follows from, a connection string of that layer */
} Setting;

/* A plugin with the values of its options, as a pool or the process uses it.
 * Counted: all that name one instance share one PluginUse. */
typedef struct PluginUse {
  gatomicrefcount refs;
  CenotePluginKind kind;
  char *instance;            /* the name used: that of the group, or of the plugin */
  Plugin *plugin;            /* (reference); NULL only in a failed pool */
  GError *failure;           /* why PLUGIN is NULL */
  guint line;                /* of the group; 0: none */
  guint n_settings;
  Setting *settings;         /* one for each row of the plugin's table */
  CenoteValue *values;       /* the same values as a plain array, for plugin_use_options() */
} PluginUse;

/* The values as plugins take them; borrowed from USE. */
CenoteOptions plugin_use_options (const PluginUse *use);
PluginUse *plugin_use_ref (PluginUse *use);
void plugin_use_unref (PluginUse *use);

/* What a pool's calls prove themselves with: at most one kind. */
typedef enum {
  CREDENTIALS_NONE,
  CREDENTIALS_API_KEY,       /* value: the key */
  CREDENTIALS_TOKEN_FILE,    /* value: the file's path, resolved */
  CREDENTIALS_BASIC          /* value: "user:password", decoded; sent as `authorization: Basic` */
} CredentialsKind;

/* A secret, whichever the kind: never shown. */
typedef struct PoolCredentials {
  CredentialsKind kind;
  char *value;               /* NULL for NONE */
} PoolCredentials;

typedef struct PoolSettings {
  gatomicrefcount refs;
  char *name;
  guint line;
  Setting options[N_POOL_OPTIONS];
  PoolCredentials credentials;
  char **targets;            /* normalised ("host:port" → "dns:///host:port"); empty for a dialling connector */
  PluginUse *transport;
  PluginUse *connector;
  PluginUse *picker;
  PluginUse *backoff;
  GPtrArray *sinks;          /* of PluginUse (references); the pool's own list or the process's */
  GError *failure;           /* critical=no: why this pool cannot run; else NULL */
} PoolSettings;

typedef struct Settings {
  char *file;                /* the keyfile's name, for people */
  Setting options[N_PROCESS_OPTIONS];
  GPtrArray *pools;          /* of PoolSettings, in file order */
  GPtrArray *process_sinks;  /* of PluginUse (references): the process's list */
  GPtrArray *sinks;          /* of PluginUse (references): every sink of a pool or the process, each instance once */
} Settings;

/* The whole check.  REGISTRY gets the config's plugin-path directories added.  A config
 * from config_open() or config_parse() has its own problems among those told.
 * NULL with CENOTE_ERROR_CONFIG (every problem, a line each), CENOTE_ERROR_PLUGIN or _NOT_FOUND
 * only where a plugin is the single thing that is wrong; OUT_NOTES (nullable, transfer full): what is legal but odd. */
Settings *settings_new (CenoteConfig *config, CenoteRegistry *registry, char ***out_notes, GError **error);
void settings_free (Settings *settings);

PoolSettings *pool_settings_ref (PoolSettings *settings);
/* Any thread.  As targets_normalise(), by the pool's rules. */
char *pool_settings_whole_target (const PoolSettings *settings, const char *text, char **out_problem);
void pool_settings_unref (PoolSettings *settings);

static inline gint64
pool_number (const PoolSettings *settings, PoolOption option)
{
  return settings->options[option].value.number;
}

static inline gboolean
pool_flag (const PoolSettings *settings, PoolOption option)
{
  return settings->options[option].value.number != 0;
}

static inline double
pool_real (const PoolSettings *settings, PoolOption option)
{
  return settings->options[option].value.real;
}

static inline const char *
pool_text (const PoolSettings *settings, PoolOption option)
{
  return settings->options[option].value.text;
}


G_DEFINE_AUTOPTR_CLEANUP_FUNC (Settings, settings_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PoolSettings, pool_settings_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PluginUse, plugin_use_unref)

G_END_DECLS

#endif
