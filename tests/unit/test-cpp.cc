/* SPDX-License-Identifier: Apache-2.0 */
/* cenote.hpp: handles, errors as exceptions, and exceptions that end in the log. */
#include <cenote/cenote.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

#include "log-capture.h"

namespace {

static_assert (!std::is_copy_constructible_v<cenote::Lease> && !std::is_copy_assignable_v<cenote::Lease>);
static_assert (std::is_nothrow_move_constructible_v<cenote::Lease>);
static_assert (std::is_nothrow_move_assignable_v<cenote::Lease>);
static_assert (std::is_nothrow_copy_constructible_v<cenote::Pool>);
static_assert (std::is_nothrow_move_constructible_v<cenote::Pool>);

/* A number that others wait for. */
class Tally {
public:
  void
  add ()
  {
    std::lock_guard<std::mutex> hold (lock_);
    n_++;
    changed_.notify_all ();
  }

  bool
  await (unsigned n)
  {
    std::unique_lock<std::mutex> hold (lock_);
    return changed_.wait_for (hold, std::chrono::minutes (1), [&] { return n_ >= n; });
  }

private:
  std::mutex lock_;
  std::condition_variable changed_;
  unsigned n_ = 0;
};

/* One pool, `p`, over the transport `mock` and what its SCRIPT says. */
cenote::Runtime
open (const std::string &script = "ok", const std::string &keys = "")
{
  return cenote::Runtime::from_data ("[cenote]\ntelemetry=\n[transport:scripted]\nplugin=mock\nscript=" + script +
                                     "\n[backoff:quick]\nplugin=constant\ndelay=1ms\n[pool:p]\ntransport=scripted\n"
                                     "target=mock:p\nbackoff=quick\nsize=1\ninitialization=manual\n" +
                                     keys);
}

/* What CALL throws. */
template <typename Call>
cenote::Error
thrown (Call call)
{
  try {
    call ();
  } catch (const cenote::Error &error) {
    return error;
  }
  ADD_FAILURE () << "it threw nothing";
  return cenote::Error (GError{ 0, 0, const_cast<char *> ("nothing") });
}

/* --------------------------------------------------------- handles and errors */

TEST (Cpp, RuntimeThatCannotBeMadeThrows)
{
  cenote::Error config = thrown ([] { cenote::Runtime::from_data ("[pool:p]\nsize=0\n"); });
  cenote::Error file = thrown ([] { cenote::Runtime::from_file ("/nonexistent/cenote.conf"); });

  EXPECT_TRUE (config.is (CENOTE_ERROR_CONFIG));
  EXPECT_EQ (config.domain (), CENOTE_ERROR);
  EXPECT_NE (std::string (config.what ()).find ("size: '0'"), std::string::npos) << config.what ();
  EXPECT_EQ (file.code (), CENOTE_ERROR_NOT_FOUND) << file.what ();
}

TEST (Cpp, RuntimeFromAConfigLeavesItToItsOwner)
{
  g_autoptr (CenoteConfig) config = cenote_config_new_from_data (
    "[cenote]\ntelemetry=\n[pool:p]\ntransport=mock\ntarget=mock:p\n", -1, nullptr);
  cenote::Runtime first = cenote::Runtime::from_config (config), second = cenote::Runtime::from_config (config);

  EXPECT_EQ (first.pool ().name (), "p");
  EXPECT_NE (first.pool ().raw (), second.pool ().raw ());
}

TEST (Cpp, RuntimeFromAConnectionString)
{
  cenote::Runtime runtime = cenote::Runtime::from_uri ("grpc://127.0.0.1:1?autoConnect=false&size=2&telemetry=");
  cenote::Error error = thrown ([] { cenote::Runtime::from_uri ("grpc://127.0.0.1:99999"); });

  EXPECT_EQ (runtime.pool ().name (), "default");
  EXPECT_TRUE (error.is (CENOTE_ERROR_CONFIG)) << error.what ();
}

TEST (Cpp, PoolIsFoundByItsName)
{
  cenote::Runtime runtime = open ();
  cenote::Pool pool = runtime.pool ("p"), copy = pool, only = runtime.pool ();

  EXPECT_EQ (pool.name (), "p");
  EXPECT_EQ (copy.raw (), pool.raw ());
  EXPECT_EQ (only.raw (), pool.raw ());
  only = copy;
  EXPECT_EQ (only.raw (), pool.raw ());
  EXPECT_TRUE (thrown ([&] { runtime.pool ("q"); }).is (CENOTE_ERROR_NOT_FOUND));
}

/* ConnGRPC 0.4's get_channel!, which raises with the pool and the reason. */
TEST (Cpp, GetThrowsOrIsEmptyWhereNothingIsConnected)
{
  cenote::Pool pool = open ("fail: no route").pool ();
  cenote::Error error = thrown ([&] { pool.get (); });

  EXPECT_TRUE (error.is (CENOTE_ERROR_STOPPED)) << "its runtime has gone already: " << error.what ();
  cenote::Runtime runtime = open ("fail: no route");
  pool = runtime.pool ();
  EXPECT_FALSE (pool.try_acquire (std::chrono::milliseconds (0)));
  error = thrown ([&] { pool.connect (std::chrono::milliseconds (20)); });
  EXPECT_TRUE (error.is (CENOTE_ERROR_TIMEOUT)) << error.what ();
  error = thrown ([&] { pool.get (); });
  EXPECT_TRUE (error.is (CENOTE_ERROR_NOT_CONNECTED));
  EXPECT_EQ (std::string (error.what ()).find ("Pool p has no ready channel (0 of 1 ready, "), 0u)
    << error.what ();
  EXPECT_NE (std::string (error.what ()).find ("; last error: no route)"), std::string::npos) << error.what ();
  EXPECT_FALSE (pool.is_connected ());
  EXPECT_FALSE (pool.try_get ());
  EXPECT_FALSE (pool.try_get ("key"));
  EXPECT_TRUE (thrown ([&] { pool.get ("key"); }).is (CENOTE_ERROR_NOT_CONNECTED));
  EXPECT_TRUE (thrown ([&] { pool.acquire (std::chrono::milliseconds (1)); }).is (CENOTE_ERROR_TIMEOUT));
  EXPECT_TRUE (thrown ([&] { pool.acquire ("key", std::chrono::milliseconds (-2)); }).is (CENOTE_ERROR_INVALID));
  EXPECT_FALSE (pool.try_acquire ("key", std::chrono::milliseconds (1)));
}

class CppPool : public ::testing::Test {
protected:
  void
  SetUp () override
  {
    pool.connect (std::chrono::minutes (1));
  }

  gint64
  in_flight () const
  {
    g_autoptr (CenotePoolStatus) status = cenote_pool_get_status (pool.raw ());

    return status->in_flight;
  }

  cenote::Runtime runtime = open ();
  cenote::Pool pool = runtime.pool ();
};

TEST_F (CppPool, LeaseIsReleasedOnceAtItsEnd)
{
  LogCapture log;
  {
    cenote::Lease lease = pool.get ();
    EXPECT_TRUE (lease);
    EXPECT_NE (lease.channel (), nullptr);
    EXPECT_EQ (in_flight (), 1);

    cenote::Lease moved = std::move (lease);
    EXPECT_FALSE (lease);
    EXPECT_TRUE (moved);
    EXPECT_EQ (in_flight (), 1);

    moved = pool.acquire ("key");
    EXPECT_EQ (in_flight (), 1) << "what it held before was released";
    moved = std::move (*&moved);
    EXPECT_TRUE (moved);
    std::optional<cenote::Lease> tried = pool.try_get ("key"), acquired = pool.try_acquire ();
    EXPECT_EQ (in_flight (), 3);
    moved.release (0);
    moved.release ();
    EXPECT_EQ (in_flight (), 2);
    std::thread ([&] { tried.reset (); }).join ();
    EXPECT_EQ (in_flight (), 1);
  }
  EXPECT_EQ (in_flight (), 0);
  EXPECT_TRUE (log.records ().empty ());
}

TEST_F (CppPool, LeaseGoesToCAndComesBack)
{
  CenoteLease raw = pool.get ().steal ();

  EXPECT_NE (raw.channel, nullptr);
  EXPECT_EQ (in_flight (), 1);
  cenote::Lease::adopt (raw);
  EXPECT_EQ (in_flight (), 0);
}

TEST_F (CppPool, WhatIsUsedAfterTheStopSaysSo)
{
  cenote::Lease lease = pool.get ();
  std::thread stopper ([&] { runtime.stop (); });

  while (pool.is_connected ())
    std::this_thread::yield ();
  lease.release ();
  stopper.join ();
  runtime.stop ();
  EXPECT_TRUE (thrown ([&] { pool.get (); }).is (CENOTE_ERROR_STOPPED));
  EXPECT_TRUE (thrown ([&] { pool.acquire (cenote::forever); }).is (CENOTE_ERROR_STOPPED));
  EXPECT_TRUE (thrown ([&] { pool.await_ready (); }).is (CENOTE_ERROR_STOPPED));
  EXPECT_TRUE (thrown ([&] { pool.connect (); }).is (CENOTE_ERROR_STOPPED));
  EXPECT_FALSE (pool.try_get ());
  EXPECT_FALSE (pool.try_acquire (cenote::forever));
  pool.disconnect ();

  auto token = std::make_shared<int> ();
  cenote::Observer late;
  late.connected = [token] (const cenote::Pool &, std::uint64_t, const std::string &) { ADD_FAILURE (); };
  pool.remove_observer (pool.add_observer (std::move (late)));
  EXPECT_EQ (token.use_count (), 1) << "it was given up at once";
}

TEST (Cpp, DialGivesALeaseOnAChannelToTheAddress)
{
  cenote::Runtime runtime = cenote::Runtime::from_data (
    "[cenote]\ntelemetry=\n[pool:p]\ntransport=mock\nconnector=caching\n[pool:q]\ntransport=mock\ntarget=mock:q\n");
  cenote::Pool pool = runtime.pool ("p");
  std::vector<std::string> missed;
  cenote::Observer observer;

  observer.cache_missed = [&] (const cenote::Pool &, const std::string &address) { missed.push_back (address); };
  pool.add_observer (std::move (observer));
  EXPECT_TRUE (pool.dial ("mock:a", std::chrono::minutes (1)));
  EXPECT_TRUE (pool.try_dial ("mock:a", cenote::forever));
  EXPECT_TRUE (pool.try_dial ("mock:b"));
  EXPECT_TRUE (thrown ([&] { runtime.pool ("q").dial ("mock:a"); }).is (CENOTE_ERROR_INVALID));
  EXPECT_FALSE (runtime.pool ("q").try_dial ("mock:a"));
  runtime.stop ();
  EXPECT_EQ (missed, (std::vector<std::string>{ "mock:a", "mock:b" }));
}

TEST (Cpp, ALeaseMayOutliveItsRuntime)
{
  LogCapture log;
  std::optional<cenote::Lease> lease;
  {
    cenote::Runtime runtime = open ("ok", "drain-timeout=0\n");
    cenote::Pool pool = runtime.pool ();

    pool.connect ();
    lease = pool.get ();
  }
  EXPECT_TRUE (*lease);
  lease.reset ();
  EXPECT_EQ (log.count ("released"), 0u);
}

/* ----------------------------------------------------------------- observers */

TEST (Cpp, ObserversAreToldWithHandlesAndErrors)
{
  cenote::Runtime runtime = open ("fail: no route;ok for 5ms: gone away;ok");
  cenote::Pool pool = runtime.pool ();
  std::vector<std::string> told;
  Tally connected;
  cenote::Observer observer;

  observer.connect_requested = [&] (const cenote::Pool &from, const std::string &) {
    told.push_back ("dial " + from.name ());
  };
  observer.connection_failed = [&] (const cenote::Pool &, std::uint64_t id, const std::string &,
                                    const cenote::Error &error) {
    told.push_back ("failed " + std::to_string (id) + " " + error.what ());
    EXPECT_TRUE (error.is (CENOTE_ERROR_NOT_CONNECTED));
  };
  observer.connected = [&] (const cenote::Pool &from, std::uint64_t, const std::string &address) {
    told.push_back ("connected " + address);
    EXPECT_EQ (from.raw (), pool.raw ());
    connected.add ();
  };
  observer.disconnected = [&] (const cenote::Pool &, std::uint64_t id, const std::string &) {
    told.push_back ("lost " + std::to_string (id));
  };
  pool.add_observer (std::move (observer));
  pool.connect ();
  ASSERT_TRUE (connected.await (2));
  runtime.stop ();
  EXPECT_EQ (told, (std::vector<std::string>{ "dial p", "failed 1 no route", "dial p", "connected mock:p", "lost 1",
                                              "dial p", "connected mock:p" }));
}

TEST (Cpp, WhatAnObserverThrowsGoesToTheLogAndNoFurther)
{
  LogCapture log;
  Tally connected;
  {
    cenote::Runtime runtime = open ("fail: no route;ok for 5ms: gone away;ok");
    cenote::Pool pool = runtime.pool ();
    cenote::Observer thrower, other;

    thrower.connect_requested = [] (const cenote::Pool &, const std::string &) {
      throw std::runtime_error ("at dial");
    };
    thrower.connection_failed = [] (const cenote::Pool &, std::uint64_t, const std::string &,
                                    const cenote::Error &error) { throw error; };
    thrower.connected = [] (const cenote::Pool &, std::uint64_t, const std::string &) { throw 42; };
    thrower.disconnected = [] (const cenote::Pool &, std::uint64_t, const std::string &) {
      throw std::string ("at loss");
    };
    other.connected = [&] (const cenote::Pool &from, std::uint64_t, const std::string &) {
      EXPECT_TRUE (from.try_acquire (cenote::forever));
      connected.add ();
    };
    pool.add_observer (std::move (thrower));
    pool.add_observer (std::move (other));
    pool.connect ();
    ASSERT_TRUE (connected.await (2));
    EXPECT_TRUE (pool.try_acquire (cenote::forever));
  }
  EXPECT_EQ (log.count ("Pool p: observer connect_requested threw: at dial"), 3u);
  EXPECT_EQ (log.count ("Pool p: observer connection_failed threw: no route"), 1u);
  EXPECT_EQ (log.count ("Pool p: observer connected threw: what is no std::exception"), 2u);
  EXPECT_EQ (log.count ("Pool p: observer disconnected threw: what is no std::exception"), 1u);
  for (const LogRecord &record : log.records ()) {
    EXPECT_EQ (record.field ("GLIB_DOMAIN"), "Cenote") << record.message ();
    EXPECT_EQ (record.field ("CENOTE_POOL"), "p");
    EXPECT_EQ (record.level, G_LOG_LEVEL_WARNING);
  }
}

/* A member that is empty is not called at all: an empty std::function would throw. */
TEST (Cpp, AnObserverMayHaveNoFunctions)
{
  LogCapture log;
  {
    cenote::Runtime runtime = open ("fail: no route;ok");
    cenote::Pool pool = runtime.pool ();

    pool.add_observer (cenote::Observer{});
    pool.connect ();
  }
  EXPECT_TRUE (log.records ().empty ());
}

TEST (Cpp, AnObserverEndsOnTheCallbackThread)
{
  cenote::Runtime runtime = open ();
  cenote::Pool pool = runtime.pool ();
  std::thread::id ended, called;
  Tally connected;
  std::shared_ptr<void> end (nullptr, [&] (void *) { ended = std::this_thread::get_id (); });
  cenote::Observer observer;

  observer.connected = [&, end] (const cenote::Pool &, std::uint64_t, const std::string &) {
    called = std::this_thread::get_id ();
    connected.add ();
  };
  unsigned id = pool.add_observer (std::move (observer));
  end.reset ();
  pool.connect ();
  ASSERT_TRUE (connected.await (1));
  pool.remove_observer (id);
  runtime.stop ();
  EXPECT_EQ (ended, called);
  EXPECT_NE (ended, std::this_thread::get_id ());
}

} // namespace
