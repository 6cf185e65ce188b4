// SPDX-License-Identifier: Apache-2.0
// What a file needs and defines, as its dynamic section says; and what may stand there.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "plugin-files.h"

extern "C" {
#include "core/registry/plugin-dynamic.h"
}

using std::string;

namespace {

// A file's headers and its dynamic section, where they are good.
class Reading
{
public:
  explicit Reading (const string &path) : path_ (path), fd_ (open (path.c_str (), O_RDONLY))
  {
    has_file_ = elf_file_init (&file_, fd_, path_.c_str (), &error);
    has_dynamic_ = has_file_ && elf_dynamic_init (&dynamic_, &file_, &error);
  }

  ~Reading ()
  {
    if (has_dynamic_)
      elf_dynamic_clear (&dynamic_);
    if (has_file_)
      elf_file_clear (&file_);
    close (fd_);
    g_clear_error (&error);
  }

  Reading (const Reading &) = delete;

  bool is_good () const { return has_dynamic_; }
  const ElfFile &file () const { return file_; }
  const ElfDynamic &dynamic () const { return dynamic_; }

  bool
  needs (const string &prefix) const
  {
    return std::any_of (dynamic_.needed, dynamic_.needed + g_strv_length (dynamic_.needed),
                        [&] (const char *name) { return g_str_has_prefix (name, prefix.c_str ()); });
  }

  bool
  defines (const char *symbol)
  {
    gboolean found = FALSE;

    g_clear_error (&error);
    EXPECT_TRUE (elf_dynamic_defines (&dynamic_, symbol, &found, &error)) << error->message;
    return found;
  }

  GError *error = nullptr;

private:
  string path_;
  int fd_;
  ElfFile file_ {};
  ElfDynamic dynamic_ {};
  bool has_file_ = false, has_dynamic_ = false;
};

TEST (PluginDynamic, TellsWhatAFileNeeds)
{
  Reading schedule (module_path ("backoff-schedule")), uses_grpc (module_path ("backoff-uses-grpc"));

  ASSERT_TRUE (schedule.is_good ()) << schedule.error->message;
  ASSERT_TRUE (uses_grpc.is_good ()) << uses_grpc.error->message;
  EXPECT_TRUE (schedule.needs ("libc.so."));
  EXPECT_FALSE (schedule.needs ("libgrpc"));
  EXPECT_TRUE (uses_grpc.needs ("libgrpc.so."));
}

TEST (PluginDynamic, TellsWhatAFileDefinesAndNotWhatItOnlyUses)
{
  Reading schedule (module_path ("backoff-schedule")), uses_grpc (module_path ("backoff-uses-grpc")),
    own_grpc (module_path ("backoff-own-grpc"));

  for (Reading *reading : { &schedule, &uses_grpc, &own_grpc }) {
    ASSERT_TRUE (reading->is_good ()) << reading->error->message;
    EXPECT_NE (reading->dynamic ().gnu_hash, 0u);
    EXPECT_TRUE (reading->defines ("cenote_plugin_query"));
    EXPECT_FALSE (reading->defines ("cenote_plugin_quer"));
    EXPECT_FALSE (reading->defines (""));
  }
  EXPECT_TRUE (own_grpc.defines ("grpc_init"));
  EXPECT_FALSE (uses_grpc.defines ("grpc_init"));
  EXPECT_FALSE (uses_grpc.defines ("grpc_version_string"));
  EXPECT_TRUE (uses_grpc.defines ("its_grpc"));
}

TEST (PluginDynamic, LooksInTheOlderHashTableWhereThatIsTheOnlyOne)
{
  Reading reading (module_path ("backoff-no-next"));

  ASSERT_TRUE (reading.is_good ()) << reading.error->message;
  ASSERT_EQ (reading.dynamic ().gnu_hash, 0u);
  EXPECT_TRUE (reading.defines ("cenote_plugin_query"));
  EXPECT_FALSE (reading.defines ("grpc_init"));
  EXPECT_FALSE (reading.defines ("__cxa_finalize")) << "it only uses that";
}

// The bytes of a module with those of the dynamic entries TAGS replaced: of each that it has.
string
with_entries (const char *module, const std::vector<ElfW (Sxword)> &tags, const ElfW (Dyn) &replacement)
{
  Reading reading (module_path (module));
  string bytes = module_bytes (module);
  guint replaced = 0;

  EXPECT_TRUE (reading.is_good ());
  for (guint i = 0; i < reading.file ().n_segments; i++) {
    const ElfW (Phdr) &segment = reading.file ().segments[i];

    for (gsize at = segment.p_offset; segment.p_type == PT_DYNAMIC && at < segment.p_offset + segment.p_filesz;
         at += sizeof (ElfW (Dyn))) {
      ElfW (Dyn) entry;

      memcpy (&entry, &bytes[at], sizeof entry);
      if (std::find (tags.begin (), tags.end (), entry.d_tag) != tags.end ()) {
        bytes.replace (at, sizeof entry, bytes_of (replacement));
        replaced++;
      }
    }
  }
  EXPECT_GT (replaced, 0u);
  return bytes;
}

ElfW (Dyn)
entry_of (ElfW (Sxword) tag, ElfW (Addr) value)
{
  ElfW (Dyn) entry {};

  entry.d_tag = tag;
  entry.d_un.d_val = value;
  return entry;
}

TEST (PluginDynamic, TellsWhatCannotBeRead)
{
  Directory directory;
  const struct { std::vector<ElfW (Sxword)> tags; ElfW (Dyn) replacement; const char *part; } bad[] = {
    { { DT_NEEDED }, entry_of (DT_NEEDED, 0x7fffffff), "a name at byte 2147483647 of its strings" },
    { { DT_STRTAB }, entry_of (DT_STRTAB, 0x70000000), "which no segment of the file has" },
    { { DT_STRSZ }, entry_of (DT_STRSZ, 0), "of its strings, which have 0" },
    { { DT_GNU_HASH, DT_HASH }, entry_of (DT_DEBUG, 0), "no table of its symbols, expected DT_GNU_HASH or DT_HASH" },
    { { DT_GNU_HASH }, entry_of (DT_GNU_HASH, ~ElfW (Addr) { 0 } - 7), "DT_GNU_HASH at address 0xfffffff" },
    { { DT_SYMTAB }, entry_of (DT_SYMTAB, 0x70000000), "a symbol at address 0x70000" },
  };

  for (const auto &each : bad) {
    Reading reading (directory.write ("file.so", with_entries ("backoff-schedule", each.tags, each.replacement)));
    gboolean found;

    EXPECT_FALSE (reading.is_good () &&
                  elf_dynamic_defines (&reading.dynamic (), "cenote_plugin_query", &found, &reading.error));
    EXPECT_TRUE (contains (reading.error ? reading.error->message : nullptr, each.part));
  }
}

// Odd, so that it comes by every place of the tables' entries, which lie all over the file.
TEST (PluginDynamic, SurvivesAnyByteChanged)
{
  Directory directory;
  const string good = module_bytes ("backoff-schedule");
  const string path = directory.write ("file.so", good);
  const int fd = open (path.c_str (), O_WRONLY);
  const gsize stride = good.size () / 2000 | 1;

  for (gsize at = 0; at < good.size (); at += stride) {
    for (char value : { '\x01', '\x7f', '\xff' }) {
      ASSERT_EQ (pwrite (fd, &value, 1, (off_t) at), 1);
      Reading reading (path);
      gboolean found;

      if (reading.is_good ())
        (void) elf_dynamic_defines (&reading.dynamic (), "cenote_plugin_query", &found, nullptr);
      else
        EXPECT_TRUE (contains (reading.error->message, "file.so: "));
    }
    ASSERT_EQ (pwrite (fd, &good[at], 1, (off_t) at), 1);
  }
  close (fd);
}

} // namespace
