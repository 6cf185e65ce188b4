/* SPDX-License-Identifier: Apache-2.0 */
/* text-file: regular files of a bounded size, and nothing that hangs. */
#include "core/config/text-file.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

namespace {

class TextFile : public testing::Test
{
protected:
  void SetUp () override
  {
    g_autofree char *made = g_dir_make_tmp ("cenote-text-file-XXXXXX", nullptr);

    directory = made;
    path = directory + "/file.conf";
  }
  void TearDown () override
  {
    g_unlink (path.c_str ());
    g_rmdir (path.c_str ());
    g_rmdir (directory.c_str ());
  }
  void write (const std::string &text)
  {
    ASSERT_TRUE (g_file_set_contents (path.c_str (), text.data (), (gssize) text.size (), nullptr));
  }
  /* What is wrong, without the path that it begins with. */
  std::string refusal (const std::string &name, gsize max, int code)
  {
    g_autoptr (GError) error = nullptr;
    gsize length = 77;
    g_autofree char *text = text_file_read (name.c_str (), max, &length, &error);

    EXPECT_EQ (text, nullptr);
    EXPECT_EQ (length, 77u);
    EXPECT_TRUE (g_error_matches (error, CENOTE_ERROR, code)) << (error != nullptr ? error->message : "no error");
    EXPECT_EQ (std::string (error->message).rfind (name + ": ", 0), 0u) << error->message;
    return std::string (error->message).substr (name.size () + 2);
  }

  std::string directory, path;
};

TEST_F (TextFile, ReadsEveryByte)
{
  const std::string text ("a\0b\xff\n", 5);
  g_autoptr (GError) error = nullptr;
  gsize length = 0;

  write (text);
  g_autofree char *read = text_file_read (path.c_str (), 5, &length, &error);
  ASSERT_NE (read, nullptr) << error->message;
  EXPECT_EQ (std::string (read, length), text);
  EXPECT_EQ (read[length], '\0');
}

TEST_F (TextFile, ReadsMoreThanOneBufferAndAnEmptyFile)
{
  const std::string text (100000, 'x');
  gsize length = 0;

  write (text);
  g_autofree char *read = text_file_read (path.c_str (), 100000, &length, nullptr);
  EXPECT_EQ (std::string (read, length), text);
  write ("");
  g_autofree char *empty = text_file_read (path.c_str (), 1, &length, nullptr);
  ASSERT_NE (empty, nullptr);
  EXPECT_EQ (length, 0u);
}

TEST_F (TextFile, RefusesMoreThanTheLimit)
{
  write (std::string (1025, 'x'));
  EXPECT_EQ (refusal (path, 1024, CENOTE_ERROR_CONFIG), "is larger than 1KiB");
}

/* Its size is told as 0, so only the bytes can tell. */
TEST_F (TextFile, RefusesAFileThatHidesItsSize)
{
  EXPECT_EQ (refusal ("/proc/self/maps", 10, CENOTE_ERROR_CONFIG), "is larger than 10B");
}

TEST_F (TextFile, NamesWhatIsNoRegularFile)
{
  EXPECT_EQ (refusal (directory, 10, CENOTE_ERROR_CONFIG), "is a directory, not a regular file");
  EXPECT_EQ (refusal ("/dev/zero", 10, CENOTE_ERROR_CONFIG), "is a device, not a regular file");
}

TEST_F (TextFile, AFifoWithoutAWriterDoesNotHang)
{
  ASSERT_EQ (mkfifo (path.c_str (), 0600), 0);
  EXPECT_EQ (refusal (path, 10, CENOTE_ERROR_CONFIG), "is a FIFO, not a regular file");
}

TEST_F (TextFile, TellsAnAbsentFileApart)
{
  EXPECT_EQ (refusal (path, 10, CENOTE_ERROR_NOT_FOUND), "cannot be opened: No such file or directory");
}

TEST_F (TextFile, LeavesNoDescriptorBehind)
{
  int before = open ("/dev/null", O_RDONLY), after;
  gsize length;

  close (before);
  write ("x");
  g_free (text_file_read (path.c_str (), 10, &length, nullptr));
  refusal (directory, 10, CENOTE_ERROR_CONFIG);
  after = open ("/dev/null", O_RDONLY);
  close (after);
  EXPECT_EQ (before, after);
}

} // namespace
