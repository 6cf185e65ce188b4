// SPDX-License-Identifier: Apache-2.0
// Which servers transport tls trusts, and what it says of the others.
#include <gtest/gtest.h>

#include "plugins/transport/tls-trust.h"
#include "tests/servers/authority.h"

using std::string;

namespace {

class TlsTrusted : public ::testing::Test
{
protected:
  ~TlsTrusted () override { tls_trust_unref (trust); }

  void
  trust_in (const string &pem)
  {
    g_autofree char *fault = nullptr;

    tls_trust_unref (trust);
    trust = tls_trust_new (pem.c_str (), "ours", &fault);
    ASSERT_NE (trust, nullptr) << fault;
  }

  string
  refuse (const string &leaf, const string &host = "localhost", const string &chain = "")
  {
    if (!trust)
      trust_in (ca.pem ());
    g_autofree char *text = tls_trust_refuse (trust, host.c_str (), leaf.c_str (), chain.c_str ());
    return text ? text : "";
  }

  string
  issue (const string &hosts, const string &name = "server") const
  {
    Claim claim;

    claim.name = name;
    claim.hosts = hosts;
    return ca.issue (claim).certificate;
  }

  Authority ca;
  TlsTrust *trust = nullptr;
};

TEST_F (TlsTrusted, IsInAServerOfTheHost)
{
  EXPECT_EQ (refuse (issue ("DNS:localhost")), "");
  EXPECT_EQ (refuse (issue ("DNS:*.b.example"), "a.b.example"), "");
  EXPECT_EQ (refuse (issue ("IP:127.0.0.1"), "127.0.0.1"), "");
  EXPECT_EQ (refuse (issue ("IP:::1"), "::1"), "");
  EXPECT_EQ (refuse (issue ("", "localhost")), "") << "a common name, where there is no other";
}

TEST_F (TlsTrusted, IsNotInAServerOfAnotherHost)
{
  EXPECT_EQ (refuse (issue ("DNS:a.example"), "b.example"),
             "the server's certificate is for a.example and not for b.example (server-name=NAME, if that is right)");
  EXPECT_NE (refuse (issue ("DNS:*.b.example"), "a.c.b.example"), "");
  EXPECT_NE (refuse (issue ("DNS:127.0.0.1"), "127.0.0.1"), "") << "an IP is no name";
  EXPECT_NE (refuse (issue ("DNS:a.example", "localhost")), "") << "a common name counts only alone";
  EXPECT_EQ (refuse (issue ("DNS:a,DNS:b,DNS:c,DNS:d,DNS:e,DNS:f")),
             "the server's certificate is for a, b, c, d and others and not for localhost (server-name=NAME, if that "
             "is right)");
}

TEST_F (TlsTrusted, ShowsNoControlCharactersOfAPeer)
{
  string text = refuse (issue ("", "evil\x1b[31m\nname"), "b.example");

  EXPECT_NE (text.find ("evil?[31m?name"), string::npos) << text;
  EXPECT_LT (refuse (issue ("", string (64, 'x')), "b.example").size (), 300u);
}

TEST_F (TlsTrusted, FollowsAChainToItsAuthority)
{
  Claim claim;

  claim.name = "Middle CA";
  claim.hosts = "";
  claim.is_authority = true;
  const Credential middle = ca.issue (claim);
  const Authority other ("Other CA");

  EXPECT_EQ (refuse (issue ("DNS:localhost"), "localhost", ca.pem ()), "");
  EXPECT_EQ (refuse (other.issue (Claim ()).certificate, "localhost", other.pem ()),
             "the server's certificate is not signed by a CA of ours (its issuer is 'Other CA')");
  EXPECT_EQ (refuse (other.pem ()),
             "the server's certificate ('Other CA') is self-signed, and not among those of ours");
  trust_in (middle.certificate);
  EXPECT_EQ (refuse (middle.certificate, "Middle CA"), "") << "what is in the file is trusted, wherever in a chain";
}

TEST_F (TlsTrusted, SaysWhichCertificateOfTheChainIsOver)
{
  const Authority over ("Old CA", -1);

  trust_in (over.pem () + ca.pem ());
  EXPECT_EQ (refuse (over.issue (Claim ()).certificate)
               .find ("the certificate of the server's CA ('Old CA') expired on 20"), 0u);
}

TEST_F (TlsTrusted, RefusesWhatIsNoCertificate)
{
  EXPECT_EQ (refuse ("").find ("the server's certificate cannot be read: "), 0u);
  EXPECT_EQ (refuse (issue ("DNS:localhost"), "localhost", "-----BEGIN CERTIFICATE-----\nAA").find (
               "the server's certificate cannot be read: "), 0u);
}

} // namespace
