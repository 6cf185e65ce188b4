/* SPDX-License-Identifier: Apache-2.0 */
/*
 * <cenote/cenote.hpp>: the C API for C++17 programs: handles that give back what
 * they hold, exceptions in place of GError, and observers that may throw.
 *
 * Header-only, over <cenote/cenote.h>, where each function's errors, threads and
 * blocking are described; build with `pkg-config cenote++`.  Whatever ends in an error there
 * throws cenote::Error here; the try_ forms return an empty std::optional instead.
 *
 * Runtime and Pool are handles: a copy is another reference to the same thing, and
 * const says nothing of it.  One that was moved from may be destroyed or assigned
 * to, and nothing else.
 */
#ifndef CENOTE_CENOTE_HPP
#define CENOTE_CENOTE_HPP

#include <cenote/cenote.h>

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace grpc {
class Channel;
class ChannelInterface;
} // namespace grpc

namespace cenote {

/* What to wait for a channel: the pool's acquire-timeout, or for ever. */
inline constexpr std::chrono::milliseconds acquire_timeout{ -1 };
inline constexpr std::chrono::milliseconds forever{ G_MAXINT64 };

/* ------------------------------------------------------------------- errors */

/* A GError: what() is its message. */
class Error : public std::runtime_error {
public:
  /* A copy of what ERROR says. */
  explicit Error (const GError &error)
    : std::runtime_error (error.message), domain_ (error.domain), code_ (error.code)
  {
  }

  /* CENOTE_ERROR, CENOTE_STATUS or an operation's own. */
  GQuark domain () const noexcept { return domain_; }
  /* A CenoteError or a grpc_status_code, by the domain. */
  int code () const noexcept { return code_; }
  /* Whether it is CODE in CENOTE_ERROR. */
  bool is (CenoteError code) const noexcept { return domain_ == CENOTE_ERROR && code_ == static_cast<int> (code); }

private:
  GQuark domain_;
  int code_;
};

namespace detail {

/* Where a C function leaves its error. */
class ErrorSlot {
public:
  ErrorSlot () = default;
  ~ErrorSlot () { g_clear_error (&error_); }
  ErrorSlot (const ErrorSlot &) = delete;
  ErrorSlot &operator= (const ErrorSlot &) = delete;

  operator GError ** () noexcept { return &error_; }
  const GError *get () const noexcept { return error_; }

  /* Throws what the function left, unless it SUCCEEDED. */
  void
  check (bool succeeded) const
  {
    if (!succeeded)
      throw Error (*error_);
  }

private:
  GError *error_ = nullptr;
};

} // namespace detail

/* ------------------------------------------------------------------- leases */

/* A hold on a channel, released at its end at the latest.  Move-only; it may end on
 * any thread, and may outlive its Pool and Runtime. */
class Lease {
public:
  Lease () noexcept = default;
  ~Lease () { release (); }
  Lease (Lease &&other) noexcept : lease_ (other.steal ()) {}
  Lease (const Lease &) = delete;
  Lease &operator= (const Lease &) = delete;

  Lease &
  operator= (Lease &&other) noexcept
  {
    if (this != &other) {
      release ();
      lease_ = other.steal ();
    }
    return *this;
  }

  /* Takes over a lease of the C API. */
  static Lease
  adopt (const CenoteLease &lease) noexcept
  {
    Lease adopted;

    adopted.lease_ = lease;
    return adopted;
  }

  /* The lease of the C API, whose release is the caller's from now on. */
  CenoteLease
  steal () noexcept
  {
    return std::exchange (lease_, CenoteLease CENOTE_LEASE_INIT);
  }

  /* (transfer none) (nullable): valid while the lease is held; nullptr: no lease. */
  grpc_channel *channel () const noexcept { return lease_.channel; }
  /* Whether there is a lease. */
  explicit operator bool () const noexcept { return lease_.channel != nullptr; }

  /* cenote_lease_attach(): returns what stands under KEY by then; nullptr: refused. */
  void *
  attach (const void *key, void *data, GDestroyNotify notify, bool owns_channel = false) noexcept
  {
    return cenote_lease_attach (&lease_, key, data, notify, owns_channel);
  }
  /* What stands under KEY; nullptr: nothing. */
  void *attached (const void *key) noexcept { return cenote_lease_attach (&lease_, key, nullptr, nullptr, FALSE); }

  /* Ends the lease; without one nothing. */
  void
  release () noexcept
  {
    if (lease_.channel != nullptr)
      cenote_lease_release (&lease_);
  }
  /* The same; STATUS, a grpc_status_code: how the call over the lease ended. */
  void release (int status) noexcept { cenote_lease_release_with_status (&lease_, status); }

private:
  CenoteLease lease_ = CENOTE_LEASE_INIT;
};

/* -------------------------------------------------------------------- pools */

class Pool;

/* What a pool tells, in order and on the callback thread; each may be empty.  What
 * one of them throws goes to the log (domain Cenote, with the pool's name) and no further. */
struct Observer {
  /* Channel ID can be got already. */
  std::function<void (const Pool &pool, std::uint64_t id, const std::string &address)> connected;
  /* It can be got no more. */
  std::function<void (const Pool &pool, std::uint64_t id, const std::string &address)> disconnected;
  /* An attempt failed, by ERROR. */
  std::function<void (const Pool &pool, std::uint64_t id, const std::string &address, const Error &error)>
    connection_failed;
  /* An attempt begins; where addresses come from dial(): each dial(). */
  std::function<void (const Pool &pool, const std::string &address)> connect_requested;
  /* For callers that dial a connection is to be made: once, however many they are. */
  std::function<void (const Pool &pool, const std::string &address)> cache_missed;
  /* Connections that stand, where addresses come from dial(): on rise and fall. */
  std::function<void (const Pool &pool, unsigned count)> connection_count;
};

/* A named set of channels to one or a few targets, of which it leases ready ones. */
class Pool {
public:
  /* Takes over the reference POOL. */
  explicit Pool (CenotePool *pool) noexcept : pool_ (pool) {}
  Pool (const Pool &other) noexcept : pool_ (cenote_pool_ref (other.raw ())) {}
  Pool (Pool &&) noexcept = default;
  Pool &operator= (Pool &&) noexcept = default;

  Pool &
  operator= (const Pool &other) noexcept
  {
    pool_.reset (cenote_pool_ref (other.raw ()));
    return *this;
  }

  /* The pool of the C API (transfer none). */
  CenotePool *raw () const noexcept { return pool_.get (); }
  /* As its group of the keyfile names it. */
  std::string name () const { return cenote_pool_get_name (raw ()); }
  /* Whether any of its channels is ready. */
  bool is_connected () const noexcept { return cenote_pool_is_connected (raw ()); }

  /* A lease on a ready channel; KEY: for pickers that keep a key on one channel.  Never blocks. */
  Lease get () const { return get_for (nullptr); }
  Lease get (const std::string &key) const { return get_for (key.c_str ()); }
  std::optional<Lease> try_get () const noexcept { return try_get_for (nullptr); }
  std::optional<Lease> try_get (const std::string &key) const noexcept { return try_get_for (key.c_str ()); }

  /* The same, and waits where no channel is ready. */
  Lease
  acquire (std::chrono::milliseconds timeout = acquire_timeout) const
  {
    return acquire_for (nullptr, timeout);
  }
  Lease
  acquire (const std::string &key, std::chrono::milliseconds timeout = acquire_timeout) const
  {
    return acquire_for (key.c_str (), timeout);
  }
  std::optional<Lease>
  try_acquire (std::chrono::milliseconds timeout = acquire_timeout) const noexcept
  {
    return try_acquire_for (nullptr, timeout);
  }
  std::optional<Lease>
  try_acquire (const std::string &key, std::chrono::milliseconds timeout = acquire_timeout) const noexcept
  {
    return try_acquire_for (key.c_str (), timeout);
  }

  /* A lease on a channel to ADDRESS, of a pool whose addresses come from callers. */
  Lease
  dial (const std::string &address, std::chrono::milliseconds timeout = acquire_timeout) const
  {
    CenoteLease lease;
    detail::ErrorSlot error;

    error.check (cenote_pool_dial (raw (), address.c_str (), timeout.count (), &lease, error));
    return Lease::adopt (lease);
  }
  std::optional<Lease>
  try_dial (const std::string &address, std::chrono::milliseconds timeout = acquire_timeout) const noexcept
  {
    CenoteLease lease;

    return cenote_pool_dial (raw (), address.c_str (), timeout.count (), &lease, nullptr)
             ? std::optional (Lease::adopt (lease))
             : std::nullopt;
  }

  /* Waits until a channel is ready. */
  void
  await_ready (std::chrono::milliseconds timeout = acquire_timeout) const
  {
    detail::ErrorSlot error;

    error.check (cenote_pool_await_ready (raw (), timeout.count (), error));
  }

  /* Begins to dial, and waits as await_ready(). */
  void
  connect (std::chrono::milliseconds timeout = acquire_timeout) const
  {
    detail::ErrorSlot error;

    error.check (cenote_pool_connect (raw (), timeout.count (), error));
  }

  /* Drains every channel, and dials no more until connect(). */
  void disconnect () const noexcept { cenote_pool_disconnect (raw ()); }

  /* For gRPC C++'s stubs (<cenote/grpcpp.hpp>, included at the end where gRPC C++ is installed). */

  /* A channel that is acquired, for one short hold: the lease ends with the last reference to what is
   * returned.  Throws also CENOTE_ERROR_INVALID for a mock's channel and transport `mock`. */
  std::shared_ptr<grpc::Channel> channel (std::chrono::milliseconds timeout = acquire_timeout) const;
  std::shared_ptr<grpc::Channel> channel (const std::string &key, std::chrono::milliseconds timeout = acquire_timeout) const;

  /* What a stub holds for as long as it likes: each of its calls takes a lease of its own, which ends
   * with the call's status, and at the latest with its grpc::ClientContext.  Sync, async and callback API,
   * unary and streams, generic stubs.  KEY: of all these calls.
   *
   * Nothing throws out of a stub, and no API blocks for a channel: where none is ready the call itself
   * waits, in line with all others, until its deadline (DEADLINE_EXCEEDED) or until it is cancelled; without
   * wait_for_ready it ends with UNAVAILABLE while every address of the pool is down.  UNAVAILABLE is also a pool that is
   * stopped or disconnected, RESOURCE_EXHAUSTED max-waiters, FAILED_PRECONDITION a pool whose channels are
   * dialled.  A call that waited has an in-process peer() and auth_context(). */
  std::shared_ptr<grpc::ChannelInterface> stub_channel () const;
  std::shared_ptr<grpc::ChannelInterface> stub_channel (const std::string &key) const;

  /* Returns an id for remove_observer(), never 0.  The functions are destroyed on the callback thread. */
  unsigned add_observer (Observer observer) const;
  /* After it returns no new callback begins. */
  void remove_observer (unsigned id) const noexcept { cenote_pool_remove_observer (raw (), id); }

private:
  bool
  get_into (const char *key, CenoteLease *lease, GError **error) const noexcept
  {
    return key == nullptr ? cenote_pool_get_channel (raw (), lease, error)
                          : cenote_pool_get_channel_for (raw (), key, lease, error);
  }

  Lease
  get_for (const char *key) const
  {
    CenoteLease lease;
    detail::ErrorSlot error;

    error.check (get_into (key, &lease, error));
    return Lease::adopt (lease);
  }

  std::optional<Lease>
  try_get_for (const char *key) const noexcept
  {
    CenoteLease lease;

    return get_into (key, &lease, nullptr) ? std::optional (Lease::adopt (lease)) : std::nullopt;
  }

  Lease
  acquire_for (const char *key, std::chrono::milliseconds timeout) const
  {
    CenoteLease lease;
    detail::ErrorSlot error;

    error.check (cenote_pool_acquire_for (raw (), key, timeout.count (), &lease, error));
    return Lease::adopt (lease);
  }

  std::optional<Lease>
  try_acquire_for (const char *key, std::chrono::milliseconds timeout) const noexcept
  {
    CenoteLease lease;

    return cenote_pool_acquire_for (raw (), key, timeout.count (), &lease, nullptr)
             ? std::optional (Lease::adopt (lease))
             : std::nullopt;
  }

  struct Unref {
    void operator() (CenotePool *pool) const noexcept { cenote_pool_unref (pool); }
  };
  std::unique_ptr<CenotePool, Unref> pool_;
};

namespace detail {

inline void
log_exception (CenotePool *pool, const char *callback, const char *what) noexcept
{
  const char *name = cenote_pool_get_name (pool);

  g_log_structured ("Cenote", G_LOG_LEVEL_WARNING, "CENOTE_POOL", name, "CENOTE_CALLBACK", callback, "MESSAGE",
                    "Pool %s: observer %s threw: %s", name, callback, what);
}

/* C frames are above: nothing may be thrown through them. */
template <typename Call>
void
guard (CenotePool *pool, const char *callback, Call call) noexcept
{
  try {
    call (Pool (cenote_pool_ref (pool)));
  } catch (const std::exception &exception) {
    log_exception (pool, callback, exception.what ());
  } catch (...) {
    log_exception (pool, callback, "what is no std::exception");
  }
}

inline const Observer &
observer_of (gpointer data) noexcept
{
  return *static_cast<const Observer *> (data);
}

inline void
connected (CenotePool *from, guint64 id, const char *address, gpointer data) noexcept
{
  guard (from, "connected", [&] (const Pool &pool) { observer_of (data).connected (pool, id, address); });
}

inline void
disconnected (CenotePool *from, guint64 id, const char *address, gpointer data) noexcept
{
  guard (from, "disconnected", [&] (const Pool &pool) { observer_of (data).disconnected (pool, id, address); });
}

inline void
connection_failed (CenotePool *from, guint64 id, const char *address, const GError *error, gpointer data) noexcept
{
  guard (from, "connection_failed",
         [&] (const Pool &pool) { observer_of (data).connection_failed (pool, id, address, Error (*error)); });
}

inline void
connect_requested (CenotePool *from, const char *address, gpointer data) noexcept
{
  guard (from, "connect_requested", [&] (const Pool &pool) { observer_of (data).connect_requested (pool, address); });
}

inline void
cache_missed (CenotePool *from, const char *address, gpointer data) noexcept
{
  guard (from, "cache_missed", [&] (const Pool &pool) { observer_of (data).cache_missed (pool, address); });
}

inline void
connection_count (CenotePool *from, guint count, gpointer data) noexcept
{
  guard (from, "connection_count", [&] (const Pool &pool) { observer_of (data).connection_count (pool, count); });
}

inline void
observer_free (gpointer data) noexcept
{
  delete static_cast<Observer *> (data);
}

} // namespace detail

inline unsigned
Pool::add_observer (Observer observer) const
{
  CenoteObserver funcs = CENOTE_OBSERVER_INIT;
  auto *kept = new Observer (std::move (observer));

  funcs.connected = kept->connected ? detail::connected : nullptr;
  funcs.disconnected = kept->disconnected ? detail::disconnected : nullptr;
  funcs.connection_failed = kept->connection_failed ? detail::connection_failed : nullptr;
  funcs.connect_requested = kept->connect_requested ? detail::connect_requested : nullptr;
  funcs.cache_missed = kept->cache_missed ? detail::cache_missed : nullptr;
  funcs.connection_count = kept->connection_count ? detail::connection_count : nullptr;
  return cenote_pool_add_observer (raw (), &funcs, kept, detail::observer_free);
}

/* ------------------------------------------------------------------ runtime */

/* The pools of one config.  The last handle that goes stops them, as stop() does. */
class Runtime {
public:
  /* Takes over the reference RUNTIME. */
  explicit Runtime (CenoteRuntime *runtime) noexcept : runtime_ (runtime) {}
  Runtime (const Runtime &other) noexcept : runtime_ (cenote_runtime_ref (other.raw ())) {}
  Runtime (Runtime &&) noexcept = default;
  Runtime &operator= (Runtime &&) noexcept = default;

  Runtime &
  operator= (const Runtime &other) noexcept
  {
    runtime_.reset (cenote_runtime_ref (other.raw ()));
    return *this;
  }

  /* The pools of the keyfile at PATH, which are started. */
  static Runtime
  from_file (const std::string &path)
  {
    detail::ErrorSlot error;

    return from_new (cenote_config_new_from_file (path.c_str (), error), error);
  }

  /* The same; TEXT: a keyfile's. */
  static Runtime
  from_data (const std::string &text)
  {
    detail::ErrorSlot error;

    return from_new (cenote_config_new_from_data (text.data (), static_cast<gssize> (text.size ()), error), error);
  }

  /* A connection string: one pool, named "default". */
  static Runtime
  from_uri (const std::string &uri)
  {
    detail::ErrorSlot error;

    return from_new (cenote_config_new_from_uri (uri.c_str (), error), error);
  }

  /* The pools of CONFIG (transfer none). */
  static Runtime
  from_config (CenoteConfig *config)
  {
    detail::ErrorSlot error;

    return from_new (cenote_config_ref (config), error);
  }

  /* The runtime of the C API (transfer none). */
  CenoteRuntime *raw () const noexcept { return runtime_.get (); }

  /* The only pool. */
  Pool pool () const { return pool_of (nullptr); }
  /* The pool NAME. */
  Pool pool (const std::string &name) const { return pool_of (name.c_str ()); }

  /* Ends the pools.  Blocks up to the longest drain-timeout. */
  void stop () const noexcept { cenote_runtime_stop (raw ()); }

private:
  static Runtime
  from_new (CenoteConfig *config, detail::ErrorSlot &error)
  {
    std::unique_ptr<CenoteConfig, void (*) (CenoteConfig *)> owned (config, cenote_config_unref);

    error.check (config != nullptr);
    CenoteRuntime *runtime = cenote_runtime_new (config, error);
    error.check (runtime != nullptr);
    return Runtime (runtime);
  }

  Pool
  pool_of (const char *name) const
  {
    detail::ErrorSlot error;
    CenotePool *pool = cenote_runtime_get_pool (raw (), name, error);

    error.check (pool != nullptr);
    return Pool (pool);
  }

  struct Unref {
    void operator() (CenoteRuntime *runtime) const noexcept { cenote_runtime_unref (runtime); }
  };
  std::unique_ptr<CenoteRuntime, Unref> runtime_;
};

} // namespace cenote

#if !defined CENOTE_NO_GRPCPP && defined __has_include
#if __has_include(<grpcpp/channel.h>)
#include <cenote/grpcpp.hpp>
#endif
#endif

#endif
