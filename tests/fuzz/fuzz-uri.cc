/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz-uri: any bytes as a connection string, through the whole check, without a crash,
 * with what must hold of every outcome; and behind a password and an API key, which must not come out again.
 */
#include "tests/unit/static-plugins.h"

#include <cstdlib>
#include <cstring>
#include <string>

extern "C" {
#include "core/config/explain.h"
#include "core/config/uri.h"
int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);
}

namespace {

/* Not what the grammar takes for a scheme, a key or a host, which are told. */
const char *const secret = "~Hunter2~";

void
require (bool holds)
{
  if (!holds)
    abort ();
}

void
check_said (const char *text)
{
  require (text != nullptr && g_utf8_validate (text, -1, nullptr));
  require (strstr (text, secret) == nullptr);
}

void
check_error (const GError *error)
{
  g_auto (GStrv) lines = nullptr;

  require (error != nullptr);
  check_said (error->message);
  lines = g_strsplit (error->message, "\n", -1);
  for (char **line = lines; *line != nullptr; line++)
    require (g_str_has_prefix (*line, "(uri): "));
}

void
check_settings (CenoteConfig *config, CenoteRegistry *registry)
{
  g_auto (GStrv) notes = nullptr;
  g_autoptr (GError) error = nullptr;
  g_autoptr (Settings) settings = settings_new (config, registry, &notes, &error);
  g_autofree char *text = nullptr, *json = nullptr, *noted = g_strjoinv ("\n", notes);

  check_said (noted);
  if (settings == nullptr) {
    check_error (error);
    return;
  }
  require (settings->pools->len == 1);
  text = explain_settings (settings, FALSE);
  json = explain_settings (settings, TRUE);
  check_said (text);
  check_said (json);
}

void
check_uri (const std::string &text, CenoteRegistry *registry)
{
  g_autoptr (GPtrArray) problems = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (Uri) uri = uri_parse (text.c_str (), problems);
  g_autoptr (GError) error = nullptr;
  g_autoptr (CenoteConfig) config = cenote_config_new_from_uri (text.c_str (), &error);

  require ((uri == nullptr) == (problems->len > 0));
  require (uri == nullptr || uri->addresses[0] != nullptr);
  require (uri != nullptr || config == nullptr);
  if (config == nullptr)
    check_error (error);
  else
    check_settings (config, registry);
}

} // namespace

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static CenoteRegistry *const registry = static_plugins::registry_new ();
  std::string text ((const char *) data, strnlen ((const char *) data, size));

  if (text.find (secret) != std::string::npos) /* a fuzzer that has learnt it puts it anywhere */
    return 0;
  check_uri (text, registry);
  check_uri ("grpcs://alice:" + std::string (secret) + text, registry);
  check_uri ("grpcs://h?apiKey=" + std::string (secret) + text, registry);
  return 0;
}
