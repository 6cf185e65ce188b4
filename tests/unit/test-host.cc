// SPDX-License-Identifier: Apache-2.0
// What a plugin is given by its host, and how its faults become errors.
#include <cstring>

#include "log-capture.h"
#include "plugin-files.h"
#include "tools/conformance/fixture.h"

using std::string;

namespace {

// What create() of the plugin below does.
struct Behaviour {
  const char *text;
  bool fails;
} behaviour;

unsigned destroyed;

void *
create (const CenoteHost *host, const CenoteOptions *, CenoteFault *fault)
{
  static char state;

  if (behaviour.text)
    host->fail (host, fault, behaviour.text);
  return behaviour.fails ? nullptr : &state;
}

int64_t next (void *) { return 0; }
struct grpc_channel *create_channel (void *, const char *, const void *, CenoteFault *) { return nullptr; }
void destroy (void *) { destroyed++; }

Plugin *
new_plugin (CenotePluginKind kind)
{
  CenotePlugin descriptor {};
  CenoteBackoffOps backoff {};
  CenoteTransportOps transport {};

  backoff.struct_size = sizeof backoff;
  backoff.create = create;
  backoff.next = next;
  backoff.destroy = destroy;
  transport.struct_size = sizeof transport;
  transport.create = create;
  transport.create_channel = create_channel;
  transport.destroy = destroy;
  descriptor.magic = CENOTE_PLUGIN_MAGIC;
  descriptor.abi_major = CENOTE_ABI_MAJOR;
  descriptor.abi_minor = CENOTE_ABI_MINOR;
  descriptor.struct_size = sizeof descriptor;
  descriptor.kind = kind;
  descriptor.name = "test";
  descriptor.version = "1";
  descriptor.summary = "Is a test's";
  descriptor.license = "Apache-2.0";
  descriptor.ops = kind == CENOTE_PLUGIN_BACKOFF ? (const void *) &backoff : &transport;
  return plugin_new (&descriptor, kind, "test", nullptr);
}

class Host : public ::testing::Test
{
protected:
  Host () { use (CENOTE_PLUGIN_TRANSPORT); }

  ~Host () override
  {
    fixture_free (fixture);
    g_clear_error (&error);
  }

  void use (CenotePluginKind kind)
  {
    g_autoptr (Plugin) plugin = new_plugin (kind);

    fixture_free (fixture);
    behaviour = {};
    destroyed = 0;
    fixture = fixture_new (plugin, nullptr, nullptr);
    host = fixture->host;
  }

  Fixture *fixture = nullptr;
  const CenoteHost *host = nullptr;
  GError *error = nullptr;
};

TEST_F (Host, HasItsSizeAndEverySlot)
{
  EXPECT_EQ (host->struct_size, sizeof (CenoteHost));
  EXPECT_EQ (host->abi_minor, CENOTE_ABI_MINOR);
  EXPECT_TRUE (CENOTE_HOST_HAS (host, emit));
  for (gsize at = offsetof (CenoteHost, log); at < sizeof (CenoteHost); at += sizeof (void *)) {
    void *slot;

    memcpy (&slot, (const char *) host + at, sizeof slot);
    EXPECT_NE (slot, nullptr) << at;
  }
}

TEST_F (Host, GivesTheClockAndLuckItWasGiven)
{
  EXPECT_EQ (host->now_us (host), fixture->now_us);
  fixture_advance (fixture, 5);
  EXPECT_EQ (host->now_us (host), G_USEC_PER_SEC + 5);
  fixture_fix_luck (fixture, 77);
  EXPECT_EQ (host->random (host), 77u);
}

TEST_F (Host, LogsWithTheNamesOfPluginAndPool)
{
  LogCapture log;

  host->log (host, CENOTE_LOG_ERROR, "it broke");
  host->log (host, CENOTE_LOG_WARNING, "it creaks");
  host->log (host, CENOTE_LOG_INFO, nullptr);
  host->log (host, CENOTE_LOG_DEBUG, "\xff");
  host->log (host, 99, "what?");

  std::vector<LogRecord> records = log.records ();
  ASSERT_EQ (records.size (), 5u);
  EXPECT_EQ (records[0].message (), "pool a-pool: transport/test: it broke");
  EXPECT_EQ (records[0].field ("GLIB_DOMAIN"), "Cenote");
  EXPECT_EQ (records[0].field ("CENOTE_PLUGIN"), "transport/test");
  EXPECT_EQ (records[0].field ("CENOTE_POOL"), "a-pool");
  EXPECT_EQ (records[0].field ("PRIORITY"), "3");
  EXPECT_EQ (records[0].level, G_LOG_LEVEL_WARNING) << "a plugin's word must not be able to abort";
  EXPECT_EQ (records[1].field ("PRIORITY"), "4");
  EXPECT_EQ (records[2].field ("PRIORITY"), "6");
  EXPECT_EQ (records[2].level, G_LOG_LEVEL_INFO);
  EXPECT_EQ (records[3].level, G_LOG_LEVEL_DEBUG);
  EXPECT_TRUE (g_utf8_validate (records[3].message ().c_str (), -1, nullptr));
  EXPECT_EQ (records[4].level, G_LOG_LEVEL_WARNING);
}

TEST_F (Host, OfTheProcessNamesNoPool)
{
  LogCapture log;
  g_autoptr (Plugin) plugin = new_plugin (CENOTE_PLUGIN_BACKOFF);
  HostServices services {};
  CenoteHost *own = host_new (plugin, nullptr, nullptr, &services);

  own->log (own, CENOTE_LOG_INFO, "hello");
  ASSERT_EQ (log.records ().size (), 1u);
  EXPECT_EQ (log.records ()[0].message (), "backoff/test: hello");
  EXPECT_EQ (log.records ()[0].fields.count ("CENOTE_POOL"), 0u);
  host_free (own);
}

// ------------------------------------------------------------------ timers

void add_one (void *data) { ++*static_cast<int *> (data); }

TEST_F (Host, RunsATransportsTimers)
{
  int runs = 0;
  CenoteTimer *stopped = host->timer_start (host, 10, add_one, &runs);

  EXPECT_NE (host->timer_start (host, 20, add_one, &runs), nullptr);
  EXPECT_NE (host->timer_start (host, -5, add_one, &runs), nullptr);
  host->timer_stop (host, stopped);
  host->timer_stop (host, nullptr);
  EXPECT_EQ (runs, 0) << "a timer ran inside timer_start";
  fixture_advance (fixture, 0);
  EXPECT_EQ (runs, 1);
  fixture_advance (fixture, 100);
  EXPECT_EQ (runs, 2);
}

TEST_F (Host, GivesOthersNoTimerAndSaysSoOnce)
{
  LogCapture log;
  int runs = 0;

  use (CENOTE_PLUGIN_BACKOFF);
  EXPECT_EQ (host->timer_start (host, 0, add_one, &runs), nullptr);
  EXPECT_EQ (host->timer_start (host, 0, add_one, &runs), nullptr);
  fixture_advance (fixture, 100);
  EXPECT_EQ (runs, 0);
  EXPECT_EQ (log.records ().size (), 1u);
  EXPECT_EQ (log.count ("backoff/test: asked for a timer, which only a transport can have"), 1u);
}

// ------------------------------------------------------------------ events

TEST_F (Host, EmitsEventsWithThePoolAndTheTime)
{
  CenoteEvent event = CENOTE_EVENT_INIT (CENOTE_EVENT_CHANNEL_PING);

  event.pool = "another";
  event.reason = "because";
  host->emit (host, &event);
  ASSERT_EQ (fixture->events, 1u);
  EXPECT_EQ (fixture->last_event.kind, (uint32_t) CENOTE_EVENT_CHANNEL_PING);
  EXPECT_STREQ (fixture->last_event.pool, "a-pool");
  EXPECT_STREQ (fixture->last_event.reason, "because");
  EXPECT_EQ (fixture->last_event.time_us, fixture->now_us);
}

TEST_F (Host, TakesShorterAndLongerEvents)
{
  struct { CenoteEvent known; int64_t newer; } longer = { CENOTE_EVENT_INIT (CENOTE_EVENT_CHANNEL_HEALTH), 5 };
  CenoteEvent shorter = CENOTE_EVENT_INIT (CENOTE_EVENT_CHANNEL_PING);

  longer.known.struct_size = sizeof longer;
  longer.known.ok = 1;
  host->emit (host, &longer.known);
  EXPECT_EQ (fixture->last_event.struct_size, sizeof (CenoteEvent));
  EXPECT_EQ (fixture->last_event.ok, 1);

  shorter.struct_size = offsetof (CenoteEvent, reason) + 3;
  shorter.address = "dns:///a:1";
  shorter.reason = "is not whole, so it is not there";
  shorter.ok = 1;
  host->emit (host, &shorter);
  EXPECT_STREQ (fixture->last_event.address, "dns:///a:1");
  EXPECT_EQ (fixture->last_event.reason, nullptr);
  EXPECT_EQ (fixture->last_event.ok, -1);
}

TEST_F (Host, DropsWhatIsNoEvent)
{
  CenoteEvent event = CENOTE_EVENT_INIT (CENOTE_N_EVENTS);

  host->emit (host, &event);
  event = CENOTE_EVENT_INIT (CENOTE_EVENT_CHANNEL_PING);
  event.struct_size = 4;
  host->emit (host, &event);
  host->emit (host, nullptr);
  EXPECT_EQ (fixture->events, 0u);
}

// ---------------------------------------------------------------- the pool

TEST_F (Host, HasATransportsChannelsReplacedAndSaysWhy)
{
  host->renew (host, "new papers");
  EXPECT_EQ (fixture->renewals, 1u);
  EXPECT_STREQ (fixture->why_renewed, "new papers");
  host->renew (host, nullptr);
  EXPECT_STREQ (fixture->why_renewed, "its transport asked for it");
  use (CENOTE_PLUGIN_BACKOFF);
  host->renew (host, "new papers");
  EXPECT_EQ (fixture->renewals, 0u);
}

TEST_F (Host, GivesTransportsAloneTheCallCredentials)
{
  auto credentials = reinterpret_cast<struct grpc_call_credentials *> (this);

  EXPECT_EQ (host->call_credentials (host), nullptr);
  fixture->call_credentials = credentials;
  EXPECT_EQ (host->call_credentials (host), credentials);
  use (CENOTE_PLUGIN_BACKOFF);
  fixture->call_credentials = credentials;
  EXPECT_EQ (host->call_credentials (host), nullptr);
}

TEST_F (Host, WithoutThoseServicesGivesNothing)
{
  g_autoptr (Plugin) plugin = new_plugin (CENOTE_PLUGIN_TRANSPORT);
  HostServices services {};
  CenoteHost *own = host_new (plugin, nullptr, nullptr, &services);

  own->renew (own, "new papers");
  EXPECT_EQ (own->call_credentials (own), nullptr);
  host_free (own);
}

// ------------------------------------------------------------------ faults

TEST_F (Host, TurnsAFaultIntoAnErrorThatNamesThePlugin)
{
  behaviour = { "no certificate", true };
  EXPECT_REFUSED (fixture_create (fixture, &error), error, CENOTE_ERROR_PLUGIN,
                  "transport/test: create: no certificate");
  behaviour = { nullptr, true };
  EXPECT_REFUSED (fixture_create (fixture, &error), error, CENOTE_ERROR_PLUGIN,
                  "transport/test: create: failed without saying why");
  behaviour = { "it was nothing", false };
  EXPECT_TRUE (fixture_create (fixture, &error));
  EXPECT_EQ (error, nullptr);
}

TEST_F (Host, NamesTheInstanceWhereItHasANameOfItsOwn)
{
  g_autoptr (Plugin) plugin = new_plugin (CENOTE_PLUGIN_BACKOFF);
  HostServices services {};
  CenoteHost *own = host_new (plugin, "gentle", "users", &services);
  CenoteFault fault = FAULT_INIT;

  own->fail (own, &fault, "first");
  own->fail (own, &fault, "second");
  own->fail (own, nullptr, "nowhere");
  g_autoptr (GError) taken = fault_take (&fault, own, "create_channel");
  EXPECT_STREQ (taken->message, "backoff/test (gentle): create_channel: second");
  EXPECT_EQ (fault.text, nullptr);
  fault_clear (&fault);
  host_free (own);
}

TEST_F (Host, DestroysWhatItCreatedOnce)
{
  EXPECT_TRUE (fixture_create (fixture, nullptr));
  host_destroy_state (fixture->host, fixture->state);
  fixture->state = nullptr;
  host_destroy_state (fixture->host, nullptr);
  EXPECT_EQ (destroyed, 1u);
}

} // namespace
