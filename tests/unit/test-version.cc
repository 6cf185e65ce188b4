// SPDX-License-Identifier: Apache-2.0
#include <cenote/version.h>
#include <gtest/gtest.h>

#include <string>

namespace {

TEST (Version, LibraryIsTheOneOfTheHeaders)
{
  EXPECT_STREQ (CENOTE_VERSION_STRING, cenote_version ());
}

TEST (Version, StringIsTheThreeNumbers)
{
  std::string numbers = std::to_string (CENOTE_VERSION_MAJOR) + "." + std::to_string (CENOTE_VERSION_MINOR) + "." +
                        std::to_string (CENOTE_VERSION_MICRO);

  EXPECT_EQ (numbers, CENOTE_VERSION_STRING);
}

TEST (Version, CheckComparesFromTheLeft)
{
  EXPECT_TRUE (CENOTE_CHECK_VERSION (CENOTE_VERSION_MAJOR, CENOTE_VERSION_MINOR, CENOTE_VERSION_MICRO));
  EXPECT_FALSE (CENOTE_CHECK_VERSION (CENOTE_VERSION_MAJOR, CENOTE_VERSION_MINOR, CENOTE_VERSION_MICRO + 1));
  EXPECT_FALSE (CENOTE_CHECK_VERSION (CENOTE_VERSION_MAJOR, CENOTE_VERSION_MINOR + 1, 0));
  EXPECT_FALSE (CENOTE_CHECK_VERSION (CENOTE_VERSION_MAJOR + 1, 0, 0));
  EXPECT_TRUE (CENOTE_CHECK_VERSION (CENOTE_VERSION_MAJOR, CENOTE_VERSION_MINOR - 1, CENOTE_VERSION_MICRO + 1));
}

} // namespace
