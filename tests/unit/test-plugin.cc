// SPDX-License-Identifier: Apache-2.0
// What is taken from a descriptor, what stands in for what it lacks, and what is refused.
#include <cenote/telemetry.h>

#include <cstring>

#include "plugin-files.h"

extern "C" {
#include "core/registry/plugin-slots.h"
}

using std::string;

namespace {

void *
create_any (const CenoteHost *, const CenoteOptions *, CenoteFault *)
{
  static char state;

  return &state;
}

int64_t next_any (void *) { return 42; }
void reset (void *) {}
void plan (void *, const CenoteConnectorView *, CenotePlan *) {}
uint32_t pick (void *, const CenotePickView *) { return 0; }
struct grpc_channel *create_any_channel (void *, const char *, const void *, CenoteFault *) { return nullptr; }
void watch (void *, struct grpc_channel *, CenoteTransportNotify, void *) {}
void connect_channel (void *, struct grpc_channel *) {}
void close_channel (void *, struct grpc_channel *) {}
void handle (void *, const CenoteEvent *) {}

// A descriptor that is right in all, for tests to spoil.
class Descriptor : public ::testing::Test
{
protected:
  Descriptor ()
  {
    descriptor.magic = CENOTE_PLUGIN_MAGIC;
    descriptor.abi_major = CENOTE_ABI_MAJOR;
    descriptor.abi_minor = CENOTE_ABI_MINOR;
    descriptor.struct_size = sizeof descriptor;
    descriptor.kind = CENOTE_PLUGIN_BACKOFF;
    descriptor.name = "mine";
    descriptor.version = "1.0";
    descriptor.summary = "Is a test's";
    descriptor.license = "Apache-2.0";
    descriptor.ops = &backoff;
    backoff.struct_size = sizeof backoff;
    backoff.create = create_any;
    backoff.next = next_any;
    connector.struct_size = sizeof connector;
    connector.plan = plan;
    picker.struct_size = sizeof picker;
    picker.pick = pick;
    transport.struct_size = sizeof transport;
    transport.create_channel = create_any_channel;
    telemetry.struct_size = sizeof telemetry;
    telemetry.mask = 1;
    telemetry.handle = handle;
  }

  void TearDown () override { g_clear_error (&error); }

  Plugin *take () { return plugin_new (&descriptor, (CenotePluginKind) 0, nullptr, &error); }

  void use (CenotePluginKind kind, const void *ops)
  {
    descriptor.kind = kind;
    descriptor.ops = ops;
  }

  // The refusal of a table of one row.
  void refuse_option (const CenoteOption &row, const string &part)
  {
    descriptor.options = &row;
    descriptor.n_options = 1;
    descriptor.option_size = sizeof row;
    EXPECT_REFUSED (take (), error, CENOTE_ERROR_PLUGIN, part);
  }

  CenotePlugin descriptor {};
  CenoteBackoffOps backoff {};
  CenoteConnectorOps connector {};
  CenotePickerOps picker {};
  CenoteTransportOps transport {};
  CenoteTelemetryOps telemetry {};
  GError *error = nullptr;
};

CenoteOption
option (const char *name, CenoteOptionType type, const char *default_text = nullptr)
{
  return CenoteOption { name, (uint32_t) type, 0, default_text, nullptr, nullptr, nullptr, "Says something" };
}

// ------------------------------------------------------------------ taken

TEST_F (Descriptor, IsCopied)
{
  g_autoptr (Plugin) plugin = take ();

  ASSERT_NE (plugin, nullptr) << error->message;
  EXPECT_EQ (plugin->kind, CENOTE_PLUGIN_BACKOFF);
  EXPECT_EQ (plugin->abi_major, CENOTE_ABI_MAJOR);
  EXPECT_EQ (plugin->abi_minor, CENOTE_ABI_MINOR);
  EXPECT_STREQ (plugin->name, "mine");
  EXPECT_STREQ (plugin->version, "1.0");
  EXPECT_STREQ (plugin->summary, "Is a test's");
  EXPECT_STREQ (plugin->license, "Apache-2.0");
  EXPECT_EQ (plugin->path, nullptr);
  EXPECT_EQ (plugin->shadowed[0], nullptr);
  EXPECT_EQ (plugin->options.n_rows, 0u);
  EXPECT_EQ (plugin->ops.backoff.next, next_any);
  EXPECT_EQ (plugin->ops.backoff.struct_size, sizeof (CenoteBackoffOps));
}

TEST_F (Descriptor, AbsentSlotsHaveDefaultsThatCanBeCalled)
{
  g_autoptr (Plugin) plugin = take ();

  ASSERT_NE (plugin, nullptr) << error->message;
  EXPECT_EQ (plugin->slots_filled, 3u);
  plugin->ops.backoff.reset (nullptr);
  plugin->ops.backoff.destroy (nullptr);
}

TEST_F (Descriptor, AnAbsentCreateGivesAStateThatIsNotNull)
{
  use (CENOTE_PLUGIN_PICKER, &picker);
  g_autoptr (Plugin) plugin = take ();

  ASSERT_NE (plugin, nullptr) << error->message;
  EXPECT_EQ (plugin->slots_filled, 2u);
  EXPECT_NE (plugin->ops.picker.create (nullptr, nullptr, nullptr), nullptr);
  plugin->ops.picker.done (nullptr, 0, 0, 0);
  plugin->ops.picker.destroy (nullptr);
}

TEST_F (Descriptor, EveryKindCanBeTaken)
{
  const struct { CenotePluginKind kind; const void *ops; } kinds[] = {
    { CENOTE_PLUGIN_BACKOFF, &backoff },     { CENOTE_PLUGIN_CONNECTOR, &connector }, { CENOTE_PLUGIN_PICKER, &picker },
    { CENOTE_PLUGIN_TRANSPORT, &transport }, { CENOTE_PLUGIN_TELEMETRY, &telemetry },
  };

  for (const auto &each : kinds) {
    use (each.kind, each.ops);
    g_autoptr (Plugin) plugin = take ();

    ASSERT_NE (plugin, nullptr) << error->message;
    EXPECT_EQ (plugin->kind, each.kind);
  }
}

TEST_F (Descriptor, EverySlotIsFilledAfterwards)
{
  const struct { CenotePluginKind kind; const void *ops; } kinds[] = {
    { CENOTE_PLUGIN_BACKOFF, &backoff },     { CENOTE_PLUGIN_CONNECTOR, &connector }, { CENOTE_PLUGIN_PICKER, &picker },
    { CENOTE_PLUGIN_TRANSPORT, &transport }, { CENOTE_PLUGIN_TELEMETRY, &telemetry },
  };

  for (const auto &each : kinds) {
    const PluginSlots *slots = plugin_slots_get (each.kind);
    guint end = 0;

    use (each.kind, each.ops);
    g_autoptr (Plugin) plugin = take ();
    ASSERT_NE (plugin, nullptr) << error->message;
    for (guint i = 0; i < slots->n_slots; i++) {
      PluginFunc func;

      memcpy (&func, (const char *) &plugin->ops + slots->slots[i].offset, sizeof func);
      EXPECT_NE (func, nullptr) << slots->kind << " " << slots->slots[i].name;
      end = MAX (end, slots->slots[i].offset + (guint) sizeof func);
    }
    EXPECT_EQ (end, slots->ops_size) << "a slot of " << slots->kind << " is not in the table";
  }
}

TEST_F (Descriptor, AShorterOperationsTableIsTaken)
{
  backoff.struct_size = offsetof (CenoteBackoffOps, reset);
  backoff.reset = reset;
  g_autoptr (Plugin) plugin = take ();

  ASSERT_NE (plugin, nullptr) << error->message;
  EXPECT_NE (plugin->ops.backoff.reset, reset) << "what is behind the table's end was read";
  EXPECT_EQ (plugin->slots_filled, 3u);
}

TEST_F (Descriptor, ASlotThatTheTableEndsInTheMiddleOfIsAbsent)
{
  backoff.struct_size = offsetof (CenoteBackoffOps, reset) + 3;
  backoff.reset = reset;
  g_autoptr (Plugin) plugin = take ();

  ASSERT_NE (plugin, nullptr) << error->message;
  EXPECT_EQ (plugin->slots_filled, 3u);
  plugin->ops.backoff.reset (nullptr);
}

TEST_F (Descriptor, TransportsSayWhoDrivesThem)
{
  use (CENOTE_PLUGIN_TRANSPORT, &transport);
  {
    g_autoptr (Plugin) plugin = take ();
    ASSERT_NE (plugin, nullptr) << error->message;
    EXPECT_FALSE (plugin_transport_drives_itself (plugin));
  }
  transport.close_channel = close_channel;
  {
    g_autoptr (Plugin) plugin = take ();
    ASSERT_NE (plugin, nullptr) << error->message;
    EXPECT_FALSE (plugin_transport_drives_itself (plugin));
    EXPECT_EQ (plugin->ops.transport.close_channel, close_channel);
  }
  transport.watch = watch;
  transport.connect = connect_channel;
  {
    g_autoptr (Plugin) plugin = take ();
    ASSERT_NE (plugin, nullptr) << error->message;
    EXPECT_TRUE (plugin_transport_drives_itself (plugin));
  }
}

// ---------------------------------------------------------------- refused

TEST_F (Descriptor, OfAWrongHeadIsRefused)
{
  descriptor.magic = 0x12345678;
  EXPECT_REFUSED (take (), error, CENOTE_ERROR_PLUGIN, "magic 0x12345678, expected 0x43454e4f");
  descriptor.magic = CENOTE_PLUGIN_MAGIC;
  descriptor.abi_major = 7;
  EXPECT_REFUSED (take (), error, CENOTE_ERROR_PLUGIN, "ABI major 7, expected 1");
  descriptor.abi_major = CENOTE_ABI_MAJOR;
  descriptor.struct_size = 24;
  EXPECT_REFUSED (take (), error, CENOTE_ERROR_PLUGIN, "a descriptor of 24 bytes, expected at least 72");
}

TEST_F (Descriptor, OfAnotherKindOrNameIsRefused)
{
  descriptor.kind = 9;
  EXPECT_REFUSED (take (), error, CENOTE_ERROR_PLUGIN, "kind 9, expected 1 to 5");
  descriptor.kind = CENOTE_PLUGIN_BACKOFF;
  EXPECT_REFUSED (plugin_new (&descriptor, CENOTE_PLUGIN_PICKER, "mine", &error), error, CENOTE_ERROR_PLUGIN,
                  "of kind backoff, expected picker");
  EXPECT_REFUSED (plugin_new (&descriptor, CENOTE_PLUGIN_BACKOFF, "yours", &error), error, CENOTE_ERROR_PLUGIN,
                  "named mine, expected yours");
  descriptor.name = nullptr;
  EXPECT_REFUSED (take (), error, CENOTE_ERROR_PLUGIN, "has no name, expected");
  descriptor.name = "../mine";
  EXPECT_REFUSED (take (), error, CENOTE_ERROR_PLUGIN, "'../mine' contains '/'", "expected [a-z]");
}

TEST_F (Descriptor, WithoutItsTextsIsRefused)
{
  descriptor.version = nullptr;
  EXPECT_REFUSED (take (), error, CENOTE_ERROR_PLUGIN, "it has no version");
  descriptor.version = "1";
  descriptor.summary = "";
  EXPECT_REFUSED (take (), error, CENOTE_ERROR_PLUGIN, "it has no summary");
  descriptor.summary = "Says";
  descriptor.license = nullptr;
  EXPECT_REFUSED (take (), error, CENOTE_ERROR_PLUGIN, "it has no license");
}

TEST_F (Descriptor, WithoutRequiredSlotsIsRefused)
{
  descriptor.ops = nullptr;
  EXPECT_REFUSED (take (), error, CENOTE_ERROR_PLUGIN, "no operations table, expected one of at least 24 bytes");
  descriptor.ops = &backoff;
  backoff.struct_size = 8;
  EXPECT_REFUSED (take (), error, CENOTE_ERROR_PLUGIN,
                  "operations table of 8 bytes, expected at least 24 for a backoff");
  backoff.struct_size = sizeof backoff;
  backoff.next = nullptr;
  EXPECT_REFUSED (take (), error, CENOTE_ERROR_PLUGIN, "slot next is empty, expected a function");
  picker.pick = nullptr;
  use (CENOTE_PLUGIN_PICKER, &picker);
  EXPECT_REFUSED (take (), error, CENOTE_ERROR_PLUGIN, "slot pick is empty");
  connector.plan = nullptr;
  use (CENOTE_PLUGIN_CONNECTOR, &connector);
  EXPECT_REFUSED (take (), error, CENOTE_ERROR_PLUGIN, "slot plan is empty");
  transport.create_channel = nullptr;
  use (CENOTE_PLUGIN_TRANSPORT, &transport);
  EXPECT_REFUSED (take (), error, CENOTE_ERROR_PLUGIN, "slot create_channel is empty");
  telemetry.handle = nullptr;
  use (CENOTE_PLUGIN_TELEMETRY, &telemetry);
  EXPECT_REFUSED (take (), error, CENOTE_ERROR_PLUGIN, "slot handle is empty");
}

TEST_F (Descriptor, WithHalfADrivenTransportIsRefused)
{
  use (CENOTE_PLUGIN_TRANSPORT, &transport);
  transport.watch = watch;
  EXPECT_REFUSED (take (), error, CENOTE_ERROR_PLUGIN, "it fills watch, expected all of watch, connect, close_channel");
  transport.connect = connect_channel;
  EXPECT_REFUSED (take (), error, CENOTE_ERROR_PLUGIN, "it fills watch connect, expected all of");
  transport.watch = nullptr;
  transport.close_channel = close_channel;
  EXPECT_REFUSED (take (), error, CENOTE_ERROR_PLUGIN, "it fills connect close_channel, expected all of");
}

TEST_F (Descriptor, OfASinkThatWantsNothingIsRefused)
{
  telemetry.mask = 0;
  use (CENOTE_PLUGIN_TELEMETRY, &telemetry);
  EXPECT_REFUSED (take (), error, CENOTE_ERROR_PLUGIN, "mask 0, expected the bits");
}

TEST_F (Descriptor, UnknownFlagsAreRefusedUnlessItIsNewer)
{
  backoff.flags = 4;
  EXPECT_REFUSED (take (), error, CENOTE_ERROR_PLUGIN, "flags 0x4, expected none but 0x0 for a backoff");
  descriptor.abi_minor = CENOTE_ABI_MINOR + 1;
  g_autoptr (Plugin) plugin = take ();
  EXPECT_NE (plugin, nullptr);
}

// ---------------------------------------------------------------- options

TEST_F (Descriptor, OptionRowsOfAnySizeBecomeTheCores)
{
  struct Longer { CenoteOption known; guint64 newer; } rows[] = {
    { option ("one", CENOTE_OPTION_INT, "1"), ~G_GUINT64_CONSTANT (0) },
    { option ("two", CENOTE_OPTION_LIST, "a;b"), ~G_GUINT64_CONSTANT (0) },
  };

  descriptor.options = &rows[0].known;
  descriptor.n_options = 2;
  descriptor.option_size = sizeof rows[0];
  g_autoptr (Plugin) plugin = take ();
  ASSERT_NE (plugin, nullptr) << error->message;
  EXPECT_EQ (plugin->options.row_size, sizeof (CenoteOption));
  EXPECT_EQ (option_table_find (&plugin->options, "two"), 1);
}

TEST_F (Descriptor, WithABadOptionTableIsRefused)
{
  CenoteOption row = option ("one", CENOTE_OPTION_INT);

  descriptor.n_options = 1;
  descriptor.option_size = sizeof row;
  EXPECT_REFUSED (take (), error, CENOTE_ERROR_PLUGIN, "1 options, but no table");
  descriptor.options = &row;
  descriptor.option_size = 8;
  EXPECT_REFUSED (take (), error, CENOTE_ERROR_PLUGIN, "option rows of 8 bytes, expected at least");
  descriptor.option_size = sizeof row + 1;
  EXPECT_REFUSED (take (), error, CENOTE_ERROR_PLUGIN, "and a multiple of");
  descriptor.option_size = sizeof row;
  descriptor.n_options = 4000000000u;
  EXPECT_REFUSED (take (), error, CENOTE_ERROR_PLUGIN, "4000000000 options, expected at most 256");
}

TEST_F (Descriptor, WithABadOptionNameIsRefused)
{
  refuse_option (option (nullptr, CENOTE_OPTION_INT), "row 0 of the option table has no name");
  refuse_option (option ("", CENOTE_OPTION_INT), "option '': a name is lower-case letters");
  refuse_option (option ("Big", CENOTE_OPTION_INT), "option 'Big': a name is lower-case letters");
  refuse_option (option ("under_score", CENOTE_OPTION_INT), "option 'under_score': a name is");
  refuse_option (option ("plugin", CENOTE_OPTION_STRING), "option 'plugin': this name is reserved");
}

TEST_F (Descriptor, WithAnOptionTwiceIsRefused)
{
  const CenoteOption rows[] = { option ("one", CENOTE_OPTION_INT), option ("two", CENOTE_OPTION_INT),
                                option ("one", CENOTE_OPTION_INT) };

  descriptor.options = rows;
  descriptor.n_options = 3;
  descriptor.option_size = sizeof rows[0];
  EXPECT_REFUSED (take (), error, CENOTE_ERROR_PLUGIN, "option 'one': is in the table twice, as rows 0 and 2");
}

TEST_F (Descriptor, WithAnOptionThatContradictsItselfIsRefused)
{
  CenoteOption row = option ("one", CENOTE_OPTION_INT, "5");

  row.summary = "";
  refuse_option (row, "option 'one': has no summary");
  row = option ("one", CENOTE_OPTION_INT, "5");
  row.flags = CENOTE_OPTION_REQUIRED;
  refuse_option (row, "is required and has the default '5'");
  row = option ("one", CENOTE_OPTION_INT, "5");
  row.flags = 1u << 20;
  refuse_option (row, "flags 0x100000, expected none but 0x1f");
  refuse_option (option ("one", CENOTE_OPTION_ENUM, "a"), "is an enum without choices");
  refuse_option (option ("one", (CenoteOptionType) 77), "type 77, expected 1 to 10");
}

TEST_F (Descriptor, WithAnOptionWhoseTextsDoNotParseIsRefused)
{
  CenoteOption row = option ("one", CENOTE_OPTION_DURATION, "5 parsecs");

  refuse_option (row, "option 'one': its default: ");
  row = option ("one", CENOTE_OPTION_DURATION, "5s");
  row.min = "a while";
  refuse_option (row, "option 'one': its minimum: ");
  row = option ("one", CENOTE_OPTION_DURATION, "5s");
  row.max = "for ever";
  refuse_option (row, "option 'one': its maximum: ");
  row.max = "1s";
  refuse_option (row, "option 'one': its default: ");
  row.default_text = nullptr;
  row.min = "2s";
  refuse_option (row, "option 'one': its minimum: ");
  row = option ("one", CENOTE_OPTION_ENUM, "c");
  row.choices = "a|b";
  refuse_option (row, "option 'one': its default: ");
}

TEST_F (Descriptor, OfANewerMinorMayHaveOptionsThatWeDoNotKnow)
{
  CenoteOption row = option ("colour", (CenoteOptionType) 77, "#ffcc00");

  descriptor.abi_minor = CENOTE_ABI_MINOR + 1;
  descriptor.options = &row;
  descriptor.n_options = 1;
  descriptor.option_size = sizeof row;
  {
    g_autoptr (Plugin) plugin = take ();
    ASSERT_NE (plugin, nullptr) << error->message;
    EXPECT_EQ (plugin->options.rows[0].default_text, nullptr);
  }
  row.flags = CENOTE_OPTION_REQUIRED;
  row.default_text = nullptr;
  EXPECT_REFUSED (take (), error, CENOTE_ERROR_PLUGIN, "type 77, expected 1 to 10");
}

// ---------------------------------------------------------- kinds and names

TEST (PluginName, IsChecked)
{
  for (const string &good : { string ("a"), string ("round-robin"), string ("p2c"), string (47, 'n') })
    EXPECT_TRUE (plugin_name_check (good.c_str (), nullptr)) << good;
  for (const string &bad : { string (""), string ("2p"), string ("-a"), string ("A"), string ("a_b"), string ("a b"),
                             string ("a\n"), string ("\xc3\xa9") }) {
    GError *error = nullptr;

    EXPECT_REFUSED (plugin_name_check (bad.c_str (), &error), error, CENOTE_ERROR_PLUGIN, "is no plugin's name");
  }
  GError *error = nullptr;
  EXPECT_REFUSED (plugin_name_check ("a/b", &error), error, CENOTE_ERROR_PLUGIN, "contains '/'");
  EXPECT_REFUSED (plugin_name_check ("..", &error), error, CENOTE_ERROR_PLUGIN, "contains '..'");
  EXPECT_REFUSED (plugin_name_check (string (48, 'n').c_str (), &error), error, CENOTE_ERROR_PLUGIN, "is too long");
}

TEST (PluginKind, HasANameBothWays)
{
  for (int i = CENOTE_PLUGIN_BACKOFF; i <= CENOTE_PLUGIN_TELEMETRY; i++) {
    CenotePluginKind kind = CENOTE_PLUGIN_BACKOFF;

    EXPECT_TRUE (plugin_kind_from_string (cenote_plugin_kind_to_string ((CenotePluginKind) i), &kind));
    EXPECT_EQ (kind, i);
  }
  CenotePluginKind kind = CENOTE_PLUGIN_PICKER;
  EXPECT_STREQ (cenote_plugin_kind_to_string ((CenotePluginKind) 0), "unknown");
  EXPECT_STREQ (cenote_plugin_kind_to_string ((CenotePluginKind) 99), "unknown");
  EXPECT_FALSE (plugin_kind_from_string ("unknown", &kind));
  EXPECT_EQ (kind, CENOTE_PLUGIN_PICKER);
}

} // namespace
