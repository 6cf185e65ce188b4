// SPDX-License-Identifier: Apache-2.0
// Who may own and write what runs in this process, and that nothing else does.
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>

#include <functional>

#include "plugin-files.h"

extern "C" {
#include "core/registry/trust.h"
}

using std::string;

namespace {

constexpr uid_t nobody = 65534;

// ------------------------------------------------------------- judgement

const TrustOwners owners = { 1000, 2, { 2000, 3000 } };

bool
judge (mode_t mode, uid_t owner, TrustPlace place, GError **error)
{
  struct stat status {};

  status.st_mode = mode;
  status.st_uid = owner;
  return trust_judge ("/plugins/x", &status, place, &owners, error);
}

TEST (Trust, RootTheUserAndWhoeverCanReplaceTheLibraryAreTrusted)
{
  GError *error = nullptr;

  for (uid_t owner : { 0u, 1000u, 2000u, 3000u }) {
    EXPECT_TRUE (judge (S_IFREG | 0644, owner, TRUST_FILE, nullptr)) << owner;
    EXPECT_TRUE (judge (S_IFDIR | 0755, owner, TRUST_DIRECTORY, nullptr)) << owner;
    EXPECT_TRUE (judge (S_IFLNK | 0777, owner, TRUST_LINK, nullptr)) << owner;
  }
  for (TrustPlace place : { TRUST_DIRECTORY, TRUST_PARENT })
    EXPECT_REFUSED (judge (S_IFDIR | 0755, 1001, place, &error), error, CENOTE_ERROR_PLUGIN,
                    "/plugins/x belongs to user 1001, expected root, the running user 1000 or the owner of libcenote "
                    "2000, 3000");
  EXPECT_REFUSED (judge (S_IFREG | 0644, nobody, TRUST_FILE, &error), error, CENOTE_ERROR_PLUGIN, "user 65534");
  EXPECT_REFUSED (judge (S_IFLNK | 0777, 1001, TRUST_LINK, &error), error, CENOTE_ERROR_PLUGIN, "belongs to user 1001");
}

TEST (Trust, WhatAnybodyMayWriteIsRefused)
{
  GError *error = nullptr;

  EXPECT_TRUE (judge (S_IFREG | 0775, 0, TRUST_FILE, nullptr));
  EXPECT_TRUE (judge (S_IFDIR | 02775, 0, TRUST_DIRECTORY, nullptr));
  EXPECT_REFUSED (judge (S_IFREG | 0646, 0, TRUST_FILE, &error), error, CENOTE_ERROR_PLUGIN, "mode 0646",
                  "expected 0644");
  EXPECT_REFUSED (judge (S_IFREG | 01777, 0, TRUST_FILE, &error), error, CENOTE_ERROR_PLUGIN, "mode 1777",
                  "expected 1775");
  EXPECT_REFUSED (judge (S_IFDIR | 01777, 0, TRUST_DIRECTORY, &error), error, CENOTE_ERROR_PLUGIN, "mode 1777",
                  "expected 1775");
  EXPECT_REFUSED (judge (S_IFDIR | 0777, 0, TRUST_PARENT, &error), error, CENOTE_ERROR_PLUGIN, "mode 0777",
                  "expected 0775");
}

TEST (Trust, OnlyAStickyParentIsOpenToAllAndOnlyItMayBelongToNobody)
{
  GError *error = nullptr;

  EXPECT_TRUE (judge (S_IFDIR | 01777, 0, TRUST_PARENT, nullptr));
  EXPECT_TRUE (judge (S_IFDIR | 01777, nobody, TRUST_PARENT, nullptr));
  EXPECT_REFUSED (judge (S_IFDIR | 01777, 1001, TRUST_PARENT, &error), error, CENOTE_ERROR_PLUGIN, "user 1001");
  EXPECT_REFUSED (judge (S_IFDIR | 0755, nobody, TRUST_PARENT, &error), error, CENOTE_ERROR_PLUGIN, "user 65534");
  EXPECT_REFUSED (judge (S_IFDIR | 01755, nobody, TRUST_DIRECTORY, &error), error, CENOTE_ERROR_PLUGIN, "user 65534");
}

TEST (Trust, OnlyFilesAndDirectoriesAreTrusted)
{
  GError *error = nullptr;

  EXPECT_REFUSED (judge (S_IFIFO | 0644, 0, TRUST_FILE, &error), error, CENOTE_ERROR_PLUGIN,
                  "is a FIFO, expected a file");
  EXPECT_REFUSED (judge (S_IFCHR | 0644, 0, TRUST_FILE, &error), error, CENOTE_ERROR_PLUGIN,
                  "is a device, expected a file");
  EXPECT_REFUSED (judge (S_IFREG | 0644, 0, TRUST_PARENT, &error), error, CENOTE_ERROR_PLUGIN,
                  "is a file, expected a directory");
}

// ------------------------------------------------------------------ walk

class TrustWalk : public ::testing::Test
{
protected:
  ~TrustWalk () override { g_clear_error (&error); }

  // Whether it was opened.
  bool
  open_directory (const string &path)
  {
    int fd = trust_open_directory (path.c_str (), &error);

    if (fd < 0)
      return false;
    EXPECT_EQ (fstat (fd, &opened), 0);
    close (fd);
    return true;
  }

  // Whether what was opened is PATH.
  bool
  opened_is (const string &path) const
  {
    struct stat status {};

    return stat (path.c_str (), &status) == 0 && status.st_dev == opened.st_dev && status.st_ino == opened.st_ino;
  }

  string
  link_to (const string &target)
  {
    string path = above.file ("link");

    g_remove (path.c_str ());
    EXPECT_EQ (symlink (target.c_str (), path.c_str ()), 0);
    return path;
  }

  Directory above;
  Directory inner { above.path () };
  struct stat opened {};
  GError *error = nullptr;
};

TEST_F (TrustWalk, OpensWhatAPathLeadsTo)
{
  string name = inner.path ().substr (above.path ().size () + 1);

  for (const string &path : { inner.path (), above.path () + "/./" + name + "//", inner.path () + "/../" + name }) {
    ASSERT_TRUE (open_directory (path)) << error->message;
    EXPECT_TRUE (opened_is (inner.path ())) << path;
  }
  ASSERT_TRUE (open_directory ("/")) << error->message;
  EXPECT_TRUE (opened_is ("/"));
}

TEST_F (TrustWalk, FollowsSymbolicLinksToDirectories)
{
  string name = inner.path ().substr (above.path ().size () + 1);

  for (const string &target : { inner.path (), name, "./" + name + "/../" + name }) {
    ASSERT_TRUE (open_directory (link_to (target))) << error->message;
    EXPECT_TRUE (opened_is (inner.path ())) << target;
  }
  ASSERT_TRUE (open_directory (link_to (above.path ()) + "/" + name)) << error->message;
  EXPECT_TRUE (opened_is (inner.path ()));
}

TEST_F (TrustWalk, GivesUpOnLinksThatGoRoundInCircles)
{
  string link = link_to ("link/x");

  EXPECT_REFUSED (open_directory (link), error, CENOTE_ERROR_PLUGIN, link + " leads over more than 40 symbolic links");
}

TEST_F (TrustWalk, TellsWhatIsNotThereAndWhatIsNoDirectory)
{
  string file = above.write ("file", "");

  EXPECT_REFUSED (open_directory (above.file ("absent/x")), error, CENOTE_ERROR_NOT_FOUND,
                  above.file ("absent/x") + " cannot be looked at: No such file");
  EXPECT_REFUSED (open_directory (file), error, CENOTE_ERROR_PLUGIN, file + " is a file, expected a directory");
  EXPECT_REFUSED (open_directory (file + "/x"), error, CENOTE_ERROR_PLUGIN,
                  file + "/x: " + file + " is a file, expected a directory");
}

TEST_F (TrustWalk, JudgesEachDirectoryThatItPasses)
{
  g_chmod (above.path ().c_str (), 0777);
  EXPECT_REFUSED (open_directory (inner.path ()), error, CENOTE_ERROR_PLUGIN,
                  inner.path () + ": " + above.path () + " has mode 0777 and anybody may write it, expected 0775");
  g_chmod (above.path ().c_str (), 01777);
  EXPECT_TRUE (open_directory (inner.path ()));
  EXPECT_REFUSED (open_directory (inner.path () + "/.."), error, CENOTE_ERROR_PLUGIN, "has mode 1777");
  EXPECT_REFUSED (open_directory (link_to (".")), error, CENOTE_ERROR_PLUGIN, above.path () + " has mode 1777");
}

TEST_F (TrustWalk, JudgesTheOwnersOfLinksAndOfWhatTheyLeadOver)
{
  string link = link_to (inner.path ());

  if (geteuid () != 0)
    GTEST_SKIP () << "only root can give things away";
  ASSERT_EQ (lchown (link.c_str (), 1001, (gid_t) -1), 0);
  EXPECT_REFUSED (open_directory (link), error, CENOTE_ERROR_PLUGIN, link + " belongs to user 1001");
  link = link_to (inner.path () + "/../.");
  ASSERT_EQ (chown (inner.path ().c_str (), 1001, (gid_t) -1), 0);
  EXPECT_REFUSED (open_directory (link), error, CENOTE_ERROR_PLUGIN, inner.path () + " belongs to user 1001");
}

// ------------------------------------------------------------ the trust list

// Where a plugin lies: a directory within another, both of which are to be trusted.
struct Site {
  Directory above;
  Directory directory { above.path () };
  string name = "schedule";

  string file () const { return directory.file ("backoff-" + name + ".so"); }
  void write (const string &bytes) const { directory.write ("backoff-" + name + ".so", bytes); }

  // A good plugin, which is refused for what is then done to it.
  string
  put () const
  {
    write (module_bytes ("backoff-" + name));
    return file ();
  }

  void put_module (const char *module) { name = module, put (); }
};

string
good ()
{
  return module_bytes ("backoff-schedule");
}

// A module that needs libgrpc, with the last digit of all mentions of its version changed.
string
needing_another (const string &library)
{
  string bytes = module_bytes ("backoff-uses-grpc");
  gsize n = 0;

  for (gsize at = bytes.find (library); at != string::npos; at = bytes.find (library, at + 1), n++)
    bytes[at + library.size ()] = bytes[at + library.size ()] == '9' ? '8' : '9';
  EXPECT_GT (n, 0u) << library;
  return bytes;
}

struct Refusal {
  const char *what;
  std::function<void (Site &)> arrange;
  std::vector<const char *> parts;
  bool needs_root = false;
};

const Refusal refusals[] = {
  // what the file is
  { "no such file", [] (Site &) {}, { "there is no backoff-schedule.so" } },
  { "text file", [] (Site &s) { s.write ("#!/bin/sh\nexit\n# and more\n"); }, { "not an ELF file" } },
  { "empty file", [] (Site &s) { s.write (""); }, { "not an ELF file" } },
  { "truncated", [] (Site &s) { s.write (good ().substr (0, 3000)); }, { "truncated", "the file has 3000" } },
  { "other architecture",
    [] (Site &s) { s.write (good ().replace (offsetof (ElfW (Ehdr), e_machine), 2, bytes_of (guint16 { EM_S390 }))); },
    { "ELF machine 22, expected" } },
  { "directory", [] (Site &s) { g_mkdir (s.file ().c_str (), 0755); }, { "is a directory, expected a file" } },
  { "FIFO", [] (Site &s) { EXPECT_EQ (mkfifo (s.file ().c_str (), 0644), 0); }, { "is a FIFO, expected a file" } },
  { "symbolic link out",
    [] (Site &s) { EXPECT_EQ (symlink (module_path ("backoff-schedule").c_str (), s.file ().c_str ()), 0); },
    { "is a symbolic link to /", "backoff-schedule.so, expected a file" } },
  { "symbolic link within",
    [] (Site &s) {
      s.directory.write ("backoff-real.so", good ());
      EXPECT_EQ (symlink ("backoff-real.so", s.file ().c_str ()), 0);
    },
    { "is a symbolic link to backoff-real.so, expected a file" } },

  // whose it is
  { "foreign file", [] (Site &s) { EXPECT_EQ (chown (s.put ().c_str (), 1001, 0), 0); },
    { "backoff-schedule.so belongs to user 1001, expected root" }, true },
  { "foreign directory",
    [] (Site &s) {
      s.put ();
      EXPECT_EQ (chown (s.directory.path ().c_str (), 1001, 0), 0);
    },
    { "belongs to user 1001, expected root" }, true },
  { "foreign parent",
    [] (Site &s) {
      s.put ();
      EXPECT_EQ (chown (s.above.path ().c_str (), 1001, 0), 0);
    },
    { "belongs to user 1001, expected root" }, true },
  { "world-writable file", [] (Site &s) { g_chmod (s.put ().c_str (), 0646); },
    { "backoff-schedule.so has mode 0646 and anybody may write it, expected 0644" } },
  { "world-writable directory", [] (Site &s) { s.put (), g_chmod (s.directory.path ().c_str (), 0777); },
    { "has mode 0777 and anybody may write it, expected 0775" } },
  { "sticky directory", [] (Site &s) { s.put (), g_chmod (s.directory.path ().c_str (), 01777); },
    { "has mode 1777 and anybody may write it, expected 1775" } },
  { "world-writable parent", [] (Site &s) { s.put (), g_chmod (s.above.path ().c_str (), 0757); },
    { "has mode 0757 and anybody may write it, expected 0755" } },

  // what its note says
  { "no note", [] (Site &s) { s.put_module ("no-note"); }, { "no note of owner Cenote" } },
  { "another's note", [] (Site &s) { s.write (patched (good (), note_pattern (), 12, "Senote")); },
    { "no note of owner Cenote", "Senote" } },
  { "other ABI major", [] (Site &s) { s.write (patched (good (), note_pattern (), 20, bytes_of (guint16 { 77 }))); },
    { "its note says ABI major 77, expected" } },
  { "other kind",
    [] (Site &s) {
      s.write (patched (good (), note_pattern (), 24, bytes_of (guint32 { CENOTE_PLUGIN_PICKER })));
    },
    { "its note says kind picker (3), expected backoff (1)" } },
  { "other name", [] (Site &s) { s.write (patched (good (), note_pattern (), 28, "timetable")); },
    { "its note says name timetable, expected schedule" } },
  { "no name", [] (Site &s) { s.write (patched (good (), note_pattern (), 28, string (9, '\0'))); },
    { "the name in its note: '' is no plugin's name" } },

  // what it is called
  { "../x", [] (Site &s) { s.name = "../x"; }, { "'../x' contains '/'" } },
  { "empty name", [] (Site &s) { s.name = ""; },
    { "'' is no plugin's name (expected [a-z][a-z0-9-]*, at most 47 bytes)" } },
  { "over-long name", [] (Site &s) { s.name = string (CENOTE_PLUGIN_NAME_MAX, 'x'); },
    { "is too long (expected [a-z][a-z0-9-]*, at most 47 bytes)" } },

  // what it links
  { "missing symbol", [] (Site &s) { s.put_module ("no-symbol"); }, { "exports no function cenote_plugin_query()" } },
  { "gRPC within it", [] (Site &s) { s.put_module ("own-grpc"); }, { "defines grpc_init" } },
  { "second libgrpc", [] (Site &s) { s.name = "uses-grpc", s.write (needing_another ("libgrpc.so.")); },
    { "needs libgrpc.so.", "expected libgrpc.so." } },
};

TEST (TrustList, EachIsRefusedWithItsReasonAndNoneOfItsCodeRuns)
{
  for (const Refusal &refusal : refusals) {
    Site site;
    g_autoptr (CenoteRegistry) registry = registry_of (site.directory.path ());
    g_autoptr (GError) error = nullptr;

    SCOPED_TRACE (refusal.what);
    if (refusal.needs_root && geteuid () != 0)
      continue;
    refusal.arrange (site);
    g_unsetenv (mark);
    EXPECT_FALSE (cenote_registry_load (registry, CENOTE_PLUGIN_BACKOFF, site.name.c_str (), &error));
    EXPECT_EQ (g_getenv (mark), nullptr) << "its code ran";
    for (const char *part : refusal.parts)
      EXPECT_TRUE (contains (error ? error->message : nullptr, part));
  }
}

TEST (TrustList, WhatNoneOfItAppliesToIsLoaded)
{
  for (const char *name : { "schedule", "uses-grpc" }) {
    Site site;
    g_autoptr (CenoteRegistry) registry = registry_of (site.directory.path ());
    g_autoptr (GError) error = nullptr;

    site.put_module (name);
    g_chmod (site.above.path ().c_str (), 01777);
    g_unsetenv (mark);
    EXPECT_TRUE (cenote_registry_load (registry, CENOTE_PLUGIN_BACKOFF, name, &error)) << error->message;
    EXPECT_NE (g_getenv (mark), nullptr);
  }
}

TEST (TrustList, OfTwoFilesTheFirstIsRunAloneAndTheOtherIsKnown)
{
  Site first, second;
  g_autoptr (CenoteRegistry) registry = registry_of (first.directory.path () + ":" + second.directory.path ());
  g_autoptr (GError) error = nullptr;

  first.put ();
  second.write ("shadowed, and looked at by nobody");
  g_autoptr (Plugin) plugin = registry_get (registry, CENOTE_PLUGIN_BACKOFF, "schedule", &error);
  ASSERT_NE (plugin, nullptr) << error->message;
  EXPECT_EQ (plugin->path, first.file ());
  ASSERT_EQ (g_strv_length (plugin->shadowed), 1u);
  EXPECT_EQ (plugin->shadowed[0], second.file ());
}

} // namespace
