/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names against a real resolver: dnsmasq, in the namespace that test-names.sh has made.
 */
#include <gmock/gmock.h>

#include <map>
#include <sstream>

#include "tests/servers/authority.h"
#include "tests/servers/child.h"
#include "tests/servers/folder.h"
#include "tests/servers/tls-client.h"

namespace {

constexpr unsigned kPort = 50051;

/* dnsmasq, and what it says of users.test. */
class Dns {
public:
  ~Dns () { child_free (child_); }

  /* ADDRESSES: separated by blanks; "": the name is gone. */
  void
  say (const std::string &addresses)
  {
    std::istringstream words (addresses);
    std::string text, address;

    while (words >> address)
      text += address + " users.test\n";
    folder_.write ("hosts", text);
    if (child_ != nullptr)
      child_signal (child_, SIGHUP);
  }

  void
  start ()
  {
    std::string command = "exec dnsmasq --keep-in-foreground --conf-file=/dev/null --port=53 --listen-address=127.0.0.1 "
                          "--bind-interfaces --no-resolv --no-hosts --local=/test/ --user=root --pid-file= "
                          "--log-queries --log-facility=- --addn-hosts=" + folder_ / "hosts" + " 2>&1";
    const char *argv[] = { "setpriv", "--pdeathsig", "KILL", "sh", "-c", command.c_str (), nullptr };

    child_free (child_);
    child_ = child_start (argv, nullptr);
    await ("read ");         /* the hosts */
  }

  void kill () { child_kill (child_); }

  /* Waits until it has said TEXT. */
  void
  await (const char *text)
  {
    for (;;) {
      g_autofree char *line = child_read (child_);

      ASSERT_NE (line, nullptr) << "dnsmasq does not say: " << text;
      if (strstr (line, text) != nullptr)
        return;
    }
  }

private:
  Folder folder_;
  Child *child_ = nullptr;
};

/* The echo server of one address. */
class Place {
public:
  explicit Place (const char *address, const Credential *credential = nullptr)
  {
    server_ = demo_server_new_at (address, kPort, nullptr);
    if (credential != nullptr)
      demo_server_set_tls (server_, credential->certificate.c_str (), credential->key.c_str (), nullptr);
    EXPECT_TRUE (demo_server_start (server_, nullptr));
  }
  ~Place () { demo_server_free (server_); }
  Place (const Place &) = delete;

  void stop () { demo_server_stop (server_); }
  void start () { EXPECT_TRUE (demo_server_start (server_, nullptr)); }

private:
  DemoServer *server_;
};

using Spread = std::map<std::string, int>;

class NamesLive : public testing::Test {
protected:
  Dns dns;

  static std::string
  keyfile (const std::string &keys, const std::string &target = "users.test:50051")
  {
    return "[cenote]\ntelemetry=\n[backoff:quick]\nplugin=constant\ndelay=20ms\n"
           "[pool:test]\nprofile=local\nbackoff=quick\ninitialization=manual\ndns-refresh=1s\ntarget=" +
           target + "\n" + keys;
  }

  /* Waits until the channels in rotation are spread like this. */
  static void
  await_spread (Client &client, const Spread &wanted)
  {
    const gint64 until_us = g_get_monotonic_time () + 60 * G_USEC_PER_SEC;
    Spread spread;

    do {
      auto status = client.status ();

      spread.clear ();
      for (gsize i = 0; i < status->n_channels; i++)
        if (status->channels[i]->state == CENOTE_CHANNEL_READY)
          spread[status->channels[i]->address]++;
    } while (spread != wanted && g_get_monotonic_time () < until_us);
    EXPECT_EQ (spread, wanted);
  }
};

/* Calls all the time, on a thread of its own, and counts what fails. */
class Calling {
public:
  explicit Calling (CenotePool *pool) : thread_ ([this, pool] { run (pool); }) {}
  ~Calling () { failed (); }

  unsigned
  failed ()
  {
    stopped_ = true;
    if (thread_.joinable ())
      thread_.join ();
    return failed_;
  }

private:
  void
  run (CenotePool *pool)
  {
    CenoteCallOptions options = CENOTE_CALL_OPTIONS_INIT;

    options.wait_for_ready = TRUE;
    options.retry = CENOTE_RETRY_IDEMPOTENT;
    while (!stopped_) {
      g_autoptr (GError) error = nullptr;

      if (cenote_call_unary (pool, DEMO_ECHO_METHOD, nullptr, &options, nullptr, &error))
        continue;
      failed_++;
      ADD_FAILURE () << error->message;
    }
  }

  std::atomic<bool> stopped_ { false };
  std::atomic<unsigned> failed_ { 0 };
  std::thread thread_;
};

TEST_F (NamesLive, APoolFollowsItsNameAndLosesNothing)
{
  const char *first = "ipv4:127.0.0.2:50051", *second = "ipv4:127.0.0.3:50051";
  Place one ("127.0.0.2"), other ("127.0.0.3");

  dns.say ("127.0.0.2");
  dns.start ();
  Client client (keyfile ("size=4\n"), CENOTE_EVENT_BIT (CENOTE_EVENT_CHANNEL_DISCONNECTED));
  client.connect ();
  await_spread (client, { { first, 4 } });
  Calling calls (client.pool);

  dns.say ("127.0.0.2 127.0.0.3"); /* one is added */
  await_spread (client, { { first, 2 }, { second, 2 } });
  dns.say ("127.0.0.3");           /* one is removed */
  await_spread (client, { { second, 4 } });

  dns.say ("");                    /* all gone */
  dns.await ("NXDOMAIN");
  dns.await ("NXDOMAIN");
  dns.await ("NXDOMAIN");
  await_spread (client, { { second, 4 } });

  dns.kill ();                     /* the resolver is dead, and so is the server for a while */
  EXPECT_EQ (calls.failed (), 0u);
  EXPECT_EQ (client.events.of (CENOTE_EVENT_CHANNEL_DISCONNECTED).size (), 0u);
  other.stop ();
  EXPECT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_DISCONNECTED, 4));
  other.start ();
  await_spread (client, { { second, 4 } });

  Calling more (client.pool);
  dns.say ("127.0.0.2");           /* it is back, and knows better */
  dns.start ();
  await_spread (client, { { first, 4 } });
  EXPECT_EQ (more.failed (), 0u);
}

TEST_F (NamesLive, ANameWithoutAnAddressIsWaitedFor)
{
  Place one ("127.0.0.2");

  dns.say ("");
  dns.start ();
  Client client (keyfile ("size=1\n"), 0);
  client.connect ();
  dns.await ("NXDOMAIN");
  dns.await ("NXDOMAIN");
  dns.await ("NXDOMAIN");
  g_autoptr (GError) error = nullptr;
  CenoteLease lease = CENOTE_LEASE_INIT;
  EXPECT_FALSE (cenote_pool_get_channel (client.pool, &lease, &error));
  EXPECT_THAT (error->message, testing::HasSubstr ("users.test cannot be resolved: "));
  EXPECT_FALSE (cenote_call_unary (client.pool, DEMO_ECHO_METHOD, nullptr, nullptr, nullptr, nullptr)) << "it is down";
  dns.say ("127.0.0.2");
  EXPECT_TRUE (cenote_pool_await_ready (client.pool, 60000, nullptr));
}

TEST_F (NamesLive, ServersAreCalledByTheName)
{
  Place one ("127.0.0.2");

  dns.say ("127.0.0.2");
  dns.start ();
  TlsClient client (keyfile ("size=1\n"));
  EXPECT_EQ (client.header (":authority"), "users.test:50051");
}

TEST_F (NamesLive, CertificatesAreVerifiedForTheName)
{
  Folder folder;
  Authority authority;
  Claim claim;
  std::string ca = folder.write ("ca.pem", authority.pem ());
  std::string transport = "[transport:corp]\nplugin=tls\nca-file=" + ca + "\n";

  claim.hosts = "DNS:users.test";
  Credential good = authority.issue (claim);
  claim.hosts = "DNS:others.test,IP:127.0.0.3";
  Credential wrong = authority.issue (claim);
  Place one ("127.0.0.2", &good), other ("127.0.0.3", &wrong);
  dns.say ("127.0.0.2 127.0.0.3");
  dns.start ();
  TlsClient client (transport + "[backoff:quick]\nplugin=constant\ndelay=20ms\n[pool:test]\ntransport=corp\n"
                    "initialization=manual\nbackoff=quick\nsize=2\ntarget=users.test:50051\n");
  ASSERT_TRUE (client.await_ready ());
  EXPECT_EQ (client.header (":authority"), "users.test:50051");
  ASSERT_TRUE (client.events.await (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED, 1));
  for (const Event &event : client.events.of (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED)) {
    EXPECT_EQ (event.address, "ipv4:127.0.0.3:50051");
    EXPECT_THAT (event.error, testing::HasSubstr ("users.test"));
  }
}

} // namespace
