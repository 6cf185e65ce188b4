/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool-options: the rows of [cenote] and of [pool:NAME]: every key with its type,
 * default, range and one sentence.
 *
 * The parser, `cenote explain`, the manual and a test read them; the order is
 * that of ProcessOption and PoolOption.
 */
#include "settings.h"

#define ROW(row, type_, ...) [row] = { .type = CENOTE_OPTION_##type_, __VA_ARGS__ }

static const CenoteOption process_rows[N_PROCESS_OPTIONS] = {
  ROW (PROCESS_PLUGIN_PATH, LIST, .name = "plugin-path", .max = "100",
       .summary = "Directories that are searched for plugins before the built-in one; a relative one is taken from the "
                  "keyfile's directory."),
  ROW (PROCESS_TELEMETRY, LIST, .name = "telemetry", .default_text = "log", .max = "100",
       .summary = "The telemetry sinks of pools that name none of their own; an empty list means none."),
  ROW (PROCESS_MAX_CONCURRENT_DIALS, INT, .name = "max-concurrent-dials", .default_text = "100", .min = "1",
       .max = "100000", .summary = "How many connection attempts may be under way at once in the process."),
};

static const CenoteOption pool_rows[N_POOL_OPTIONS] = {
  ROW (POOL_TARGET, STRING, .name = "target",
       .summary = "The one address of the pool: host:port, or a gRPC target such as dns:///host:port, unix:///path or "
                  "xds:///service."),
  ROW (POOL_TARGETS, LIST, .name = "targets", .min = "1", .max = "1000",
       .summary = "The addresses of the pool, where it has several."),
  ROW (POOL_URI, STRING, .name = "uri", .flags = CENOTE_OPTION_SECRET,
       .summary = "A connection string in place of target, e.g. grpcs://host?size=3: the addresses, the transport and "
                  "any other key."),
  ROW (POOL_PROFILE, ENUM, .name = "profile", .default_text = "production", .choices = "production|local|test|custom",
       .summary =
         "A set of defaults: production (TLS, port 443 where none is named), local (insecure, localhost:9090, size 3), "
         "test (insecure, size 1), or custom, which is meant when transport is written out and profile is not."),
  ROW (POOL_TRANSPORT, STRING, .name = "transport",
       .summary = "The [transport:NAME] group or the transport plugin that makes the channels; by the profile, and "
                  "unix for unix targets."),
  ROW (POOL_CONNECTOR, STRING, .name = "connector", .default_text = "persistent",
       .summary = "The [connector:NAME] group or the connector plugin that decides which channels exist."),
  ROW (POOL_PICKER, STRING, .name = "picker", .default_text = "p2c",
       .summary = "The [picker:NAME] group or the picker plugin that chooses the channel for a caller."),
  ROW (POOL_BACKOFF, STRING, .name = "backoff", .default_text = "exponential",
       .summary =
         "The [backoff:NAME] group or the backoff plugin that sets the delay before the next connection attempt."),
  ROW (POOL_TELEMETRY, LIST, .name = "telemetry", .max = "100",
       .summary = "The telemetry sinks of the pool, in place of the process's; an empty list means none."),
  ROW (POOL_SIZE, INT, .name = "size", .flags = CENOTE_OPTION_RELOADABLE, .default_text = "5", .min = "1",
       .max = "10000", .summary = "How many channels the pool keeps."),
  ROW (POOL_MIN_CHANNELS, INT, .name = "min-channels", .flags = CENOTE_OPTION_RELOADABLE, .default_text = "1",
       .min = "1", .max = "10000",
       .summary = "The fewest channels that a connector which chooses the size may shrink to."),
  ROW (POOL_MAX_CHANNELS, INT, .name = "max-channels", .flags = CENOTE_OPTION_RELOADABLE, .default_text = "10",
       .min = "1", .max = "10000", .summary = "The most channels that a connector which chooses the size may grow to."),
  ROW (POOL_INITIALIZATION, ENUM, .name = "initialization", .default_text = "eager",
       .choices = "eager|fail-fast|manual",
       .summary = "eager: dial at start and do not wait; fail-fast: wait connect-timeout for one channel or fail with "
                  "its error; manual: nothing until connect."),
  ROW (POOL_CRITICAL, BOOL, .name = "critical", .default_text = "yes",
       .summary = "Whether the program cannot start without this pool; no: it fails alone."),
  ROW (POOL_ACQUIRE_TIMEOUT, DURATION, .name = "acquire-timeout", .flags = CENOTE_OPTION_RELOADABLE,
       .default_text = "15s", .min = "0", .max = "24h",
       .summary = "How long a caller that names no timeout waits for a channel."),
  ROW (POOL_MAX_WAITERS, INT, .name = "max-waiters", .flags = CENOTE_OPTION_RELOADABLE, .default_text = "10000",
       .min = "0", .max = "1000000", .summary = "How many callers may wait for a channel at once."),
  ROW (POOL_CONNECT_TIMEOUT, DURATION, .name = "connect-timeout", .flags = CENOTE_OPTION_RELOADABLE,
       .default_text = "5s", .min = "100ms", .max = "10min", .summary = "How long one connection attempt may take."),
  ROW (POOL_MAX_CONCURRENT_DIALS, INT, .name = "max-concurrent-dials", .flags = CENOTE_OPTION_RELOADABLE,
       .default_text = "16", .min = "1", .max = "10000",
       .summary = "How many connection attempts to one open address may be under way at once."),
  ROW (POOL_MAX_CONNECT_ATTEMPTS, INT, .name = "max-connect-attempts", .flags = CENOTE_OPTION_RELOADABLE,
       .default_text = "0", .min = "0", .max = "1000000",
       .summary = "After how many failures in a row an address rests until it is asked for again; 0 means never."),
  ROW (POOL_DRAIN_TIMEOUT, DURATION, .name = "drain-timeout", .flags = CENOTE_OPTION_RELOADABLE, .default_text = "30s",
       .min = "0", .max = "24h", .summary = "How long a channel that leaves may finish its calls."),
  ROW (POOL_DNS_REFRESH, DURATION, .name = "dns-refresh", .flags = CENOTE_OPTION_RELOADABLE | CENOTE_OPTION_MAY_BE_OFF,
       .default_text = "30s", .min = "1s", .max = "24h",
       .summary = "How often a name is resolved again: its addresses are followed, each with channels of its own; off "
                  "leaves names to gRPC, which resolves them when a connection was lost."),
  ROW (POOL_PRIME, STRING, .name = "prime", .default_text = "none",
       .summary =
         "What is called on a new channel before callers get it: none, headers, health, or a /package.Service/Method."),
  ROW (POOL_PRIME_TIMEOUT, DURATION, .name = "prime-timeout", .flags = CENOTE_OPTION_RELOADABLE, .default_text = "1s",
       .min = "10ms", .max = "10min", .summary = "How long each try of that may take."),
  ROW (POOL_PRIME_TRIES, INT, .name = "prime-tries", .flags = CENOTE_OPTION_RELOADABLE, .default_text = "3", .min = "1",
       .max = "100", .summary = "After how many tries without a good answer the attempt to connect has failed."),
  ROW (POOL_PING_INTERVAL, DURATION, .name = "ping-interval",
       .flags = CENOTE_OPTION_RELOADABLE | CENOTE_OPTION_MAY_BE_OFF, .default_text = "off", .min = "1s", .max = "24h",
       .summary = "How often a channel is asked for a sign of life; one that gives none within keepalive-timeout is "
                  "disconnected and dialled again."),
  ROW (POOL_HEALTH_CHECK, ENUM, .name = "health-check", .default_text = "off", .choices = "off|grpc",
       .summary =
         "grpc: a channel whose server does not say SERVING by grpc.health.v1 leaves the rotation until it does."),
  ROW (POOL_HEALTH_SERVICE, STRING, .name = "health-service", .default_text = "",
       .summary = "The service that the health check asks for; empty for the whole server."),
  ROW (POOL_EJECT_AFTER, INT, .name = "eject-after", .default_text = "5", .min = "0", .max = "1000000",
       .summary =
         "After how many failed calls in a row (UNAVAILABLE, DEADLINE_EXCEEDED, or no gRPC at all) a channel leaves "
         "the rotation; 0 means never."),
  ROW (POOL_EJECT_SHARE, FRACTION, .name = "eject-share", .default_text = "0%", .min = "0%", .max = "100%",
       .summary = "Which share of failed calls within eject-window, of 20 or more, has the same effect; 0 means none."),
  ROW (POOL_EJECT_WINDOW, DURATION, .name = "eject-window", .default_text = "10s", .min = "100ms", .max = "1h",
       .summary = "How often that share is taken."),
  ROW (POOL_UNRESPONSIVE_TIME, DURATION, .name = "unresponsive-time", .flags = CENOTE_OPTION_MAY_BE_OFF,
       .default_text = "off", .min = "100ms", .max = "1h",
       .summary =
         "For how long a channel may answer no call before unresponsive-calls past their deadline have the same "
         "effect."),
  ROW (POOL_UNRESPONSIVE_CALLS, INT, .name = "unresponsive-calls", .default_text = "3", .min = "1", .max = "1000000",
       .summary = "How many calls past their deadline that takes."),
  ROW (POOL_EJECTION_TIME, DURATION, .name = "ejection-time", .flags = CENOTE_OPTION_RELOADABLE, .default_text = "30s",
       .min = "100ms", .max = "24h",
       .summary = "How long a channel stays out; each time in a row that much longer, at most ten times that."),
  ROW (POOL_MAX_EJECTED, FRACTION, .name = "max-ejected", .flags = CENOTE_OPTION_RELOADABLE, .default_text = "50%",
       .min = "0%", .max = "100%",
       .summary = "The largest share of the connected channels that may be out; of two or more one always may, unless "
                  "this is 0."),
  ROW (POOL_PANIC_THRESHOLD, FRACTION, .name = "panic-threshold", .flags = CENOTE_OPTION_RELOADABLE,
       .default_text = "20%", .min = "0%", .max = "100%",
       .summary =
         "Where fewer than this share of the wanted channels are left in rotation, ejected ones are let back; one "
         "channel is always left."),
  ROW (POOL_KEEPALIVE_TIME, DURATION, .name = "keepalive-time",
       .flags = CENOTE_OPTION_RELOADABLE | CENOTE_OPTION_MAY_BE_OFF, .default_text = "off", .min = "1s", .max = "24h",
       .summary = "How long a connection may be silent before an HTTP/2 ping; servers by default accept one in 5 min."),
  ROW (POOL_KEEPALIVE_TIMEOUT, DURATION, .name = "keepalive-timeout", .flags = CENOTE_OPTION_RELOADABLE,
       .default_text = "20s", .min = "100ms", .max = "1h",
       .summary = "How long the answer to a keepalive ping, or to one of ping-interval, may take."),
  ROW (POOL_KEEPALIVE_PERMIT_WITHOUT_CALLS, BOOL, .name = "keepalive-permit-without-calls",
       .flags = CENOTE_OPTION_RELOADABLE, .default_text = "no",
       .summary = "Whether keepalive pings are also sent while no call is in flight."),
  ROW (POOL_IDLE_TIMEOUT, DURATION, .name = "idle-timeout",
       .flags = CENOTE_OPTION_RELOADABLE | CENOTE_OPTION_MAY_BE_OFF, .default_text = "off", .min = "100ms",
       .max = "24h",
       .summary = "How long a pool may go unused before a connector that closes idle channels closes them."),
  ROW (POOL_MAX_CONNECTION_AGE, DURATION, .name = "max-connection-age",
       .flags = CENOTE_OPTION_RELOADABLE | CENOTE_OPTION_MAY_BE_OFF, .default_text = "off", .min = "1s", .max = "8760h",
       .summary = "At what age a connection is replaced by a new one: one at a time, and the old one stays until the "
                  "new one is there."),
  ROW (POOL_MAX_CONNECTION_AGE_JITTER, FRACTION, .name = "max-connection-age-jitter", .flags = CENOTE_OPTION_RELOADABLE,
       .default_text = "10%", .min = "0%", .max = "100%",
       .summary = "By how much of it, at random for each connection, that age comes earlier."),
  ROW (POOL_MAX_STREAMS_PER_CHANNEL, INT, .name = "max-streams-per-channel", .flags = CENOTE_OPTION_RELOADABLE,
       .default_text = "100", .min = "1", .max = "1000000",
       .summary = "A hint to connectors: how many calls at once a server takes on one connection."),
  ROW (POOL_MAX_MESSAGE_SIZE, SIZE, .name = "max-message-size", .default_text = "4MiB", .min = "1B", .max = "2047MiB",
       .summary = "The largest message that a channel sends or receives."),
  ROW (POOL_MAX_METADATA_SIZE, SIZE, .name = "max-metadata-size", .default_text = "16KiB", .min = "1KiB",
       .max = "16MiB", .summary = "The most metadata that a channel receives with one call: more ends its connection."),
  ROW (POOL_HTTP_PROXY, BOOL, .name = "http-proxy", .default_text = "no",
       .summary = "Whether the proxy that the environment names (http_proxy) is used."),
  ROW (POOL_STATUS_INTERVAL, DURATION, .name = "status-interval",
       .flags = CENOTE_OPTION_RELOADABLE | CENOTE_OPTION_MAY_BE_OFF, .default_text = "5s", .min = "100ms", .max = "24h",
       .summary = "How often the pool's status goes to the telemetry sinks."),
  ROW (POOL_TELEMETRY_SAMPLE_RATE, INT, .name = "telemetry-sample-rate", .flags = CENOTE_OPTION_RELOADABLE,
       .default_text = "1024", .min = "0", .max = "1000000000",
       .summary = "Events of single gets are sent for one in this many; 1 means each, 0 none."),
  ROW (POOL_LEAK_THRESHOLD, DURATION, .name = "leak-threshold", .flags = CENOTE_OPTION_MAY_BE_OFF,
       .default_text = "off", .min = "100ms", .max = "24h",
       .summary = "How long a lease may be held before it is reported; puts the pool on the slower, tracked path."),
  ROW (POOL_HARD_STREAM_LIMIT, BOOL, .name = "hard-stream-limit", .default_text = "no",
       .summary = "Whether max-streams-per-channel is enforced; puts the pool on the slower, tracked path."),
  ROW (POOL_API_KEY, STRING, .name = "api-key", .flags = CENOTE_OPTION_SECRET,
       .summary = "A key that each call carries."),
  ROW (POOL_TOKEN_FILE, PATH, .name = "token-file", .summary = "A file with a bearer token that each call carries."),
  ROW (POOL_METADATA, LIST, .name = "metadata", .flags = CENOTE_OPTION_SECRET, .max = "100",
       .summary = "name:value;…: metadata that each call carries, in this order."),
  ROW (POOL_SERVICE_CONFIG, STRING, .name = "service-config", .flags = OPTION_RAW,
       .summary = "gRPC's service config as JSON; taken as it is written, without escapes and ${VAR}."),
  ROW (POOL_CHANNEL_ARGS, LIST, .name = "channel-args", .flags = CENOTE_OPTION_RELOADABLE, .max = "100",
       .summary = "Further arguments for C-core's channels, name=value;…: a whole number is passed as one, all else as "
                  "a string."),
  ROW (POOL_ALLOW_PLAINTEXT_CREDENTIALS, BOOL, .name = "allow-plaintext-credentials", .default_text = "no",
       .summary = "Whether credentials may go over a connection that is not encrypted."),
};

const OptionTable process_options = OPTION_TABLE (process_rows);
const OptionTable pool_options = OPTION_TABLE (pool_rows);

/* None at the moment. */
const gboolean pool_options_pending[N_POOL_OPTIONS] = { FALSE };
