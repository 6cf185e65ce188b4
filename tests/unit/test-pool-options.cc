/* SPDX-License-Identifier: Apache-2.0 */
/* pool-options: SPEC's keys and defaults, and that each row is one that the parser takes. */
#include <glib.h>
#include <gtest/gtest.h>

#include <cenote/registry.h>

#include <cstring>
#include <string>

extern "C" {
#include "core/config/settings.h"
}

namespace {

const struct {
  const char *key, *value; /* value: the default as it is written; nullptr: none */
} expected_pool[] = {
  { "target", nullptr },
  { "targets", nullptr },
  { "uri", nullptr },
  { "profile", "production" },
  { "transport", nullptr },
  { "connector", "persistent" },
  { "picker", "p2c" },
  { "backoff", "exponential" },
  { "telemetry", nullptr },
  { "size", "5" },
  { "min-channels", "1" },
  { "max-channels", "10" },
  { "initialization", "eager" },
  { "critical", "yes" },
  { "acquire-timeout", "15s" },
  { "max-waiters", "10000" },
  { "connect-timeout", "5s" },
  { "max-concurrent-dials", "16" },
  { "max-connect-attempts", "0" },
  { "drain-timeout", "30s" },
  { "dns-refresh", "30s" },
  { "prime", "none" },
  { "prime-timeout", "1s" },
  { "prime-tries", "3" },
  { "ping-interval", "off" },
  { "health-check", "off" },
  { "health-service", "" },
  { "eject-after", "5" },
  { "eject-share", "0" },
  { "eject-window", "10s" },
  { "unresponsive-time", "off" },
  { "unresponsive-calls", "3" },
  { "ejection-time", "30s" },
  { "max-ejected", "0.5" },
  { "panic-threshold", "0.2" },
  { "keepalive-time", "off" },
  { "keepalive-timeout", "20s" },
  { "keepalive-permit-without-calls", "no" },
  { "idle-timeout", "off" },
  { "max-connection-age", "off" },
  { "max-connection-age-jitter", "0.1" },
  { "max-streams-per-channel", "100" },
  { "max-message-size", "4MiB" },
  { "max-metadata-size", "16KiB" },
  { "http-proxy", "no" },
  { "status-interval", "5s" },
  { "telemetry-sample-rate", "1024" },
  { "leak-threshold", "off" },
  { "hard-stream-limit", "no" },
  { "api-key", nullptr },
  { "token-file", nullptr },
  { "metadata", nullptr },
  { "service-config", nullptr },
  { "channel-args", nullptr },
  { "allow-plaintext-credentials", "no" },
};

TEST (PoolOptions, AreTheKeysAndDefaultsOfTheContract)
{
  ASSERT_EQ (pool_options.n_rows, G_N_ELEMENTS (expected_pool));
  for (guint i = 0; i < pool_options.n_rows; i++) {
    const CenoteOption &row = pool_options.rows[i];
    CenoteValue value = {};
    g_autofree char *problem = nullptr;

    EXPECT_STREQ (row.name, expected_pool[i].key);
    ASSERT_EQ (row.default_text == nullptr, expected_pool[i].value == nullptr) << row.name;
    if (row.default_text == nullptr)
      continue;
    ASSERT_TRUE (option_parse (&row, row.default_text, &value, &problem)) << row.name << ": " << problem;
    g_autofree char *text = option_format (&row, &value);
    EXPECT_STREQ (text, expected_pool[i].value) << row.name;
    option_value_clear (&value);
  }
}

/* All that is true of every row of both tables. */
void
check_row (const CenoteOption &row)
{
  SCOPED_TRACE (row.name);
  EXPECT_GE (row.type, (uint32_t) CENOTE_OPTION_STRING);
  EXPECT_LE (row.type, (uint32_t) CENOTE_OPTION_LIST);
  EXPECT_EQ (strspn (row.name, "abcdefghijklmnopqrstuvwxyz-"), strlen (row.name));
  ASSERT_NE (row.summary, nullptr);
  EXPECT_EQ (row.summary[strlen (row.summary) - 1], '.');
  EXPECT_EQ (row.type == CENOTE_OPTION_ENUM, row.choices != nullptr);
  for (const char *bound : { row.min, row.max, row.default_text }) {
    CenoteOption bare = row;
    CenoteValue value = {};
    g_autofree char *problem = nullptr;

    if (bound == nullptr)
      continue;
    if (row.type == CENOTE_OPTION_LIST && bound != row.default_text)
      bare.type = CENOTE_OPTION_INT;
    EXPECT_TRUE (option_parse (&bare, bound, &value, &problem)) << bound << ": " << problem;
    option_value_clear (&value);
  }
}

TEST (PoolOptions, EveryRowIsSound)
{
  for (guint i = 0; i < pool_options.n_rows; i++)
    check_row (pool_options.rows[i]);
  for (guint i = 0; i < process_options.n_rows; i++)
    check_row (process_options.rows[i]);
}

TEST (PoolOptions, EveryNumberHasAMostAndALeast)
{
  for (guint i = 0; i < pool_options.n_rows; i++) {
    const CenoteOption &row = pool_options.rows[i];

    if (row.type == CENOTE_OPTION_INT || row.type == CENOTE_OPTION_DURATION || row.type == CENOTE_OPTION_SIZE
        || row.type == CENOTE_OPTION_FRACTION) {
      EXPECT_TRUE (row.min != nullptr && row.max != nullptr) << row.name;
    }
  }
}

TEST (PoolOptions, EnumsAreInTheOrderOfTheirChoices)
{
  EXPECT_STREQ (pool_options.rows[POOL_INITIALIZATION].choices, "eager|fail-fast|manual");
  EXPECT_EQ (INITIALIZATION_MANUAL, 2);
  EXPECT_STREQ (pool_options.rows[POOL_PROFILE].choices, "production|local|test|custom");
  EXPECT_EQ (PROFILE_CUSTOM, 3);
  EXPECT_STREQ (pool_options.rows[POOL_HEALTH_CHECK].choices, "off|grpc");
  EXPECT_EQ (HEALTH_CHECK_GRPC, 1);
}

TEST (PoolOptions, SecretsAreMarked)
{
  for (guint i = 0; i < pool_options.n_rows; i++)
    EXPECT_EQ ((pool_options.rows[i].flags & CENOTE_OPTION_SECRET) != 0,
               i == POOL_URI || i == POOL_API_KEY || i == POOL_METADATA)
      << pool_options.rows[i].name;
}

TEST (ProcessOptions, AreThoseOfTheContract)
{
  ASSERT_EQ (process_options.n_rows, (guint) N_PROCESS_OPTIONS);
  EXPECT_STREQ (process_options.rows[PROCESS_PLUGIN_PATH].name, "plugin-path");
  EXPECT_EQ (process_options.rows[PROCESS_PLUGIN_PATH].default_text, nullptr);
  EXPECT_STREQ (process_options.rows[PROCESS_TELEMETRY].name, "telemetry");
  EXPECT_STREQ (process_options.rows[PROCESS_TELEMETRY].default_text, "log");
  EXPECT_STREQ (process_options.rows[PROCESS_MAX_CONCURRENT_DIALS].name, "max-concurrent-dials");
  EXPECT_STREQ (process_options.rows[PROCESS_MAX_CONCURRENT_DIALS].default_text, "100");
}

} // namespace
