// SPDX-License-Identifier: Apache-2.0
// Any bytes as a plugin's file: its note, what it needs and what it defines, or an error, before anything of it runs.
#include <glib.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

extern "C" {
#include "core/registry/plugin-dynamic.h"
#include "core/registry/plugin-file.h"
}

namespace {

// A file of the process's own that lives as long as it does.
class File
{
public:
  File () { fd_ = g_file_open_tmp ("cenote-fuzz-XXXXXX.so", &path_, nullptr); }

  ~File ()
  {
    close (fd_);
    unlink (path_);
    g_free (path_);
  }

  bool fill (const std::uint8_t *data, std::size_t size)
  {
    return ftruncate (fd_, 0) == 0 && pwrite (fd_, data, size, 0) == static_cast<ssize_t> (size);
  }

  int fd () const { return fd_; }

private:
  int fd_;
  char *path_ = nullptr;
};

// Nothing is done without an error to say why, and none is left where it is done.
void
expect_told (gboolean done, GError *error)
{
  if (done == (error != nullptr))
    __builtin_trap ();
  g_clear_error (&error);
}

void
read_note (const ElfFile *elf)
{
  PluginNote note;
  GError *error = nullptr;
  gboolean done = plugin_file_read_note (elf, &note, &error);

  expect_told (done, error);
}

void
look_up (const ElfDynamic *dynamic, const char *symbol)
{
  gboolean defines;
  GError *error = nullptr;
  gboolean done = elf_dynamic_defines (dynamic, symbol, &defines, &error);

  expect_told (done, error);
}

void
read_dynamic (const ElfFile *elf)
{
  ElfDynamic dynamic;
  GError *error = nullptr;
  gboolean done = elf_dynamic_init (&dynamic, elf, &error);

  expect_told (done, error);
  if (!done)
    return;
  look_up (&dynamic, CENOTE_PLUGIN_QUERY_SYMBOL);
  look_up (&dynamic, "grpc_init");
  elf_dynamic_clear (&dynamic);
}

} // namespace

extern "C" int
LLVMFuzzerTestOneInput (const std::uint8_t *data, std::size_t size)
{
  static File file;
  ElfFile elf;
  GError *error = nullptr;
  gboolean done;

  if (!file.fill (data, size))
    return 0;

  done = elf_file_init (&elf, file.fd (), "file", &error);
  expect_told (done, error);
  if (done) {
    read_note (&elf);
    read_dynamic (&elf);
    elf_file_clear (&elf);
  }
  return 0;
}
