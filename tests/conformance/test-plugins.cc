// SPDX-License-Identifier: Apache-2.0
// Every plugin that was built keeps the promises of its kind.  Plugins are taken
// from CENOTE_PLUGIN_PATH, as the registry finds them: none is named here.
#include <grpc/grpc.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/servers/folder.h"
#include "tests/servers/one-authority.h"
#include "tools/conformance/conformance.h"

namespace {

const CenotePluginKind kinds[] = { CENOTE_PLUGIN_BACKOFF, CENOTE_PLUGIN_CONNECTOR, CENOTE_PLUGIN_PICKER,
                                   CENOTE_PLUGIN_TRANSPORT, CENOTE_PLUGIN_TELEMETRY };

struct Tally {
  std::string plugin;
  unsigned checks = 0;
};

void
report (gpointer data, const ConformanceCheck *check, ConformanceVerdict verdict, const char *problem)
{
  Tally *tally = static_cast<Tally *> (data);

  tally->checks += verdict != CONFORMANCE_BEGUN;
  EXPECT_STREQ (problem, nullptr) << tally->plugin << ": " << check->name;
}

/* What PLUGIN cannot do without gets its own name as value. */
std::vector<std::string>
required_settings (Plugin *plugin, const Folder &folder)
{
  std::vector<std::string> settings;
  CenoteOption row;

  for (guint i = 0; i < plugin->options.n_rows; i++) {
    option_table_row (&plugin->options, i, &row);
    if (row.flags & CENOTE_OPTION_REQUIRED)
      settings.push_back (std::string (row.name) + "=" + row.name);
    if (g_str_equal (row.name, "listen")) // a hundred of them cannot have one port
      settings.push_back ("listen=127.0.0.1:0");
    if (g_str_equal (row.name, "ca-file"))
      settings.push_back ("ca-file=" + folder.write ("ca.pem", one_authority));
  }
  return settings;
}

unsigned
run_all (Plugin *plugin, Tally *tally)
{
  Folder folder;
  std::vector<std::string> settings = required_settings (plugin, folder);
  std::vector<const char *> pointers;

  for (const std::string &setting : settings)
    pointers.push_back (setting.c_str ());
  pointers.push_back (nullptr);
  return conformance_run (plugin, pointers.data (), report, tally);
}

/* What a sink logs is nothing to this test, and kept it would grow. */
GLogWriterOutput
discard (GLogLevelFlags, const GLogField *, gsize, gpointer)
{
  return G_LOG_WRITER_HANDLED;
}

TEST (Conformance, EveryPluginKeepsThePromisesOfItsKind)
{
  g_autoptr (CenoteRegistry) registry = cenote_registry_new ();
  unsigned plugins = 0;

  g_log_set_writer_func (discard, nullptr, nullptr);
  g_setenv ("GRPC_VERBOSITY", "NONE", TRUE); // it is asked for targets that are none
  grpc_init ();
  for (CenotePluginKind kind : kinds) {
    g_auto (GStrv) names = cenote_registry_list (registry, kind);

    for (char **name = names; *name; name++) {
      g_autoptr (GError) error = nullptr;
      g_autoptr (Plugin) plugin = registry_get (registry, kind, *name, &error);
      Tally tally { std::string (cenote_plugin_kind_to_string (kind)) + "/" + *name };

      ASSERT_NE (plugin, nullptr) << error->message;
      EXPECT_EQ (run_all (plugin, &tally), 0u) << tally.plugin;
      EXPECT_GT (tally.checks, 2u) << tally.plugin;
      plugins++;
    }
  }
  grpc_shutdown ();
  EXPECT_GE (plugins, 7u) << "CENOTE_PLUGIN_PATH does not lead to the plugins";
}

} // namespace
