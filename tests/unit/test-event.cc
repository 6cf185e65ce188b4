/* SPDX-License-Identifier: Apache-2.0 */
/* event: copies that stand alone, also of an older header's events and of texts that are too long. */
#include "core/telemetry/event.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace {

class EventTest : public ::testing::Test {
protected:
  CenoteEvent event = CENOTE_EVENT_INIT (CENOTE_EVENT_CHANNEL_CONNECTED);
  std::unique_ptr<EventCell> cell = std::make_unique<EventCell> ();

  bool
  is_inside (const char *text) const
  {
    return text >= cell->text && text < cell->text + sizeof cell->text;
  }
};

TEST_F (EventTest, InitGivesEveryMemberItsAbsentValue)
{
  EXPECT_EQ (event.struct_size, sizeof event);
  EXPECT_EQ (event.time_us, -1);
  EXPECT_EQ (event.pool, nullptr);
  EXPECT_EQ (event.channel, 0u);
  EXPECT_EQ (event.error, nullptr);
  EXPECT_EQ (event.duration_ns, -1);
  EXPECT_EQ (event.new_size, -1);
  EXPECT_EQ (event.ok, -1);
}

TEST_F (EventTest, IsValidWithAKindThatThereIs)
{
  EXPECT_TRUE (event_is_valid (&event));
  event.struct_size = 8;
  EXPECT_TRUE (event_is_valid (&event));
  event.struct_size = 7;
  EXPECT_FALSE (event_is_valid (&event));
  event.struct_size = sizeof event;
  event.kind = CENOTE_N_EVENTS;
  EXPECT_FALSE (event_is_valid (&event));
}

TEST_F (EventTest, ACopyOfASmallerEventHasTheRestAbsent)
{
  CenoteEvent copy;

  event.channel = 5;
  event.duration_ns = 10;
  event.ok = 1;
  event.struct_size = offsetof (CenoteEvent, duration_ns);
  event_copy (&copy, &event);
  EXPECT_EQ (copy.struct_size, sizeof copy);
  EXPECT_EQ (copy.channel, 5u);
  EXPECT_EQ (copy.duration_ns, -1);
  EXPECT_EQ (copy.ok, -1);
}

TEST_F (EventTest, ACopyOfALargerEventHasWhatWeKnow)
{
  struct { CenoteEvent known; gint64 later[4]; } larger = { event, { 1, 2, 3, 4 } };
  CenoteEvent copy;

  larger.known.struct_size = sizeof larger;
  larger.known.ok = 1;
  event_copy (&copy, &larger.known);
  EXPECT_EQ (copy.struct_size, sizeof copy);
  EXPECT_EQ (copy.ok, 1);
}

TEST_F (EventTest, PackCopiesTheStrings)
{
  event.pool = "users";
  event.address = "dns:///users:443";
  event.reason = "";
  event.attempt = 3;
  event_pack (cell.get (), &event, 0);
  EXPECT_STREQ (cell->event.pool, "users");
  EXPECT_STREQ (cell->event.address, "dns:///users:443");
  EXPECT_STREQ (cell->event.reason, "");
  EXPECT_EQ (cell->event.error, nullptr);
  EXPECT_EQ (cell->event.attempt, 3);
  EXPECT_TRUE (is_inside (cell->event.pool));
  EXPECT_TRUE (is_inside (cell->event.address));
  EXPECT_TRUE (is_inside (cell->event.reason));
}

TEST_F (EventTest, ACellCanBePackedIntoAnother)
{
  auto second = std::make_unique<EventCell> ();

  event.error = "Connection refused";
  event_pack (cell.get (), &event, 0);
  event_pack (second.get (), &cell->event, 0);
  cell.reset ();
  EXPECT_STREQ (second->event.error, "Connection refused");
}

TEST_F (EventTest, TextsThatAreTooLongAreCutWithAMark)
{
  const std::string text (5000, 'x');

  event.pool = event.address = event.reason = event.error = text.c_str ();
  event_pack (cell.get (), &event, 0);
  EXPECT_EQ (strlen (cell->event.pool), (size_t) EVENT_POOL_BYTES);
  EXPECT_EQ (strlen (cell->event.address), (size_t) EVENT_ADDRESS_BYTES);
  EXPECT_EQ (strlen (cell->event.reason), (size_t) EVENT_REASON_BYTES);
  EXPECT_GE (strlen (cell->event.error), 350u);
  EXPECT_TRUE (g_str_has_suffix (cell->event.error, "x…"));
  EXPECT_EQ (cell->event.error + strlen (cell->event.error) + 1, cell->text + sizeof cell->text) << "no room is left";
}

TEST_F (EventTest, TheErrorTakesTheRoomThatTheOthersLeave)
{
  const std::string text (800, 'x');

  event.error = text.c_str ();
  event_pack (cell.get (), &event, 0);
  EXPECT_EQ (cell->event.error, text);
}

TEST_F (EventTest, TextsOfExactlyTheLengthAreNotCut)
{
  const std::string pool (EVENT_POOL_BYTES, 'p'), address (EVENT_ADDRESS_BYTES, 'a');

  event.pool = pool.c_str ();
  event.address = address.c_str ();
  event_pack (cell.get (), &event, 0);
  EXPECT_EQ (cell->event.pool, pool);
  EXPECT_EQ (cell->event.address, address);
}

TEST_F (EventTest, ACutNeverSplitsACharacter)
{
  for (int offset = 0; offset < 4; offset++) {
    std::string text (offset, 'x');
    while (text.size () < 400)
      text += "\xf0\x9f\x90\xb8";
    event.reason = text.c_str ();
    event_pack (cell.get (), &event, 0);
    EXPECT_TRUE (g_utf8_validate (cell->event.reason, -1, nullptr)) << offset;
    EXPECT_LE (strlen (cell->event.reason), (size_t) EVENT_REASON_BYTES);
    EXPECT_GE (strlen (cell->event.reason), (size_t) EVENT_REASON_BYTES - 3);
  }
}

TEST_F (EventTest, ATextOfContinuationBytesAloneIsCutToItsMark)
{
  const std::string text (1000, '\x80');

  event.reason = text.c_str ();
  event_pack (cell.get (), &event, 0);
  EXPECT_STREQ (cell->event.reason, "…");
}

}  // namespace
