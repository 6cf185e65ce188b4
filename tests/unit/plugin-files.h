// SPDX-License-Identifier: Apache-2.0
// Directories of their own for tests, and copies of the test modules with bytes changed.
#ifndef CENOTE_TESTS_PLUGIN_FILES_H
#define CENOTE_TESTS_PLUGIN_FILES_H

#include <glib.h>
#include <glib/gstdio.h>
#include <gtest/gtest.h>

#include <cenote/registry.h>

#include <string>

extern "C" {
#include "core/registry/registry.h"
}

// Set by the constructor of backoff-schedule, and of the modules that tests make.
const char mark[] = "CENOTE_TEST_SCHEDULE_RAN";

// A directory that is gone with all its files at the end.
class Directory
{
public:
  explicit Directory (const std::string &above = g_get_tmp_dir ())
  {
    g_autofree char *path = g_strconcat (above.c_str (), "/cenote-test-XXXXXX", nullptr);

    EXPECT_NE (g_mkdtemp (path), nullptr) << path;
    path_ = path;
  }

  ~Directory ()
  {
    g_autoptr (GDir) dir = g_dir_open (path_.c_str (), 0, nullptr);
    const char *name;

    while (dir && (name = g_dir_read_name (dir)))
      g_remove (file (name).c_str ());
    g_rmdir (path_.c_str ());
  }

  Directory (const Directory &) = delete;
  Directory &operator= (const Directory &) = delete;

  const std::string &path () const { return path_; }
  std::string file (const std::string &name) const { return path_ + "/" + name; }

  // Returns the path of the new file.
  std::string write (const std::string &name, const std::string &bytes) const
  {
    EXPECT_TRUE (g_file_set_contents (file (name).c_str (), bytes.data (), (gssize) bytes.size (), nullptr));
    g_chmod (file (name).c_str (), 0644);
    return file (name);
  }

private:
  std::string path_;
};

// The file of a test module, "backoff-schedule".
inline std::string
module_path (const std::string &module)
{
  const char *directory = g_getenv ("CENOTE_TEST_PLUGINS");

  EXPECT_NE (directory, nullptr) << "CENOTE_TEST_PLUGINS does not say where the test modules are";
  return std::string (directory ? directory : ".") + "/" + module + ".so";
}

inline std::string
read_bytes (const std::string &path)
{
  g_autofree char *bytes = nullptr;
  gsize length = 0;

  EXPECT_TRUE (g_file_get_contents (path.c_str (), &bytes, &length, nullptr)) << path;
  return std::string (bytes ? bytes : "", length);
}

inline std::string
module_bytes (const std::string &module)
{
  return read_bytes (module_path (module));
}

template <typename T>
std::string
bytes_of (const T &value)
{
  return std::string (reinterpret_cast<const char *> (&value), sizeof value);
}

// BYTES with what is OFFSET behind the first PATTERN replaced.
inline std::string
patched (std::string bytes, const std::string &pattern, gsize offset, const std::string &replacement)
{
  gsize at = bytes.find (pattern);

  EXPECT_NE (at, std::string::npos) << "the pattern is not in the file";
  return at == std::string::npos ? bytes : bytes.replace (at + offset, replacement.size (), replacement);
}

// Where the note of a module begins: its head and owner.
inline std::string
note_pattern ()
{
  return bytes_of (guint32 { 7 }) + bytes_of (guint32 { CENOTE_NOTE_PAYLOAD_SIZE }) +
         bytes_of (guint32 { CENOTE_NOTE_TYPE }) + std::string ("Cenote\0\0", 8);
}

// Where the descriptor of a module begins.
inline std::string
head_pattern (CenotePluginKind kind)
{
  return bytes_of (guint32 { CENOTE_PLUGIN_MAGIC }) + bytes_of (guint16 { CENOTE_ABI_MAJOR }) +
         bytes_of (guint16 { CENOTE_ABI_MINOR }) + bytes_of (guint32 { sizeof (CenotePlugin) }) +
         bytes_of (guint32 { kind });
}

// A plugin of ours as it was built: CENOTE_PLUGIN_PATH leads to it.
inline Plugin *
built_plugin (CenotePluginKind kind, const char *name)
{
  g_autoptr (CenoteRegistry) registry = cenote_registry_new ();
  g_autoptr (GError) error = nullptr;
  Plugin *plugin = registry_get (registry, kind, name, &error);

  EXPECT_NE (plugin, nullptr) << error->message;
  return plugin;
}

// A registry that looks in DIRECTORIES (separated by ':') alone.
inline CenoteRegistry *
registry_of (const std::string &directories)
{
  return registry_new_with (directories.c_str (), nullptr);
}

inline ::testing::AssertionResult
contains (const char *text, const std::string &part)
{
  if (text && std::string (text).find (part) != std::string::npos)
    return ::testing::AssertionSuccess ();
  return ::testing::AssertionFailure () << "'" << (text ? text : "(null)") << "' does not contain '" << part << "'";
}

// FALSE, an error of that code, and every part in its message.
#define EXPECT_REFUSED(done, error, code_, ...) \
  do { \
    EXPECT_FALSE (done); \
    ASSERT_NE (error, nullptr); \
    EXPECT_TRUE (g_error_matches (error, CENOTE_ERROR, code_)) << error->message; \
    for (const std::string &part : std::initializer_list<std::string> { __VA_ARGS__ }) \
      EXPECT_TRUE (contains (error->message, part)); \
    g_clear_error (&error); \
  } while (0)

#endif
