/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stress-pool: what users and control share: channels that know whether they live,
 * the pool of the moment, and the counts.
 */
#ifndef CENOTE_TESTS_STRESS_POOL_H
#define CENOTE_TESTS_STRESS_POOL_H

#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>

#include "core/slots/slots.h"

namespace stress
{

struct Options
{
  std::string barrier;
  guint64 uses = 100000000;
  double seconds = 0; /* 0: no limit */
  guint threads = 3;
};

[[noreturn]] inline void
fail (const char *what)
{
  std::fprintf (stderr, "stress-slots: %s\n", what);
  std::fflush (stderr);
  _exit (1);
}

/* xorshift64* (Vigna 2014): a generator to each thread. */
class Dice
{
public:
  explicit Dice (guint64 seed) : state_ (seed * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15) | 1) {}

  guint32
  below (guint32 n)
  {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return static_cast<guint32> ((state_ * G_GUINT64_CONSTANT (0x2545f4914f6cdd1d)) >> 33) % n;
  }

private:
  guint64 state_;
};

inline std::atomic<guint64> next_seed{ 1 };

/* ---------------------------------------------------------------- channels */

constexpr guint64 ALIVE = G_GUINT64_CONSTANT (0xa11e0a11e0a11e0a);
constexpr guint64 DEAD = G_GUINT64_CONSTANT (0xdeaddeaddeaddead);

/* A plain word, so that sanitizers judge every use of it too. */
struct Channel
{
  guint64 life = ALIVE;
};

inline std::atomic<guint64> n_created{ 0 }, n_destroyed{ 0 };

/* What is destroyed stays readable for a while, so that a late user finds it dead. */
class Quarantine
{
public:
  void
  put (Channel *channel)
  {
    std::lock_guard<std::mutex> hold (lock_);

    delete cells_[next_];
    cells_[next_] = channel;
    next_ = (next_ + 1) % cells_.size ();
  }

  void
  clear ()
  {
    for (Channel *&channel : cells_) {
      delete channel;
      channel = nullptr;
    }
  }

private:
  std::mutex lock_;
  std::array<Channel *, 1024> cells_{};
  size_t next_ = 0;
};

inline Quarantine quarantine;

inline grpc_channel *
channel_new ()
{
  n_created++;
  return reinterpret_cast<grpc_channel *> (new Channel);
}

inline void
channel_destroy (grpc_channel *destroyed, gpointer data)
{
  auto *channel = reinterpret_cast<Channel *> (destroyed);

  (void) data;
  if (channel->life != ALIVE)
    fail ("a channel was destroyed twice");
  channel->life = DEAD;
  n_destroyed++;
  quarantine.put (channel);
}

inline void
channel_use (const CenoteLease &lease)
{
  const volatile guint64 *life = &reinterpret_cast<Channel *> (lease.channel)->life;

  if (*life != ALIVE)
    fail ("a channel was used after it was destroyed");
}

/* -------------------------------------------------------------------- pools */

struct Pool
{
  SlotTable *table;
  std::atomic<guint32> dry{ 0 }; /* odd: no slot need be ready */

  explicit Pool (SlotTable *new_table) : table (new_table) {}
  ~Pool () { slot_table_unref (table); }
};

using PoolRef = std::shared_ptr<Pool>;

inline std::mutex pool_lock;
inline PoolRef pool_now;
inline std::atomic<bool> over{ false };
inline std::atomic<guint64> n_uses{ 0 };

inline PoolRef
pool_get ()
{
  std::lock_guard<std::mutex> hold (pool_lock);

  return pool_now;
}

inline guint64
random_number (gpointer data)
{
  (void) data;
  return next_seed++ * G_GUINT64_CONSTANT (0xd1342543de82ef95);
}

inline gint64
no_time (gpointer data)
{
  (void) data;
  return 0;
}

inline void
no_barrier (gpointer data)
{
  (void) data;
}

inline void
wake_nobody (gpointer data)
{
  (void) data;
}

inline guint32
pick_in_turn (void *state, const CenotePickView *view)
{
  guint64 due = *view->scratch + 1 < view->n_places ? *view->scratch + 1 : 0;

  (void) state;
  *view->scratch = due;
  return static_cast<guint32> (due);
}

inline guint32
pick_by_luck (void *state, const CenotePickView *view)
{
  (void) state;
  return static_cast<guint32> (cenote_pick_luck (view) % view->n_places);
}

inline guint32
pick_by_load (void *state, const CenotePickView *view)
{
  guint32 i = pick_by_luck (state, view), j = pick_by_luck (state, view);

  return cenote_pick_burden (view, i) < cenote_pick_burden (view, j) ? i : j;
}

inline std::atomic<guint64> n_told{ 0 };

inline void
note_outcome (void *state, guint32 number, int status, gint64 latency_us)
{
  (void) state;
  (void) number;
  (void) latency_us;
  n_told.fetch_add (status >= 0, std::memory_order_relaxed);
}

} // namespace stress

#endif
