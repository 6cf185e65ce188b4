// SPDX-License-Identifier: Apache-2.0
// C-core's words, as it has been heard to say them, and ours.
#include <gtest/gtest.h>

#include "plugins/transport/tls-explain.h"

using std::string;

namespace {

string
explain (TlsAttempt attempt, const string &error)
{
  string whole = "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:443: " + error;

  attempt.error = whole.c_str ();
  attempt.authorities = "ca-file 'x'";
  attempt.min_version = "1.3";
  g_autofree char *text = tls_explain (&attempt);
  return text ? text : "";
}

string
explain (const string &error)
{
  return explain (TlsAttempt {}, error);
}

TEST (TlsExplain, LeavesAloneWhatIsNoTls)
{
  EXPECT_EQ (explain ("Failed to connect to remote host: Connection refused"), "");
}

TEST (TlsExplain, PrefersOurOwnVerdict)
{
  TlsAttempt attempt {};

  attempt.refusal = "it is somebody else";
  EXPECT_EQ (explain (attempt, "Custom verification check failed with error: UNAUTHENTICATED: it is somebody else"),
             "it is somebody else");
}

TEST (TlsExplain, SaysWhatTheServersAlertsMean)
{
  EXPECT_EQ (explain ("Tls handshake failed: SSL_ERROR_SSL: error:0A00010B:SSL routines::wrong version number"),
             "the server does not speak TLS on this port (ipv4:127.0.0.1:443: Tls handshake failed: SSL_ERROR_SSL: "
             "error:0A00010B:SSL routines::wrong version number)");
  EXPECT_EQ (explain ("Cannot check peer: missing selected ALPN property."),
             "the server speaks TLS, but does not offer HTTP/2 by ALPN (ipv4:127.0.0.1:443: Cannot check peer: missing "
             "selected ALPN property.)");
  EXPECT_EQ (explain ("Ssl handshake failed: SSL_ERROR_SSL: error:0A00042E:SSL routines::tlsv1 alert protocol version")
               .find ("the server offers no TLS version of at least min-version=1.3 ("), 0u);
  EXPECT_EQ (explain ("Ssl handshake failed: SSL_ERROR_SSL: error:0A000086:SSL routines::certificate verify failed")
               .find ("the server's certificate is not valid now, or not signed by a CA of ca-file 'x' ("), 0u);
  EXPECT_EQ (explain ("Peer name a.example is not in peer certificate")
               .find ("the server's certificate is for another host ("), 0u);
}

TEST (TlsExplain, SaysWhoseFaultAClosedConnectionIs)
{
  TlsAttempt attempt {};

  EXPECT_EQ (explain (attempt, "Socket closed"),
             "the server closed the connection before the TLS handshake was over (ipv4:127.0.0.1:443: Socket closed)");
  attempt.was_trusted = TRUE;
  EXPECT_EQ (explain (attempt, "Socket closed"),
             "the server closed the connection right after the TLS handshake, most likely because the server requires "
             "a client certificate (cert-file and key-file), or refuses clients like this one (ipv4:127.0.0.1:443: Socket "
             "closed)");
  attempt.has_identity = TRUE;
  attempt.identity_fault = "expired on 2020-01-01 00:00 UTC";
  EXPECT_EQ (explain (attempt, "SSL_ERROR_SSL: error:0A000415:SSL routines::sslv3 alert certificate expired"),
             "the server refuses the client certificate of cert-file, which expired on 2020-01-01 00:00 UTC "
             "(ipv4:127.0.0.1:443: SSL_ERROR_SSL: error:0A000415:SSL routines::sslv3 alert certificate expired)");
}

} // namespace
