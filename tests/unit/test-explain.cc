/* SPDX-License-Identifier: Apache-2.0 */
/* explain: each value with its source, for people and for scripts; no secret. */
#include "tests/unit/static-plugins.h"

#include <gtest/gtest.h>

#include <string>

extern "C" {
#include "core/config/explain.h"
}

namespace {

const char *const keyfile = "[cenote]\n"
                            "telemetry=log;jsonl\n"
                            "[pool:a]\n"
                            "profile=local\n"
                            "connect-timeout=1500ms\n"
                            "transport=corp\n"
                            "api-key=s3cret\n"
                            "[transport:corp]\n"
                            "ca-file=/ca\n"
                            "passphrase=s3cret\n"
                            "[pool:b]\n"
                            "target=x:1\n"
                            "service-config={\"a\": \"\\q;${X}\"}\n"
                            "critical=no\n";

std::string
explained (gboolean json)
{
  const char *const program[] = { "pool:a/size=9", nullptr };
  g_autoptr (CenoteConfig) file = config_parse (keyfile, -1);
  g_autoptr (CenoteConfig) config = config_overlay (file, program);
  g_autoptr (CenoteRegistry) registry = static_plugins::registry_new ();
  g_autoptr (GError) error = nullptr;
  g_autoptr (Settings) settings = settings_new (config, registry, nullptr, &error);

  EXPECT_NE (settings, nullptr) << error->message;
  g_autofree char *text = settings != nullptr ? explain_settings (settings, json) : g_strdup ("");
  return text;
}

/* Whether TEXT has a line that begins with KEY=VALUE, blanks, and ends with SOURCE. */
testing::AssertionResult
says (const std::string &text, const std::string &pair, const std::string &source)
{
  size_t at = ("\n" + text).find ("\n" + pair + " ");

  if (at == std::string::npos)
    return testing::AssertionFailure () << "no line begins with " << pair << "\n" << text;
  const std::string line = text.substr (at, text.find ('\n', at) - at);
  const std::string rest = line.substr (pair.size ());
  if (rest.substr (rest.find_first_not_of (' ')) == source)
    return testing::AssertionSuccess ();
  return testing::AssertionFailure () << line;
}

TEST (Explain, NamesTheSourceOfEachValue)
{
  const std::string text = explained (FALSE);

  EXPECT_TRUE (says (text, "telemetry=log;jsonl", "(data):2"));
  EXPECT_TRUE (says (text, "max-concurrent-dials=100", "default"));
  EXPECT_TRUE (says (text, "profile=local", "(data):4"));
  EXPECT_TRUE (says (text, "target=localhost:9090", "profile local"));
  EXPECT_TRUE (says (text, "connect-timeout=1500ms", "(data):5"));
  EXPECT_TRUE (says (text, "size=9", "program"));
  EXPECT_TRUE (says (text, "drain-timeout=30s", "default"));
  EXPECT_TRUE (says (text, "targets=(none)", "default"));
  EXPECT_TRUE (says (text, "ca-file=/ca", "(data):9"));
  EXPECT_TRUE (says (text, "min-version=1.2", "default"));
}

TEST (Explain, ShowsPluginsAndWhatIsDialled)
{
  const std::string text = explained (FALSE);

  for (const char *line :
       { "\n# dials dns:///localhost:9090\n", "\n[transport:corp]\n# corp 1.0, built in\nplugin=corp\n",
         "\n[backoff:exponential]\n# exponential 1.0, built in\n", "\n[telemetry:jsonl]\n",
         "\n[pool:b]\n# cannot run: no group [transport:tls] and no transport plugin 'tls'" })
    EXPECT_NE (text.find (line), std::string::npos) << line << "\nis not in\n" << text;
}

TEST (Explain, HasEveryOptionOfEveryGroupOnce)
{
  const std::string text = explained (FALSE);
  const size_t begin = text.find ("[pool:a]"), end = text.find ("[pool:b]");

  for (guint i = 0; i < pool_options.n_rows; i++) {
    const std::string key = std::string ("\n") + pool_options.rows[i].name + "=";
    const size_t at = text.find (key, begin);

    EXPECT_LT (at, end) << key;
    EXPECT_GE (text.find (key, at + 1), end) << key;
  }
}

/* As it was taken. */
TEST (Explain, ShowsWhatIsTakenRawWithoutEscapes)
{
  EXPECT_TRUE (says (explained (FALSE), "service-config={\"a\": \"\\q;${X}\"}", "(data):13"));
  EXPECT_NE (explained (TRUE).find ("{\"key\":\"service-config\",\"value\":\"{\\\"a\\\": \\\"\\\\q;${X}\\\"}\""),
             std::string::npos);
}

TEST (Explain, ShowsNoSecret)
{
  for (bool json : { false, true }) {
    const std::string text = explained (json);

    EXPECT_EQ (text.find ("s3cret"), std::string::npos);
    EXPECT_NE (text.find ("(secret)"), std::string::npos);
  }
}

TEST (Explain, IsJsonForScripts)
{
  const std::string text = explained (TRUE);

  EXPECT_EQ (
    text.rfind (
      "{\"file\":\"(data)\",\"process\":[{\"key\":\"plugin-path\",\"value\":null,\"source\":\"default\",\"line\":null}",
      0),
    0u)
    << text;
  for (const char *part :
       { "{\"key\":\"telemetry\",\"value\":\"log;jsonl\",\"source\":\"keyfile\",\"line\":2}",
         "{\"key\":\"size\",\"value\":\"9\",\"source\":\"program\",\"line\":null}",
         "{\"key\":\"target\",\"value\":\"localhost:9090\",\"source\":\"profile\",\"line\":null}",
         "\"pools\":[{\"name\":\"a\",\"failure\":null,\"targets\":[\"dns:///localhost:9090\"],\"tracking\":null,\"options\":[",
         "{\"kind\":\"transport\",\"instance\":\"corp\",\"failure\":null,\"plugin\":\"corp\",\"version\":\"1.0\","
         "\"path\":null,\"shadowed\":[],"
         "\"options\":[{\"key\":\"ca-file\",\"value\":\"/ca\",\"source\":\"keyfile\",\"line\":9}",
         "{\"name\":\"b\",\"failure\":\"no group [transport:tls]" })
    EXPECT_NE (text.find (part), std::string::npos) << part << "\nis not in\n" << text;
}

} // namespace
