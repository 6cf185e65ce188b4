/* SPDX-License-Identifier: Apache-2.0 */
/*
 * static-plugins: a registry of static descriptors with the names and options of
 * the plugins that keyfiles in tests name; nothing of them is ever run.
 *
 * backoff exponential and constant and connector caching have the rows of the real
 * ones; `corp` has what no plugin of this version has: required, secret, enum, path
 * and deprecated options.
 */
#ifndef CENOTE_TESTS_STATIC_PLUGINS_H
#define CENOTE_TESTS_STATIC_PLUGINS_H

#include <cenote/registry.h>

extern "C" {
#include "core/registry/registry.h"
}

namespace static_plugins {

inline const CenoteOption exponential_rows[] = {
  { "initial", CENOTE_OPTION_DURATION, 0, "100ms", "1ms", "24h", nullptr, "The delay after the first failed attempt" },
  { "multiplier", CENOTE_OPTION_DOUBLE, 0, "1.6", "1", "100", nullptr, "What the delay is multiplied by" },
  { "jitter", CENOTE_OPTION_FRACTION, 0, "0.2", "0", "1", nullptr, "The part by which it varies" },
  { "max", CENOTE_OPTION_DURATION, 0, "10s", "1ms", "24h", nullptr, "The longest delay, jitter aside" },
};

inline const CenoteOption constant_rows[] = {
  { "delay", CENOTE_OPTION_DURATION, 0, "1s", "1ms", "24h", nullptr, "The delay before each attempt" },
  { "jitter", CENOTE_OPTION_FRACTION, 0, "0", "0", "1", nullptr, "The part by which it varies" },
};

inline const CenoteOption caching_rows[] = {
  { "expire-interval", CENOTE_OPTION_DURATION, CENOTE_OPTION_MAY_BE_OFF, "off", "10ms", "24h", nullptr,
    "How often unused connections are closed" },
  { "max-addresses", CENOTE_OPTION_INT, 0, "1000", "1", "10000", nullptr, "How many addresses are kept" },
};

inline const CenoteOption mock_rows[] = {
  { "script", CENOTE_OPTION_LIST, 0, "ok", nullptr, nullptr, nullptr, "What attempts come to" },
};

inline const CenoteOption corp_rows[] = {
  { "ca-file", CENOTE_OPTION_PATH, CENOTE_OPTION_REQUIRED, nullptr, nullptr, nullptr, nullptr,
    "The authorities that are trusted" },
  { "passphrase", CENOTE_OPTION_STRING, CENOTE_OPTION_SECRET, nullptr, nullptr, nullptr, nullptr, "Of the key" },
  { "pin", CENOTE_OPTION_INT, CENOTE_OPTION_SECRET, nullptr, "1000", "9999", nullptr, "Of the token" },
  { "min-version", CENOTE_OPTION_ENUM, 0, "1.2", nullptr, nullptr, "1.2|1.3", "The oldest TLS" },
  { "old", CENOTE_OPTION_BOOL, CENOTE_OPTION_DEPRECATED, "no", nullptr, nullptr, nullptr,
    "Nothing any more; leave it out" },
};

inline void *
create (const CenoteHost *, const CenoteOptions *, CenoteFault *)
{
  return nullptr;
}

inline int64_t
next (void *)
{
  return 0;
}

inline void
plan (void *, const CenoteConnectorView *, CenotePlan *)
{
}

inline uint32_t
pick (void *, const CenotePickView *)
{
  return 0;
}

inline struct grpc_channel *
create_channel (void *, const char *, const void *, CenoteFault *)
{
  return nullptr;
}

inline void
watch (void *, struct grpc_channel *, CenoteTransportNotify, void *)
{
}

inline void
touch (void *, struct grpc_channel *)
{
}

inline void
handle (void *, const CenoteEvent *)
{
}

inline CenotePlugin
describe (CenotePluginKind kind, const char *name, const void *ops)
{
  CenotePlugin plugin = {};

  plugin.magic = CENOTE_PLUGIN_MAGIC;
  plugin.abi_major = CENOTE_ABI_MAJOR;
  plugin.abi_minor = CENOTE_ABI_MINOR;
  plugin.struct_size = sizeof plugin;
  plugin.kind = kind;
  plugin.name = name;
  plugin.version = "1.0";
  plugin.summary = "A plugin of the tests";
  plugin.license = "Apache-2.0";
  plugin.option_size = sizeof (CenoteOption);
  plugin.ops = ops;
  return plugin;
}

template <size_t n>
inline CenotePlugin
describe (CenotePluginKind kind, const char *name, const void *ops, const CenoteOption (&rows)[n])
{
  CenotePlugin plugin = describe (kind, name, ops);

  plugin.options = rows;
  plugin.n_options = n;
  return plugin;
}

inline CenoteBackoffOps
backoff_ops ()
{
  CenoteBackoffOps ops = {};

  ops.struct_size = sizeof ops;
  ops.create = create;
  ops.next = next;
  return ops;
}

inline CenoteConnectorOps
connector_ops (uint32_t flags)
{
  CenoteConnectorOps ops = {};

  ops.struct_size = sizeof ops;
  ops.flags = flags;
  ops.plan = plan;
  return ops;
}

inline CenotePickerOps
picker_ops ()
{
  CenotePickerOps ops = {};

  ops.struct_size = sizeof ops;
  ops.pick = pick;
  return ops;
}

inline CenoteTransportOps
transport_ops (bool drives_itself, uint32_t flags = 0)
{
  CenoteTransportOps ops = {};

  ops.struct_size = sizeof ops;
  ops.flags = flags;
  ops.create_channel = create_channel;
  if (drives_itself) {
    ops.watch = watch;
    ops.connect = touch;
    ops.close_channel = touch;
  }
  return ops;
}

inline CenoteTelemetryOps
telemetry_ops ()
{
  CenoteTelemetryOps ops = {};

  ops.struct_size = sizeof ops;
  ops.mask = 1;
  ops.handle = handle;
  return ops;
}

inline const CenoteBackoffOps backoff = backoff_ops ();
inline const CenoteConnectorOps configured = connector_ops (0);
inline const CenoteConnectorOps dialling = connector_ops (CENOTE_CONNECTOR_DIALS);
inline const CenoteConnectorOps sizing = connector_ops (CENOTE_CONNECTOR_SIZES_ITSELF);
inline const CenotePickerOps picker = picker_ops ();
inline const CenoteTransportOps driven = transport_ops (false);
inline const CenoteTransportOps secure = transport_ops (false, CENOTE_TRANSPORT_SECURE);
inline const CenoteTransportOps self_driven = transport_ops (true);
inline const CenoteTelemetryOps telemetry = telemetry_ops ();

inline const CenotePlugin plugins[] = {
  describe (CENOTE_PLUGIN_BACKOFF, "exponential", &backoff, exponential_rows),
  describe (CENOTE_PLUGIN_BACKOFF, "constant", &backoff, constant_rows),
  describe (CENOTE_PLUGIN_CONNECTOR, "persistent", &configured),
  describe (CENOTE_PLUGIN_CONNECTOR, "caching", &dialling, caching_rows),
  describe (CENOTE_PLUGIN_CONNECTOR, "elastic", &sizing),
  describe (CENOTE_PLUGIN_PICKER, "p2c", &picker),
  describe (CENOTE_PLUGIN_PICKER, "round-robin", &picker),
  describe (CENOTE_PLUGIN_TRANSPORT, "insecure", &driven),
  describe (CENOTE_PLUGIN_TRANSPORT, "unix", &driven),
  describe (CENOTE_PLUGIN_TRANSPORT, "corp", &secure, corp_rows),
  describe (CENOTE_PLUGIN_TRANSPORT, "mock", &self_driven, mock_rows),
  describe (CENOTE_PLUGIN_TELEMETRY, "log", &telemetry),
  describe (CENOTE_PLUGIN_TELEMETRY, "jsonl", &telemetry),
};

/* (transfer full): no directory is searched. */
inline CenoteRegistry *
registry_new ()
{
  CenoteRegistry *registry = registry_new_with (nullptr, nullptr);

  for (const CenotePlugin &plugin : plugins) {
    g_autoptr (GError) error = nullptr;

    cenote_registry_add_static (registry, &plugin, &error);
    g_assert_no_error (error);
  }
  return registry;
}

} // namespace static_plugins

#endif
