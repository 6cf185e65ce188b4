/* SPDX-License-Identifier: Apache-2.0 */
/* profile: what stands between the table's defaults and the keyfile. */
#include "profile.h"

#include <string.h>

/* By Profile; a member that is NULL leaves the table's default. */
static const struct {
  const char *name;
  const char *transport;
  const char *target;
  const char *size;
} profiles[] = {
  [PROFILE_PRODUCTION] = { "production", "tls", NULL, NULL },
  [PROFILE_LOCAL] = { "local", "insecure", "localhost:9090", "3" },
  [PROFILE_TEST] = { "test", "insecure", NULL, "1" },
  [PROFILE_CUSTOM] = { "custom", NULL, NULL, NULL },
};

static const char *
text_of (const ConfigGroup *pool, const char *key)
{
  const ConfigEntry *entry = config_group_find (pool, key);

  return entry == NULL ? NULL : entry->text;
}

static gboolean
has (const ConfigGroup *pool, const char *key)
{
  return config_group_find (pool, key) != NULL;
}

/* A profile that is not one of ours is a problem elsewhere; here it stands for the default. */
static Profile
profile_of (const ConfigGroup *pool)
{
  const char *name = text_of (pool, "profile");
  guint i;

  for (i = 0; name != NULL && i < G_N_ELEMENTS (profiles); i++) {
    if (strcmp (profiles[i].name, name) == 0)
      return (Profile) i;
  }
  return has (pool, "transport") && !has (pool, "profile") ? PROFILE_CUSTOM : PROFILE_PRODUCTION;
}

gboolean
profile_target_is_unix (const char *target)
{
  return g_str_has_prefix (target, "unix:") || g_str_has_prefix (target, "unix-abstract:");
}

/* (nullable): all of a pool's targets have one transport, so the first one tells. */
static const char *
first_target (const ConfigGroup *pool)
{
  const char *target = text_of (pool, "target");
  const ConfigEntry *targets = config_group_find (pool, "targets");

  return target == NULL && targets != NULL && targets->items != NULL ? targets->items[0] : target;
}

gboolean
profile_is_balanced (const char *target, const char *service_config)
{
  return (target != NULL && g_str_has_prefix (target, "xds:"))
         || (service_config != NULL && strstr (service_config, "\"loadBalancing") != NULL);
}

static const char *
transport_of (const ConfigGroup *pool, Profile profile)
{
  const char *target = first_target (pool);

  return target != NULL && profile_target_is_unix (target) ? "unix" : profiles[profile].transport;
}

static const char *
size_of (const ConfigGroup *pool, Profile profile)
{
  return profile_is_balanced (first_target (pool), text_of (pool, "service-config")) ? "1" : profiles[profile].size;
}

const char *
profile_default (const ConfigGroup *pool, PoolOption option)
{
  Profile profile;

  if (pool == NULL)
    return NULL;
  profile = profile_of (pool);
  if (option == POOL_PROFILE)
    return profile == PROFILE_CUSTOM ? profiles[profile].name : NULL;
  if (option == POOL_TRANSPORT)
    return transport_of (pool, profile);
  if (option == POOL_TARGET)
    return has (pool, "targets") || has (pool, "uri") ? NULL : profiles[profile].target;
  return option == POOL_SIZE ? size_of (pool, profile) : NULL;
}
