/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stress-slots: the slots' protocol under everything at once.
 *
 * Threads get and release, hand leases to each other, and come and go; the control
 * thread hides, shows, closes, frees and reopens slots, publishes views with their
 * places swapped, and ends the pool to begin another.  A channel is a word on the
 * heap that its users read and its destruction overwrites, so that a use after
 * destroy, a channel destroyed twice or never, and a get that fails while a channel
 * is ready all end the program with a message and exit status 1.
 *
 *   stress-slots --barrier real|none|seqcst [--uses N] [--seconds S] [--threads N]
 *
 * none leaves the barrier out, and must fail.  Without these options the program is
 * a test of itself: N is 100 million at full length (CENOTE_TEST_SCALE=1).
 */
#include <gtest/gtest.h>

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "stress-control.h"
#include "tests/sanitizers.h"
#include "tests/scale.h"

namespace stress
{
namespace
{

int
run (const Options &options)
{
  gint64 deadline_us = g_get_monotonic_time () + static_cast<gint64> (options.seconds * 1e6);
  Dice dice (next_seed++);
  guint64 n_threads = 0;

  if (options.barrier == "real" && !barrier_available ())
    fail ("this kernel has no membarrier");
  Control control (options);
  {
    std::vector<std::unique_ptr<Lane>> lanes;

    for (guint i = 0; i < options.threads; i++)
      lanes.push_back (std::make_unique<Lane> ());
    while (n_uses < options.uses && (options.seconds == 0 || g_get_monotonic_time () < deadline_us)) {
      for (auto &lane : lanes)
        n_threads += lane->tend (&dice);
      for (int i = 0; i < 16; i++)
        control.step ();
    }
    over = true;
  }
  control.end ();
  if (n_created != n_destroyed)
    fail ("a channel was never destroyed");
  if (n_attached == 0 || n_attached != n_detached)
    fail ("what was attached to a channel did not end with it, once");
  quarantine.clear ();
  control.report ();
  std::printf ("%s: %" G_GUINT64_FORMAT " threads came and went\n", options.barrier.c_str (), n_threads);
  return 0;
}

/* --------------------------------------------------------------- command line */

bool
parse (int argc, char **argv, Options *options)
{
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp (argv[i], "--barrier") == 0)
      options->barrier = argv[i + 1];
    else if (std::strcmp (argv[i], "--uses") == 0)
      options->uses = std::strtoull (argv[i + 1], nullptr, 10);
    else if (std::strcmp (argv[i], "--seconds") == 0)
      options->seconds = std::strtod (argv[i + 1], nullptr);
    else if (std::strcmp (argv[i], "--threads") == 0)
      options->threads = static_cast<guint> (std::strtoul (argv[i + 1], nullptr, 10));
    else
      return false;
  }
  return argc % 2 == 1 && (options->barrier == "real" || options->barrier == "none" || options->barrier == "seqcst");
}

/* -------------------------------------------------------------------- testing */

constexpr unsigned most_uses = UNDER_TSAN ? 10000000 : 100000000;

/* The exit status of this program with a barrier and so many uses; -1: by a signal. */
int
run_self (const char *barrier, guint64 uses, const char *seconds)
{
  std::string number = std::to_string (uses);
  pid_t child = fork ();
  int how = 0;

  if (child == 0) {
    execl ("/proc/self/exe", "stress-slots", "--barrier", barrier, "--uses", number.c_str (), "--seconds", seconds,
           nullptr);
    _exit (127);
  }
  EXPECT_GT (child, 0);
  EXPECT_EQ (waitpid (child, &how, 0), child);
  return WIFEXITED (how) ? WEXITSTATUS (how) : -1;
}

bool
has_two_cpus ()
{
  cpu_set_t allowed;

  return sched_getaffinity (0, sizeof allowed, &allowed) == 0 && CPU_COUNT (&allowed) > 1;
}

TEST (StressSlots, HoldsWithTheAsymmetricBarrier)
{
  if (!barrier_available ())
    GTEST_SKIP () << "this kernel has no membarrier";
  EXPECT_EQ (run_self ("real", scaled (most_uses, 100000), "0"), 0);
}

TEST (StressSlots, HoldsWithSequentiallyConsistentSteps)
{
  EXPECT_EQ (run_self ("seqcst", scaled (most_uses, 100000), "0"), 0);
}

TEST (StressSlots, FailsWithoutABarrier)
{
  if (UNDER_TSAN)
    GTEST_SKIP () << "ThreadSanitizer's atomics are barriers themselves";
  if (UNDER_ASAN)
    GTEST_SKIP () << "with AddressSanitizer's checks between two steps it takes ten times as long";
  if (!has_two_cpus ())
    GTEST_SKIP () << "needs two CPUs";
  int status = run_self ("none", 100000000, "0");
  EXPECT_TRUE (status != 0 && status != 127) << status;
}

} // namespace
} // namespace stress

int
main (int argc, char **argv)
{
  stress::Options options;

  if (argc > 1 && std::strncmp (argv[1], "--gtest", 7) != 0) {
    if (stress::parse (argc, argv, &options))
      return stress::run (options);
    std::fprintf (stderr, "usage: %s --barrier real|none|seqcst [--uses N] [--seconds S] [--threads N]\n", argv[0]);
    return 2;
  }
  testing::InitGoogleTest (&argc, argv);
  return RUN_ALL_TESTS ();
}
