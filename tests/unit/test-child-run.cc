// SPDX-License-Identifier: Apache-2.0
// What a function wrote that ran in a child, and how the child ended.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

extern "C" {
#include "tools/child-run.h"
}

namespace {

constexpr guint patience_ms = 120 * 1000;

class ChildRunTest : public ::testing::Test
{
protected:
  ~ChildRunTest () override { child_run_clear (&run); }

  // How the child ended, in words.
  std::string
  run_child (ChildFunc func, guint limit_ms = patience_ms)
  {
    g_autoptr (GError) error = nullptr;

    EXPECT_TRUE (child_run (func, const_cast<char *> ("data"), limit_ms, &run, &error)) << error->message;
    g_autofree char *end = child_run_describe_end (&run);
    return end;
  }

  std::string output () const { return std::string (run.output->str, run.output->len); }

  ChildRun run {};
};

void
say (int fd, const std::string &text)
{
  for (size_t at = 0; at < text.size ();) {
    ssize_t n = write (fd, &text[at], text.size () - at);

    if (n <= 0)
      _exit (99);
    at += (size_t) n;
  }
}

TEST_F (ChildRunTest, HasWhatAFunctionWroteThatReturned)
{
  EXPECT_EQ (run_child ([] (int fd, gpointer data) { say (fd, std::string ("got ") + (const char *) data); }), "returned");
  EXPECT_EQ (run.end, CHILD_RETURNED);
  EXPECT_EQ (output (), "got data");
}

TEST_F (ChildRunTest, TakesMoreThanAPipeHolds)
{
  EXPECT_EQ (run_child ([] (int fd, gpointer) { say (fd, std::string (1 << 20, 'x')); }), "returned");
  EXPECT_EQ (output (), std::string (1 << 20, 'x'));
}

// The child goes on only when the listener has let it: it hears of what was written before the end.
TEST_F (ChildRunTest, AListenerHearsAndTakesWhatIsWrittenMeanwhile)
{
  int ends[2];
  g_autoptr (GError) error = nullptr;

  ASSERT_EQ (pipe (ends), 0);
  auto func = [] (int fd, gpointer data) {
    char go;

    say (fd, "first");
    say (fd, read (*static_cast<int *> (data), &go, 1) == 1 ? "second" : "nobody heard");
  };
  static std::string heard;
  auto listener = [] (GString *output, gpointer data) {
    heard.append (output->str, output->len - (output->str[output->len - 1] == '\0'));
    g_string_erase (output, 0, (gssize) output->len - (output->str[output->len - 1] == '\0'));
    EXPECT_EQ (write (*static_cast<int *> (data), "g", 1), 1);
  };
  heard.clear ();
  ASSERT_TRUE (child_run_listening (func, &ends[0], patience_ms, listener, &ends[1], &run, &error)) << error->message;
  EXPECT_EQ (run.end, CHILD_RETURNED);
  EXPECT_EQ (heard, "firstsecond");
  EXPECT_EQ (output (), "");
  close (ends[0]);
  close (ends[1]);
}

TEST_F (ChildRunTest, WhatIsPrintedIsNotTakenForWhatIsWritten)
{
  EXPECT_EQ (run_child ([] (int fd, gpointer) {
    puts ("printed by a child");
    say (fd, "written");
  }), "returned");
  EXPECT_EQ (output (), "written");
}

TEST_F (ChildRunTest, AnEarlyExitIsNoReturnEvenWithStatus0)
{
  EXPECT_EQ (run_child ([] (int fd, gpointer) {
    say (fd, "half");
    _exit (0);
  }), "exited with status 0");
  EXPECT_EQ (run.end, CHILD_EXITED);
  EXPECT_EQ (output (), "half");
}

TEST_F (ChildRunTest, TellsTheStatusOfAnExit)
{
  EXPECT_EQ (run_child ([] (int, gpointer) { _exit (3); }), "exited with status 3");
  EXPECT_EQ (run.code, 3);
}

TEST_F (ChildRunTest, TellsTheSignalOfACrash)
{
  EXPECT_EQ (run_child ([] (int, gpointer) {
    signal (SIGABRT, SIG_DFL);
    abort ();
  }), "was ended by signal 6 (Aborted)");
  EXPECT_EQ (run.end, CHILD_SIGNALLED);
}

TEST_F (ChildRunTest, EndsOneThatHangs)
{
  EXPECT_EQ (run_child ([] (int fd, gpointer) {
    say (fd, "half");
    for (;;)
      pause ();
  }, 500), "did not end within 0.5 s");
  EXPECT_EQ (run.end, CHILD_OVERDUE);
}

TEST_F (ChildRunTest, EndsOneThatHangsWithNothingMoreToSay)
{
  EXPECT_EQ (run_child ([] (int fd, gpointer) {
    close (fd);
    for (;;)
      pause ();
  }), "was ended by signal 9 (Killed)");
}

} // namespace
