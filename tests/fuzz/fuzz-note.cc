// SPDX-License-Identifier: Apache-2.0
// Any bytes as a plugin's file: its note or an error, before anything of it runs.
#include <glib.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>

extern "C" {
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

  const char *path () const { return path_; }

private:
  int fd_;
  char *path_ = nullptr;
};

} // namespace

extern "C" int
LLVMFuzzerTestOneInput (const std::uint8_t *data, std::size_t size)
{
  static File file;
  PluginNote note;
  g_autoptr (GError) error = nullptr;

  if (!file.fill (data, size))
    return 0;

  if (plugin_file_read_note (file.path (), &note, &error) == (error != nullptr))
    __builtin_trap ();

  return 0;
}
