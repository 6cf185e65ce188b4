// SPDX-License-Identifier: Apache-2.0
// What may be in a file, and what is said about it before any of it runs.
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "plugin-files.h"

extern "C" {
#include "core/registry/plugin-file.h"
}

using std::string;

namespace {

// Where the part of the file ends that is mapped.
gsize
end_of_segments (const string &file)
{
  ElfW (Ehdr) header;
  gsize end = 0;

  memcpy (&header, file.data (), sizeof header);
  for (guint i = 0; i < header.e_phnum; i++) {
    ElfW (Phdr) segment;

    memcpy (&segment, file.data () + header.e_phoff + i * sizeof segment, sizeof segment);
    end = std::max<gsize> (end, segment.p_offset + segment.p_filesz);
  }
  return end;
}

class PluginFile : public ::testing::Test
{
protected:
  void TearDown () override { g_clear_error (&error); }

  gboolean
  read_path (const string &path)
  {
    ElfFile file;
    int fd = open (path.c_str (), O_RDONLY);
    gboolean done = FALSE;

    if (elf_file_init (&file, fd, path.c_str (), &error)) {
      done = plugin_file_read_note (&file, &note, &error);
      elf_file_clear (&file);
    }
    close (fd);
    return done;
  }

  gboolean read (const string &bytes) { return read_path (directory.write ("file.so", bytes)); }

  const CenotePlugin *
  load (const string &path)
  {
    int fd = open (path.c_str (), O_RDONLY);
    const CenotePlugin *descriptor = plugin_file_load (fd, path.c_str (), &error);

    close (fd);
    return descriptor;
  }

  Directory directory;
  PluginNote note {};
  GError *error = nullptr;
};

TEST_F (PluginFile, ReadsTheNoteOfAPlugin)
{
  ASSERT_TRUE (read_path (module_path ("backoff-schedule"))) << error->message;
  EXPECT_EQ (note.abi_major, CENOTE_ABI_MAJOR);
  EXPECT_EQ (note.abi_minor, CENOTE_ABI_MINOR);
  EXPECT_EQ (note.kind, (guint32) CENOTE_PLUGIN_BACKOFF);
  EXPECT_STREQ (note.name, "schedule");
}

TEST_F (PluginFile, TellsWhatIsNotElf)
{
  EXPECT_REFUSED (read (""), error, CENOTE_ERROR_PLUGIN, "not an ELF file", "expected 7f 45 4c 46");
  EXPECT_REFUSED (read ("#!/bin/sh\necho no\n"), error, CENOTE_ERROR_PLUGIN, "not an ELF file",
                  "begins with bytes 23 21 2f 62");
  EXPECT_REFUSED (read (string (5000, '\0')), error, CENOTE_ERROR_PLUGIN, "not an ELF file");
}

TEST_F (PluginFile, TellsTheWrongClassByteOrderMachineAndType)
{
  const string good = module_bytes ("backoff-schedule");
  const bool is_64 = sizeof (void *) == 8;
  string bytes = good;

  bytes[EI_CLASS] = is_64 ? ELFCLASS32 : ELFCLASS64;
  EXPECT_REFUSED (read (bytes), error, CENOTE_ERROR_PLUGIN,
                  is_64 ? "ELF class 1, expected 2" : "ELF class 2, expected 1");
  bytes = good;
  bytes[EI_DATA] = 9;
  EXPECT_REFUSED (read (bytes), error, CENOTE_ERROR_PLUGIN, "ELF byte order 9, expected");
  bytes = good;
  bytes.replace (offsetof (ElfW (Ehdr), e_machine), 2, bytes_of (guint16 { EM_S390 }));
  EXPECT_REFUSED (read (bytes), error, CENOTE_ERROR_PLUGIN, "ELF machine 22, expected");
  bytes = good;
  bytes.replace (offsetof (ElfW (Ehdr), e_type), 2, bytes_of (guint16 { ET_EXEC }));
  EXPECT_REFUSED (read (bytes), error, CENOTE_ERROR_PLUGIN, "ELF type 2, expected 3");
  bytes = good;
  bytes.replace (offsetof (ElfW (Ehdr), e_phentsize), 2, bytes_of (guint16 { 8 }));
  EXPECT_REFUSED (read (bytes), error, CENOTE_ERROR_PLUGIN, "program headers of 8 bytes, expected");
  bytes = good;
  bytes.replace (offsetof (ElfW (Ehdr), e_phnum), 2, bytes_of (guint16 { 0xffff }));
  EXPECT_REFUSED (read (bytes), error, CENOTE_ERROR_PLUGIN, "65535 program headers, expected");
}

TEST_F (PluginFile, TellsATruncatedFileAtEveryLength)
{
  const string good = module_bytes ("backoff-schedule");
  const string path = directory.write ("file.so", good);
  guint told = 0;

  for (gsize length = good.size (); length-- > 0;) {
    ASSERT_EQ (truncate (path.c_str (), (off_t) length), 0);
    if (!read_path (path)) {
      EXPECT_TRUE (contains (error->message, length < EI_NIDENT ? "not an ELF file" : "truncated")) << length;
      told++;
      g_clear_error (&error);
    }
  }
  // What is behind the last segment is not mapped: without it a file is whole still.
  EXPECT_EQ (told, end_of_segments (good));
  EXPECT_REFUSED (read (good.substr (0, 40)), error, CENOTE_ERROR_PLUGIN, "truncated", "the file has 40");
  EXPECT_REFUSED (read (good.substr (0, 300)), error, CENOTE_ERROR_PLUGIN, "truncated", "the file has 300");
  EXPECT_REFUSED (read (good.substr (0, 3000)), error, CENOTE_ERROR_PLUGIN, "truncated: segment", "the file has 3000");
}

TEST_F (PluginFile, TellsPlacesThatOverflow)
{
  string bytes = module_bytes ("backoff-schedule");

  bytes.replace (offsetof (ElfW (Ehdr), e_phoff), sizeof (ElfW (Off)), bytes_of (~ElfW (Off) { 0 } - 8));
  EXPECT_REFUSED (read (bytes), error, CENOTE_ERROR_PLUGIN, "truncated: the program headers");
}

TEST_F (PluginFile, TellsAMissingOrForeignNote)
{
  const string good = module_bytes ("backoff-schedule");

  EXPECT_REFUSED (read_path (module_path ("backoff-no-note")), error, CENOTE_ERROR_PLUGIN, "no note of owner Cenote");
  EXPECT_REFUSED (read (patched (good, note_pattern (), 12, "Senote")), error, CENOTE_ERROR_PLUGIN,
                  "no note of owner Cenote", "Senote");
  EXPECT_REFUSED (read (patched (good, note_pattern (), 8, bytes_of (guint32 { 2 }))), error, CENOTE_ERROR_PLUGIN,
                  "note of type 2, expected 1");
  EXPECT_REFUSED (read (patched (good, note_pattern (), 4, bytes_of (guint32 { 8 }))), error, CENOTE_ERROR_PLUGIN,
                  "note of 8 bytes, expected at least 56");
  EXPECT_REFUSED (read (patched (good, note_pattern (), 4, bytes_of (guint32 { 0xffffff00 }))), error,
                  CENOTE_ERROR_PLUGIN, "but its segment has");
  EXPECT_REFUSED (read (patched (good, note_pattern (), 0, bytes_of (guint32 { 0xffffffff }))), error,
                  CENOTE_ERROR_PLUGIN, "but its segment has");
  EXPECT_REFUSED (read (patched (good, note_pattern (), 28, string (CENOTE_PLUGIN_NAME_MAX, 'x'))), error,
                  CENOTE_ERROR_PLUGIN, "has no end");
}

TEST_F (PluginFile, SurvivesAnyByteChangedInTheHeaders)
{
  const string good = module_bytes ("backoff-schedule");
  const string path = directory.write ("file.so", good);
  const int fd = open (path.c_str (), O_WRONLY);

  for (gsize at = 0; at < MIN (good.size (), 1024u); at++) {
    for (char value : { '\0', '\x01', '\x7f', '\xff' }) {
      ASSERT_EQ (pwrite (fd, &value, 1, (off_t) at), 1);
      if (!read_path (path)) {
        EXPECT_TRUE (contains (error->message, "file.so: "));
        g_clear_error (&error);
      }
    }
    ASSERT_EQ (pwrite (fd, &good[at], 1, (off_t) at), 1);
  }
  close (fd);
}

TEST_F (PluginFile, LoadsAndReturnsTheDescriptor)
{
  const CenotePlugin *descriptor = load (module_path ("backoff-schedule"));

  ASSERT_NE (descriptor, nullptr) << error->message;
  EXPECT_STREQ (descriptor->name, "schedule");
  EXPECT_EQ (load (module_path ("backoff-schedule")), descriptor);
}

TEST_F (PluginFile, TellsWhatIsNoPluginOnceLoaded)
{
  EXPECT_REFUSED (load (module_path ("backoff-no-symbol")), error, CENOTE_ERROR_PLUGIN,
                  "exports no function cenote_plugin_query()");
  EXPECT_REFUSED (load (module_path ("backoff-null")), error, CENOTE_ERROR_PLUGIN,
                  "returned NULL, expected a descriptor");
  EXPECT_REFUSED (load (directory.write ("backoff-text.so", "no library")), error, CENOTE_ERROR_PLUGIN,
                  "backoff-text.so");
}

/* The linker takes a path, and that must lead to the file which was judged. */
TEST_F (PluginFile, LoadsNoOtherFileThanTheOneThatIsOpen)
{
  const string path = directory.write ("backoff-schedule.so", module_bytes ("backoff-schedule"));
  const int fd = open (path.c_str (), O_RDONLY);

  g_remove (path.c_str ());
  directory.write ("backoff-schedule.so", module_bytes ("backoff-schedule"));
  g_unsetenv ("CENOTE_TEST_SCHEDULE_RAN");
  EXPECT_REFUSED (plugin_file_load (fd, path.c_str (), &error), error, CENOTE_ERROR_PLUGIN, path,
                  "was replaced while it was looked at");
  EXPECT_EQ (g_getenv ("CENOTE_TEST_SCHEDULE_RAN"), nullptr) << "code of another file ran";
  close (fd);
}

/* dlerror() mostly begins with the path. */
TEST_F (PluginFile, NamesThePathOnce)
{
  const string path = directory.write ("backoff-text.so", "no library");

  ASSERT_EQ (load (path), nullptr);
  EXPECT_EQ (string (error->message).find (path + ": "), 0u) << error->message;
  EXPECT_EQ (string (error->message).find (path, 1), string::npos) << error->message;
  EXPECT_GT (strlen (error->message), path.size () + strlen (": ")) << "and it says why";
}

} // namespace
