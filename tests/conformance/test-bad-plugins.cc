// SPDX-License-Identifier: Apache-2.0
// The suite finds the fault of each bad plugin, and has none in the good ones.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <set>

#include "bad-plugins.h"

namespace {

const CenotePluginKind kinds[] = { CENOTE_PLUGIN_BACKOFF, CENOTE_PLUGIN_CONNECTOR, CENOTE_PLUGIN_PICKER,
                                   CENOTE_PLUGIN_TRANSPORT, CENOTE_PLUGIN_TELEMETRY };

Plugin *
load (gpointer data, GError **error)
{
  const CenotePlugin *descriptor = static_cast<const CenotePlugin *> (data);

  return plugin_new (descriptor, static_cast<CenotePluginKind> (0), nullptr, error);
}

struct Found {
  std::set<std::string> broken;
  std::string problems;
};

void
note (gpointer data, const ConformanceCheck *check, ConformanceVerdict verdict, const char *problem)
{
  Found *found = static_cast<Found *> (data);

  EXPECT_EQ (verdict == CONFORMANCE_BROKEN, problem != nullptr) << check->name;
  if (!problem)
    return;
  found->broken.insert (check->name);
  found->problems += std::string (check->name) + ": " + problem + "\n";
}

Found
run_suite (const Row &row)
{
  Parts parts (row.kind);
  Found found;
  guint broken;

  shared = Shared ();
  parts.descriptor.ops = parts.ops ();
  row.spoil (parts);
  broken = conformance_run_loading (load, &parts.descriptor, nullptr, note, &found);
  EXPECT_EQ (broken, found.broken.size ());
  EXPECT_EQ (shared.living, 0) << "states were left";
  for (int file : shared.files)
    close (file);
  shared.end.set_value ();
  for (std::thread &thread : shared.threads)
    thread.join ();
  return found;
}

class BadPlugins : public testing::Test {
protected:
  void SetUp () override
  {
    g_setenv ("GRPC_VERBOSITY", "NONE", TRUE);
    grpc_init ();
  }
  void TearDown () override { grpc_shutdown (); }
};

TEST_F (BadPlugins, BreakTheOneCheckThatIsForThem)
{
  for (const Row &row : rows) {
    SCOPED_TRACE (std::string (cenote_plugin_kind_to_string (row.kind)) + ", " + row.what);
    Found found = run_suite (row);
    std::set<std::string> expected;

    if (row.check)
      expected.insert (row.check);
    EXPECT_EQ (found.broken, expected) << found.problems;
  }
}

TEST_F (BadPlugins, AreThereForEveryCheck)
{
  std::set<std::string> covered;

  for (const Row &row : rows)
    if (row.check)
      covered.insert (row.check);
  for (CenotePluginKind kind : kinds) {
    g_autoptr (GPtrArray) checks = conformance_list (kind);

    printf ("%s: %u checks\n", cenote_plugin_kind_to_string (kind), checks->len);
    for (guint i = 0; i < checks->len; i++) {
      const ConformanceCheck *check = static_cast<const ConformanceCheck *> (checks->pdata[i]);

      EXPECT_EQ (covered.count (check->name), 1u) << check->name << " has no plugin that breaks it";
    }
  }
}

// A file that cannot be loaded is a check that is broken, with the reason.
TEST_F (BadPlugins, ThatAreRefusedSayWhy)
{
  const Row row = LOAD ("a minimum above the maximum", p.options[0].min = "2h");

  EXPECT_NE (run_suite (row).problems.find ("load: option 'delay': its minimum"), std::string::npos);
}

} // namespace
