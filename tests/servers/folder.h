/* SPDX-License-Identifier: Apache-2.0 */
/* folder: a directory of a test's own, and the files in it. */
#ifndef CENOTE_TESTS_FOLDER_H
#define CENOTE_TESTS_FOLDER_H

#include <glib.h>
#include <glib/gstdio.h>
#include <sys/stat.h>

#include <cstdlib>
#include <string>

/* A directory for files that go with it. */
class Folder {
public:
  Folder () { path_ = g_dir_make_tmp ("cenote-test.XXXXXX", nullptr); }

  ~Folder ()
  {
    GDir *directory = g_dir_open (path_, 0, nullptr);

    while (const char *name = g_dir_read_name (directory))
      g_remove ((*this / name).c_str ());
    g_dir_close (directory);
    g_rmdir (path_);
    g_free (path_);
  }

  Folder (const Folder &) = delete;
  Folder &operator= (const Folder &) = delete;

  std::string operator/ (const std::string &name) const { return std::string (path_) + "/" + name; }

  /* In place of what there is, at once and whole; returns its path. */
  std::string
  write (const std::string &name, const std::string &text, int mode = 0600) const
  {
    std::string path = *this / name, fresh = path + ".new";

    if (!g_file_set_contents (fresh.c_str (), text.data (), static_cast<gssize> (text.size ()), nullptr) ||
        chmod (fresh.c_str (), static_cast<mode_t> (mode)) != 0 || rename (fresh.c_str (), path.c_str ()) != 0)
      abort ();
    return path;
  }

private:
  char *path_;
};

#endif
