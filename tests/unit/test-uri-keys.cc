/* SPDX-License-Identifier: Apache-2.0 */
/* uri-keys: a connection string beside a keyfile's keys, its plugins' groups and what the program sets. */
#include <glib/gstdio.h>
#include <gtest/gtest.h>

#include "tests/unit/opened-uri.h"

namespace {

using opened_uri::OpenedFile;
using opened_uri::OpenedUri;
using opened_uri::registry_new;

/* ----------------------------------------------------------------- keyfiles */

const char *const pool = "[pool:a]\nuri=grpc://h:1?size=3&backoff.initial=1s\n";

TEST (UriInAKeyfile, IsWhatItIsAlone)
{
  OpenedFile opened (pool);

  ASSERT_NE (opened.settings, nullptr) << opened.problems ();
  EXPECT_EQ (opened.summary (), "insecure dns:///h:1 size=3 backoff.initial=1s");
  EXPECT_EQ (opened.pool ()->options[POOL_SIZE].line, 2u);
  EXPECT_EQ (opened.pool ()->options[POOL_SIZE].layer, CONFIG_LAYER_KEYFILE);
}

TEST (UriInAKeyfile, TellsItsFaultsAtItsLine)
{
  EXPECT_EQ (OpenedFile ("[pool:a]\nuri=localhost:1\n").problems (),
             "(data):2: [pool:a] uri: the connection string must include a scheme (grpc://HOST:PORT, grpcs://HOST for "
             "TLS, or unix:///PATH)");
  EXPECT_EQ (OpenedFile ("[pool:a]\nuri=grpc://h:1?sise=3&size=x&backoff.inital=1s\n").problems (),
             "(data):2: [pool:a] uri: sise: unknown key (" KNOWN_KEYS "; nearest: size)\n"
             "(data):2: [pool:a] uri: size: 'x' is not a whole number (1 to 10000)\n"
             "(data):2: [pool:a] uri: backoff.inital: unknown key (backoff plugin exponential takes initial, "
             "multiplier, jitter, max, plugin; nearest: initial)");
  EXPECT_EQ (OpenedFile ("[pool:a]\nuri=grpc://h:1?min-channels=5&max-channels=4\n").problems (),
             "(data):2: [pool:a] uri: min-channels: 5 is above uri: max-channels on line 2, which is 4 (min-channels "
             "must not be above max-channels)");
}

TEST (UriInAKeyfile, TakesVariablesOnce)
{
  g_setenv ("CENOTE_TEST_URI", "grpcs://alice:hunter2%24%7BHOME%7D@h", TRUE);
  OpenedFile opened ("[pool:a]\nuri=${CENOTE_TEST_URI}\n");
  g_unsetenv ("CENOTE_TEST_URI");

  ASSERT_NE (opened.settings, nullptr) << opened.problems ();
  EXPECT_STREQ (opened.pool ()->credentials.value, "alice:hunter2${HOME}");
}

TEST (UriInAKeyfile, ContradictsWhatIsWrittenBesideIt)
{
  const std::string uri = "[pool:a]\nuri=grpc://h:1?size=3&autoConnect=no&backoff=constant\n";

  EXPECT_EQ (OpenedFile (uri + "size=4\n").problems (),
             "(data):2: [pool:a] uri: size: contradicts size on line 3 (write one of them)");
  EXPECT_EQ (OpenedFile (uri + "initialization=eager\nbackoff=exponential\n").problems (),
             "(data):2: [pool:a] uri: autoConnect: contradicts initialization on line 3 (write one of them)\n"
             "(data):2: [pool:a] uri: backoff: contradicts backoff on line 4 (write one of them)");
  EXPECT_EQ (OpenedFile (uri + "target=x:1\n").problems (),
             "(data):3: [pool:a] target: contradicts uri on line 2 (write one of them)");
  EXPECT_EQ (OpenedFile (uri + "targets=x:1\n").problems (),
             "(data):3: [pool:a] targets: contradicts uri on line 2 (write one of them)");
  EXPECT_EQ (OpenedFile ("[pool:a]\nuri=grpcs://u:hunter2@h\napi-key=s3cret9\n").problems (),
             "(data):2: [pool:a] uri: has user:password, and the pool has api-key as well (one kind of credentials)");
  EXPECT_EQ (OpenedFile ("[pool:a]\nuri=grpcs://h\ntransport=insecure\n").problems (),
             "(data):3: [pool:a] transport: contradicts the connection string, which is TLS (a transport with TLS, or "
             "grpc://)");
}

TEST (UriInAKeyfile, TakesTheRestFromTheKeyfile)
{
  OpenedFile opened ("[pool:a]\nuri=grpcs://h\ntransport=corp\nconnect-timeout=1s\n[transport:corp]\nca-file=/ca\n");

  ASSERT_NE (opened.settings, nullptr) << opened.problems ();
  EXPECT_STREQ (opened.pool ()->transport->instance, "corp");
  EXPECT_EQ (pool_number (opened.pool (), POOL_CONNECT_TIMEOUT), G_USEC_PER_SEC);
  EXPECT_FALSE (opened.pool ()->options[POOL_CONNECT_TIMEOUT].from_uri);
}

TEST (UriInAKeyfile, SchemesSetOnlyWhatNobodyHasWritten)
{
  OpenedFile opened ("[pool:a]\nuri=chronicle://h\nsize=3\nbackoff=gentle\n[backoff:gentle]\nplugin=constant\n");
  OpenedFile named ("[pool:a]\nuri=chronicle://h\n[backoff:exponential]\ninitial=3s\n");

  ASSERT_NE (opened.settings, nullptr) << opened.problems ();
  EXPECT_EQ (opened.summary (), "tls dns:///h:35000");
  EXPECT_EQ (pool_number (opened.pool (), POOL_SIZE), 3);
  ASSERT_NE (named.settings, nullptr) << named.problems ();
  EXPECT_EQ (named.summary (), "tls dns:///h:35000 size=1") << "the keyfile's group is what somebody has written";
}

/* ------------------------------------------------------ options of plugins */

const char *const gentle = "[backoff:gentle]\nplugin=exponential\ninitial=7s\nmax=9s\n";

TEST (UriPluginOptions, LieOverTheGroupForThisPoolAlone)
{
  OpenedFile opened (std::string ("[pool:a]\nuri=grpc://h:1?backoff=gentle&backoff.initial=1s\n"
                                  "[pool:b]\ntransport=insecure\ntarget=x:1\nbackoff=gentle\n") +
                     gentle);

  ASSERT_NE (opened.settings, nullptr) << opened.problems ();
  const PluginUse *own = opened.pool ()->backoff;
  const PluginUse *shared = ((PoolSettings *) opened.settings->pools->pdata[1])->backoff;
  EXPECT_STREQ (own->instance, "a/gentle");
  EXPECT_STREQ (own->plugin->name, "exponential");
  EXPECT_EQ (own->values[0].number, G_USEC_PER_SEC);
  EXPECT_EQ (own->values[3].number, 9 * G_USEC_PER_SEC);
  EXPECT_STREQ (shared->instance, "gentle");
  EXPECT_EQ (shared->values[0].number, 7 * G_USEC_PER_SEC);
}

TEST (UriPluginOptions, FillWhatTheGroupLacks)
{
  OpenedFile opened ("[pool:a]\nuri=grpcs://h?transport.ca-file=/ca&transport=corp\n"
                     "[transport:corp]\nmin-version=1.3\n");

  ASSERT_NE (opened.settings, nullptr) << opened.problems ();
  EXPECT_STREQ (opened.pool ()->transport->values[0].text, "/ca");
}

TEST (UriPluginOptions, FaultsOfTheGroupAreTheGroups)
{
  EXPECT_EQ (OpenedFile ("[pool:a]\nuri=grpc://h:1?backoff=gentle&backoff.max=x\n[backoff:gentle]\n"
                         "plugin=exponential\ninitial=y\n")
               .problems (),
             "(data):2: [pool:a] uri: backoff.max: 'x' is not a duration (a number and us, ms, s, min or h, e.g. "
             "500ms)\n"
             "(data):5: [backoff:gentle] initial: 'y' is not a duration (a number and us, ms, s, min or h, e.g. "
             "500ms)");
}

TEST (UriPluginOptions, PathsAreBesideTheKeyfile)
{
  g_autofree char *directory = g_dir_make_tmp ("cenote-uri.XXXXXX", nullptr);
  const std::string path = std::string (directory) + "/a.conf";
  g_autoptr (GError) error = nullptr;

  ASSERT_TRUE (g_file_set_contents (path.c_str (), "[pool:a]\nuri=grpcs://h?transport.ca-file=ca.pem\n", -1, nullptr));
  {
    g_autoptr (CenoteConfig) config = cenote_config_new_from_file (path.c_str (), &error);
    g_autoptr (CenoteRegistry) registry = registry_new ();
    g_autoptr (Settings) settings = settings_new (config, registry, nullptr, &error);

    ASSERT_NE (settings, nullptr) << error->message;
    EXPECT_EQ (((PoolSettings *) settings->pools->pdata[0])->transport->values[0].text,
               std::string (directory) + "/ca.pem");
  }
  g_unlink (path.c_str ());
  g_rmdir (directory);
}

/* -------------------------------------------------------------- the program */

TEST (UriAndTheProgram, ItsSettingsWin)
{
  OpenedFile opened (pool, { "pool:a/size=9" });

  ASSERT_NE (opened.settings, nullptr) << opened.problems ();
  EXPECT_EQ (pool_number (opened.pool (), POOL_SIZE), 9);
  EXPECT_FALSE (opened.pool ()->options[POOL_SIZE].from_uri);
}

TEST (UriAndTheProgram, ItsStringReplacesTheKeyfiles)
{
  OpenedFile opened (std::string (pool) + "connect-timeout=1s\n", { "pool:a/uri=grpc://other:2?connect-timeout=2s" });
  OpenedFile healed ("[pool:a]\nuri=nonsense\n", { "pool:a/uri=grpc://other:2" });

  ASSERT_NE (opened.settings, nullptr) << opened.problems ();
  EXPECT_EQ (opened.summary (), "insecure dns:///other:2 connect-timeout=2s") << "nothing is left of the keyfile's";
  EXPECT_EQ (opened.pool ()->options[POOL_CONNECT_TIMEOUT].layer, CONFIG_LAYER_PROGRAM);
  EXPECT_EQ (pool_number (opened.pool (), POOL_SIZE), 5);
  EXPECT_NE (healed.settings, nullptr) << healed.problems ();
}

TEST (UriAndTheProgram, ContradictsItsOwnSettings)
{
  EXPECT_EQ (OpenedFile ("[pool:a]\n", { "pool:a/uri=grpc://h:1?size=2", "pool:a/size=3" }).problems (),
             "(program): [pool:a] uri: size: contradicts size set by the program (write one of them)");
}

TEST (UriAndTheProgram, LiesOverAStringThatIsTheConfig)
{
  const char *const settings[] = { "pool:default/size=9", nullptr };
  const char *const again[] = { "pool:default/uri=grpc://other:2", nullptr };
  g_autoptr (CenoteConfig) base = cenote_config_new_from_uri ("grpc://h:1?size=3&critical=no", nullptr);
  g_autoptr (CenoteRegistry) registry = registry_new ();
  g_autoptr (CenoteConfig) sized = cenote_config_new_with (base, settings, nullptr);
  g_autoptr (CenoteConfig) moved = cenote_config_new_with (sized, again, nullptr);
  g_autofree char *first = cenote_config_explain (sized, registry, FALSE, nullptr);
  g_autofree char *second = cenote_config_explain (moved, registry, FALSE, nullptr);

  EXPECT_NE (strstr (first, "\nsize=9 "), nullptr) << first;
  EXPECT_NE (strstr (first, "\ncritical=no "), nullptr) << first;
  EXPECT_NE (strstr (second, "\nsize=9 "), nullptr) << second;
  EXPECT_NE (strstr (second, "\ncritical=yes "), nullptr) << second;
  EXPECT_NE (strstr (second, "# dials dns:///other:2\n"), nullptr) << second;
}

/* ------------------------------------------------------------------ explain */

/* The source that explain names behind PAIR. */
std::string
source_of (const std::string &text, const std::string &pair)
{
  size_t at = ("\n" + text).find ("\n" + pair + " ");

  if (at == std::string::npos)
    return "(no such line)";
  const std::string line = text.substr (at, text.find ('\n', at) - at);
  return line.substr (line.find_first_not_of (' ', pair.size ()));
}

TEST (UriExplain, SaysWhatComesFromTheString)
{
  const std::string alone = OpenedUri ("grpc://h:1?size=3&backoff.initial=1s").explained (FALSE),
                    file = OpenedFile (pool).explained (FALSE);

  EXPECT_NE (alone.find ("\n[backoff:default/exponential]\n"), std::string::npos) << alone;
  EXPECT_EQ (source_of (alone, "size=3"), "(uri)");
  EXPECT_EQ (source_of (alone, "uri=(secret)"), "(uri)");
  EXPECT_EQ (source_of (alone, "transport=insecure"), "(uri)");
  EXPECT_EQ (source_of (alone, "initial=1s"), "(uri)");
  EXPECT_EQ (source_of (alone, "max=10s"), "default");
  EXPECT_NE (file.find ("(data):2 (uri)\n"), std::string::npos) << file;
  EXPECT_NE (
    OpenedUri ("grpc://h:1?size=3").explained (TRUE).find ("{\"key\":\"size\",\"value\":\"3\",\"source\":\"uri\""),
    std::string::npos);
}

} // namespace
