/* SPDX-License-Identifier: Apache-2.0 */
/* event-text: a name for every kind, both ways, and lines that a person can read. */
#include <cenote/event-text.h>

#include <glib.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

namespace {

class EventTextTest : public ::testing::Test {
protected:
  CenoteEvent
  make (CenoteEventKind kind)
  {
    CenoteEvent event = CENOTE_EVENT_INIT (kind);
    event.pool = "users";
    return event;
  }

  std::string
  line (const CenoteEvent &event)
  {
    char out[1024];
    size_t length = cenote_event_format (out, sizeof out, &event);

    EXPECT_EQ (length, strlen (out));
    return out;
  }

  std::string
  duration (gint64 ns)
  {
    char out[64];

    cenote_event_text_duration (out, sizeof out, ns);
    return out;
  }
};

TEST_F (EventTextTest, EveryKindHasANameOfItsOwnBothWays)
{
  std::set<std::string> names;

  for (uint32_t kind = 0; kind < CENOTE_N_EVENTS; kind++) {
    std::string name = cenote_event_kind_to_string (kind);
    CenoteEventKind back = CENOTE_N_EVENTS;

    EXPECT_NE (name, "unknown");
    EXPECT_NE (name.find ('.'), std::string::npos);
    EXPECT_TRUE (names.insert (name).second) << name;
    EXPECT_TRUE (cenote_event_kind_from_string (name.c_str (), &back));
    EXPECT_EQ ((uint32_t) back, kind);
  }
}

TEST_F (EventTextTest, NamesAreThoseOfTheContract)
{
  EXPECT_STREQ (cenote_event_kind_to_string (CENOTE_EVENT_CHANNEL_GET), "channel.get");
  EXPECT_STREQ (cenote_event_kind_to_string (CENOTE_EVENT_CHANNEL_RECONNECT_SCHEDULED), "channel.reconnect_scheduled");
  EXPECT_STREQ (cenote_event_kind_to_string (CENOTE_EVENT_POOL_RELOAD), "pool.reload");
  EXPECT_STREQ (cenote_event_kind_to_string (CENOTE_EVENT_CONNECTOR_CONNECTION_COUNT), "connector.connection_count");
  EXPECT_STREQ (cenote_event_kind_to_string (CENOTE_EVENT_PLUGIN_FAILED), "plugin.failed");
  EXPECT_STREQ (cenote_event_kind_to_string (CENOTE_EVENT_CHANNEL_STATE), "channel.state");
  EXPECT_STREQ (cenote_event_kind_to_string (CENOTE_EVENT_TELEMETRY_DROPPED), "telemetry.dropped");
  EXPECT_STREQ (cenote_event_kind_to_string (CENOTE_EVENT_LEASE_LEAK), "lease.leak");
}

TEST_F (EventTextTest, WhatIsNoKindHasNone)
{
  CenoteEventKind kind = CENOTE_EVENT_POOL_INIT;
  CenoteEvent event = make (CENOTE_EVENT_POOL_INIT);

  EXPECT_STREQ (cenote_event_kind_to_string (CENOTE_N_EVENTS), "unknown");
  EXPECT_FALSE (cenote_event_kind_from_string ("channel.gets", &kind));
  EXPECT_FALSE (cenote_event_kind_from_string ("", &kind));
  EXPECT_EQ (kind, CENOTE_EVENT_POOL_INIT);
  event.kind = 1000;
  EXPECT_EQ (line (event), "users: an event of an unknown kind");
}

TEST_F (EventTextTest, SaysWhatHappenedToAChannel)
{
  CenoteEvent event = make (CENOTE_EVENT_CHANNEL_CONNECTED);

  event.channel = 3;
  event.address = "dns:///users.example.com:443";
  event.duration_ns = 1234567;
  EXPECT_EQ (line (event), "users: channel 3 to dns:///users.example.com:443 connected in 1.2 ms");
  event.kind = CENOTE_EVENT_CHANNEL_CONNECTION_FAILED;
  event.attempt = 2;
  event.error = "Connection refused";
  EXPECT_EQ (line (event),
             "users: channel 3 to dns:///users.example.com:443 did not connect (attempt 2) in 1.2 ms: Connection refused");
  event = make (CENOTE_EVENT_CHANNEL_RECONNECT_SCHEDULED);
  event.channel = 3;
  event.delay_ms = 1600;
  event.reason = "connection lost";
  EXPECT_EQ (line (event), "users: channel 3 dials again in 1.6 s: connection lost");
  event = make (CENOTE_EVENT_CHANNEL_STATE);
  event.channel = 3;
  event.reason = "IDLE -connect-> CONNECTING";
  EXPECT_EQ (line (event), "users: channel 3: IDLE -connect-> CONNECTING");
}

TEST_F (EventTextTest, SaysWhatHappenedToAPool)
{
  CenoteEvent event = make (CENOTE_EVENT_POOL_STATUS);

  event.current_size = 4;
  event.expected_size = 5;
  EXPECT_EQ (line (event), "users: 4 of 5 channels ready");
  event.in_flight = 12;
  event.waiters = 0;
  EXPECT_EQ (line (event), "users: 4 of 5 channels ready, 12 leases in flight, 0 waiting");
  event = make (CENOTE_EVENT_POOL_SCALE_UP);
  event.new_size = 8;
  event.succeeded = 2;
  event.requested = 3;
  event.failed = 1;
  event.duration_ns = 2000000000;
  EXPECT_EQ (line (event), "users: scaled up to 8 channels: 2 of 3 opened, 1 failed in 2.0 s");
}

TEST_F (EventTextTest, SaysWhetherItWentWell)
{
  CenoteEvent event = make (CENOTE_EVENT_CHANNEL_PING);

  event.channel = 1;
  event.ok = 1;
  event.duration_ns = 80500;
  EXPECT_EQ (line (event), "users: channel 1 answered a ping in 80.5 us");
  event.ok = 0;
  event.error = "Deadline Exceeded";
  EXPECT_EQ (line (event), "users: channel 1 did not answer a ping in 80.5 us: Deadline Exceeded");
}

TEST_F (EventTextTest, LeavesOutWhatIsAbsent)
{
  for (uint32_t kind = 0; kind < CENOTE_N_EVENTS; kind++) {
    CenoteEvent event = make ((CenoteEventKind) kind);
    for (event.ok = 0; event.ok < 2; event.ok++) {
      std::string text = line (event);
      EXPECT_EQ (text.find_first_of ("[]%"), std::string::npos) << text;
      EXPECT_EQ (text.find ("-1"), std::string::npos) << text;
      EXPECT_GT (text.size (), strlen ("users: ")) << text;
    }
  }
}

TEST_F (EventTextTest, HasNoPoolWhereThereIsNone)
{
  CenoteEvent event = CENOTE_EVENT_INIT (CENOTE_EVENT_PLUGIN_LOADED);

  event.reason = "backoff/exponential 0.1.0";
  EXPECT_EQ (line (event), "plugin backoff/exponential 0.1.0 loaded");
}

TEST_F (EventTextTest, APeersTextStaysOnItsLineAndIsNoTemplate)
{
  CenoteEvent event = make (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED);

  event.error = "bad\nnews\r\t\x1b[31m %e %s [%r]";
  EXPECT_EQ (line (event), "users: a channel did not connect: bad news   [31m %e %s [%r]");
}

TEST_F (EventTextTest, CutsALineBeforeAWholeCharacter)
{
  CenoteEvent event = make (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED);
  char whole[256], out[256];

  event.error = "Größe überschritten: 🐸🐸🐸";
  size_t length = cenote_event_format (whole, sizeof whole, &event);
  ASSERT_LT (length, sizeof whole);
  for (size_t size = 1; size <= length; size++) {
    EXPECT_EQ (cenote_event_format (out, size, &event), length);
    EXPECT_LT (strlen (out), size);
    EXPECT_TRUE (g_utf8_validate (out, -1, nullptr)) << out;
    EXPECT_TRUE (g_str_has_prefix (whole, out)) << out;
  }
  EXPECT_EQ (cenote_event_format (nullptr, 0, &event), length);
}

TEST_F (EventTextTest, DurationsAreSaidAsPeopleDo)
{
  EXPECT_EQ (duration (0), "0 ns");
  EXPECT_EQ (duration (999), "999 ns");
  EXPECT_EQ (duration (1000), "1.0 us");
  EXPECT_EQ (duration (1999999), "1.9 ms");
  EXPECT_EQ (duration (59900000000), "59.9 s");
  EXPECT_EQ (duration (90000000000), "1.5 min");
  EXPECT_EQ (duration (9000000000000), "2.5 h");
  EXPECT_EQ (duration (G_MAXINT64), "2562047.7 h");
}

}  // namespace
