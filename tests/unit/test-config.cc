/* SPDX-License-Identifier: Apache-2.0 */
/* config: from files, data, key files and settings; values, names, warnings; what is kept in spite of faults. */
#include "core/config/config.h"

#include <glib/gstdio.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

/* "value", "list a|b", or "problem: …"; "absent" */
std::string
value (const CenoteConfig *config, const char *kind, const char *name, const char *key, bool as_list = false)
{
  const ConfigGroup *group = config_find_group (config, kind, name);
  const ConfigEntry *entry = group == nullptr ? nullptr : config_group_find (group, key);

  if (entry == nullptr)
    return "absent";
  if (!as_list)
    return entry->text != nullptr ? entry->text
                                  : std::string ("problem: ") + (entry->text_problem ? entry->text_problem : "told");
  if (entry->items == nullptr)
    return std::string ("problem: ") + (entry->items_problem ? entry->items_problem : "told");
  g_autofree char *joined = g_strjoinv ("|", entry->items);
  return joined;
}

CenoteConfig *
sound (const char *data)
{
  g_autoptr (GError) error = nullptr;
  CenoteConfig *config = cenote_config_new_from_data (data, -1, &error);

  EXPECT_NE (config, nullptr) << error->message;
  return config;
}

std::string
refusal (const char *data)
{
  g_autoptr (GError) error = nullptr;
  g_autoptr (CenoteConfig) config = cenote_config_new_from_data (data, -1, &error);

  EXPECT_EQ (config, nullptr);
  EXPECT_TRUE (g_error_matches (error, CENOTE_ERROR, CENOTE_ERROR_CONFIG));
  return error != nullptr ? error->message : "";
}

std::vector<std::string>
warnings (CenoteConfig *config)
{
  g_auto (GStrv) lines = cenote_config_get_warnings (config);

  return std::vector<std::string> (lines, lines + g_strv_length (lines));
}

/* ------------------------------------------------------------------ values */

TEST (Config, KeepsGroupsAndEntriesInTheirOrderWithTheirLines)
{
  g_autoptr (CenoteConfig) config = sound ("# x\n[pool:b]\ntarget=x:1\nsize=2\n\n[cenote]\ntelemetry=log\n[pool:a]\n");
  const GPtrArray *groups = config_get_groups (config);
  const char *const titles[] = { "pool:b", "cenote", "pool:a" };
  const guint lines[] = { 2, 6, 8 };

  ASSERT_EQ (groups->len, 3u);
  for (guint i = 0; i < 3; i++) {
    const ConfigGroup *group = (const ConfigGroup *) groups->pdata[i];

    EXPECT_STREQ (group->title, titles[i]);
    EXPECT_EQ (group->line, lines[i]);
  }
  const ConfigGroup *first = config_find_group (config, "pool", "b");
  ASSERT_NE (first, nullptr);
  EXPECT_STREQ (first->kind, "pool");
  EXPECT_STREQ (first->name, "b");
  ASSERT_EQ (first->entries->len, 2u);
  EXPECT_EQ (config_group_find (first, "size")->line, 4u);
  EXPECT_EQ (config_group_find (first, "size")->layer, CONFIG_LAYER_KEYFILE);
  EXPECT_EQ (config_find_group (config, "cenote", nullptr)->name, nullptr);
  EXPECT_STREQ (config_get_file (config), "(data)");
  EXPECT_EQ (config_get_directory (config), nullptr);
}

TEST (Config, ReadsValuesAsScalarsAndAsLists)
{
  g_autoptr (CenoteConfig) config = sound ("[pool:a]\nx = \t 5 s \t\ny=a\\sb\nz=a; b;\nv=a\\;b\nempty=\nw=a;;b\n");

  EXPECT_EQ (value (config, "pool", "a", "x"), "5 s");
  EXPECT_EQ (value (config, "pool", "a", "y"), "a b");
  EXPECT_EQ (value (config, "pool", "a", "z"), "a; b;");
  EXPECT_EQ (value (config, "pool", "a", "z", true), "a|b");
  EXPECT_EQ (value (config, "pool", "a", "v"),
             "problem: \\; is not an escape (\\s, \\n, \\t, \\r, \\\\; \\; only in a list)");
  EXPECT_EQ (value (config, "pool", "a", "v", true), "a;b");
  EXPECT_EQ (value (config, "pool", "a", "empty"), "");
  EXPECT_EQ (value (config, "pool", "a", "empty", true), "");
  EXPECT_EQ (value (config, "pool", "a", "w"), "a;;b");
  EXPECT_EQ (value (config, "pool", "a", "w", true), "problem: has an empty element (elements are separated by one ;)");
}

TEST (Config, ExpandsVariablesOnceAndAfterSplitting)
{
  g_setenv ("CENOTE_TEST_LIST", "a;b\\s${X}", TRUE);
  g_autoptr (CenoteConfig) config =
    sound ("[pool:a]\nx=1;${CENOTE_TEST_LIST};2\ny=$${HOME}\nz=${CENOTE_TEST_NONE:-a\\sb}\n");

  EXPECT_EQ (value (config, "pool", "a", "x", true), "1|a;b\\s${X}|2");
  EXPECT_EQ (value (config, "pool", "a", "y"), "${HOME}");
  EXPECT_EQ (value (config, "pool", "a", "z"), "a b");
  g_unsetenv ("CENOTE_TEST_LIST");
}

TEST (Config, TakesAServiceConfigRaw)
{
  g_autoptr (CenoteConfig) config =
    sound ("[pool:a]\nservice-config= {\"a\": \"\\q;${NOT_SET}\"} \n[backoff:b]\nservice-config=x\\sy\n");

  EXPECT_EQ (value (config, "pool", "a", "service-config"), "{\"a\": \"\\q;${NOT_SET}\"}");
  EXPECT_EQ (value (config, "backoff", "b", "service-config"), "x y");
}

/* ------------------------------------------------------------------ faults */

TEST (Config, TellsAllFaultsOfFormAtOnce)
{
  g_unsetenv ("CENOTE_TEST_NONE");
  EXPECT_EQ (
    refusal (
      "junk\n[pool:a]\nx=${CENOTE_TEST_NONE}\ny=\\q\n[pol:b]\n[pool]\n[cenote:x]\n[pool:-x]\n[backoff:]\n[pool:a]\n"),
    "(data):1: the line is no group, key or comment ([KIND:NAME], key=value or # comment)\n"
    "(data):3: [pool:a] x: ${CENOTE_TEST_NONE} is not set (set CENOTE_TEST_NONE in the environment, or write "
    "${CENOTE_TEST_NONE:-default})\n"
    "(data):4: [pool:a] y: \\q is not an escape (\\s, \\n, \\t, \\r, \\\\; \\; only in a list)\n"
    "(data):5: [pol:b]: unknown kind of group 'pol' ([cenote], or one of [pool:NAME], [backoff:NAME], "
    "[connector:NAME], "
    "[picker:NAME], [transport:NAME], [telemetry:NAME]; nearest: pool)\n"
    "(data):6: [pool]: the group has no name ([pool:NAME])\n"
    "(data):7: [cenote:x]: the process's group takes no name ([cenote])\n"
    "(data):8: [pool:-x]: '-x' is not a name (a letter or digit, then up to 63 letters, digits, '.', '_' and '-')\n"
    "(data):9: [backoff:]: '' is not a name (a letter or digit, then up to 63 letters, digits, '.', '_' and '-')\n"
    "(data):10: [pool:a]: the group is given twice, first on line 2 (put its keys there)");
}

TEST (Config, Names)
{
  for (const char *name : { "a", "9", "A.b_c-d", "0123456789012345678901234567890123456789012345678901234567890123" })
    EXPECT_TRUE (config_is_name (name)) << name;
  for (const char *name : { "", ".a", "_a", "-a", "a b", "a/b", "a:b", "ä",
                            "01234567890123456789012345678901234567890123456789012345678901234" })
    EXPECT_FALSE (config_is_name (name)) << name;
}

TEST (Config, KeepsWhatIsSoundWhenAsked)
{
  g_autoptr (CenoteConfig) config = config_parse ("[pool:a]\nsize 5\ntarget=x:1\nx=${\n[pool:a/b]\nsize=1\n", -1);
  const ConfigGroup *group = config_find_group (config, "pool", "a");

  EXPECT_EQ (problems_count (config_get_problems (config)), 3u);
  EXPECT_EQ (value (config, "pool", "a", "target"), "x:1");
  EXPECT_EQ (value (config, "pool", "a", "size"), "problem: told");
  EXPECT_EQ (value (config, "pool", "a", "x"), "problem: told");
  EXPECT_EQ (config_group_find (group, "size")->raw, nullptr);
  EXPECT_TRUE (config_is_incomplete (config));
}

TEST (Config, DataWithALengthMayHoldAnything)
{
  g_autoptr (GError) error = nullptr;
  const char data[] = "[pool:a]\nsize=5\nx=\0y\n";

  EXPECT_EQ (cenote_config_new_from_data (data, sizeof data - 1, &error), nullptr);
  EXPECT_STREQ (error->message, "(data):3: [pool:a]: the line has a NUL in it (a keyfile is text)");
  g_autoptr (CenoteConfig) cut = cenote_config_new_from_data (data, 15, nullptr);
  EXPECT_EQ (value (cut, "pool", "a", "size"), "5");
  g_autoptr (CenoteConfig) empty = cenote_config_new_from_data (nullptr, 0, nullptr);
  EXPECT_NE (empty, nullptr);
}

/* A million lines of nonsense are told in bounded space and time. */
TEST (Config, AHostileFileIsRefusedInBoundedSpace)
{
  std::string data = "[pool:a]\n";

  while (data.size () < 2 * 1024 * 1024)
    data += "x\n";
  const std::string message = refusal (data.c_str ());
  EXPECT_LT (message.size (), 200u * 1024);
  EXPECT_NE (message.find ("more"), std::string::npos);
}

TEST (Config, MoreGroupsThanAnyoneMeansAreRefused)
{
  std::string data;

  for (int i = 0; i < CONFIG_GROUPS_MAX; i++)
    data += "[pool:a" + std::to_string (i) + "]\n";
  g_autoptr (CenoteConfig) most = sound (data.c_str ());
  EXPECT_EQ (config_get_groups (most)->len, (guint) CONFIG_GROUPS_MAX);
  EXPECT_EQ (refusal ((data + "[pool:b]\n[pool:c]\n").c_str ()),
             "(data):10001: there are too many groups (at most 10000)");
}

/* ------------------------------------------------------------------- files */

class ConfigFile : public testing::Test
{
protected:
  void SetUp () override
  {
    g_autofree char *made = g_dir_make_tmp ("cenote-config-XXXXXX", nullptr);

    directory = made;
    path = directory + "/a.conf";
  }
  void TearDown () override
  {
    g_unlink (path.c_str ());
    g_rmdir (directory.c_str ());
  }
  std::string directory, path;
};

TEST_F (ConfigFile, KnowsItsNameAndDirectory)
{
  g_autoptr (GError) error = nullptr;

  ASSERT_TRUE (g_file_set_contents (path.c_str (), "\xef\xbb\xbf[pool:a]\r\nsize=5\r\n", -1, nullptr));
  g_autoptr (CenoteConfig) config = cenote_config_new_from_file (path.c_str (), &error);
  ASSERT_NE (config, nullptr) << error->message;
  EXPECT_EQ (config_get_file (config), path);
  EXPECT_EQ (config_get_directory (config), directory);
  EXPECT_EQ (value (config, "pool", "a", "size"), "5");
}

TEST_F (ConfigFile, NamesItselfInErrors)
{
  g_autoptr (GError) absent = nullptr, wrong = nullptr;

  EXPECT_EQ (cenote_config_new_from_file (path.c_str (), &absent), nullptr);
  EXPECT_TRUE (g_error_matches (absent, CENOTE_ERROR, CENOTE_ERROR_NOT_FOUND));
  EXPECT_EQ (absent->message, path + ": cannot be opened: No such file or directory");
  ASSERT_TRUE (g_file_set_contents (path.c_str (), "[pool:a\n", -1, nullptr));
  EXPECT_EQ (cenote_config_new_from_file (path.c_str (), &wrong), nullptr);
  EXPECT_EQ (wrong->message, path + ":1: the group header has no ] ([pool:a])");
}

TEST_F (ConfigFile, RefusesMoreThanFourMebibytes)
{
  const std::string most (CONFIG_FILE_MAX, '\n'), more (CONFIG_FILE_MAX + 1, '\n');
  g_autoptr (GError) error = nullptr;

  ASSERT_TRUE (g_file_set_contents (path.c_str (), most.data (), (gssize) most.size (), nullptr));
  g_autoptr (CenoteConfig) config = cenote_config_new_from_file (path.c_str (), &error);
  EXPECT_NE (config, nullptr);
  ASSERT_TRUE (g_file_set_contents (path.c_str (), more.data (), (gssize) more.size (), nullptr));
  EXPECT_EQ (cenote_config_new_from_file (path.c_str (), &error), nullptr);
  EXPECT_EQ (error->message, path + ": is larger than 4MiB");
}

/* --------------------------------------------------------------- key files */

TEST (ConfigKeyFile, HasNoLinesButAllElse)
{
  g_autoptr (GKeyFile) key_file = g_key_file_new ();
  g_autoptr (GError) error = nullptr;

  g_key_file_set_string (key_file, "pool:a", "x", " 5;\n");
  g_key_file_set_integer (key_file, "pool:a", "size", 5);
  g_autoptr (CenoteConfig) config = cenote_config_new_from_key_file (key_file, &error);
  ASSERT_NE (config, nullptr) << error->message;
  g_key_file_set_integer (key_file, "pool:a", "size", 6);
  EXPECT_EQ (value (config, "pool", "a", "x"), " 5;\n");
  EXPECT_EQ (value (config, "pool", "a", "size"), "5");
  EXPECT_EQ (config_find_group (config, "pool", "a")->line, 0u);
}

TEST (ConfigKeyFile, IsCheckedAsATextIs)
{
  g_autoptr (GKeyFile) key_file = g_key_file_new ();
  g_autoptr (GError) error = nullptr;

  g_key_file_set_value (key_file, "pol:a", "size", "5");
  g_key_file_set_value (key_file, "pool:a", "name[de]", "x");
  g_key_file_set_value (key_file, "pool:a", "bad", "\xff");
  g_key_file_set_value (key_file, "pool:a", "open", "${");
  EXPECT_EQ (cenote_config_new_from_key_file (key_file, &error), nullptr);
  EXPECT_STREQ (error->message,
                "(data): [pol:a]: unknown kind of group 'pol' ([cenote], or one of [pool:NAME], [backoff:NAME], "
                "[connector:NAME], [picker:NAME], [transport:NAME], [telemetry:NAME]; nearest: pool)\n"
                "(data): [pool:a] bad: the value is not UTF-8\n"
                "(data): [pool:a] open: has ${ without } (${VAR} or ${VAR:-default}; $${ for a literal ${)\n"
                "(data): [pool:a] name[de]: a key has no locale here (write it without the brackets)");
}

/* ---------------------------------------------------------------- settings */

TEST (ConfigWith, LaysSettingsOverTheFile)
{
  g_autoptr (CenoteConfig) base = sound ("[pool:a]\nsize=5\ntarget=x:1\n");
  const char *const settings[] = { "pool:a/size=10", "pool:b/target=y:2=3", "cenote/telemetry= ", "pool:a/size=11",
                                   nullptr };
  g_autoptr (GError) error = nullptr;
  g_autoptr (CenoteConfig) config = cenote_config_new_with (base, settings, &error);

  ASSERT_NE (config, nullptr) << error->message;
  EXPECT_EQ (value (config, "pool", "a", "size"), "11");
  EXPECT_EQ (value (config, "pool", "a", "target"), "x:1");
  EXPECT_EQ (value (config, "pool", "b", "target"), "y:2=3");
  EXPECT_EQ (value (config, "cenote", nullptr, "telemetry", true), "");
  EXPECT_EQ (value (base, "pool", "a", "size"), "5");
  const ConfigEntry *size = config_group_find (config_find_group (config, "pool", "a"), "size");
  EXPECT_EQ (size->layer, CONFIG_LAYER_PROGRAM);
  EXPECT_EQ (size->line, PROBLEMS_PROGRAM);
  EXPECT_EQ (config_find_group (config, "pool", "a")->entries->len, 2u);
}

TEST (ConfigWith, NamesTheProgramInErrors)
{
  g_autoptr (CenoteConfig) base = sound ("[pool:a]\nsize=5\n");
  const char *const settings[] = {
    "pool:a/size", "size=5", "pool:a/=5", "pol:a/size=5", "pool:a/x=${CENOTE_TEST_NONE}", "pool:a/y=\xff", nullptr
  };
  g_autoptr (GError) error = nullptr;

  g_unsetenv ("CENOTE_TEST_NONE");
  EXPECT_EQ (cenote_config_new_with (base, settings, &error), nullptr);
  EXPECT_TRUE (g_error_matches (error, CENOTE_ERROR, CENOTE_ERROR_CONFIG));
  EXPECT_STREQ (
    error->message,
    "(program): 'pool:a/size' is no setting (GROUP/KEY=VALUE, e.g. pool:users/size=10)\n"
    "(program): 'size' is no setting (GROUP/KEY=VALUE, e.g. pool:users/size=10)\n"
    "(program): 'pool:a/' is no setting (GROUP/KEY=VALUE, e.g. pool:users/size=10)\n"
    "(program): [pol:a]: unknown kind of group 'pol' ([cenote], or one of [pool:NAME], [backoff:NAME], "
    "[connector:NAME], [picker:NAME], [transport:NAME], [telemetry:NAME]; nearest: pool)\n"
    "(program): [pool:a] x: ${CENOTE_TEST_NONE} is not set (set CENOTE_TEST_NONE in the environment, or write "
    "${CENOTE_TEST_NONE:-default})\n"
    "(program): a setting is not UTF-8 (GROUP/KEY=VALUE)");
}

/* ---------------------------------------------------------------- warnings */

TEST (ConfigWarnings, CommentsBehindValuesAndUnusedGroups)
{
  g_autoptr (CenoteConfig) config =
    sound ("[pool:a]\nbackoff=x # mine\npicker=p\n[backoff:y]\n[picker:p]\n[telemetry:t]\n");

  EXPECT_EQ (warnings (config), (std::vector<std::string>{
                                  "(data):2: [pool:a] backoff: the value has a blank and # in it, and what follows is "
                                  "part of the value (comments are whole "
                                  "lines that begin with #)",
                                  "(data):4: [backoff:y]: the group is not used (name it in a pool: backoff=y)",
                                  "(data):6: [telemetry:t]: the group is not used (name it in a pool: telemetry=t)" }));
}

TEST (ConfigWarnings, DefaultsAndProfilesNameGroupsToo)
{
  g_autoptr (CenoteConfig) config =
    sound ("[backoff:exponential]\n[connector:persistent]\n[picker:p2c]\n[telemetry:log]\n"
           "[transport:insecure]\n[transport:unix]\n[transport:tls]\n[pool:a]\nprofile=local\n"
           "[pool:b]\ntarget=unix:///x\n[pool:c]\ntarget=x\n");

  EXPECT_EQ (warnings (config), std::vector<std::string>{});
}

TEST (ConfigWarnings, AWrittenNameReplacesTheDefault)
{
  g_autoptr (CenoteConfig) config =
    sound ("[cenote]\ntelemetry=a;b\n[telemetry:log]\n[telemetry:a]\n[telemetry:b]\n[telemetry:c]\n"
           "[pool:p]\ntelemetry=c\ntargets=unix:///x;y\n[transport:unix]\n[transport:tls]\n");

  EXPECT_EQ (warnings (config),
             (std::vector<std::string>{
               "(data):3: [telemetry:log]: the group is not used (name it in a pool: telemetry=log)",
               "(data):11: [transport:tls]: the group is not used (name it in a pool: transport=tls)" }));
}

TEST (Config, IsCounted)
{
  CenoteConfig *config = sound ("[pool:a]\n");

  EXPECT_EQ (cenote_config_ref (config), config);
  cenote_config_unref (config);
  EXPECT_NE (config_find_group (config, "pool", "a"), nullptr);
  cenote_config_unref (config);
  cenote_config_unref (nullptr);
}

} // namespace
