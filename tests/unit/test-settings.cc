/* SPDX-License-Identifier: Apache-2.0 */
/* settings: layers, profiles, plugins, targets, contradictions, notes, and one list of all that is wrong. */
#include "tests/unit/static-plugins.h"

#include <glib/gstdio.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

extern "C" {
#include "core/config/settings.h"
}

namespace {

using Lines = std::vector<std::string>;

Lines
take_lines (char **lines)
{
  Lines out (lines, lines + g_strv_length (lines));

  g_strfreev (lines);
  return out;
}

/* One check of a text, with the program's settings laid over it. */
class Checked
{
public:
  explicit Checked (const std::string &data, std::vector<const char *> program = {})
  {
    g_autoptr (CenoteConfig) file = config_parse (data.c_str (), -1);
    g_autoptr (CenoteRegistry) registry = static_plugins::registry_new ();
    char **lines = nullptr;

    program.push_back (nullptr);
    g_autoptr (CenoteConfig) config = config_overlay (file, program.data ());
    settings = settings_new (config, registry, &lines, &error);
    notes = take_lines (lines);
  }
  Checked (const Checked &) = delete;
  ~Checked ()
  {
    settings_free (settings);
    g_clear_error (&error);
  }
  std::string problems () const { return error != nullptr ? error->message : ""; }
  const PoolSettings &pool (guint i = 0) const
  {
    return *(const PoolSettings *) g_ptr_array_index (settings->pools, i);
  }
  std::string option (PoolOption row, guint i = 0) const
  {
    g_autofree char *text = option_format (&pool_options.rows[row], &pool (i).options[row].value);

    return text;
  }
  Lines targets (guint i = 0) const
  {
    return Lines (pool (i).targets, pool (i).targets + g_strv_length (pool (i).targets));
  }

  Settings *settings = nullptr;
  GError *error = nullptr;
  Lines notes;
};

/* A pool "a" with KEYS, which must be right. */
std::string
local (const std::string &keys)
{
  return "[pool:a]\nprofile=local\n" + keys;
}

/* What is wrong with it; the keys begin on line 3. */
std::string
wrong (const std::string &keys)
{
  return Checked (local (keys)).problems ();
}

/* ------------------------------------------------------------------ layers */

TEST (Settings, DefaultsStandWhereNothingIsWritten)
{
  Checked c ("[pool:a]\ntransport=insecure\ntarget=localhost:1\n");

  ASSERT_NE (c.settings, nullptr) << c.problems ();
  ASSERT_EQ (c.settings->pools->len, 1u);
  EXPECT_STREQ (c.pool ().name, "a");
  EXPECT_EQ (c.pool ().line, 1u);
  EXPECT_EQ (pool_number (&c.pool (), POOL_SIZE), 5);
  EXPECT_EQ (c.pool ().options[POOL_SIZE].layer, CONFIG_LAYER_DEFAULT);
  EXPECT_EQ (c.pool ().options[POOL_TARGET].layer, CONFIG_LAYER_KEYFILE);
  EXPECT_EQ (c.pool ().options[POOL_TARGET].line, 3u);
  EXPECT_EQ (c.settings->options[PROCESS_MAX_CONCURRENT_DIALS].value.number, 100);
  EXPECT_EQ (pool_real (&c.pool (), POOL_MAX_CONNECTION_AGE_JITTER), 0.1);
  EXPECT_TRUE (pool_flag (&c.pool (), POOL_CRITICAL));
  EXPECT_STREQ (c.pool ().connector->plugin->name, "persistent");
  EXPECT_STREQ (c.pool ().picker->plugin->name, "p2c");
  EXPECT_STREQ (c.pool ().backoff->plugin->name, "exponential");
  EXPECT_STREQ (c.pool ().transport->plugin->name, "insecure");
  ASSERT_EQ (c.pool ().sinks->len, 1u);
  EXPECT_STREQ (((PluginUse *) c.pool ().sinks->pdata[0])->instance, "log");
  EXPECT_EQ (c.notes, Lines{});
}

TEST (Settings, EachLayerWinsOverTheOneBelow)
{
  const char *const text = "[pool:a]\nprofile=local\nsize=7\n";
  Checked profile ("[pool:a]\nprofile=local\n"), keyfile (text), program (text, { "pool:a/size=9" });

  EXPECT_EQ (profile.option (POOL_SIZE), "3");
  EXPECT_EQ (profile.pool ().options[POOL_SIZE].layer, CONFIG_LAYER_PROFILE);
  EXPECT_EQ (keyfile.option (POOL_SIZE), "7");
  EXPECT_EQ (keyfile.pool ().options[POOL_SIZE].layer, CONFIG_LAYER_KEYFILE);
  EXPECT_EQ (keyfile.pool ().options[POOL_SIZE].line, 3u);
  EXPECT_EQ (program.option (POOL_SIZE), "9");
  EXPECT_EQ (program.pool ().options[POOL_SIZE].layer, CONFIG_LAYER_PROGRAM);
}

TEST (Settings, TheProgramIsNamedWhereItIsWrong)
{
  EXPECT_EQ (Checked ("[pool:a]\nprofile=local\nsize=7\n", { "pool:a/size=0", "pool:a/sise=1" }).problems (),
             "(program): [pool:a] size: '0' is below the minimum 1 (1 to 10000)\n"
             "(program): [pool:a] sise: unknown key (cenote.conf(5) lists those of a pool; nearest: size)");
  EXPECT_EQ (Checked ("[pool:a]\nprofile=local\ntarget=x:1\n", { "pool:a/targets=y:1;z:1" }).problems (),
             "(program): [pool:a] targets: contradicts target on line 3 (write one of them)");
}

/* ---------------------------------------------------------------- profiles */

TEST (SettingsProfile, LocalAndTestArePlain)
{
  Checked c ("[pool:a]\nprofile=local\n[pool:b]\nprofile=test\ntarget=x:1\n[pool:c]\nprofile=local\ntargets=x:1;y:1\n");

  ASSERT_NE (c.settings, nullptr) << c.problems ();
  EXPECT_EQ (c.targets (0), Lines{ "dns:///localhost:9090" });
  EXPECT_EQ (c.option (POOL_TRANSPORT, 0), "insecure");
  EXPECT_EQ (c.option (POOL_SIZE, 0), "3");
  EXPECT_EQ (c.option (POOL_TRANSPORT, 1), "insecure");
  EXPECT_EQ (c.option (POOL_SIZE, 1), "1");
  EXPECT_EQ (c.targets (2), (Lines{ "dns:///x:1", "dns:///y:1" }));
}

TEST (SettingsProfile, AWrittenTransportIsCustom)
{
  Checked c ("[pool:a]\ntransport=insecure\ntarget=x:1\n[pool:b]\nprofile=local\ntransport=mock\n");

  ASSERT_NE (c.settings, nullptr) << c.problems ();
  EXPECT_EQ (pool_number (&c.pool (0), POOL_PROFILE), PROFILE_CUSTOM);
  EXPECT_EQ (pool_number (&c.pool (1), POOL_PROFILE), PROFILE_LOCAL);
  EXPECT_EQ (c.option (POOL_TRANSPORT, 1), "mock");
}

TEST (SettingsProfile, ProductionIsTheDefaultAndNeedsTls)
{
  Checked c ("[pool:a]\ntarget=x\n");

  EXPECT_TRUE (g_error_matches (c.error, CENOTE_ERROR, CENOTE_ERROR_NOT_FOUND));
  EXPECT_EQ (c.problems (), "(data):1: [pool:a] transport: no group [transport:tls] and no transport plugin 'tls': "
                            "there is no transport-tls.so in any "
                            "directory, as none is searched (profile=production, the default, is TLS; profile=local "
                            "and profile=test are without)");
}

TEST (SettingsProfile, ProductionHasAPortForAll)
{
  Checked c ("[pool:a]\nprofile=production\ntransport=tls\ntargets=x;y:1\n[transport:tls]\nplugin=corp\nca-file=/ca\n");

  ASSERT_NE (c.settings, nullptr) << c.problems ();
  EXPECT_EQ (c.targets (), (Lines{ "dns:///x:443", "dns:///y:1" }));
}

TEST (SettingsProfile, ProductionRefusesInsecure)
{
  EXPECT_EQ (Checked ("[pool:a]\nprofile=production\ntransport=insecure\ntarget=x\n").problems (),
             "(data):3: [pool:a] transport: contradicts profile=production, which is TLS (profile=local, test or "
             "custom, or another "
             "transport)");
  EXPECT_EQ (
    Checked ("[pool:a]\nprofile=production\ntransport=t\ntarget=x\n[transport:t]\nplugin=insecure\n").problems (),
    "(data):3: [pool:a] transport: contradicts profile=production, which is TLS (profile=local, test or custom, or "
    "another "
    "transport)");
}

TEST (SettingsProfile, CustomNeedsATransport)
{
  EXPECT_EQ (
    Checked ("[pool:a]\nprofile=custom\ntarget=x:1\n").problems (),
    "(data):1: [pool:a] transport: missing (profile=custom has no transport of its own: write transport=NAME)");
}

TEST (SettingsProfile, UnixSocketsHaveTheirTransport)
{
  Checked c ("[pool:a]\ntarget=unix:///run/x\n[pool:b]\nprofile=local\ntargets=unix:x;unix-abstract:y\n"
             "[pool:c]\ntransport=insecure\ntargets=unix:x;y:1\n");

  ASSERT_NE (c.settings, nullptr) << c.problems ();
  EXPECT_EQ (c.option (POOL_TRANSPORT, 0), "unix");
  EXPECT_EQ (c.option (POOL_TRANSPORT, 1), "unix");
  EXPECT_EQ (c.option (POOL_TRANSPORT, 2), "insecure");
  EXPECT_EQ (wrong ("targets=unix:x;y:1\n"), "(data):3: [pool:a] targets: has both unix sockets and hosts, and a pool "
                                             "has one transport (two pools, or a transport that "
                                             "does both)");
}

TEST (SettingsProfile, WhatCCoreBalancesItselfHasOneChannel)
{
  const std::string pool = "[pool:a]\ntransport=insecure\n";
  Checked xds (pool + "target=xds:///x\n"), config (pool + "target=x:1\nservice-config={\"loadBalancingConfig\":[]}\n"),
    written (pool + "target=xds:///x\nsize=2\n"), other (pool + "target=x:1\nservice-config={}\n");

  EXPECT_EQ (xds.option (POOL_SIZE), "1");
  EXPECT_EQ (config.option (POOL_SIZE), "1");
  EXPECT_EQ (written.option (POOL_SIZE), "2");
  EXPECT_EQ (other.option (POOL_SIZE), "5");
}

TEST (SettingsProfile, AWrongProfileIsOneProblem)
{
  for (const char *rest : { "", "target=x:1\n", "target=x\n" })
    EXPECT_EQ (
      Checked (std::string ("[pool:a]\nprofile=prodution\n") + rest).problems (),
      "(data):2: [pool:a] profile: 'prodution' is none of production, local, test, custom (nearest: production)");
}

/* ----------------------------------------------------------------- plugins */

TEST (SettingsPlugin, AGroupNamesAPluginAndItsOptions)
{
  Checked c (local ("backoff=gentle\n[backoff:gentle]\nplugin=exponential\ninitial=500ms\nmax=30s\n"));

  ASSERT_NE (c.settings, nullptr) << c.problems ();
  const PluginUse *use = c.pool ().backoff;
  const CenoteOptions options = plugin_use_options (use);

  EXPECT_EQ (use->kind, CENOTE_PLUGIN_BACKOFF);
  EXPECT_STREQ (use->instance, "gentle");
  EXPECT_STREQ (use->plugin->name, "exponential");
  EXPECT_EQ (use->line, 4u);
  ASSERT_EQ (options.n_values, 4u);
  EXPECT_STREQ (options.instance, "gentle");
  EXPECT_EQ (cenote_options_at (&options, 0)->number, 500000);
  EXPECT_EQ (cenote_options_at (&options, 1)->real, 1.6);
  EXPECT_EQ (cenote_options_at (&options, 3)->number, 30000000);
  EXPECT_EQ (use->settings[0].layer, CONFIG_LAYER_KEYFILE);
  EXPECT_EQ (use->settings[0].line, 6u);
  EXPECT_EQ (use->settings[1].layer, CONFIG_LAYER_DEFAULT);
}

TEST (SettingsPlugin, AGroupMayHaveThePluginsName)
{
  Checked c (local ("[backoff:exponential]\ninitial=1s\n"));

  ASSERT_NE (c.settings, nullptr) << c.problems ();
  EXPECT_EQ (c.pool ().backoff->values[0].number, 1000000);
  EXPECT_EQ (c.notes, Lines{});
}

TEST (SettingsPlugin, OneInstanceIsShared)
{
  Checked c ("[cenote]\ntelemetry=log\n[pool:a]\nprofile=local\ntelemetry=jsonl;log\n[pool:b]\nprofile=local\n");

  ASSERT_NE (c.settings, nullptr) << c.problems ();
  EXPECT_EQ (c.pool (0).backoff, c.pool (1).backoff);
  ASSERT_EQ (c.settings->sinks->len, 2u);
  EXPECT_EQ (c.settings->sinks->pdata[0], c.pool (1).sinks->pdata[0]);
  EXPECT_EQ (c.settings->sinks->pdata[1], c.pool (0).sinks->pdata[0]);
  EXPECT_EQ (c.settings->process_sinks->len, 1u);
}

TEST (SettingsPlugin, AnEmptyListOfSinksIsNone)
{
  Checked c ("[pool:a]\nprofile=local\ntelemetry=\n");

  ASSERT_NE (c.settings, nullptr) << c.problems ();
  EXPECT_EQ (c.pool ().sinks->len, 0u);
}

TEST (SettingsPlugin, NamesThatAreNotThere)
{
  EXPECT_EQ (wrong ("backoff=gentel\n[backoff:gentle]\nplugin=exponential\n"),
             "(data):3: [pool:a] backoff: no group [backoff:gentel] and no backoff plugin 'gentel' (nearest: gentle)");
  EXPECT_EQ (wrong ("backoff=expnential\n"), "(data):3: [pool:a] backoff: no group [backoff:expnential] and no backoff "
                                             "plugin 'expnential' (nearest: exponential)");
  EXPECT_EQ (wrong ("backoff=Gentle\n[backoff:gentle]\nplugin=constant\n"),
             "(data):3: [pool:a] backoff: no group [backoff:Gentle] and no backoff plugin 'Gentle' (nearest: gentle)");
  EXPECT_EQ (wrong ("backoff=g\n[backoff:g]\nplugin=constnat\n"),
             "(data):5: [backoff:g] plugin: no backoff plugin 'constnat' (nearest: constant)");
  EXPECT_EQ (wrong ("backoff=gentle\n[backoff:gentle]\ninitial=1s\n"),
             "(data):4: [backoff:gentle] plugin: no backoff plugin 'gentle': there is no backoff-gentle.so in any "
             "directory, as none is "
             "searched");
  EXPECT_EQ (wrong ("telemetry=log;jsnl\n"),
             "(data):3: [pool:a] telemetry: no group [telemetry:jsnl] and no telemetry plugin 'jsnl' (nearest: jsonl)");
  EXPECT_EQ (wrong ("telemetry=log;log\n"), "(data):3: [pool:a] telemetry: 'log' is named twice (once is enough)");
}

TEST (SettingsPlugin, APluginThatIsAllThatIsWrongHasItsOwnCode)
{
  Checked absent (local ("backoff=expnential\npicker=zzz\n")), both (local ("backoff=expnential\nsize=0\n"));

  EXPECT_TRUE (g_error_matches (absent.error, CENOTE_ERROR, CENOTE_ERROR_NOT_FOUND));
  EXPECT_TRUE (g_error_matches (both.error, CENOTE_ERROR, CENOTE_ERROR_CONFIG));
}

TEST (SettingsPlugin, OptionsAreChecked)
{
  EXPECT_EQ (wrong ("backoff=g\n[backoff:g]\nplugin=exponential\ninital=1s\nmultiplier=0.5\njitter=150%\nmax=0\n"),
             "(data):6: [backoff:g] inital: unknown key (backoff plugin exponential takes initial, multiplier, jitter, "
             "max, plugin; "
             "nearest: initial)\n"
             "(data):7: [backoff:g] multiplier: '0.5' is below the minimum 1 (1 to 100)\n"
             "(data):8: [backoff:g] jitter: '150%' is above the maximum 1 (0 to 1)\n"
             "(data):9: [backoff:g] max: '0' is below the minimum 1ms (1ms to 24h)");
}

TEST (SettingsPlugin, ARequiredOptionIsMissed)
{
  EXPECT_EQ (wrong ("transport=corp\n"), "(data):3: [pool:a] transport: the plugin needs ca-file (write it into a "
                                         "group for the plugin: The authorities that are trusted)");
  EXPECT_EQ (wrong ("transport=corp\n[transport:corp]\nmin-version=1.3\n"),
             "(data):4: [transport:corp] ca-file: missing (The authorities that are trusted)");
}

TEST (SettingsPlugin, ADeprecatedOptionIsANote)
{
  Checked c (local ("transport=corp\n[transport:corp]\nca-file=/ca\nold=yes\n"));

  ASSERT_NE (c.settings, nullptr) << c.problems ();
  EXPECT_EQ (c.notes,
             Lines{ "(data):6: [transport:corp] old: the key is deprecated (Nothing any more; leave it out)" });
}

TEST (SettingsPlugin, GroupsThatNothingNamesAreCheckedToo)
{
  Checked good (local ("[backoff:spare]\nplugin=constant\n")),
    bad (local ("[backoff:spare]\nplugin=constant\ndelay=x\n[picker:q]\n"));

  EXPECT_EQ (good.notes,
             Lines{ "(data):3: [backoff:spare]: the group is not used (name it in a pool: backoff=spare)" });
  EXPECT_EQ (bad.problems (),
             "(data):5: [backoff:spare] delay: 'x' is not a duration (a number and us, ms, s, min or h, e.g. 500ms)\n"
             "(data):6: [picker:q] plugin: no picker plugin 'q': there is no picker-q.so in any directory, as none is "
             "searched");
}

TEST (SettingsPlugin, APoolThatIsNotCriticalFailsAlone)
{
  Checked c ("[pool:a]\nprofile=local\n[pool:b]\ncritical=no\ntarget=x:1\nbackoff=zzz\n[pool:c]\nprofile="
             "local\ncritical=no\ntelemetry=yyy\n"
             "[pool:d]\nprofile=local\ncritical=no\npicker=g\n[picker:g]\nplugin=xxx\n");

  ASSERT_NE (c.settings, nullptr) << c.problems ();
  EXPECT_EQ (c.pool (0).failure, nullptr);
  ASSERT_NE (c.pool (1).failure, nullptr);
  EXPECT_TRUE (g_error_matches (c.pool (1).failure, CENOTE_ERROR, CENOTE_ERROR_NOT_FOUND));
  EXPECT_EQ (c.pool (1).transport->plugin, nullptr);
  EXPECT_NE (c.pool (2).failure, nullptr);
  EXPECT_NE (c.pool (3).failure, nullptr);
  ASSERT_EQ (c.notes.size (), 3u);
  EXPECT_EQ (c.notes[0].rfind (
               "(data):3: [pool:b]: the pool cannot run, and as it is not critical the others do without: no group "
               "[transport:tls]",
               0),
             0u)
    << c.notes[0];
}

TEST (SettingsPlugin, WrongValuesOfAPoolThatIsNotCriticalAreProblems)
{
  EXPECT_EQ (wrong ("critical=no\nbackoff=zzz\nsize=0\n"),
             "(data):5: [pool:a] size: '0' is below the minimum 1 (1 to 10000)");
}

TEST (SettingsPlugin, AGroupThatBothKindsOfPoolsNameMustBeThere)
{
  EXPECT_EQ (
    wrong ("backoff=zzz\n[pool:b]\nprofile=local\ncritical=no\nbackoff=zzz\n"),
    "(data):3: [pool:a] backoff: no group [backoff:zzz] and no backoff plugin 'zzz': there is no backoff-zzz.so in any "
    "directory, as none is searched");
}

/* ------------------------------------------------------------- plugin-path */

class SettingsPath : public testing::Test
{
protected:
  void SetUp () override
  {
    g_autofree char *made = g_dir_make_tmp ("cenote-settings-XXXXXX", nullptr);

    directory = made;
    path = directory + "/a.conf";
    g_mkdir ((directory + "/plugins").c_str (), 0700);
  }
  void TearDown () override
  {
    g_unlink (path.c_str ());
    g_rmdir ((directory + "/plugins").c_str ());
    g_rmdir (directory.c_str ());
  }
  std::string check (const std::string &text, const char *setting = nullptr)
  {
    g_autoptr (GError) error = nullptr;
    g_autoptr (CenoteRegistry) registry = static_plugins::registry_new ();
    const char *const program[] = { setting, nullptr };

    g_file_set_contents (path.c_str (), text.c_str (), -1, nullptr);
    g_autoptr (CenoteConfig) file = config_open (path.c_str (), nullptr);
    g_autoptr (CenoteConfig) config = config_overlay (file, program);
    settings_free (settings);
    settings = settings_new (config, registry, nullptr, &error);
    return error != nullptr ? error->message : "";
  }
  ~SettingsPath () override { settings_free (settings); }
  std::string directory, path;
  Settings *settings = nullptr;
};

TEST_F (SettingsPath, ARelativeDirectoryIsOneBesideTheKeyfile)
{
  const std::string pool = "[pool:a]\nprofile=local\nbackoff=zzz\n";

  EXPECT_EQ (
    check ("[cenote]\nplugin-path=plugins\n" + pool),
    path + ":5: [pool:a] backoff: no group [backoff:zzz] and no backoff plugin 'zzz': there is no backoff-zzz.so in "
      + directory + "/plugins");
}

TEST_F (SettingsPath, ABadDirectoryIsAProblemOnItsLine)
{
  const std::string problem = check ("[cenote]\nplugin-path=plugins;nowhere\n[pool:a]\nprofile=local\n");

  EXPECT_EQ (problem.rfind (path + ":2: [cenote] plugin-path: ", 0), 0u) << problem;
  EXPECT_NE (problem.find (directory + "/nowhere"), std::string::npos) << problem;
}

TEST_F (SettingsPath, RelativePathsOfOptionsAreBesideTheKeyfileToo)
{
  const std::string text = "[pool:a]\nprofile=local\ntransport=corp\n[transport:corp]\nca-file=ca.pem\n";

  EXPECT_EQ (check (text), "");
  EXPECT_EQ (((PoolSettings *) settings->pools->pdata[0])->transport->values[0].text, directory + "/ca.pem");
  EXPECT_EQ (check (text, "transport:corp/ca-file=mine.pem"), "");
  EXPECT_STREQ (((PoolSettings *) settings->pools->pdata[0])->transport->values[0].text, "mine.pem");
}

/* --------------------------------------------------------------- addresses */

TEST (SettingsTargets, ExactlyOneWayToNameThem)
{
  const std::string none = "[pool:a]\ntransport=insecure\n";

  EXPECT_EQ (Checked (none).problems (),
             "(data):1: [pool:a] target: missing (target=HOST:PORT, or targets=HOST:PORT;HOST:PORT)");
  EXPECT_EQ (Checked (none + "target=x:1\ntargets=y:1\n").problems (),
             "(data):4: [pool:a] targets: contradicts target on line 3 (write one of them)");
  EXPECT_EQ (Checked (none + "uri=grpc://x:1\n").problems (), "");
  EXPECT_EQ (Checked (none + "uri=grpc://x:1\ntarget=x:1\n").problems (),
             "(data):4: [pool:a] target: contradicts uri on line 3 (write one of them)");
}

TEST (SettingsTargets, BadOnes)
{
  EXPECT_EQ (wrong ("target=x\n"),
             "(data):3: [pool:a] target: 'x' names no port (HOST:PORT; only profile=production has one for all, 443)");
  EXPECT_EQ (wrong ("targets=x:1;dns:///x:1;y:0\n"),
             "(data):3: [pool:a] targets: 'dns:///x:1' is named twice (once is enough)\n"
             "(data):3: [pool:a] targets: '0' is not a port in 'y:0' (1 to 65535)");
  EXPECT_EQ (wrong ("targets=\n"), "(data):3: [pool:a] targets: has 0 elements (1 to 1000 elements)");
  EXPECT_EQ (wrong ("target=\n"), "(data):3: [pool:a] target: the address is empty (HOST:PORT)");
}

TEST (SettingsTargets, AConnectorThatDialsHasNone)
{
  Checked c (local ("connector=caching\n"));

  ASSERT_NE (c.settings, nullptr) << c.problems ();
  EXPECT_EQ (c.targets (), Lines{});
  EXPECT_EQ (
    wrong ("connector=caching\ntarget=x:1\n"),
    "(data):4: [pool:a] target: contradicts connector=caching, whose addresses come from dial() (leave it out)");
}

TEST (SettingsTargets, ATransportThatDrivesItselfTakesAny)
{
  Checked c ("[pool:a]\ntransport=mock\ntargets=mock://a;plain\n");

  ASSERT_NE (c.settings, nullptr) << c.problems ();
  EXPECT_EQ (c.targets (), (Lines{ "mock://a", "plain" }));
}

/* -------------------------------------------------------------- contradictions */

TEST (SettingsRules, BoundsAreInOrder)
{
  EXPECT_EQ (wrong ("min-channels=5\nmax-channels=4\n"),
             "(data):4: [pool:a] max-channels: 4 is below min-channels on line 3, which is 5 (min-channels must not be "
             "above max-channels)");
  EXPECT_EQ (wrong ("max-channels=4\nmin-channels=5\n"),
             "(data):4: [pool:a] min-channels: 5 is above max-channels on line 3, which is 4 (min-channels must not be "
             "above max-channels)");
  EXPECT_EQ (wrong ("min-channels=11\n"),
             "(data):3: [pool:a] min-channels: 11 is above max-channels on line 1, which is 10 by default "
             "(min-channels must not be above max-channels)");
  EXPECT_EQ (
    wrong ("size=3\nmin-channels=4\n"),
    "(data):4: [pool:a] min-channels: 4 is above size on line 3, which is 3 (min-channels must not be above size)");
  EXPECT_EQ (
    wrong ("max-channels=4\nsize=5\n"),
    "(data):4: [pool:a] size: 5 is above max-channels on line 3, which is 4 (size must not be above max-channels)");
  EXPECT_EQ (wrong ("size=100\n"), "");
  EXPECT_EQ (wrong ("min-channels=4\n"), "");
  EXPECT_EQ (wrong ("size=0\nmax-channels=1\n"), "(data):3: [pool:a] size: '0' is below the minimum 1 (1 to 10000)");
}

TEST (SettingsRules, Credentials)
{
  EXPECT_EQ (wrong ("api-key=s3cret\ntoken-file=/t\nallow-plaintext-credentials=yes\n"),
             "(data):4: [pool:a] token-file: contradicts api-key on line 3 (write one of them)");
  EXPECT_EQ (wrong ("api-key=s3cret\n"),
             "(data):3: [pool:a] api-key: would be sent in plaintext (a transport with TLS, or "
             "allow-plaintext-credentials=yes)");
  EXPECT_EQ (wrong ("api-key=s3cret\nallow-plaintext-credentials=yes\n"), "");
  EXPECT_EQ (wrong ("api-key=s3cret\ntransport=corp\n[transport:corp]\nca-file=/ca\n"), "");
  EXPECT_NE (wrong ("api-key=s3cret\ntransport=mock\n"), "") << "a transport that does not say it is secure is not";
}

TEST (SettingsRules, CredentialsAreInOnePlace)
{
  const std::string tls = "transport=corp\n[transport:corp]\nca-file=/ca\n";
  Checked key (local ("api-key=s3cret\n" + tls)), token (local ("token-file=/run/token\n" + tls)), none (local (tls));

  ASSERT_TRUE (key.settings != nullptr && token.settings != nullptr && none.settings != nullptr);
  EXPECT_EQ (key.pool ().credentials.kind, CREDENTIALS_API_KEY);
  EXPECT_STREQ (key.pool ().credentials.value, "s3cret");
  EXPECT_EQ (token.pool ().credentials.kind, CREDENTIALS_TOKEN_FILE);
  EXPECT_STREQ (token.pool ().credentials.value, "/run/token");
  EXPECT_EQ (none.pool ().credentials.kind, CREDENTIALS_NONE);
  EXPECT_EQ (none.pool ().credentials.value, nullptr);
}

TEST (SettingsRules, Primes)
{
  for (const char *good : { "none", "headers", "health", "/acme.Users/Ping" })
    EXPECT_EQ (wrong (std::string ("prime=") + good + "\n"), "") << good;
  EXPECT_EQ (wrong ("prime=heath\n"),
             "(data):3: [pool:a] prime: 'heath' is nothing to prime with (none, headers, health or "
             "/PACKAGE.SERVICE/METHOD; nearest: health)");
  for (const char *bad : { "", "/", "/a", "/a/", "//a", "/a/b/c", "/a b/c", "acme.Users/Ping" })
    EXPECT_NE (wrong (std::string ("prime=") + bad + "\n"), "") << bad;
}

TEST (SettingsRules, ChannelArguments)
{
  EXPECT_EQ (wrong ("channel-args=grpc.primary_user_agent=me;grpc.x=5\n"), "");
  EXPECT_EQ (
    wrong ("channel-args=grpc.x=5;nonsense;grpc.enable_retries=1;grpc.x=6\n"),
    "(data):3: [pool:a] channel-args: 'nonsense' is no argument (NAME=VALUE)\n"
    "(data):3: [pool:a] channel-args: grpc.enable_retries is Cenote's to set (C-core's retries can abort the process)\n"
    "(data):3: [pool:a] channel-args: grpc.x is given twice (leave one out)");
}

TEST (SettingsRules, WhatHasNoEffectIsANote)
{
  Checked c (
    local ("idle-timeout=10s\nleak-threshold=20s\nhard-stream-limit=no\nmax-connection-age-jitter=5%\nkeepalive-timeout=5s\n"));

  ASSERT_NE (c.settings, nullptr) << c.problems ();
  EXPECT_EQ (pool_number (&c.pool (), POOL_IDLE_TIMEOUT), 10000000);
  EXPECT_EQ (c.notes, (Lines{ "(data):6: [pool:a] max-connection-age-jitter: has no effect while max-connection-age is off",
                              "(data):7: [pool:a] keepalive-timeout: has no effect while keepalive-time and "
                              "ping-interval are off" }));
}

TEST (SettingsRules, ASizeThatTheConnectorChoosesIsANote)
{
  Checked c (local ("connector=elastic\nsize=5\nmin-channels=2\n")), own (local ("connector=elastic\n"));

  ASSERT_NE (c.settings, nullptr) << c.problems ();
  EXPECT_EQ (c.notes, (Lines{ "(data):4: [pool:a] size: has no effect with connector elastic, which chooses the size itself" }));
  EXPECT_EQ (own.notes, Lines{});
}

TEST (SettingsRules, WhatNeedsAnotherKeyIsANoteWithoutIt)
{
  Checked lone (local ("keepalive-permit-without-calls=yes\nhealth-service=acme.Users\n"));
  Checked used (local ("health-check=grpc\nhealth-service=acme.Users\nping-interval=10s\nkeepalive-timeout=5s\n"));

  EXPECT_EQ (lone.notes, (Lines{ "(data):3: [pool:a] keepalive-permit-without-calls: has no effect while "
                                 "keepalive-time is off",
                                 "(data):4: [pool:a] health-service: has no effect while health-check is off" }));
  EXPECT_EQ (used.notes, Lines{});
}

TEST (SettingsRules, OverATransportThatDrivesItselfNobodyIsAsked)
{
  Checked c ("[pool:a]\ntarget=x:1\ntransport=mock\nping-interval=10s\nhealth-check=grpc\n");

  EXPECT_EQ (c.notes, (Lines{ "(data):4: [pool:a] ping-interval: has no effect with transport mock, over which no call goes",
                              "(data):5: [pool:a] health-check: has no effect with transport mock, over which no call "
                              "goes" }));
}

/* Never silently: a default server ends such connections. */
TEST (SettingsRules, KeepaliveThatServersPunishIsANote)
{
  const std::string with_calls = ": servers by default end connections that ping more often than every 5 min, with "
                                 "ENHANCE_YOUR_CALM (5min, or a server that permits it)";
  const std::string without = ": servers by default end connections that without calls ping more often than every 2 h, "
                              "with ENHANCE_YOUR_CALM (keepalive-time=2h, or a server that permits it)";

  EXPECT_EQ (Checked (local ("keepalive-time=299s\n")).notes,
             (Lines{ "(data):3: [pool:a] keepalive-time" + with_calls }));
  EXPECT_EQ (Checked (local ("keepalive-time=5min\n")).notes, Lines{});
  EXPECT_EQ (Checked (local ("keepalive-time=5min\nkeepalive-permit-without-calls=yes\n")).notes,
             (Lines{ "(data):4: [pool:a] keepalive-permit-without-calls" + without }));
  EXPECT_EQ (Checked (local ("keepalive-time=2h\nkeepalive-permit-without-calls=yes\n")).notes, Lines{});
  EXPECT_EQ (Checked (local ("keepalive-time=1s\nkeepalive-permit-without-calls=yes\n")).notes,
             (Lines{ "(data):3: [pool:a] keepalive-time" + with_calls,
                     "(data):4: [pool:a] keepalive-permit-without-calls" + without }));
}

/* ------------------------------------------------------------ all that is wrong */

TEST (Settings, AFileWithoutAPool)
{
  EXPECT_EQ (Checked ("").problems (), "(data): there is no pool (a [pool:NAME] group with target=HOST:PORT)");
  EXPECT_EQ (Checked ("[cenote]\n").problems (),
             "(data): there is no pool (a [pool:NAME] group with target=HOST:PORT)");
  EXPECT_EQ (Checked ("[pol:a]\nsize=5\n").problems ().find ("there is no pool"), std::string::npos);
}

TEST (Settings, FormAndValuesAreOneList)
{
  EXPECT_EQ (Checked ("[cenote]\nmax-concurrent-dials=0\ntelemtry=log\n[pool:a]\nprofile=local\nsize=five\njunk "
                      "here\ntarget=${X_NOT_SET}\n"
                      "connect-timeout=50ms\n[backoff:b]\nplugin=constant\ndelay=1\n")
               .problems (),
             "(data):2: [cenote] max-concurrent-dials: '0' is below the minimum 1 (1 to 100000)\n"
             "(data):3: [cenote] telemtry: unknown key ([cenote] takes plugin-path, telemetry, max-concurrent-dials; "
             "nearest: telemetry)\n"
             "(data):6: [pool:a] size: 'five' is not a whole number (1 to 10000)\n"
             "(data):7: [pool:a]: the line is no group, key or comment ([KIND:NAME], key=value or # comment)\n"
             "(data):8: [pool:a] target: ${X_NOT_SET} is not set (set X_NOT_SET in the environment, or write "
             "${X_NOT_SET:-default})\n"
             "(data):9: [pool:a] connect-timeout: '50ms' is below the minimum 100ms (100ms to 10min)\n"
             "(data):12: [backoff:b] delay: '1' is not a duration (a number and us, ms, s, min or h, e.g. 500ms)");
}

TEST (Settings, ALineThatIsLostIsNotMissedAsWell)
{
  const std::string junk = "the line is no group, key or comment ([KIND:NAME], key=value or # comment)";

  EXPECT_EQ (Checked ("[pool:a]\ntransport=insecure\ntarget x:1\n").problems (), "(data):3: [pool:a]: " + junk);
  EXPECT_EQ (Checked ("[pool:a]\ntransport: insecure\ntarget=x:1\n").problems (), "(data):2: [pool:a]: " + junk);
  EXPECT_EQ (Checked ("[pool:a]\nprofile local\ntarget=x:1\n").problems (), "(data):2: [pool:a]: " + junk);
  EXPECT_EQ (Checked (local ("backoff=g\n[backoff:g]\nplugin constant\n")).problems (),
             "(data):5: [backoff:g]: " + junk);
  EXPECT_EQ (Checked (local ("transport=corp\n[transport:corp]\nca-file /ca\n")).problems (),
             "(data):5: [transport:corp]: " + junk);
}

TEST (Settings, ACommentBehindAValueIsExplained)
{
  Checked c (local ("size=5 # five\n"));

  EXPECT_EQ (c.problems (),
             "(data):3: [pool:a] size: '5 # five' is not a whole number (1 to 10000); a comment is a line of its own");
  EXPECT_EQ (c.notes.size (), 1u);
}

TEST (Settings, SecretsAreInNoProblemAndNoNote)
{
  Checked c (local ("transport=corp\napi-key=s3cret # "
                    "x\nuri=grpc://u:s3cret@x\n[transport:corp]\nca-file=/c\npassphrase=s3cret\npin=s3cret\n"));

  EXPECT_EQ (c.problems ().find ("s3cret"), std::string::npos) << c.problems ();
  EXPECT_NE (c.problems ().find ("[transport:corp] pin: the value is not a whole number (1000 to 9999)"),
             std::string::npos)
    << c.problems ();
  for (const std::string &note : c.notes)
    EXPECT_EQ (note.find ("s3cret"), std::string::npos) << note;
}

TEST (Settings, PoolsOutliveTheSettings)
{
  auto *checked = new Checked (local ("backoff=g\n[backoff:g]\nplugin=constant\ndelay=2s\n"));
  ASSERT_NE (checked->settings, nullptr);
  PoolSettings *pool = pool_settings_ref ((PoolSettings *) checked->settings->pools->pdata[0]);
  PluginUse *use = plugin_use_ref (pool->backoff);

  delete checked;
  EXPECT_STREQ (pool->targets[0], "dns:///localhost:9090");
  pool_settings_unref (pool);
  EXPECT_EQ (use->values[0].number, 2000000);
  plugin_use_unref (use);
  pool_settings_unref (nullptr);
  plugin_use_unref (nullptr);
  settings_free (nullptr);
}

TEST (Settings, NotesMayBeLeftOut)
{
  g_autoptr (CenoteConfig) config = config_parse ("[pool:a]\nprofile=local\n", -1);
  g_autoptr (CenoteRegistry) registry = static_plugins::registry_new ();
  g_autoptr (Settings) settings = settings_new (config, registry, nullptr, nullptr);

  EXPECT_NE (settings, nullptr);
}

} // namespace
