/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stress-users: the threads that get and release, hand leases to each other, and
 * come and go.
 */
#ifndef CENOTE_TESTS_STRESS_USERS_H
#define CENOTE_TESTS_STRESS_USERS_H

#include <algorithm>
#include <thread>
#include <vector>

#include "stress-pool.h"

namespace stress
{

/* ----------------------------------------------------------------- mailboxes */

/* Leases on their way from one thread to another. */
class Mailbox
{
public:
  bool
  put (CenoteLease *lease)
  {
    if (!move (EMPTY, BUSY))
      return false;
    lease_ = *lease;
    *lease = CENOTE_LEASE_INIT;
    state_.store (FULL, std::memory_order_release);
    return true;
  }

  bool
  take (CenoteLease *lease)
  {
    if (state_.load (std::memory_order_relaxed) != FULL || !move (FULL, BUSY))
      return false;
    *lease = lease_;
    state_.store (EMPTY, std::memory_order_release);
    return true;
  }

private:
  enum State { EMPTY, BUSY, FULL };

  bool
  move (State from, State to)
  {
    State expected = from;

    return state_.compare_exchange_strong (expected, to, std::memory_order_acquire, std::memory_order_relaxed);
  }

  alignas (64) std::atomic<State> state_{ EMPTY };
  CenoteLease lease_ = CENOTE_LEASE_INIT;
};

inline std::array<Mailbox, 64> mailboxes;

/* -------------------------------------------------------------- attachments */

inline std::atomic<guint64> n_attached{ 0 }, n_detached{ 0 };

struct Attached {
  grpc_channel *channel;

  static void
  end (gpointer data)
  {
    auto *self = static_cast<Attached *> (data);

    n_detached++;
    self->channel = nullptr;
    delete self;
  }
};

/* -------------------------------------------------------------------- users */

/* One thread's work, until its uses are made or all is over. */
class User
{
public:
  explicit User (guint64 uses) : dice_ (next_seed++), pool_ (pool_get ()), uses_left_ (uses) {}

  ~User ()
  {
    for (CenoteLease &lease : held_)
      release (&lease);
  }

  void
  run ()
  {
    while (uses_left_ > 0 && !over.load (std::memory_order_relaxed)) {
      guint64 batch = std::min<guint64> (uses_left_, 1024);

      for (guint64 i = 0; i < batch; i++)
        use ();
      uses_left_ -= batch;
      n_uses.fetch_add (batch, std::memory_order_relaxed);
    }
  }

private:
  void
  use ()
  {
    CenoteLease lease = CENOTE_LEASE_INIT;

    if (!get (&lease))
      return;
    channel_use (lease);
    switch (dice_.below (16)) {
    case 0:
      keep (&lease);
      break;
    case 1:
      send (&lease);
      break;
    case 2:
      receive ();
      release (&lease);
      break;
    case 3:
      attach (&lease);
      release (&lease);
      break;
    case 4:
      linger (lease);
      release (&lease);
      break;
    default:
      release (&lease);
    }
  }

  bool
  get (CenoteLease *lease)
  {
    guint32 dry = pool_->dry;
    const LeaseWish wish = { dice_.below (64) == 0 ? 42u : 0u, dice_.below (64) == 0 ? 1u : 0u, nullptr, FALSE };

    switch (lease_get (pool_->table, &wish, FALSE, lease)) {
    case LEASE_GOT:
      return true;
    case LEASE_STOPPED:
      pool_ = pool_get ();
      return false;
    case LEASE_NONE:
      if (dry % 2 == 0 && pool_->dry == dry)
        fail ("a get failed while a channel was ready");
      return false;
    default:
      fail ("a get was answered what nobody asked for");
    }
  }

  /* What is attached first to a channel stays with it while leases are held, and ends with it, once. */
  void
  attach (CenoteLease *lease)
  {
    static const char key = 0;
    auto *mine = new Attached{ lease->channel };
    auto *standing = static_cast<Attached *> (lease_attach (lease, &key, mine, Attached::end, FALSE));

    if (standing == mine)
      n_attached++;
    else
      delete mine;
    if (standing == nullptr || standing->channel != lease->channel)
      fail ("a channel has what was attached to another one");
  }

  void
  release (CenoteLease *lease)
  {
    channel_use (*lease);
    lease_release (lease, dice_.below (32) == 0 ? static_cast<int> (dice_.below (2)) : -1);
  }

  /* About as long as whoever closed the channel takes to destroy it. */
  void
  linger (const CenoteLease &lease)
  {
    for (int i = 0; i < 300; i++)
      channel_use (lease);
  }

  void
  keep (CenoteLease *lease)
  {
    if (held_.size () < 12) {
      held_.push_back (*lease);
      return;
    }
    std::swap (held_[dice_.below (12)], *lease);
    release (lease);
  }

  void
  send (CenoteLease *lease)
  {
    if (!mailboxes[dice_.below (mailboxes.size ())].put (lease))
      release (lease);
  }

  void
  receive ()
  {
    CenoteLease lease;

    if (mailboxes[dice_.below (mailboxes.size ())].take (&lease))
      release (&lease);
  }

  Dice dice_;
  PoolRef pool_;
  guint64 uses_left_;
  std::vector<CenoteLease> held_;
};

/* Threads that end after some uses and are followed by others. */
class Lane
{
public:
  ~Lane ()
  {
    if (thread_.joinable ())
      thread_.join ();
  }

  /* Starts a thread where none is at work. */
  bool
  tend (Dice *dice)
  {
    if (working_)
      return false;
    if (thread_.joinable ())
      thread_.join ();
    working_ = true;
    guint64 uses = 1000 + dice->below (200000);
    thread_ = std::thread ([this, uses] {
      User (uses).run ();
      working_ = false;
    });
    return true;
  }

private:
  std::thread thread_;
  std::atomic<bool> working_{ false };
};

} // namespace stress

#endif
