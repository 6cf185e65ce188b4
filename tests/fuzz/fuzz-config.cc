/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz-config: any bytes as a keyfile, through the whole check, without a crash,
 * and with what must hold of every outcome.
 */
#include "tests/unit/static-plugins.h"

#include <cstdlib>
#include <cstring>

extern "C" {
#include "core/config/explain.h"
int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);
}

namespace {

void
require (bool holds)
{
  if (!holds)
    abort ();
}

/* An error is lines of UTF-8 that each name the text or the program. */
void
check_error (const GError *error)
{
  g_auto (GStrv) lines = nullptr;

  require (error != nullptr && g_utf8_validate (error->message, -1, nullptr));
  lines = g_strsplit (error->message, "\n", -1);
  for (char **line = lines; *line != nullptr; line++)
    require (g_str_has_prefix (*line, "(data):") || g_str_has_prefix (*line, "(program):"));
}

void
check_settings (CenoteConfig *config, CenoteRegistry *registry)
{
  g_auto (GStrv) notes = nullptr;
  g_autoptr (GError) error = nullptr;
  g_autoptr (Settings) settings = settings_new (config, registry, &notes, &error);
  g_autofree char *text = nullptr, *json = nullptr;

  require (notes != nullptr);
  if (settings == nullptr) {
    check_error (error);
    return;
  }
  require (settings->pools->len > 0);
  text = explain_settings (settings, FALSE);
  json = explain_settings (settings, TRUE);
  require (g_utf8_validate (text, -1, nullptr) && g_utf8_validate (json, -1, nullptr));
}

} // namespace

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static CenoteRegistry *const registry = static_plugins::registry_new ();
  g_autoptr (CenoteConfig) lenient = config_parse ((const char *) data, (gssize) size);
  g_autoptr (GError) error = nullptr;
  g_autoptr (CenoteConfig) config = cenote_config_new_from_data ((const char *) data, (gssize) size, &error);

  require ((config == nullptr) == (problems_count (config_get_problems (lenient)) > 0));
  if (config == nullptr)
    check_error (error);
  check_settings (lenient, registry);
  return 0;
}
