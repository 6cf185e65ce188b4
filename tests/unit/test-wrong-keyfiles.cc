/* SPDX-License-Identifier: Apache-2.0 */
/* wrong-keyfiles: each keyfile of tests/integration/wrong-keyfiles is told of, line by line, as the file beside it
 * says. */
#include "tests/unit/static-plugins.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <string>

extern "C" {
#include "core/config/settings.h"
}

namespace {

std::string
directory ()
{
  const char *top = g_getenv ("abs_top_srcdir");

  return std::string (top != nullptr ? top : ".") + "/tests/integration/wrong-keyfiles";
}

/* The names of the keyfiles, without .conf. */
std::set<std::string>
keyfiles ()
{
  g_autoptr (GDir) dir = g_dir_open (directory ().c_str (), 0, nullptr);
  std::set<std::string> names;
  const char *name;

  while (dir != nullptr && (name = g_dir_read_name (dir)) != nullptr)
    if (g_str_has_suffix (name, ".conf"))
      names.insert (std::string (name, strlen (name) - strlen (".conf")));
  return names;
}

std::string
contents (const std::string &path)
{
  g_autofree char *text = nullptr;

  EXPECT_TRUE (g_file_get_contents (path.c_str (), &text, nullptr, nullptr)) << path;
  return text != nullptr ? text : "";
}

std::string
without (std::string text, const std::string &part)
{
  for (size_t at = text.find (part); at != std::string::npos; at = text.find (part, at))
    text.erase (at, part.size ());
  return text;
}

/* What is told of it, a line each, with the file's name but not its directory. */
std::string
told (const std::string &name)
{
  g_autoptr (GError) error = nullptr;
  g_autoptr (CenoteRegistry) registry = static_plugins::registry_new ();
  g_autoptr (CenoteConfig) config = config_open ((directory () + "/" + name + ".conf").c_str (), &error);

  if (config == nullptr)
    return error->message;
  g_autoptr (Settings) settings = settings_new (config, registry, nullptr, &error);
  EXPECT_EQ (settings, nullptr) << name;
  return error != nullptr ? without (error->message, directory () + "/") + "\n" : "";
}

TEST (WrongKeyfiles, AreToldOfLineByLine)
{
  g_unsetenv ("CENOTE_TEST_NOT_SET");
  for (const std::string &name : keyfiles ())
    EXPECT_EQ (told (name), contents (directory () + "/" + name + ".expected")) << name;
}

TEST (WrongKeyfiles, AreManyAndOneHasTenFaults)
{
  const std::string ten = contents (directory () + "/ten-faults.expected");

  EXPECT_GE (keyfiles ().size (), 25u);
  EXPECT_EQ (std::count (ten.begin (), ten.end (), '\n'), 10);
}

/* The public constructor stops at faults of form, and then tells those that the whole check tells. */
TEST (WrongKeyfiles, FaultsOfFormAreToldByTheConfigAlone)
{
  for (const std::string &name : keyfiles ()) {
    const std::string path = directory () + "/" + name + ".conf",
                      whole = "\n" + contents (directory () + "/" + name + ".expected");
    g_autoptr (GError) error = nullptr;
    g_autoptr (CenoteConfig) config = cenote_config_new_from_file (path.c_str (), &error);
    EXPECT_EQ (config == nullptr, error != nullptr);
    g_auto (GStrv) lines =
      g_strsplit (error != nullptr ? without (error->message, directory () + "/").c_str () : "", "\n", -1);

    for (char **line = lines; *line != nullptr; line++)
      EXPECT_NE (whole.find ("\n" + std::string (*line) + "\n"), std::string::npos) << name << ": " << *line;
  }
}

} // namespace
