/* SPDX-License-Identifier: Apache-2.0 */
/* opened-uri: connection strings, and keyfiles with them, through the whole check, with plugins that are never run. */
#ifndef CENOTE_TESTS_OPENED_URI_H
#define CENOTE_TESTS_OPENED_URI_H

#include <string>
#include <vector>

#include "tests/unit/static-plugins.h"

extern "C" {
#include "core/config/explain.h"
#include "core/config/settings.h"
}

/* As a problem with an unknown key names what there is. */
#define KNOWN_KEYS                                                                                                     \
  "any key of a pool, transport.KEY, connector.KEY, picker.KEY, backoff.KEY, apiKey, disableTls or autoConnect"

namespace opened_uri {

inline const CenoteOption tls_rows[] = {
  { "ca-file", CENOTE_OPTION_PATH, 0, nullptr, nullptr, nullptr, nullptr, "The authorities that are trusted" },
  { "key-password", CENOTE_OPTION_STRING, CENOTE_OPTION_SECRET, nullptr, nullptr, nullptr, nullptr, "Of the key" },
};
inline const CenoteOption sticky_rows[] = {
  { "replicas", CENOTE_OPTION_INT, 0, "100", "1", "1000", nullptr, "Points of each channel" },
};
inline const CenotePlugin more_plugins[] = {
  static_plugins::describe (CENOTE_PLUGIN_TRANSPORT, "tls", &static_plugins::secure, tls_rows),
  static_plugins::describe (CENOTE_PLUGIN_PICKER, "sticky", &static_plugins::picker, sticky_rows),
};

inline CenoteRegistry *
registry_new ()
{
  CenoteRegistry *registry = static_plugins::registry_new ();

  for (const CenotePlugin &plugin : more_plugins)
    cenote_registry_add_static (registry, &plugin, nullptr);
  return registry;
}

/* A config through the whole check. */
class Opened
{
public:
  ~Opened ()
  {
    settings_free (settings);
    g_strfreev (notes);
    cenote_registry_unref (registry);
    cenote_config_unref (config);
    g_clear_error (&error);
  }
  Opened (const Opened &) = delete;

  std::string
  problems () const
  {
    return error != nullptr ? error->message : "";
  }

  const PoolSettings *
  pool () const
  {
    return (const PoolSettings *) g_ptr_array_index (settings->pools, 0);
  }

  std::string
  explained (gboolean json) const
  {
    g_autofree char *text = settings != nullptr ? explain_settings (settings, json) : g_strdup ("");

    return text;
  }

  /* All that is ever said of it. */
  std::string
  said () const
  {
    g_autofree char *noted = notes != nullptr ? g_strjoinv ("\n", notes) : g_strdup ("");

    return problems () + "\n" + noted + "\n" + explained (FALSE) + "\n" + explained (TRUE);
  }

  /* "TRANSPORT TARGET… KEY=VALUE… KIND.KEY=VALUE…", of what the connection string says. */
  std::string
  summary () const
  {
    std::string text = pool ()->transport->plugin->name;

    if (settings == nullptr)
      return problems ();
    for (char **target = pool ()->targets; *target != nullptr; target++)
      text += std::string (" ") + *target;
    for (guint i = POOL_PROFILE; i < N_POOL_OPTIONS; i++)
      if (i != POOL_TRANSPORT)
        add_setting (&text, "", &pool_options.rows[i], &pool ()->options[i]);
    for (const PluginUse *use : { pool ()->transport, pool ()->connector, pool ()->picker, pool ()->backoff })
      for (guint i = 0; i < use->n_settings; i++)
        add_setting (&text, std::string (cenote_plugin_kind_to_string (use->kind)) + ".", &use->plugin->options.rows[i],
                     &use->settings[i]);
    return text;
  }

  CenoteConfig *config = nullptr;
  Settings *settings = nullptr;
  GError *error = nullptr;

protected:
  Opened () : registry (registry_new ()) {}

  void
  check ()
  {
    if (config != nullptr)
      settings = settings_new (config, registry, &notes, &error);
  }

private:
  static void
  add_setting (std::string *text, const std::string &prefix, const CenoteOption *row, const Setting *setting)
  {
    g_autofree char *value = option_format (row, &setting->value);

    if (setting->from_uri)
      *text += " " + prefix + row->name + "=" + value;
  }

  CenoteRegistry *registry;
  char **notes = nullptr;
};

class OpenedUri : public Opened
{
public:
  explicit OpenedUri (const std::string &uri)
  {
    config = cenote_config_new_from_uri (uri.c_str (), &error);
    check ();
  }
};

/* A keyfile with what the program sets. */
class OpenedFile : public Opened
{
public:
  explicit OpenedFile (const std::string &text, std::vector<const char *> program = {})
  {
    g_autoptr (CenoteConfig) file = config_parse (text.c_str (), -1);

    program.push_back (nullptr);
    config = config_overlay (file, program.data ());
    check ();
  }
};

} // namespace opened_uri

#endif
