/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transport tls against servers with certificates: who is let through, what is said of
 * who is not, and what happens when the files change.
 */
#include <gmock/gmock.h>

#include "tests/servers/authority.h"
#include "tests/servers/servers.h"
#include "tests/servers/tls-client.h"
#include "tests/unit/log-capture.h"

namespace {

/* A CA, what it has signed, and a server that shows it. */
class Tls : public ::testing::Test {
protected:
  Tls () { ca_file = folder.write ("ca.pem", ca.pem ()); }

  /* A server that says of itself CLAIM, signed by AUTHORITY; CLIENTS: the CAs of those it takes, or "" for any. */
  bool
  serve (const Claim &claim, const Authority &authority, const std::string &clients = "")
  {
    const Credential credential = authority.issue (claim);
    std::vector<std::string> files = { folder.write ("server.pem", credential.certificate),
                                       folder.write ("server.key", credential.key) };

    if (!clients.empty ())
      files.push_back (folder.write ("clients.pem", clients));
    return server.start (files);
  }

  /* Writes the client's certificate and key; returns the lines that name them. */
  std::string
  write_identity (const Credential &credential) const
  {
    return "cert-file=" + folder.write ("client.pem", credential.certificate) + "\nkey-file=" +
           folder.write ("client.key", credential.key) + "\n";
  }

  std::string by_ca () const { return "ca-file=" + ca_file + "\n"; }

  /* What is said of the first attempt to connect with TRANSPORT's lines. */
  std::string
  first_error (const std::string &transport, const std::string &target = "")
  {
    return tls_first_error (server.port (), transport, target);
  }

  Folder folder;
  Authority ca;
  std::string ca_file;
  EchoServer server;
};

TEST_F (Tls, CarriesCalls)
{
  ASSERT_TRUE (serve (Claim (), ca));
  TlsClient client (server.port (), by_ca ());
  ASSERT_TRUE (client.await_ready ());
  EXPECT_EQ (client.echo (), GRPC_STATUS_OK);
}

TEST_F (Tls, ShowsItsCertificateToAServerThatAsks)
{
  ASSERT_TRUE (serve (Claim (), ca, ca.pem ()));
  TlsClient client (server.port (), by_ca () + write_identity (ca.issue ("the client")));
  ASSERT_TRUE (client.await_ready ());
  EXPECT_EQ (client.header (":peer"), "the client");
}

TEST_F (Tls, TakesTheServersNameFromTheTarget)
{
  Claim claim;

  claim.hosts = "DNS:localhost";
  ASSERT_TRUE (serve (claim, ca));
  TlsClient client (server.port (), by_ca (), "", "dns:///localhost:" + std::to_string (server.port ()));
  ASSERT_TRUE (client.await_ready ());
  EXPECT_EQ (client.header (":authority"), "localhost:" + std::to_string (server.port ()));
}

TEST_F (Tls, TakesTheServersNameFromServerName)
{
  Claim claim;

  claim.hosts = "DNS:*.users.example";
  ASSERT_TRUE (serve (claim, ca));
  TlsClient client (server.port (), by_ca () + "server-name=eu.users.example\n");
  ASSERT_TRUE (client.await_ready ());
  EXPECT_EQ (client.header (":authority"), "eu.users.example") << "what is called for is what was verified";
}

TEST_F (Tls, SpeaksTls13AloneWhereToldTo)
{
  ASSERT_TRUE (serve (Claim (), ca, ca.pem ()));
  TlsClient client (server.port (), by_ca () + "min-version=1.3\n" + write_identity (ca.issue ("the client")));
  ASSERT_TRUE (client.await_ready ());
  EXPECT_EQ (client.header (":peer"), "the client");
}

/* What a program gets that writes a target and nothing else, but for the CA. */
TEST_F (Tls, IsWhatTheProfileProductionMeans)
{
  ASSERT_TRUE (serve (Claim (), ca));
  const std::string pool = "[pool:test]\ninitialization=manual\ntarget=localhost:" + std::to_string (server.port ()) + "\n";
  Client trusting ("[cenote]\ntelemetry=\n[transport:tls]\n" + by_ca () + pool, 0);
  g_autoptr (GError) error = nullptr;

  EXPECT_TRUE (cenote_pool_connect (trusting.pool, 30000, &error)) << error->message;
  if (!g_file_test ("/etc/ssl/certs/ca-certificates.crt", G_FILE_TEST_EXISTS))
    return;
  Client wary ("[cenote]\ntelemetry=\n" + pool + "max-connect-attempts=1\n", 0);
  EXPECT_FALSE (cenote_pool_connect (wary.pool, 30000, &error));
  EXPECT_THAT (error->message, ::testing::HasSubstr ("is not signed by a CA of the system"));
}

/* ---------------------------------------------------------------- refusals */

TEST_F (Tls, SaysOfAWrongHostWhoseCertificateItIs)
{
  Claim claim;

  claim.hosts = "DNS:a.example,DNS:b.example,IP:10.1.2.3";
  ASSERT_TRUE (serve (claim, ca));
  EXPECT_EQ (first_error (by_ca ()), "the server's certificate is for a.example, b.example, 10.1.2.3 and not for "
                                     "127.0.0.1 (server-name=NAME, if that is right)");
  EXPECT_EQ (first_error (by_ca () + "server-name=c.example\n"),
             "the server's certificate is for a.example, b.example, 10.1.2.3 and not for c.example "
             "(server-name=NAME, if that is right)");
}

TEST_F (Tls, SaysOfAnExpiredServerSince)
{
  Claim claim;

  claim.from_hours = -3;
  claim.until_hours = -2;
  ASSERT_TRUE (serve (claim, ca));
  EXPECT_THAT (first_error (by_ca ()),
               ::testing::MatchesRegex ("the server's certificate \\('server'\\) expired on 20..-..-.. ..:.. UTC"));
}

TEST_F (Tls, SaysOfAServerOfTheFutureFromWhen)
{
  Claim claim;

  claim.from_hours = 5;
  ASSERT_TRUE (serve (claim, ca));
  EXPECT_THAT (first_error (by_ca ()),
               ::testing::StartsWith ("the server's certificate ('server') is valid only from 20"));
}

TEST_F (Tls, SaysOfAnUntrustedServerWhoSignedIt)
{
  const Authority other ("Other CA");

  ASSERT_TRUE (serve (Claim (), other));
  EXPECT_EQ (first_error (by_ca ()), "the server's certificate is not signed by a CA of ca-file '" + ca_file +
                                       "' (its issuer is 'Other CA')");
}

TEST_F (Tls, TrustsTheSystemsAuthoritiesAndNobodyElseUnlessTold)
{
  if (!g_file_test ("/etc/ssl/certs/ca-certificates.crt", G_FILE_TEST_EXISTS))
    GTEST_SKIP () << "no ca-certificates";
  ASSERT_TRUE (server.start ({ folder.write ("server.pem", ca.pem ()), folder.write ("server.key", ca.key_pem ()) }));
  EXPECT_EQ (first_error (""), "the server's certificate ('Test CA') is self-signed, and not among those of the system "
                               "(/etc/ssl/certs/ca-certificates.crt)");
  ASSERT_TRUE (serve (Claim (), ca));
  EXPECT_EQ (first_error (""), "the server's certificate is not signed by a CA of the system "
                               "(/etc/ssl/certs/ca-certificates.crt) (its issuer is 'Test CA')");
}

TEST_F (Tls, SaysThatAServerRequiresAClientCertificate)
{
  ASSERT_TRUE (serve (Claim (), ca, ca.pem ()));
  EXPECT_THAT (first_error (by_ca ()),
               ::testing::HasSubstr ("the server requires a client certificate (cert-file and key-file)"));
}

TEST_F (Tls, SaysThatAServerRefusesTheClientCertificate)
{
  const Authority other ("Other CA");

  ASSERT_TRUE (serve (Claim (), ca, ca.pem ()));
  EXPECT_THAT (first_error (by_ca () + write_identity (other.issue ("stranger"))),
               ::testing::HasSubstr ("the server refuses the client certificate of cert-file"));
}

TEST_F (Tls, SaysThatAServerDoesNotSpeakTls)
{
  ASSERT_TRUE (server.start ());
  EXPECT_THAT (first_error (by_ca ()), ::testing::StartsWith ("the server does not speak TLS on this port"));
}

TEST_F (Tls, SaysThatAServerClosedBeforeTheHandshake)
{
  Peer peer ("close");

  EXPECT_THAT (tls_first_error (peer.port (), by_ca (), ""),
               ::testing::StartsWith ("the server closed the connection before the TLS handshake was over"));
}

/* OpenSSL's own server, because gRPC's cannot be kept from TLS 1.3. */
class OldServer {
public:
  explicit OldServer (const Folder &folder, const Credential &credential)
  {
    std::string certificate = folder.write ("old.pem", credential.certificate);
    std::string key = folder.write ("old.key", credential.key);
    const char *argv[] = { "openssl", "s_server", "-tls1_2", "-alpn", "h2", "-accept", "127.0.0.1:0",
                           "-cert", certificate.c_str (), "-key", key.c_str (), nullptr };

    child_ = child_start (argv, nullptr);
    while (child_ != nullptr && port == 0) {
      g_autofree char *line = child_read (child_);

      if (line == nullptr)
        break;
      if (g_str_has_prefix (line, "ACCEPT"))
        port = static_cast<unsigned> (strtoul (strrchr (line, ':') + 1, nullptr, 10));
    }
  }

  ~OldServer () { child_free (child_); }
  OldServer (const OldServer &) = delete;
  OldServer &operator= (const OldServer &) = delete;

  unsigned port = 0;

private:
  Child *child_;
};

TEST_F (Tls, RefusesAServerWhoseTlsIsTooOld)
{
  g_autofree char *openssl = g_find_program_in_path ("openssl");

  if (openssl == nullptr)
    GTEST_SKIP () << "no openssl";
  OldServer old (folder, ca.issue (Claim ()));
  ASSERT_NE (old.port, 0u);
  EXPECT_THAT (tls_first_error (old.port, by_ca () + "min-version=1.3\n", ""),
               ::testing::StartsWith ("the server offers no TLS version of at least min-version=1.3"));
}

TEST_F (Tls, NamesSeveralAddressesOnlyWithServerName)
{
  ASSERT_TRUE (serve (Claim (), ca));
  std::string port = std::to_string (server.port ()), target = "ipv4:127.0.0.1:" + port + ",127.0.0.1:" + port;
  EXPECT_THAT (first_error (by_ca (), target), ::testing::HasSubstr ("server-name"));
  TlsClient client (server.port (), by_ca () + "server-name=localhost\n", "", target);
  EXPECT_TRUE (client.await_ready ());
}

/* ---------------------------------------------------------------- rotation */

const char *const often = "refresh=100ms\n";

TEST_F (Tls, TakesChangedFilesWithoutAFailedCall)
{
  const Authority next ("Next CA");

  ASSERT_TRUE (serve (Claim (), ca, ca.pem () + next.pem ()));
  TlsClient client (server.port (), by_ca () + write_identity (ca.issue ("old")) + often, "size=3\n");
  ASSERT_TRUE (client.await_connected (3));
  Callers callers (&client, DEMO_ECHO_METHOD, "hello");
  EXPECT_EQ (client.header (":peer"), "old");

  folder.write ("ca.pem", ca.pem () + next.pem ());
  ASSERT_TRUE (client.await_connected (6)) << "each channel is replaced once";
  write_identity (next.issue ("new"));
  ASSERT_TRUE (client.await_header (":peer", "new"));
  EXPECT_EQ (callers.stop (), 0u);
  EXPECT_GT (callers.made (), 0u);
}

TEST_F (Tls, KeepsWhatItHasWhileFilesAreBroken)
{
  const Credential credential = ca.issue ("new");

  ASSERT_TRUE (serve (Claim (), ca, ca.pem ()));
  TlsClient client (server.port (), by_ca () + write_identity (ca.issue ("old")) + often, "size=2\n");
  ASSERT_TRUE (client.await_connected (2));
  Callers callers (&client, DEMO_ECHO_METHOD, "hello");
  LogCapture log;
  folder.write ("client.pem", credential.certificate);
  ASSERT_TRUE (log.await ("is not the key of the first certificate"));
  folder.write ("client.pem", credential.certificate.substr (0, 300));
  ASSERT_TRUE (log.await ("certificate 1 is cut short or damaged"));
  EXPECT_EQ (client.header (":peer"), "old");
  folder.write ("client.pem", credential.certificate);
  folder.write ("client.key", credential.key);
  ASSERT_TRUE (client.await_header (":peer", "new"));
  EXPECT_EQ (callers.stop (), 0u);
}

/* -------------------------------------------------------------------- etcd */

const char *const etcd_method = "/etcdserverpb.Maintenance/Status";

class TlsEtcd : public Tls {
protected:
  void
  SetUp () override
  {
    if (!Etcd::is_there ())
      GTEST_SKIP () << "no etcd";
    write_server (ca);
    folder.write ("clients.pem", ca.pem () + next.pem ());
    ASSERT_TRUE (start ());
  }

  bool
  start ()
  {
    return etcd.start ({ folder / "server.pem", folder / "server.key", folder / "clients.pem" });
  }

  void
  write_server (const Authority &authority) const
  {
    const Credential credential = authority.issue (Claim ());

    folder.write ("server.key", credential.key);
    folder.write ("server.pem", credential.certificate);
  }

  Authority next { "Next CA" };
  Etcd etcd;
};

TEST_F (TlsEtcd, IsCalledByMutualTls)
{
  TlsClient client (etcd.port (), by_ca () + write_identity (ca.issue ("client")));
  ASSERT_TRUE (client.await_ready ());
  EXPECT_EQ (client.call (etcd_method, ""), GRPC_STATUS_OK);
}

TEST_F (TlsEtcd, RefusesWhoShowsNoCertificate)
{
  TlsClient ready (etcd.port (), by_ca () + write_identity (ca.issue ("client")));
  ASSERT_TRUE (ready.await_ready ());
  EXPECT_THAT (tls_first_error (etcd.port (), by_ca ()),
               ::testing::HasSubstr ("the server requires a client certificate (cert-file and key-file)"));
}

/* At the end nothing of the first CA is in use on either side. */
TEST_F (TlsEtcd, ChangesItsAuthorityAndClientWithoutAFailedCall)
{
  TlsClient client (etcd.port (), by_ca () + write_identity (ca.issue ("old")) + often, "size=3\n");
  ASSERT_TRUE (client.await_connected (3));
  Callers callers (&client, etcd_method, "");
  folder.write ("ca.pem", ca.pem () + next.pem ());
  ASSERT_TRUE (client.await_connected (6));
  write_server (next);
  write_identity (next.issue ("new"));
  ASSERT_TRUE (client.await_connected (9));
  folder.write ("ca.pem", next.pem ());
  ASSERT_TRUE (client.await_connected (12));
  EXPECT_EQ (callers.stop (), 0u);
  EXPECT_GT (callers.made (), 0u);

  folder.write ("clients.pem", next.pem ());
  etcd.kill ();
  ASSERT_TRUE (start ());
  ASSERT_TRUE (client.await_connected (13));
  EXPECT_EQ (client.call (etcd_method, ""), GRPC_STATUS_OK);
}

} // namespace
