/* SPDX-License-Identifier: Apache-2.0 */
/* folder: a directory of a test's own, and the files in it. */
#ifndef CENOTE_TESTS_FOLDER_H
#define CENOTE_TESTS_FOLDER_H

#include <ftw.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <sys/stat.h>

#include <cstdlib>
#include <string>

/* A directory that goes with all that is in it. */
class Folder {
public:
  Folder () { path_ = g_dir_make_tmp ("cenote-test.XXXXXX", nullptr); }

  ~Folder ()
  {
    nftw (path_, [] (const char *path, const struct stat *, int, FTW *) { return g_remove (path); }, 16,
          FTW_DEPTH | FTW_PHYS);
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
