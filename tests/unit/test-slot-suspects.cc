/* SPDX-License-Identifier: Apache-2.0 */
/* slot-suspects: slots whose outcomes speak against them, hidden by whoever sees it first. */
#include "slot-fixture.h"

namespace {

/* Of the statuses only whether they are 0 matters here. */
enum { BAD = 14, LATE = 4 };

class SuspectsTest : public SlotTest
{
protected:
  void
  SetUp () override
  {
    SlotTest::SetUp ();
    if (table == nullptr)
      return;
    suspicion.suspect = [] (gpointer data) { static_cast<SuspectsTest *> (static_cast<SlotTest *> (data))->n_told++; };
    suspicion.blamed = 3;
  }

  void
  begin (guint n, guint room)
  {
    slot_table_set_suspicion (table, &suspicion);
    slot_table_set_room (table, room);
    show (n);
  }

  /* A lease on slot I that ends with VERDICT. */
  void
  end (guint i, LeaseVerdict verdict, int status = BAD)
  {
    CenoteLease lease;

    picker.choose = [i] (const CenotePickView *) { return i; };
    lease = get ();
    ASSERT_EQ (lease.channel, slot_channel (slots[i]));
    lease_release_judged (&lease, status, verdict);
  }

  void
  blame (guint i, int n)
  {
    while (n-- > 0)
      end (i, LEASE_BLAMED);
  }

  SlotSuspicion suspicion = {};
  std::atomic<int> n_told{ 0 };
};

TEST_P (SuspectsTest, HidesAtTheLastOfAStreak)
{
  begin (2, 1);
  blame (0, 2);
  EXPECT_TRUE (slot_is_shown (slots[0]));
  EXPECT_EQ (n_told, 0);
  blame (0, 1);
  EXPECT_FALSE (slot_is_shown (slots[0]));
  EXPECT_EQ (n_told, 1);
  EXPECT_EQ (slot_blamed_in_a_row (slots[0]), 3u);
  EXPECT_EQ (slot_blamed_status (slots[0]), BAD);
  EXPECT_EQ (slot_table_next_suspect (table), slots[0]);
  EXPECT_EQ (slot_table_next_suspect (table), nullptr);
  EXPECT_TRUE (slot_is_suspect (slots[0]));
  slot_clear_suspicion (slots[0]);
  EXPECT_EQ (slot_blamed_in_a_row (slots[0]), 0u);
  EXPECT_EQ (slot_blamed (slots[0]), 3);
}

TEST_P (SuspectsTest, AWithdrawnCallIsNoFailureAndEndsNoStreak)
{
  begin (2, 1);
  blame (0, 2);
  end (0, LEASE_WITHDRAWN, 1);
  EXPECT_EQ (slot_failures (slots[0]), 2);
  EXPECT_EQ (slot_blamed_in_a_row (slots[0]), 2u);
  blame (0, 1);
  EXPECT_FALSE (slot_is_shown (slots[0]));
}

TEST_P (SuspectsTest, AnAnswerEndsAStreakAndNothingToldDoesNot)
{
  CenoteLease lease;

  begin (2, 1);
  blame (0, 2);
  end (0, LEASE_ANSWERED, 5);
  blame (0, 2);
  end (0, LEASE_ANSWERED, 0);
  blame (0, 2);
  lease = get ();
  lease_release (&lease, -1);
  EXPECT_EQ (n_told, 0);
  blame (0, 1);
  EXPECT_EQ (n_told, 1);
}

/* Without room the slot stays, and the control side hears of it all the same. */
TEST_P (SuspectsTest, RoomBoundsWhatCallersHide)
{
  begin (4, 2);
  for (guint i = 0; i < 4; i++)
    blame (i, 3);
  EXPECT_EQ (slot_is_shown (slots[0]) + slot_is_shown (slots[1]), 0);
  EXPECT_EQ (slot_is_shown (slots[2]) + slot_is_shown (slots[3]), 2);
  EXPECT_EQ (n_told, 4);
  slot_table_set_room (table, 2);
  for (int i = 0; i < 4; i++)
    slot_clear_suspicion (slot_table_next_suspect (table));
  blame (2, 3);
  EXPECT_TRUE (slot_is_shown (slots[2])) << "those two are on the list still when the room is told: none is left";
}

/* What is hidden and not heeded yet is taken off each new room. */
TEST_P (SuspectsTest, RoomThatIsToldAnewKnowsWhatIsUnderWay)
{
  begin (4, 2);
  blame (0, 3);
  slot_table_set_room (table, 2);
  blame (1, 3);
  blame (2, 3);
  EXPECT_FALSE (slot_is_shown (slots[1]));
  EXPECT_TRUE (slot_is_shown (slots[2]));
  for (int i = 0; i < 3; i++)
    slot_clear_suspicion (slot_table_next_suspect (table));
  slot_table_set_room (table, 1);
  blame (3, 3);
  EXPECT_FALSE (slot_is_shown (slots[3])) << "one more";
}

TEST_P (SuspectsTest, IsSuspectedOnceUntilItIsCleared)
{
  begin (2, 0);
  blame (0, 10);
  EXPECT_EQ (n_told, 1);
  EXPECT_EQ (slot_table_next_suspect (table), slots[0]);
  slot_clear_suspicion (slots[0]);
  blame (0, 3);
  EXPECT_EQ (n_told, 2);
}

TEST_P (SuspectsTest, LateOnesNeedTheirTimeToo)
{
  suspicion.blamed = 0;
  suspicion.late = 2;
  suspicion.late_us = G_USEC_PER_SEC;
  begin (2, 1);
  for (int i = 0; i < 5; i++)
    end (0, LEASE_LATE, LATE);
  EXPECT_EQ (n_told, 0);
  now_us += G_USEC_PER_SEC;
  end (0, LEASE_BLAMED);
  EXPECT_EQ (n_told, 1) << "five were late, and the first of them a second ago";
  EXPECT_FALSE (slot_is_shown (slots[0]));
}

TEST_P (SuspectsTest, NobodyIsSuspectedUnlessTold)
{
  show (2);
  slot_table_set_room (table, 2);
  blame (0, 100);
  EXPECT_TRUE (slot_is_shown (slots[0]));
  EXPECT_EQ (slot_table_next_suspect (table), nullptr);
}

/* Nobody is told any more once the pool is stopped, and no suspect comes over into the next life. */
TEST_P (SuspectsTest, AnEndedLifeLeavesNoSuspects)
{
  CenoteLease lease;

  begin (1, 0);
  blame (0, 2);
  lease = get ();
  publish_places ({}, VIEW_STOPPED);
  lease_release_judged (&lease, BAD, LEASE_BLAMED);
  EXPECT_EQ (n_told, 0);
  end_life ();
  begin_life ();
  begin (1, 0);
  blame (0, 3);
  EXPECT_EQ (n_told, 1);
  end_life ();
  begin_life ();
  show (1);
  EXPECT_FALSE (slot_is_suspect (slots[0]));
  EXPECT_EQ (slot_table_next_suspect (table), nullptr);
}

/* Many callers on many slots: each slot is told of once, and no more are hidden than there is room for. */
TEST_P (SuspectsTest, ManyCallersHideNoMoreThanTheRoom)
{
  constexpr guint n = 16, room = 5;
  std::vector<std::thread> callers;
  guint n_hidden = 0, n_listed = 0;
  Slot *slot;

  begin (n, room);
  for (guint k = 0; k < 4; k++) {
    callers.emplace_back ([this] {
      for (guint i = 0; i < 4000; i++) {
        CenoteLease lease = CENOTE_LEASE_INIT;

        if (lease_get (table, &any, FALSE, &lease) == LEASE_GOT)
          lease_release_judged (&lease, BAD, LEASE_BLAMED);
      }
    });
  }
  for (std::thread &caller : callers)
    caller.join ();
  for (Slot *each : slots)
    n_hidden += !slot_is_shown (each);
  EXPECT_EQ (n_hidden, room);
  while ((slot = slot_table_next_suspect (table)) != nullptr) {
    slot_clear_suspicion (slot);
    n_listed++;
  }
  EXPECT_EQ (n_listed, n);
  EXPECT_EQ (n_told, (int) n);
}

INSTANTIATE_TEST_SUITE_P (Barriers, SuspectsTest, testing::Bool (),
                          [] (const testing::TestParamInfo<bool> &info) { return info.param ? "Asymmetric" : "Full"; });

} // namespace
