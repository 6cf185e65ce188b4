/* SPDX-License-Identifier: Apache-2.0 */
/* observers: who is told what, in which order, and when the notify comes. */
#include "core/telemetry/observers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace {

/* Stands for the pool: only its references are looked at. */
std::atomic<int> pool_refs{ 0 };

CenotePool *
pool_ref (CenotePool *pool)
{
  pool_refs++;
  return pool;
}

void
pool_unref (CenotePool *)
{
  pool_refs--;
}

struct Watcher {
  std::vector<std::string> told;
  int notified = 0;
  CenotePool *pool = nullptr;
  std::function<void ()> hook;

  void
  tell (const std::string &what)
  {
    EXPECT_EQ (notified, 0);
    told.push_back (what);
    if (hook)
      hook ();
  }

  static Watcher *of (gpointer data) { return static_cast<Watcher *> (data); }
  static std::string text (guint64 id, const char *address) { return std::to_string (id) + " " + address; }

  static void
  connected (CenotePool *pool, guint64 id, const char *address, gpointer data)
  {
    of (data)->pool = pool;
    of (data)->tell ("connected " + text (id, address));
  }
  static void
  disconnected (CenotePool *, guint64 id, const char *address, gpointer data)
  {
    of (data)->tell ("disconnected " + text (id, address));
  }
  static void
  connection_failed (CenotePool *, guint64 id, const char *address, const GError *error, gpointer data)
  {
    of (data)->tell ("failed " + text (id, address) + " " + error->message);
  }
  static void
  connect_requested (CenotePool *, const char *address, gpointer data)
  {
    of (data)->tell (std::string ("requested ") + address);
  }
  static void
  cache_missed (CenotePool *, const char *address, gpointer data)
  {
    of (data)->tell (std::string ("missed ") + address);
  }
  static void
  connection_count (CenotePool *, guint count, gpointer data)
  {
    of (data)->tell ("count " + std::to_string (count));
  }
  static void notify (gpointer data) { of (data)->notified++; }
};

const CenoteObserver everything = { sizeof (CenoteObserver),      Watcher::connected,         Watcher::disconnected,
                                    Watcher::connection_failed,   Watcher::connect_requested, Watcher::cache_missed,
                                    Watcher::connection_count };

class ObserversTest : public ::testing::Test {
protected:
  void
  SetUp () override
  {
    const ObservedPoolFuncs funcs = { pool_ref, pool_unref };

    pool_refs = 0;
    callbacks = callbacks_new ();
    observers = observers_new (pool, &funcs, callbacks);
  }

  void
  TearDown () override
  {
    observers_free (observers);
    callbacks_free (callbacks);
    EXPECT_EQ (pool_refs, 0);
  }

  guint
  add (Watcher *watcher, const CenoteObserver *observer = &everything)
  {
    return observers_add (observers, observer, watcher, Watcher::notify);
  }

  CenotePool *const pool = reinterpret_cast<CenotePool *> (&pool_refs);
  Callbacks *callbacks = nullptr;
  Observers *observers = nullptr;
  Watcher watcher, other;
};

TEST_F (ObserversTest, TellsEverythingInOrder)
{
  GError *error = g_error_new_literal (CENOTE_ERROR, CENOTE_ERROR_NOT_CONNECTED, "refused");
  std::string address = "a:1";

  add (&watcher);
  observers_connect_requested (observers, address.c_str ());
  observers_cache_missed (observers, address.c_str ());
  observers_connection_failed (observers, 1, address.c_str (), error);
  observers_connected (observers, 2, address.c_str ());
  observers_connection_count (observers, 1);
  observers_disconnected (observers, 2, address.c_str ());
  g_error_free (error);
  address = "overwritten";
  EXPECT_TRUE (watcher.told.empty ()) << "never inside the call that posts";
  EXPECT_EQ (pool_refs, 6);
  callbacks_dispatch (callbacks);
  EXPECT_EQ (watcher.told, (std::vector<std::string>{ "requested a:1", "missed a:1", "failed 1 a:1 refused",
                                                      "connected 2 a:1", "count 1", "disconnected 2 a:1" }));
  EXPECT_EQ (watcher.pool, pool);
  EXPECT_EQ (pool_refs, 0);
}

TEST_F (ObserversTest, PostsNothingWhereNobodyObserves)
{
  observers_connected (observers, 1, "a:1");
  EXPECT_EQ (callbacks_dispatch (callbacks), 0u);
}

TEST_F (ObserversTest, TellsWhoObservedWhenItHappened)
{
  add (&watcher);
  observers_connected (observers, 1, "a:1");
  add (&other);
  observers_connected (observers, 2, "a:1");
  callbacks_dispatch (callbacks);
  EXPECT_EQ (watcher.told.size (), 2u);
  EXPECT_EQ (other.told, (std::vector<std::string>{ "connected 2 a:1" }));
}

TEST_F (ObserversTest, AMemberThatIsNullIsNotTold)
{
  CenoteObserver observer = CENOTE_OBSERVER_INIT;

  add (&watcher, &observer);
  observer.disconnected = Watcher::disconnected;
  add (&other, &observer);
  observers_connected (observers, 1, "a:1");
  observers_disconnected (observers, 1, "a:1");
  observers_connection_failed (observers, 1, "a:1", nullptr);
  observers_connect_requested (observers, "a:1");
  observers_cache_missed (observers, "a:1");
  observers_connection_count (observers, 0);
  callbacks_dispatch (callbacks);
  EXPECT_TRUE (watcher.told.empty ());
  EXPECT_EQ (other.told.size (), 1u);
}

TEST_F (ObserversTest, AnObserverOfAnOlderHeaderIsTakenAsFarAsItGoes)
{
  CenoteObserver older = everything;

  older.struct_size = offsetof (CenoteObserver, connection_failed);
  add (&watcher, &older);
  observers_connected (observers, 1, "a:1");
  observers_connection_count (observers, 1);
  callbacks_dispatch (callbacks);
  EXPECT_EQ (watcher.told, (std::vector<std::string>{ "connected 1 a:1" }));
}

TEST_F (ObserversTest, AnObserverOfANewerHeaderIsTakenAsFarAsWeKnow)
{
  struct { CenoteObserver known; gpointer later[3]; } newer = { everything, { this, this, this } };

  newer.known.struct_size = sizeof newer;
  add (&watcher, &newer.known);
  observers_connection_count (observers, 4);
  callbacks_dispatch (callbacks);
  EXPECT_EQ (watcher.told, (std::vector<std::string>{ "count 4" }));
}

TEST_F (ObserversTest, AfterRemoveNothingComesButOneNotify)
{
  guint id = add (&watcher);

  add (&other);
  observers_connected (observers, 1, "a:1");
  observers_remove (observers, id);
  observers_connected (observers, 2, "a:1");
  EXPECT_EQ (watcher.notified, 0) << "never inside the call that removes";
  callbacks_dispatch (callbacks);
  EXPECT_TRUE (watcher.told.empty ());
  EXPECT_EQ (watcher.notified, 1);
  EXPECT_EQ (other.told.size (), 2u);
  EXPECT_EQ (other.notified, 0);
  observers_remove (observers, id);
  observers_remove (observers, 4711);
  callbacks_dispatch (callbacks);
  EXPECT_EQ (watcher.notified, 1);
}

TEST_F (ObserversTest, AnObserverMayRemoveItselfAndAddOthers)
{
  guint id = 0;

  watcher.hook = [&] {
    observers_remove (observers, id);
    EXPECT_EQ (watcher.notified, 0);
    add (&other);
    observers_connection_count (observers, 9);
  };
  id = add (&watcher);
  observers_connected (observers, 1, "a:1");
  observers_connected (observers, 2, "a:1");
  callbacks_dispatch (callbacks);
  EXPECT_EQ (watcher.told, (std::vector<std::string>{ "connected 1 a:1" }));
  EXPECT_EQ (watcher.notified, 1);
  EXPECT_EQ (other.told, (std::vector<std::string>{ "count 9" }));
}

TEST_F (ObserversTest, AnObserverMayRemoveTheNext)
{
  guint id = 0;

  watcher.hook = [&] { observers_remove (observers, id); };
  add (&watcher);
  id = add (&other);
  observers_connected (observers, 1, "a:1");
  callbacks_dispatch (callbacks);
  EXPECT_TRUE (other.told.empty ());
  EXPECT_EQ (other.notified, 1);
}

TEST_F (ObserversTest, FreeTellsWhatWasPostedAndThenNotifies)
{
  add (&watcher);
  observers_disconnected (observers, 1, "a:1");
  observers_free (g_steal_pointer (&observers));
  EXPECT_EQ (watcher.notified, 0);
  callbacks_dispatch (callbacks);
  EXPECT_EQ (watcher.told, (std::vector<std::string>{ "disconnected 1 a:1" }));
  EXPECT_EQ (watcher.notified, 1);
}

TEST_F (ObserversTest, NotifiesAlsoWhereTheCallbacksHaveEnded)
{
  guint id = add (&watcher);

  add (&other);
  callbacks_stop (callbacks);
  observers_connected (observers, 1, "a:1");
  observers_remove (observers, id);
  EXPECT_EQ (watcher.notified, 1);
  observers_free (g_steal_pointer (&observers));
  EXPECT_EQ (other.notified, 1);
  EXPECT_TRUE (watcher.told.empty ());
}

TEST_F (ObserversTest, IdsAreNeverZeroNorTheSame)
{
  guint first = add (&watcher), second = add (&other);

  EXPECT_NE (first, 0u);
  EXPECT_NE (second, 0u);
  EXPECT_NE (first, second);
}

TEST_F (ObserversTest, ManyComeAndGoWhileTheThreadTells)
{
  const int n = 300;
  std::vector<Watcher> guests (n);
  std::atomic<bool> done{ false };

  ASSERT_TRUE (callbacks_start (callbacks));
  add (&watcher);
  std::thread control ([&] {
    for (guint64 id = 1; !done; id++)
      observers_connected (observers, id, "a:1");
  });
  for (Watcher &guest : guests) {
    guint id = add (&guest);
    observers_remove (observers, id);
  }
  done = true;
  control.join ();
  callbacks_flush (callbacks);
  for (const Watcher &guest : guests)
    EXPECT_EQ (guest.notified, 1);
  for (size_t i = 0; i < watcher.told.size (); i++)
    ASSERT_EQ (watcher.told[i], "connected " + std::to_string (i + 1) + " a:1");
}

}  // namespace
