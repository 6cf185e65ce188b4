// SPDX-License-Identifier: Apache-2.0
// Where plugins are looked for, which file is taken, and why one is refused.
#include <sys/stat.h>

#include "plugin-files.h"

using std::string;

namespace {

class Registry : public ::testing::Test
{
protected:
  Registry () : registry (registry_of (directory.path ())) { g_unsetenv (mark); }

  ~Registry () override
  {
    cenote_registry_unref (registry);
    g_clear_error (&error);
  }

  gboolean load (const char *name) { return cenote_registry_load (registry, CENOTE_PLUGIN_BACKOFF, name, &error); }

  // A copy of the good module with bytes changed.
  void put (const string &bytes) { directory.write ("backoff-schedule.so", bytes); }

  Directory directory;
  CenoteRegistry *registry;
  GError *error = nullptr;
};

string
names_of (CenoteRegistry *registry, CenotePluginKind kind)
{
  g_auto (GStrv) names = cenote_registry_list (registry, kind);
  g_autofree char *joined = g_strjoinv (" ", names);

  return joined;
}

// ---------------------------------------------------------------- finding

TEST_F (Registry, LoadsAPluginAndKeepsIt)
{
  put (module_bytes ("backoff-schedule"));
  g_autoptr (Plugin) plugin = registry_get (registry, CENOTE_PLUGIN_BACKOFF, "schedule", &error);

  ASSERT_NE (plugin, nullptr) << error->message;
  EXPECT_STREQ (plugin->path, directory.file ("backoff-schedule.so").c_str ());
  EXPECT_STREQ (plugin->version, "1.2.3");
  EXPECT_EQ (plugin->shadowed[0], nullptr);
  EXPECT_STREQ (g_getenv (mark), "yes");
  g_remove (plugin->path);
  g_autoptr (Plugin) again = registry_get (registry, CENOTE_PLUGIN_BACKOFF, "schedule", &error);
  EXPECT_EQ (again, plugin) << "a loaded plugin was looked for anew";
}

TEST_F (Registry, TheFirstDirectoryWinsAndTheOthersAreKnown)
{
  Directory second, third;
  string added = third.write ("backoff-schedule.so", module_bytes ("backoff-schedule"));
  string shadowed = second.write ("backoff-schedule.so", module_bytes ("backoff-schedule"));
  g_autoptr (CenoteRegistry) many = registry_new_with ((second.path () + "::" + second.path () + "/").c_str (),
                                                       directory.path ().c_str ());

  put (module_bytes ("backoff-schedule"));
  ASSERT_TRUE (cenote_registry_add_directory (many, third.path ().c_str (), &error)) << error->message;
  ASSERT_TRUE (cenote_registry_add_directory (many, third.path ().c_str (), &error)) << error->message;
  g_autoptr (Plugin) plugin = registry_get (many, CENOTE_PLUGIN_BACKOFF, "schedule", &error);
  ASSERT_NE (plugin, nullptr) << error->message;
  EXPECT_EQ (plugin->path, added);
  ASSERT_EQ (g_strv_length (plugin->shadowed), 2u);
  EXPECT_EQ (plugin->shadowed[0], shadowed);
  EXPECT_EQ (plugin->shadowed[1], directory.file ("backoff-schedule.so"));
}

TEST_F (Registry, ABadFileIsNotPassedOver)
{
  Directory second;
  g_autoptr (CenoteRegistry) two = registry_of (directory.path () + ":" + second.path ());

  put ("this is no library");
  second.write ("backoff-schedule.so", module_bytes ("backoff-schedule"));
  EXPECT_EQ (names_of (two, CENOTE_PLUGIN_BACKOFF), "");
  EXPECT_REFUSED (cenote_registry_load (two, CENOTE_PLUGIN_BACKOFF, "schedule", &error), error, CENOTE_ERROR_PLUGIN,
                  directory.file ("backoff-schedule.so"), "not an ELF file");
}

TEST_F (Registry, TellsWhereItLookedAndTheNearestName)
{
  put (module_bytes ("backoff-schedule"));
  EXPECT_REFUSED (load ("shedule"), error, CENOTE_ERROR_NOT_FOUND, "no backoff plugin 'shedule'", "nearest: schedule",
                  "backoff-shedule.so", directory.path ());
  g_autoptr (CenoteRegistry) nowhere = registry_new_with (nullptr, nullptr);
  EXPECT_REFUSED (cenote_registry_load (nowhere, CENOTE_PLUGIN_PICKER, "any", &error), error, CENOTE_ERROR_NOT_FOUND,
                  "no picker plugin 'any'");
}

TEST_F (Registry, NamesThatLeadElsewhereAreRefused)
{
  EXPECT_REFUSED (load ("../schedule"), error, CENOTE_ERROR_PLUGIN, "backoff plugin: '../schedule' contains '/'");
  EXPECT_REFUSED (load (".."), error, CENOTE_ERROR_PLUGIN, "'..' contains '..'");
  EXPECT_REFUSED (load (""), error, CENOTE_ERROR_PLUGIN, "expected [a-z][a-z0-9-]*, at most 47 bytes");
}

TEST_F (Registry, DirectoriesAreCheckedWhenTheyAreAdded)
{
  string file = directory.write ("file", "");

  EXPECT_REFUSED (cenote_registry_add_directory (registry, "/nonexistent/directory", &error), error,
                  CENOTE_ERROR_NOT_FOUND, "/nonexistent/directory");
  EXPECT_REFUSED (cenote_registry_add_directory (registry, file.c_str (), &error), error, CENOTE_ERROR_PLUGIN,
                  "is a file, expected a directory");
  g_chmod (directory.path ().c_str (), 0777);
  EXPECT_REFUSED (cenote_registry_add_directory (registry, directory.path ().c_str (), &error), error,
                  CENOTE_ERROR_PLUGIN, "has mode 0777 and anybody may write it, expected 0775");
}

// ---------------------------------------------------------------- refusals

TEST_F (Registry, RefusesByTheNoteBeforeAnyCodeRuns)
{
  const string good = module_bytes ("backoff-schedule");
  const struct { string bytes; string part; } bad[] = {
    { patched (good, note_pattern (), 20, bytes_of (guint16 { 7 })), "its note says ABI major 7, expected 1" },
    { patched (good, note_pattern (), 24, bytes_of (guint32 { CENOTE_PLUGIN_PICKER })),
      "its note says kind picker (3), expected backoff (1)" },
    { patched (good, note_pattern (), 24, bytes_of (guint32 { 200 })),
      "its note says kind unknown (200), expected backoff (1)" },
    { patched (good, note_pattern (), 28, "timetable"), "its note says name timetable, expected schedule" },
    { patched (good, note_pattern (), 28, "../timet"), "the name in its note: '../timet' contains '/'" },
    { patched (good, note_pattern (), 12, "Senote"), "no note of owner Cenote" },
    { good.substr (0, 3000), "truncated" },
  };

  for (const auto &each : bad) {
    put (each.bytes);
    EXPECT_EQ (names_of (registry, CENOTE_PLUGIN_BACKOFF), "") << each.part;
    EXPECT_REFUSED (load ("schedule"), error, CENOTE_ERROR_PLUGIN, "backoff plugin 'schedule' is refused: ",
                    directory.file ("backoff-schedule.so"), each.part);
    EXPECT_EQ (g_getenv (mark), nullptr) << "code of a refused plugin ran: " << each.part;
  }
}

TEST_F (Registry, RefusesAFileUnderAnothersName)
{
  directory.write ("backoff-other.so", module_bytes ("backoff-schedule"));
  directory.write ("picker-schedule.so", module_bytes ("backoff-schedule"));
  EXPECT_REFUSED (load ("other"), error, CENOTE_ERROR_PLUGIN, "its note says name schedule, expected other");
  EXPECT_REFUSED (cenote_registry_load (registry, CENOTE_PLUGIN_PICKER, "schedule", &error), error, CENOTE_ERROR_PLUGIN,
                  "its note says kind backoff (1), expected picker (3)");
  EXPECT_EQ (g_getenv (mark), nullptr);
}

TEST_F (Registry, RefusesByTheDescriptor)
{
  const string good = module_bytes ("backoff-schedule");
  const string head = head_pattern (CENOTE_PLUGIN_BACKOFF);
  const struct { string bytes; string part; } bad[] = {
    { patched (good, head, 0, bytes_of (guint32 { 0x4f4e4543 })), "magic 0x4f4e4543, expected 0x43454e4f" },
    { patched (good, head, 4, bytes_of (guint16 { 3 })), "ABI major 3, expected 1" },
    { patched (good, head, 8, bytes_of (guint32 { 40 })), "a descriptor of 40 bytes, expected at least 72" },
    { patched (good, head, 12, bytes_of (guint32 { CENOTE_PLUGIN_PICKER })),
      "its descriptor is of kind picker, expected backoff" },
  };

  for (const auto &each : bad) {
    Directory own;
    g_autoptr (CenoteRegistry) fresh = registry_of (own.path ());

    own.write ("backoff-schedule.so", each.bytes);
    EXPECT_REFUSED (cenote_registry_load (fresh, CENOTE_PLUGIN_BACKOFF, "schedule", &error), error, CENOTE_ERROR_PLUGIN,
                    "backoff plugin 'schedule' is refused: ", own.file ("backoff-schedule.so"), each.part);
  }
}

TEST_F (Registry, RefusesTheBadModules)
{
  const struct { const char *name; const char *part; } bad[] = {
    { "no-note", "no note of owner Cenote" },
    { "no-symbol", "exports no function cenote_plugin_query()" },
    { "null", "returned NULL, expected a descriptor" },
    { "liar", "its descriptor is named honest, expected liar" },
    { "no-next", "slot next is empty, expected a function" },
  };

  for (const auto &each : bad) {
    directory.write (string ("backoff-") + each.name + ".so", module_bytes (string ("backoff-") + each.name));
    EXPECT_REFUSED (load (each.name), error, CENOTE_ERROR_PLUGIN, each.name, each.part);
  }
}

TEST_F (Registry, RefusesWhatOthersMayWrite)
{
  put (module_bytes ("backoff-schedule"));
  g_chmod (directory.file ("backoff-schedule.so").c_str (), 0666);
  EXPECT_REFUSED (load ("schedule"), error, CENOTE_ERROR_PLUGIN, "has mode 0666", "expected 0664");
  g_chmod (directory.file ("backoff-schedule.so").c_str (), 0644);
  g_chmod (directory.path ().c_str (), 0777);
  EXPECT_REFUSED (load ("schedule"), error, CENOTE_ERROR_PLUGIN, directory.path () + " has mode 0777", "expected 0775");
  EXPECT_EQ (names_of (registry, CENOTE_PLUGIN_BACKOFF), "");
  EXPECT_EQ (g_getenv (mark), nullptr);
  g_chmod (directory.path ().c_str (), 0775);
  EXPECT_TRUE (load ("schedule"));
}

TEST_F (Registry, TellsWhatTheDynamicLinkerSays)
{
  string bytes = module_bytes ("backoff-schedule");

  // All mentions of the C library, of its versions too.
  for (gsize at = bytes.find ("libc.so."); at != string::npos; at = bytes.find ("libc.so.", at))
    bytes.replace (at, 8, "libX.so.");
  put (bytes);
  EXPECT_REFUSED (load ("schedule"), error, CENOTE_ERROR_PLUGIN, directory.file ("backoff-schedule.so"), "libX.so.");
}

// ----------------------------------------------------------------- statics

void *
create_static (const CenoteHost *, const CenoteOptions *, CenoteFault *)
{
  static char state;

  return &state;
}

int64_t next_static (void *) { return 1; }

CenotePlugin
static_plugin (const CenoteBackoffOps *ops)
{
  CenotePlugin plugin {};

  plugin.magic = CENOTE_PLUGIN_MAGIC;
  plugin.abi_major = CENOTE_ABI_MAJOR;
  plugin.abi_minor = CENOTE_ABI_MINOR;
  plugin.struct_size = sizeof plugin;
  plugin.kind = CENOTE_PLUGIN_BACKOFF;
  plugin.name = "schedule";
  plugin.version = "static";
  plugin.summary = "Is linked in";
  plugin.license = "Apache-2.0";
  plugin.ops = ops;
  return plugin;
}

TEST_F (Registry, StaticPluginsWinOverFiles)
{
  CenoteBackoffOps ops {};
  CenotePlugin descriptor = static_plugin (&ops);

  ops.struct_size = sizeof ops;
  ops.create = create_static;
  EXPECT_REFUSED (cenote_registry_add_static (registry, &descriptor, &error), error, CENOTE_ERROR_PLUGIN,
                  "static plugin is refused: slot next is empty");
  ops.next = next_static;
  put (module_bytes ("backoff-schedule"));
  ASSERT_TRUE (cenote_registry_add_static (registry, &descriptor, &error)) << error->message;
  g_autoptr (Plugin) plugin = registry_get (registry, CENOTE_PLUGIN_BACKOFF, "schedule", &error);
  ASSERT_NE (plugin, nullptr) << error->message;
  EXPECT_STREQ (plugin->version, "static");
  EXPECT_EQ (plugin->path, nullptr);
  ASSERT_EQ (g_strv_length (plugin->shadowed), 1u);
  EXPECT_EQ (plugin->shadowed[0], directory.file ("backoff-schedule.so"));
  EXPECT_EQ (g_getenv (mark), nullptr);
  EXPECT_REFUSED (cenote_registry_add_static (registry, &descriptor, &error), error, CENOTE_ERROR_PLUGIN,
                  "backoff/schedule is there already, from a static descriptor");
}

// ----------------------------------------------------------------- listing

TEST_F (Registry, ListsByNotesAloneAndSorted)
{
  CenoteBackoffOps ops {};
  CenotePlugin descriptor = static_plugin (&ops);

  ops.struct_size = sizeof ops;
  ops.create = create_static;
  ops.next = next_static;
  descriptor.name = "zero";
  put (module_bytes ("backoff-schedule"));
  directory.write ("backoff-null.so", module_bytes ("backoff-null"));
  directory.write ("backoff-no-note.so", module_bytes ("backoff-no-note"));
  directory.write ("backoff-.so", "x");
  directory.write ("backoff-UPPER.so", "x");
  directory.write ("backoff-schedule.la", "x");
  directory.write ("backoffs-x.so", "x");
  directory.write ("README", "x");
  ASSERT_TRUE (cenote_registry_add_static (registry, &descriptor, &error)) << error->message;
  EXPECT_EQ (names_of (registry, CENOTE_PLUGIN_BACKOFF), "null schedule zero");
  EXPECT_EQ (names_of (registry, CENOTE_PLUGIN_PICKER), "");
  EXPECT_EQ (g_getenv (mark), nullptr) << "listing ran code";
}

std::string
sizes_of (const char *table, size_t size)
{
  std::string bytes = std::to_string (size);

  return std::string ("\"") + table + "\":{\"stated\":" + bytes + ",\"known\":" + bytes + "}";
}

// Of a plugin that was built with this header.
template <typename Ops>
std::string
sizes_of ()
{
  return "\"sizes\":{" + sizes_of ("descriptor", sizeof (CenotePlugin)) + "," + sizes_of ("operations", sizeof (Ops)) + "," +
         sizes_of ("option", sizeof (CenoteOption)) + "}";
}

TEST_F (Registry, DescribesAPluginAsJson)
{
  put (module_bytes ("backoff-schedule"));
  g_autofree char *json = cenote_registry_describe_json (registry, CENOTE_PLUGIN_BACKOFF, "schedule", &error);

  ASSERT_NE (json, nullptr) << error->message;
  EXPECT_EQ (
    json, "{\"kind\":\"backoff\",\"name\":\"schedule\",\"version\":\"1.2.3\","
          "\"summary\":\"Delays of 2, 4, 8 and 1 units, in turn\",\"license\":\"Apache-2.0\",\"abi\":\"1.0\","
          "\"path\":\"" +
            directory.file ("backoff-schedule.so") +
            "\",\"shadowed\":[],"
            "\"slots\":{\"create\":true,\"next\":true,\"reset\":true,\"destroy\":true},"
            "\"options\":[{\"name\":\"unit\",\"type\":\"duration\",\"default\":\"50ms\",\"min\":\"1us\",\"max\":\"1h\","
            "\"range\":\"1us to 1h\",\"flags\":[\"reloadable\"],\"summary\":\"What the delays are multiples of\"}]," +
            sizes_of<CenoteBackoffOps> () + "}");
  EXPECT_REFUSED (cenote_registry_describe_json (registry, CENOTE_PLUGIN_BACKOFF, "absent", &error), error,
                  CENOTE_ERROR_NOT_FOUND, "absent");
}

// ----------------------------------------------------------------- threads

gpointer
load_on_thread (gpointer registry)
{
  return registry_get (static_cast<CenoteRegistry *> (registry), CENOTE_PLUGIN_BACKOFF, "schedule", nullptr);
}

TEST_F (Registry, ManyThreadsGetTheSamePlugin)
{
  GThread *threads[8];

  put (module_bytes ("backoff-schedule"));
  for (GThread *&thread : threads)
    thread = g_thread_new ("load", load_on_thread, registry);
  g_autoptr (Plugin) plugin = registry_get (registry, CENOTE_PLUGIN_BACKOFF, "schedule", nullptr);
  for (GThread *thread : threads) {
    g_autoptr (Plugin) same = static_cast<Plugin *> (g_thread_join (thread));

    EXPECT_EQ (same, plugin);
  }
}

TEST_F (Registry, APluginOutlivesItsRegistry)
{
  CenoteRegistry *own = registry_of (directory.path ());

  put (module_bytes ("backoff-schedule"));
  g_autoptr (Plugin) plugin = registry_get (own, CENOTE_PLUGIN_BACKOFF, "schedule", &error);
  cenote_registry_unref (cenote_registry_ref (own));
  cenote_registry_unref (own);
  ASSERT_NE (plugin, nullptr);
  EXPECT_STREQ (plugin->name, "schedule");
}

} // namespace
