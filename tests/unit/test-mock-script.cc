// SPDX-License-Identifier: Apache-2.0
// transport/mock's script, step by step.
#include <gtest/gtest.h>

#include <string>

extern "C" {
#include "plugins/transport/mock-script.h"
}

namespace {

MockStep
read (const char *text)
{
  MockStep step {};
  const char *problem = mock_script_read_step (text, &step);

  EXPECT_EQ (problem, nullptr) << text << " " << (problem ? problem : "");
  return step;
}

std::string
problem_of (const char *text)
{
  MockStep step {};
  const char *problem = mock_script_read_step (text, &step);

  return problem ? problem : "";
}

TEST (MockScript, ReadsTheOutcomes)
{
  EXPECT_EQ (read ("ok").outcome, MOCK_OK);
  EXPECT_EQ (read ("fail").outcome, MOCK_FAIL);
  EXPECT_EQ (read ("hang").outcome, MOCK_HANG);
  EXPECT_EQ (read ("  ok  ").outcome, MOCK_OK);
}

TEST (MockScript, HasDefaults)
{
  MockStep step = read ("ok");

  EXPECT_EQ (step.after_us, 0);
  EXPECT_EQ (step.lasts_us, -1);
  EXPECT_EQ (step.text, nullptr);
}

TEST (MockScript, ReadsTimesAndText)
{
  MockStep step = read ("ok after 20ms for 1.5s: bye, bye");

  EXPECT_EQ (step.after_us, 20000);
  EXPECT_EQ (step.lasts_us, 1500000);
  EXPECT_STREQ (step.text, "bye, bye");
  step = read ("fail after 5ms : no route: none");
  EXPECT_EQ (step.after_us, 5000);
  EXPECT_STREQ (step.text, "no route: none");
  EXPECT_STREQ (read ("fail:").text, "");
  EXPECT_EQ (read ("ok for 0").lasts_us, 0);
  EXPECT_EQ (read ("ok after 0 for 250us").lasts_us, 250);
  EXPECT_EQ (read ("ok after 2min").after_us, 120000000);
  EXPECT_EQ (read ("ok after 24h").after_us, INT64_C (86400000000));
}

TEST (MockScript, TellsWhatIsWrong)
{
  EXPECT_EQ (problem_of (""), "begins with none of ok, fail, hang");
  EXPECT_EQ (problem_of ("okay"), "begins with none of ok, fail, hang");
  EXPECT_EQ (problem_of ("OK"), "begins with none of ok, fail, hang");
  EXPECT_EQ (problem_of ("ok after"), "has no time after 'after' (e.g. 20ms; at most 24h)");
  EXPECT_EQ (problem_of ("ok after 20"), "has no time after 'after' (e.g. 20ms; at most 24h)");
  EXPECT_EQ (problem_of ("ok after 20 ms"), "has no time after 'after' (e.g. 20ms; at most 24h)");
  EXPECT_EQ (problem_of ("ok after 0h5"), "goes on after its end (ok [after TIME] [for TIME] [: text])");
  EXPECT_EQ (problem_of ("ok after 20parsec"), "has no time after 'after' (e.g. 20ms; at most 24h)");
  EXPECT_EQ (problem_of ("ok after -1s"), "has no time after 'after' (e.g. 20ms; at most 24h)");
  EXPECT_EQ (problem_of ("ok after 25h"), "has no time after 'after' (e.g. 20ms; at most 24h)");
  EXPECT_EQ (problem_of ("ok after 1..5s"), "has no time after 'after' (e.g. 20ms; at most 24h)");
  EXPECT_EQ (problem_of ("ok after .5s"), "has no time after 'after' (e.g. 20ms; at most 24h)");
  EXPECT_EQ (problem_of ("ok after 5.s"), "has no time after 'after' (e.g. 20ms; at most 24h)");
  EXPECT_EQ (problem_of ("ok after 99999999999999999999ms"), "has no time after 'after' (e.g. 20ms; at most 24h)");
  EXPECT_EQ (problem_of ("ok for ever"), "has no time after 'for' (e.g. 2s; at most 24h)");
  EXPECT_EQ (problem_of ("ok for 1s after 2s"), "goes on after its end (ok [after TIME] [for TIME] [: text])");
  EXPECT_EQ (problem_of ("fail for 1s"), "goes on after its end (fail [after TIME] [: text])");
  EXPECT_EQ (problem_of ("hang after 1s"), "goes on after its end (hang stands alone)");
  EXPECT_EQ (problem_of ("hang: why"), "goes on after its end (hang stands alone)");
}

} // namespace
