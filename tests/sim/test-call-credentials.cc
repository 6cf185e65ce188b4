/* SPDX-License-Identifier: Apache-2.0 */
/* A token's file is read anew when it has changed, and what calls carry follows. */
#include <gtest/gtest.h>

#include <grpc/slice.h>

extern "C" {
#include "core/pool/call-credentials.h"
#include "sim.h"
}

#include "tests/servers/folder.h"
#include "tests/unit/log-capture.h"

namespace {

class CallCredentialsTest : public testing::Test
{
protected:
  CallCredentialsTest () : sim (sim_new_empty (1)), path (folder.write ("token", "first\n"))
  {
    from = { CREDENTIALS_TOKEN_FILE, &path[0] };
    credentials = call_credentials_new (sim_control (sim), &from, nullptr, "users", nullptr);
    call_credentials_start (credentials);
  }

  ~CallCredentialsTest () override
  {
    call_credentials_free (credentials);
    EXPECT_EQ (sim_next_us (sim), G_MAXINT64) << "a timer is left";
    sim_free (sim);
  }

  static std::string
  text_of (const grpc_slice &slice)
  {
    return std::string (reinterpret_cast<const char *> (GRPC_SLICE_START_PTR (slice)), GRPC_SLICE_LENGTH (slice));
  }

  /* What a call that starts now carries. */
  std::string
  value ()
  {
    grpc_metadata metadata;

    ccore_credentials_add_to (call_credentials_get (credentials), &metadata);
    std::string key = text_of (metadata.key), text = text_of (metadata.value);

    grpc_slice_unref (metadata.key);
    grpc_slice_unref (metadata.value);
    return key + ": " + text;
  }

  LogCapture log;
  Folder folder;
  Sim *sim;
  std::string path;
  PoolCredentials from;
  CallCredentials *credentials;
};

TEST_F (CallCredentialsTest, FollowTheFile)
{
  EXPECT_EQ (value (), "authorization: Bearer first");
  folder.write ("token", "second\n");
  EXPECT_EQ (value (), "authorization: Bearer first") << "nobody has looked yet";
  sim_run (sim, CALL_CREDENTIALS_REFRESH_US);
  EXPECT_EQ (value (), "authorization: Bearer second");
  folder.write ("token", "third");
  sim_run (sim, CALL_CREDENTIALS_REFRESH_US);
  EXPECT_EQ (value (), "authorization: Bearer third");
  EXPECT_EQ (log.records ().size (), 0u);
}

TEST_F (CallCredentialsTest, StayWhileTheFileIsBrokenWhichIsToldOnce)
{
  folder.write ("token", "two words\n");
  sim_run (sim, 10 * CALL_CREDENTIALS_REFRESH_US);
  EXPECT_EQ (value (), "authorization: Bearer first");
  ASSERT_EQ (log.records ().size (), 1u);
  EXPECT_EQ (log.records ()[0].message (), "Pool users: token-file: the token in '" + path +
                                             "' has at place 4 a byte that no header may have (expected one line of "
                                             "printable ASCII without blanks): the file has changed, and calls go on "
                                             "with the token that was there before");
  EXPECT_EQ (log.records ()[0].field ("CENOTE_POOL"), "users");
  ASSERT_EQ (g_remove (path.c_str ()), 0);
  sim_run (sim, 10 * CALL_CREDENTIALS_REFRESH_US);
  EXPECT_EQ (value (), "authorization: Bearer first");
  EXPECT_EQ (log.records ().size (), 2u) << "another thing is wrong";
  folder.write ("token", "second\n");
  sim_run (sim, CALL_CREDENTIALS_REFRESH_US);
  EXPECT_EQ (value (), "authorization: Bearer second");
}

TEST_F (CallCredentialsTest, OfAKeyNeverChangeAndWantNoTimer)
{
  char key[] = "s3cret";
  const PoolCredentials of_key = { CREDENTIALS_API_KEY, key };

  call_credentials_free (credentials);
  credentials = call_credentials_new (sim_control (sim), &of_key, nullptr, "users", nullptr);
  call_credentials_start (credentials);
  EXPECT_EQ (sim_next_us (sim), G_MAXINT64);
  EXPECT_EQ (value (), "api-key: s3cret");
}

} // namespace
