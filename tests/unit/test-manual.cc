/* SPDX-License-Identifier: Apache-2.0 */
/* manual: cenote.conf(5) says of every option what its row in the tables says. */
#include <glib.h>

extern "C" {
#include "core/registry/registry.h"
}
#include "core/config/settings.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace {

/* Text as roff takes it. */
std::string
roff (const std::string &text)
{
  std::string out;

  for (char c : text)
    if (c == '-')
      out += "\\-";
    else if (c == '\\')
      out += "\\e";
    else
      out += c;
  return !out.empty () && (out[0] == '.' || out[0] == '\'') ? "\\&" + out : out;
}

std::string
take (char *text)
{
  std::string out = text != nullptr ? text : "";

  g_free (text);
  return out;
}

/* "duration, 100ms to 10min; default 5s", "one of off, grpc; default off" */
std::string
form (const CenoteOption &row)
{
  const bool is_enum = row.type == CENOTE_OPTION_ENUM;
  std::string out = is_enum ? "one of" : option_type_name (static_cast<CenoteOptionType> (row.type));
  std::string range = take (option_format_range (&row));

  if (!range.empty ())
    out += (is_enum ? " " : ", ") + range;
  if (row.default_text != nullptr)
    out += *row.default_text != '\0' ? "; default " + std::string (row.default_text) : "; default empty";
  return out;
}

std::string
expected_rows (const OptionTable &table, const gboolean *pending)
{
  std::string out;

  for (guint i = 0; i < table.n_rows; i++) {
    CenoteOption row;

    option_table_row (&table, i, &row);
    out += ".TP\n\\fB" + roff (row.name) + "\\fR (" + roff (form (row)) + ")\n" + roff (row.summary) + "\n";
    if (pending != nullptr && pending[i])
      out += "(Checked, but without effect in this version.)\n";
  }
  return out;
}

/* What stands in the page between the marks of NAME. */
std::string
rows_in_page (const std::string &name)
{
  const char *root = std::getenv ("abs_top_srcdir");
  std::ifstream file (std::string (root != nullptr ? root : ".") + "/doc/cenote.conf.5");
  std::stringstream page;

  page << file.rdbuf ();
  const std::string text = page.str (), begin = ".\\\" BEGIN " + name + "\n", end = ".\\\" END " + name + "\n";
  const std::size_t from = text.find (begin), to = text.find (end);

  if (from == std::string::npos || to == std::string::npos)
    return "(no marks)";
  return text.substr (from + begin.size (), to - from - begin.size ());
}

TEST (Manual, ProcessOptions)
{
  const std::string expected = expected_rows (process_options, nullptr);

  EXPECT_EQ (rows_in_page ("process options"), expected) << "to be pasted into doc/cenote.conf.5:\n" << expected;
}

TEST (Manual, PoolOptions)
{
  const std::string expected = expected_rows (pool_options, pool_options_pending);

  EXPECT_EQ (rows_in_page ("pool options"), expected) << "to be pasted into doc/cenote.conf.5:\n" << expected;
}

/* Of a plugin: one without options has no marks. */
void
expect_plugins_rows (CenoteRegistry *registry, CenotePluginKind kind, const char *name)
{
  g_autoptr (Plugin) plugin = registry_get (registry, kind, name, nullptr);

  ASSERT_NE (plugin, nullptr) << name;
  const std::string expected = plugin->options.n_rows > 0 ? expected_rows (plugin->options, nullptr) : "(no marks)";
  EXPECT_EQ (rows_in_page (std::string (name) + " options"), expected) << "to be pasted into doc/cenote.conf.5:\n"
                                                                       << expected;
}

/* Of each plugin that was built. */
TEST (Manual, PluginsOptions)
{
  g_autoptr (CenoteRegistry) registry = cenote_registry_new ();
  guint n_plugins = 0;

  for (int kind = CENOTE_PLUGIN_BACKOFF; kind <= CENOTE_PLUGIN_TELEMETRY; kind++) {
    g_auto (GStrv) names = cenote_registry_list (registry, static_cast<CenotePluginKind> (kind));

    for (char **name = names; *name != nullptr; name++, n_plugins++)
      expect_plugins_rows (registry, static_cast<CenotePluginKind> (kind), *name);
  }
  EXPECT_GT (n_plugins, 0u);
}

} // namespace
