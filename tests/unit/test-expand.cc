/* SPDX-License-Identifier: Apache-2.0 */
/* expand: variables, defaults, literals, and every fault. */
#include "core/config/expand.h"

#include <gtest/gtest.h>

#include <string>

namespace {

class Expand : public testing::Test
{
protected:
  void SetUp () override
  {
    g_setenv ("CENOTE_TEST_HOST", "users.example.com", TRUE);
    g_setenv ("CENOTE_TEST_EMPTY", "", TRUE);
    g_setenv ("CENOTE_TEST_NESTED", "${CENOTE_TEST_HOST}\\s;", TRUE);
    g_unsetenv ("CENOTE_TEST_UNSET");
  }
  void TearDown () override
  {
    for (const char *name : { "CENOTE_TEST_HOST", "CENOTE_TEST_EMPTY", "CENOTE_TEST_NESTED", "CENOTE_TEST_LATIN" })
      g_unsetenv (name);
  }
};

/* "problem: …" where it is refused. */
std::string
expanded (const char *text)
{
  g_autofree char *problem = nullptr;
  g_autofree char *out = expand_text (text, &problem);

  EXPECT_NE (out == nullptr, problem == nullptr) << text;
  return out != nullptr ? out : std::string ("problem: ") + problem;
}

TEST_F (Expand, LeavesWhatIsNoVariable)
{
  for (const char *text : { "", "plain", "$", "$$", "a$b", "$HOME", "{x}", "}", "$ {x}", "100$" })
    EXPECT_EQ (expanded (text), text);
}

TEST_F (Expand, PutsInVariables)
{
  EXPECT_EQ (expanded ("${CENOTE_TEST_HOST}"), "users.example.com");
  EXPECT_EQ (expanded ("dns:///${CENOTE_TEST_HOST}:${CENOTE_TEST_PORT:-443}/x"), "dns:///users.example.com:443/x");
  EXPECT_EQ (expanded ("${CENOTE_TEST_EMPTY}"), "");
}

TEST_F (Expand, DefaultsStandForUnsetAndForEmpty)
{
  EXPECT_EQ (expanded ("${CENOTE_TEST_UNSET:-a b}"), "a b");
  EXPECT_EQ (expanded ("${CENOTE_TEST_EMPTY:-x}"), "x");
  EXPECT_EQ (expanded ("${CENOTE_TEST_UNSET:-}"), "");
  EXPECT_EQ (expanded ("${CENOTE_TEST_HOST:-x}"), "users.example.com");
  EXPECT_EQ (expanded ("${CENOTE_TEST_UNSET:-:-$x}"), ":-$x");
}

TEST_F (Expand, ExpandsOnce)
{
  EXPECT_EQ (expanded ("${CENOTE_TEST_NESTED}"), "${CENOTE_TEST_HOST}\\s;");
}

TEST_F (Expand, TwoDollarsAreALiteralOne)
{
  EXPECT_EQ (expanded ("$${CENOTE_TEST_HOST}"), "${CENOTE_TEST_HOST}");
  EXPECT_EQ (expanded ("$$${CENOTE_TEST_HOST}"), "$${CENOTE_TEST_HOST}");
  EXPECT_EQ (expanded ("$${"), "${");
  EXPECT_EQ (expanded ("$$$"), "$$$");
}

TEST_F (Expand, NamesTheVariableThatIsNotSet)
{
  EXPECT_EQ (expanded ("a${CENOTE_TEST_UNSET}b"),
             "problem: ${CENOTE_TEST_UNSET} is not set (set CENOTE_TEST_UNSET in the "
             "environment, or write ${CENOTE_TEST_UNSET:-default})");
}

TEST_F (Expand, RefusesWhatIsNoVariablesName)
{
  for (const char *text :
       { "${}", "${1A}", "${A-b}", "${A B}", "${A:b}", "${:-x}", "${A:}", "${ä}", "${${CENOTE_TEST_HOST}}" })
    EXPECT_EQ (expanded (text),
               "problem: has a ${…} that names no variable (${VAR} or ${VAR:-default}; $${ for a literal ${)")
      << text;
}

TEST_F (Expand, RefusesABraceThatIsNotClosed)
{
  for (const char *text : { "${", "${CENOTE_TEST_HOST", "ok ${CENOTE_TEST_HOST} ${X:-" })
    EXPECT_EQ (expanded (text), "problem: has ${ without } (${VAR} or ${VAR:-default}; $${ for a literal ${)") << text;
}

TEST_F (Expand, RefusesAValueThatIsNotUtf8WithoutShowingIt)
{
  g_setenv ("CENOTE_TEST_LATIN", "caf\xe9", TRUE);
  EXPECT_EQ (expanded ("${CENOTE_TEST_LATIN}"), "problem: ${CENOTE_TEST_LATIN} holds text that is not UTF-8");
}

} // namespace
