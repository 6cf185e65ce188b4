// SPDX-License-Identifier: Apache-2.0
// The header that a pool's calls carry, and what is said of a secret that cannot be one.
#include <gtest/gtest.h>

extern "C" {
#include "core/config/credential.h"
}
#include "tests/servers/folder.h"

using std::string;

namespace {

class CallCredential : public ::testing::Test
{
protected:
  ~CallCredential () override { g_clear_error (&error); }

  // The header's value, or "" with error set.
  string
  read (CredentialsKind kind, string value)
  {
    const PoolCredentials credentials = { kind, &value[0] };

    g_clear_error (&error);
    g_autofree char *text = credential_read (&credentials, &error);
    EXPECT_EQ (text == nullptr, error != nullptr);
    return text ? text : "";
  }

  string read_token (const string &text) { return read (CREDENTIALS_TOKEN_FILE, folder.write ("token", text)); }

  string message () const { return error ? error->message : ""; }
  string token_path () const { return folder / "token"; }

  Folder folder;
  GError *error = nullptr;
};

TEST_F (CallCredential, HasTheHeaderOfItsKind)
{
  EXPECT_EQ (credential_header (CREDENTIALS_NONE), nullptr);
  EXPECT_STREQ (credential_header (CREDENTIALS_API_KEY), "api-key");
  EXPECT_STREQ (credential_header (CREDENTIALS_TOKEN_FILE), "authorization");
  EXPECT_STREQ (credential_header (CREDENTIALS_BASIC), "authorization");
}

TEST_F (CallCredential, IsTheKeyTheTokenOrThePair)
{
  EXPECT_EQ (read (CREDENTIALS_API_KEY, "s3cret"), "s3cret");
  EXPECT_EQ (read (CREDENTIALS_BASIC, "Aladdin:open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  EXPECT_EQ (read_token ("abc.def"), "Bearer abc.def");
  EXPECT_EQ (read_token ("abc.def\n"), "Bearer abc.def");
  EXPECT_EQ (read_token ("abc.def \r\n\n"), "Bearer abc.def");
  EXPECT_EQ (read_token (string (CREDENTIAL_MAX_BYTES, 'x')).size (), CREDENTIAL_MAX_BYTES + strlen ("Bearer "));
}

TEST_F (CallCredential, SaysWhatIsWrongWithoutShowingIt)
{
  const string of = "token-file: the token in '" + token_path () + "' ";

  read_token ("");
  EXPECT_EQ (message (), of + "is empty");
  read_token (" \n");
  EXPECT_EQ (message (), of + "is empty");
  read_token (string (CREDENTIAL_MAX_BYTES + 1, 'x'));
  EXPECT_EQ (message (), of + "has 8193 bytes (expected at most 8192)");
  for (const char *text : { "s3cret two\n", "s3cret\ntwo\n", "s3cret\x01two", "s3cret\xc3\xa4" }) {
    read_token (text);
    EXPECT_EQ (message (), of + "has at place 7 a byte that no header may have (expected one line of printable ASCII "
                                "without blanks)");
  }
  read_token (string ("s3cret\0two", 10));
  EXPECT_EQ (message ().find ("s3cret"), string::npos);
  EXPECT_NE (message (), "");
  read (CREDENTIALS_API_KEY, "s3cret two");
  EXPECT_EQ (message (), "api-key has at place 7 a byte that no header may have (expected one line of printable ASCII "
                         "without blanks)");
  read (CREDENTIALS_BASIC, "user:" + string (5000, 'x'));
  EXPECT_EQ (message (), "user and password have 5005 bytes (expected at most 4096)");
}

TEST_F (CallCredential, SaysThatTheFileCannotBeRead)
{
  read (CREDENTIALS_TOKEN_FILE, folder / "none");
  EXPECT_TRUE (g_error_matches (error, CENOTE_ERROR, CENOTE_ERROR_NOT_FOUND));
  EXPECT_EQ (message (), "token-file: " + folder / "none" + ": cannot be opened: No such file or directory");
  read (CREDENTIALS_TOKEN_FILE, "/");
  EXPECT_EQ (message (), "token-file: /: is a directory, not a regular file");
}

} // namespace
