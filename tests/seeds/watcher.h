/* SPDX-License-Identifier: Apache-2.0 */
/* watcher: an observer that keeps what it is told, and wakes whoever waits for it. */
#ifndef CENOTE_TESTS_SEEDS_WATCHER_H
#define CENOTE_TESTS_SEEDS_WATCHER_H

#include <cenote/cenote.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

struct Told {
  std::string what;          /* "connected", "disconnected", "failed", "dial" */
  guint64 id;
  std::string address;
  std::string error;
};

/* Observes POOL while it lives.  THEN (nullable) runs in each callback, on the callback
 * thread; what it was told is known when it has returned. */
class Watcher {
public:
  explicit Watcher (CenotePool *pool, std::function<void (CenotePool *, const Told &)> then = nullptr)
    : pool_ (cenote_pool_ref (pool)), then_ (std::move (then))
  {
    CenoteObserver observer = CENOTE_OBSERVER_INIT;

    observer.connected = [] (CenotePool *from, guint64 id, const char *address, gpointer data) {
      self (data)->take (from, { "connected", id, address, "" });
    };
    observer.disconnected = [] (CenotePool *from, guint64 id, const char *address, gpointer data) {
      self (data)->take (from, { "disconnected", id, address, "" });
    };
    observer.connection_failed = [] (CenotePool *from, guint64 id, const char *address, const GError *error,
                                     gpointer data) {
      self (data)->take (from, { "failed", id, address, error->message });
    };
    observer.connect_requested = [] (CenotePool *from, const char *address, gpointer data) {
      self (data)->take (from, { "dial", 0, address, "" });
    };
    id_ = cenote_pool_add_observer (pool, &observer, this, gone);
  }

  /* Waits for its notify: nothing is called after it. */
  ~Watcher ()
  {
    cenote_pool_remove_observer (pool_, id_);
    std::unique_lock<std::mutex> hold (lock_);
    changed_.wait (hold, [this] { return gone_; });
    cenote_pool_unref (pool_);
  }

  Watcher (const Watcher &) = delete;
  Watcher &operator= (const Watcher &) = delete;

  std::vector<Told>
  of (const std::string &what)
  {
    std::lock_guard<std::mutex> hold (lock_);
    return of_locked (what);
  }

  size_t count (const std::string &what) { return of (what).size (); }

  /* Waits until it was told WHAT N times.  FALSE: not within a minute. */
  bool
  await (const std::string &what, size_t n)
  {
    std::unique_lock<std::mutex> hold (lock_);
    return changed_.wait_for (hold, std::chrono::minutes (1), [&] { return of_locked (what).size () >= n; });
  }

private:
  static Watcher *self (gpointer data) { return static_cast<Watcher *> (data); }

  static void
  gone (gpointer data)
  {
    std::lock_guard<std::mutex> hold (self (data)->lock_);
    self (data)->gone_ = true;
    self (data)->changed_.notify_all ();
  }

  void
  take (CenotePool *from, const Told &told)
  {
    if (then_)
      then_ (from, told);
    std::lock_guard<std::mutex> hold (lock_);
    told_.push_back (told);
    changed_.notify_all ();
  }

  std::vector<Told>
  of_locked (const std::string &what) const
  {
    std::vector<Told> result;

    std::copy_if (told_.begin (), told_.end (), std::back_inserter (result),
                  [&] (const Told &told) { return told.what == what; });
    return result;
  }

  CenotePool *pool_;
  std::function<void (CenotePool *, const Told &)> then_;
  std::mutex lock_;
  std::condition_variable changed_;
  std::vector<Told> told_;
  bool gone_ = false;
  guint id_ = 0;
};

#endif
