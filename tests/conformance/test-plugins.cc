// SPDX-License-Identifier: Apache-2.0
// Every plugin that was built keeps the promises of its kind.  Plugins are taken
// from CENOTE_PLUGIN_PATH, as the registry finds them: none is named here.
#include <grpc/grpc.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tools/conformance/conformance.h"
#include "tests/unit/log-capture.h"

namespace {

const CenotePluginKind kinds[] = { CENOTE_PLUGIN_BACKOFF, CENOTE_PLUGIN_CONNECTOR, CENOTE_PLUGIN_PICKER,
                                   CENOTE_PLUGIN_TRANSPORT, CENOTE_PLUGIN_TELEMETRY };

struct Tally {
  std::string plugin;
  unsigned checks = 0;
};

void
report (gpointer data, const char *check, const char *problem)
{
  Tally *tally = static_cast<Tally *> (data);

  tally->checks++;
  EXPECT_STREQ (problem, nullptr) << tally->plugin << ": " << check;
}

/* What PLUGIN cannot do without gets its own name as value. */
std::vector<std::string>
required_settings (Plugin *plugin)
{
  std::vector<std::string> settings;
  CenoteOption row;

  for (guint i = 0; i < plugin->options.n_rows; i++) {
    option_table_row (&plugin->options, i, &row);
    if (row.flags & CENOTE_OPTION_REQUIRED)
      settings.push_back (std::string (row.name) + "=" + row.name);
    if (g_str_equal (row.name, "listen")) // a hundred of them cannot have one port
      settings.push_back ("listen=127.0.0.1:0");
  }
  return settings;
}

unsigned
run_all (Plugin *plugin, Tally *tally)
{
  std::vector<std::string> settings = required_settings (plugin);
  std::vector<const char *> pointers;

  for (const std::string &setting : settings)
    pointers.push_back (setting.c_str ());
  pointers.push_back (nullptr);
  return conformance_run (plugin, pointers.data (), report, tally);
}

TEST (Conformance, EveryPluginKeepsThePromisesOfItsKind)
{
  LogCapture log; // a sink that logs does so
  g_autoptr (CenoteRegistry) registry = cenote_registry_new ();
  unsigned plugins = 0;

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

// ---------------------------------------------------- the checks find faults

int64_t next_negative (void *) { return -1; }
int64_t next_random (void *) { return g_random_int (); }
uint32_t pick_second (void *, const CenotePickView *) { return 1; }
uint32_t pick_in_turn (void *, const CenotePickView *view)
{
  uint64_t n = *view->scratch % view->n_places;

  *view->scratch = n + 1;
  return (uint32_t) (n == view->avoid ? *view->scratch % view->n_places : n);
}
void plan_nothing (void *, const CenoteConnectorView *, CenotePlan *) {}
void plan_endlessly (void *, const CenoteConnectorView *view, CenotePlan *plan)
{
  plan->open (plan, cenote_view_address (view, 0)->id, 1, 0);
}
struct grpc_channel *create_none (void *, const char *, const void *, CenoteFault *) { return nullptr; }
void *create_token (const CenoteHost *, const CenoteOptions *, CenoteFault *) { static char token; return &token; }
void *create_nothing (const CenoteHost *, const CenoteOptions *, CenoteFault *) { return nullptr; }

void
count_problem (gpointer data, const char *, const char *problem)
{
  *static_cast<unsigned *> (data) += problem != nullptr;
}

unsigned
count_problems (CenotePluginKind kind, const void *ops)
{
  CenotePlugin descriptor {};
  g_autoptr (GError) error = nullptr;
  g_autoptr (Plugin) plugin = nullptr;
  unsigned problems = 0;

  descriptor.magic = CENOTE_PLUGIN_MAGIC;
  descriptor.abi_minor = CENOTE_ABI_MINOR;
  descriptor.struct_size = sizeof descriptor;
  descriptor.kind = kind;
  descriptor.name = "bad";
  descriptor.version = "1";
  descriptor.summary = "Breaks its promises";
  descriptor.license = "Apache-2.0";
  descriptor.ops = ops;
  plugin = plugin_new (&descriptor, kind, "bad", &error);
  EXPECT_NE (plugin, nullptr) << (error ? error->message : "");
  EXPECT_EQ (conformance_run (plugin, nullptr, count_problem, &problems), problems);
  return problems;
}

TEST (Conformance, FindsBackoffsThatBreakTheirPromises)
{
  CenoteBackoffOps ops {};

  ops.struct_size = sizeof ops;
  ops.create = create_token;
  ops.next = next_negative;
  EXPECT_GE (count_problems (CENOTE_PLUGIN_BACKOFF, &ops), 2u);
  ops.next = next_random;
  EXPECT_GE (count_problems (CENOTE_PLUGIN_BACKOFF, &ops), 2u);
  ops.create = create_nothing;
  EXPECT_EQ (count_problems (CENOTE_PLUGIN_BACKOFF, &ops), 1u);
}

TEST (Conformance, FindsPickersThatBreakTheirPromises)
{
  CenotePickerOps ops {};

  ops.struct_size = sizeof ops;
  ops.pick = pick_second;
  EXPECT_GE (count_problems (CENOTE_PLUGIN_PICKER, &ops), 3u);
  ops.pick = pick_in_turn;
  EXPECT_EQ (count_problems (CENOTE_PLUGIN_PICKER, &ops), 0u);
  ops.flags = CENOTE_PICKER_NEEDS_LOAD;
  EXPECT_EQ (count_problems (CENOTE_PLUGIN_PICKER, &ops), 3u) << "it asks for loads and does not heed them";
}

TEST (Conformance, FindsConnectorsThatBreakTheirPromises)
{
  CenoteConnectorOps ops {};

  ops.struct_size = sizeof ops;
  ops.plan = plan_nothing;
  EXPECT_GE (count_problems (CENOTE_PLUGIN_CONNECTOR, &ops), 4u);
  ops.plan = plan_endlessly;
  EXPECT_GE (count_problems (CENOTE_PLUGIN_CONNECTOR, &ops), 4u);
}

TEST (Conformance, FindsTransportsThatBreakTheirPromises)
{
  CenoteTransportOps ops {};

  ops.struct_size = sizeof ops;
  ops.create_channel = create_none;
  EXPECT_GE (count_problems (CENOTE_PLUGIN_TRANSPORT, &ops), 5u);
}

} // namespace
