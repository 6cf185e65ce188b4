/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stress-control: what the control side of a pool may do, in any order.
 *
 * But for a moment that Pool.dry marks, some slot of the present view is shown.
 */
#ifndef CENOTE_TESTS_STRESS_CONTROL_H
#define CENOTE_TESTS_STRESS_CONTROL_H

#include <utility>
#include <vector>

#include "core/base/world-barrier.h"
#include "stress-users.h"

namespace stress
{

/* ------------------------------------------------------------------ control */

class Control
{
public:
  explicit Control (const Options &options) : options_ (options), dice_ (next_seed++)
  {
    world_.asymmetric = options.barrier != "seqcst";
    world_.heavy = options.barrier == "real" ? barrier_heavy : options.barrier == "none" ? no_barrier : barrier_own;
    world_.random = random_number;
    world_.now_us = no_time;
    begin ();
  }

  void
  step ()
  {
    n_steps_++;
    switch (dice_.below (14)) {
    case 0:
      grow ();
      break;
    case 1:
    case 2:
    case 3:
      close_one ();
      break;
    case 4:
      flicker ();
      break;
    case 5:
      flip_flop ();
      break;
    case 6:
      reopen_one ();
      break;
    case 7:
      shuffle ();
      break;
    case 8:
      check ();
      break;
    case 9:
    case 10:
      orphan_one ();
      break;
    default:
      replace_one ();
    }
    free_some ();
    if (dice_.below (4000) == 0)
      restart ();
    else if (dice_.below (500) == 0)
      dry_out ();
  }

  void
  end ()
  {
    CenoteLease lease;

    for (Mailbox &mailbox : mailboxes) {
      if (mailbox.take (&lease)) {
        channel_use (lease);
        lease_release (&lease, -1);
      }
    }
    if (slot_table_in_flight (pool_->table) != 0)
      fail ("leases are counted that nobody holds");
    stop ();
    pool_ = pool_now = nullptr;
  }

  void
  report () const
  {
    std::printf ("%s: %" G_GUINT64_FORMAT " uses, %" G_GUINT64_FORMAT " control steps, %" G_GUINT64_FORMAT
                 " channels, %" G_GUINT64_FORMAT " lives, %" G_GUINT64_FORMAT " outcomes told\n",
                 options_.barrier.c_str (), n_uses.load (), n_steps_, n_destroyed.load (), n_lives_, n_told.load ());
  }

private:
  void
  begin ()
  {
    pool_ = std::make_shared<Pool> (slot_table_new (&world_, wake_nobody, nullptr));
    picker_ = dice_.below (3);
    max_slots_ = dice_.below (3) == 0 ? 40 : 3;
    open ();
    publish ();
    n_lives_++;
    std::lock_guard<std::mutex> hold (pool_lock);
    pool_now = pool_;
  }

  /* Users learn of it by their next get; their leases outlive the pool. */
  void
  stop ()
  {
    SlotPicker nobody = {};

    pool_->dry++;
    slot_table_publish (pool_->table, nullptr, 0, &nobody, VIEW_STOPPED, 0);
    for (Slot *slot : shown_) {
      slot_close (slot);
      closing_.push_back (slot);
    }
    shown_.clear ();
    for (Slot *slot : closing_) {
      if (dice_.below (2) == 0 || !slot_try_free (slot))
        slot_orphan (slot);
    }
    closing_.clear ();
  }

  void
  restart ()
  {
    stop ();
    begin ();
  }

  Slot *
  open ()
  {
    Slot *slot = slot_open (pool_->table, channel_new (), channel_destroy, nullptr);

    slot_show (slot);
    shown_.push_back (slot);
    return slot;
  }

  void
  publish ()
  {
    static const SlotPicker pickers[] = {
      { pick_in_turn, note_outcome, nullptr, 0 },
      { pick_by_luck, note_outcome, nullptr, CENOTE_PICKER_NEEDS_OUTCOME },
      { pick_by_load, note_outcome, nullptr, CENOTE_PICKER_NEEDS_LOAD },
    };
    std::vector<SlotPlace> places;

    for (Slot *slot : shown_)
      places.push_back ({ slot, ++next_id_, static_cast<guint32> (places.size ()), 1, nullptr, 0 });
    slot_table_publish (pool_->table, places.data (), static_cast<guint> (places.size ()), &pickers[picker_], 0, 0);
  }

  Slot *
  withdraw_one ()
  {
    guint32 i = dice_.below (static_cast<guint32> (shown_.size ()));
    Slot *slot = shown_[i];

    shown_.erase (shown_.begin () + i);
    return slot;
  }

  void
  grow ()
  {
    if (shown_.size () + closing_.size () >= max_slots_)
      return;
    open ();
    publish ();
  }

  /* Looks at the counts first, as one who waits for an idle moment does: that also
   * takes the lines from those who count there, whose next step is then late. */
  void
  close (Slot *slot)
  {
    slot_in_flight (slot);
    slot_close (slot);
    if (!slot_try_free (slot))
      closing_.push_back (slot);
  }

  /* With or without a view that leaves the slot out first. */
  void
  close_one ()
  {
    if (shown_.size () < 2)
      return;
    Slot *slot = withdraw_one ();

    if (dice_.below (2) == 0)
      publish ();
    close (slot);
  }

  /* Make before break.  Where the old one is closed while it is in rotation, it is
   * the barrier alone that tells of the gets that are about to take it. */
  void
  replace_one ()
  {
    if (shown_.size () + closing_.size () >= max_slots_)
      return;
    bool late = shown_.size () > 1 && dice_.below (4) > 0;
    Slot *old = withdraw_one ();

    open ();
    if (!late)
      publish ();
    close (old);
    if (late)
      publish ();
  }

  void
  flicker ()
  {
    if (shown_.size () < 2)
      return;
    Slot *slot = shown_[dice_.below (static_cast<guint32> (shown_.size ()))];

    slot_hide (slot);
    if (dice_.below (2) == 0)
      publish ();
    slot_show (slot);
  }

  /* One slot is shown before the other is hidden, again and again. */
  void
  flip_flop ()
  {
    if (shown_.size () != 2)
      return;
    slot_hide (shown_[1]);
    for (int i = 0; i < 100; i++) {
      slot_show (shown_[1]);
      slot_hide (shown_[0]);
      std::swap (shown_[0], shown_[1]);
    }
    slot_show (shown_[1]);
  }

  /* Leaves a slot of a living pool to those who hold it. */
  void
  orphan_one ()
  {
    if (shown_.size () < 2)
      return;
    Slot *slot = withdraw_one ();

    if (dice_.below (2) == 0)
      publish ();
    slot_orphan (slot);
    open ();
    publish ();
  }

  void
  reopen_one ()
  {
    if (closing_.empty ())
      return;
    slot_reopen (closing_.back ());
    shown_.push_back (closing_.back ());
    closing_.pop_back ();
    publish ();
  }

  /* Views that differ in order and length, one hard upon the other. */
  void
  shuffle ()
  {
    for (int k = 0; k < 20; k++) {
      for (size_t i = shown_.size (); i > 1; i--)
        std::swap (shown_[i - 1], shown_[dice_.below (static_cast<guint32> (i))]);
      publish ();
    }
  }

  void
  check ()
  {
    for (Slot *slot : shown_) {
      if (slot_in_flight (slot) < 0)
        fail ("fewer leases than none are counted");
    }
    if (slot_table_in_flight (pool_->table) < 0)
      fail ("fewer leases than none are counted");
    slot_table_publish_loads (pool_->table);
    slot_table_park (pool_->table, slot_table_uses (pool_->table));
  }

  void
  free_some ()
  {
    for (size_t i = closing_.size (); i-- > 0;) {
      if (slot_try_free (closing_[i]))
        closing_.erase (closing_.begin () + static_cast<std::ptrdiff_t> (i));
    }
    slot_table_reclaim (pool_->table);
  }

  /* For a moment nothing is ready, and gets may fail. */
  void
  dry_out ()
  {
    pool_->dry++;
    for (Slot *slot : shown_)
      slot_hide (slot);
    for (Slot *slot : shown_)
      slot_show (slot);
    pool_->dry++;
  }

  const Options &options_;
  Dice dice_;
  SlotWorld world_{};
  PoolRef pool_;
  std::vector<Slot *> shown_, closing_;
  guint32 picker_ = 0;
  guint max_slots_ = 0;
  guint64 next_id_ = 0, n_steps_ = 0, n_lives_ = 0;
};

} // namespace stress

#endif
