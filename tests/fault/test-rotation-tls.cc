/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates that change while calls are made. */
#include "tests/servers/authority.h"
#include "tests/servers/load.h"
#include "tests/servers/servers.h"
#include "tests/servers/tls-client.h"

namespace {

std::string
write_identity (const Folder &folder, const Credential &credential)
{
  return "cert-file=" + folder.write ("client.pem", credential.certificate) +
         "\nkey-file=" + folder.write ("client.key", credential.key) + "\n";
}

TEST (Rotation, CertificatesLoseNoCall)
{
  const unsigned seconds = scaled (60, 2) < 60 ? 2 : 60, least = 8;
  const Authority ca;
  const Credential own = ca.issue (Claim ());
  Folder folder;
  EchoServer server;

  ASSERT_TRUE (server.start ({ folder.write ("server.pem", own.certificate), folder.write ("server.key", own.key),
                               folder.write ("ca.pem", ca.pem ()) }));
  TlsClient client (server.port (), "ca-file=" + folder / "ca.pem" + "\nrefresh=100ms\n" +
                                      write_identity (folder, ca.issue ("client 0")),
                    "size=3\n");
  ASSERT_TRUE (client.await_connected (3));
  Load load (client.pool, DEMO_ECHO_METHOD);
  const gint64 until_us = g_get_monotonic_time () + seconds * G_USEC_PER_SEC;
  unsigned n = 0;
  while (n < least || g_get_monotonic_time () < until_us) {
    n++;
    write_identity (folder, ca.issue ("client " + std::to_string (n)));
    ASSERT_TRUE (client.await_header (":peer", "client " + std::to_string (n)));
  }
  load.expect_no_failure ("with certificates that change");
  EXPECT_TRUE (client.await_connected (3 * (n + 1)));
}

} // namespace
