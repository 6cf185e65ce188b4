/* SPDX-License-Identifier: Apache-2.0 */
/*
 * protoc-c's stubs against an etcd that is restarted, as its operator would: no call fails, and
 * a watch sees every put.
 */
#include <cenote/protobuf-c.h>

#include <map>
#include <set>

#include "etcd.pb-c.h"
#include "tests/servers/calls.h"
#include "tests/servers/servers.h"

namespace {

ProtobufCBinaryData
bytes_of (std::string &text)
{
  return { text.size (), reinterpret_cast<uint8_t *> (&text[0]) };
}

std::string
text_of (const ProtobufCBinaryData &bytes)
{
  return std::string (reinterpret_cast<const char *> (bytes.data), bytes.len);
}

CenoteCallOptions
patient ()
{
  CenoteCallOptions options = CENOTE_CALL_OPTIONS_INIT;

  options.timeout_ms = 60000;
  options.wait_for_ready = TRUE;
  options.retry = CENOTE_RETRY_IDEMPOTENT;
  return options;
}

/* Watches every key.  A stream ends with its server: as etcd's own clients do, this one begins
 * another from the revision after the last that it saw. */
class Watcher {
public:
  Watcher (CenotePool *pool, size_t wanted) : pool_ (pool), wanted_ (wanted), thread_ ([this] { run (); }) {}
  ~Watcher ()
  {
    stop ();
    thread_.join ();
  }

  /* Returns when each key was seen, or nothing new was for a minute. */
  std::set<std::string>
  await_all ()
  {
    std::unique_lock<std::mutex> hold (lock_);
    size_t before;

    do
      before = keys_.size ();
    while (before < wanted_ && changed_.wait_for (hold, std::chrono::minutes (1), [&] { return keys_.size () > before; }));
    return keys_;
  }

  void
  stop ()
  {
    std::lock_guard<std::mutex> hold (lock_);

    over_ = true;
    if (stream_ != nullptr)
      cenote_call_cancel (stream_);
  }

  unsigned streams () const { return n_streams_; }

private:
  void
  note (const Etcdserverpb__WatchResponse *response)
  {
    std::lock_guard<std::mutex> hold (lock_);

    for (size_t i = 0; i < response->n_events; i++) {
      keys_.insert (text_of (response->events[i]->kv->key));
      revision_ = std::max (revision_, response->events[i]->kv->mod_revision);
    }
    changed_.notify_all ();
  }

  bool
  begin (CenoteCall *stream)
  {
    Etcdserverpb__WatchRequest request = ETCDSERVERPB__WATCH_REQUEST__INIT;
    Etcdserverpb__WatchCreateRequest create = ETCDSERVERPB__WATCH_CREATE_REQUEST__INIT;
    std::string all (1, '\0');

    /* From the first key on, to the last that there may be. */
    create.key = create.range_end = bytes_of (all);
    create.start_revision = revision_ + 1;
    request.request_union_case = ETCDSERVERPB__WATCH_REQUEST__REQUEST_UNION_CREATE_REQUEST;
    request.create_request = &create;
    n_streams_++;
    return cenote_protobuf_c_write (stream, &request.base, FALSE, nullptr);
  }

  /* Until the stream ends. */
  void
  follow (CenoteCall *stream)
  {
    ProtobufCMessage *message = nullptr;

    while (cenote_protobuf_c_read (stream, -1, &etcdserverpb__watch_response__descriptor, &message, nullptr) &&
           message != nullptr) {
      note (reinterpret_cast<const Etcdserverpb__WatchResponse *> (message));
      protobuf_c_message_free_unpacked (message, nullptr);
      message = nullptr;
    }
  }

  /* FALSE: enough was seen. */
  bool
  show (CenoteCall *stream)
  {
    std::lock_guard<std::mutex> hold (lock_);

    stream_ = over_ ? nullptr : stream;
    return !over_;
  }

  void
  run ()
  {
    CenoteCallOptions options = patient ();
    bool goes_on = true;

    options.timeout_ms = 600000;
    while (goes_on) {
      g_autoptr (CenoteCall) stream =
        cenote_protobuf_c_call_new (pool_, &etcdserverpb__watch__descriptor, "Watch", &options, nullptr);

      goes_on = stream != nullptr && show (stream);
      if (goes_on && begin (stream))
        follow (stream);
      goes_on = goes_on && show (nullptr);
    }
  }

  CenotePool *pool_;
  size_t wanted_;
  std::mutex lock_;
  std::condition_variable changed_;
  std::set<std::string> keys_;
  int64_t revision_ = 0;     /* the thread's */
  CenoteCall *stream_ = nullptr;
  bool over_ = false;
  std::atomic<unsigned> n_streams_{ 0 };
  std::thread thread_;
};

/*
 * Puts and ranges through one service that all threads share.
 *
 * etcd 3.4 ends its raft while some connections still stand: m.Serve() in its embed/serve.go
 * returns as soon as the listener is closed, and a grpc.Server.Stop() follows that wakes the
 * GracefulStop() beside it before it has closed them.  A put that comes in between is answered
 * UNKNOWN, "raft: stopped".  That is a server's answer, which no retry takes for a lost
 * connection: whoever puts does so again.
 */
class Users {
public:
  Users (CenotePool *pool, unsigned n_puts) : n_puts_ (n_puts), kv_ (cenote_protobuf_c_service_new (pool, &etcdserverpb__kv__descriptor))
  {
    CenoteCallOptions options = patient ();

    cenote_protobuf_c_service_set_options (kv_, &options);
    for (int t = 0; t < 8; t++)
      threads_.emplace_back ([this] {
        for (unsigned i = next_++; i < n_puts_; i = next_++)
          put_and_get (i);
      });
  }

  ~Users ()
  {
    join ();
    protobuf_c_service_destroy (kv_);
  }

  void
  join ()
  {
    for (std::thread &thread : threads_)
      thread.join ();
    threads_.clear ();
  }

  unsigned done () const { return next_; }
  static std::string key (unsigned i) { return "key/" + std::to_string (i); }

  std::map<std::string, int> failures;
  std::atomic<unsigned> calls{ 0 };
  std::atomic<unsigned> refused{ 0 }; /* puts, by an etcd that was about to end */

private:
  static bool
  is_refused ()
  {
    const GError *error = cenote_protobuf_c_get_error ();

    return g_error_matches (error, CENOTE_STATUS, UNKNOWN) && std::string (error->message) == "raft: stopped";
  }

  void
  count (const char *what)
  {
    const GError *error = cenote_protobuf_c_get_error ();

    calls++;
    if (error == nullptr)
      return;
    std::lock_guard<std::mutex> hold (lock_);
    failures[std::string (what) + ": " + error->message]++;
  }

  static void
  ignore (const Etcdserverpb__PutResponse *, void *)
  {
  }

  static void
  take_range (const Etcdserverpb__RangeResponse *response, void *data)
  {
    if (response != nullptr && response->n_kvs == 1)
      *static_cast<std::string *> (data) = text_of (response->kvs[0]->value);
  }

  void
  put_and_get (unsigned i)
  {
    std::string name = key (i), value = "value " + std::to_string (i), got;
    Etcdserverpb__PutRequest put = ETCDSERVERPB__PUT_REQUEST__INIT;
    Etcdserverpb__RangeRequest range = ETCDSERVERPB__RANGE_REQUEST__INIT;

    put.key = range.key = bytes_of (name);
    put.value = bytes_of (value);
    etcdserverpb__kv__put (kv_, &put, ignore, nullptr);
    for (; is_refused (); refused++)
      etcdserverpb__kv__put (kv_, &put, ignore, nullptr);
    count ("put");
    etcdserverpb__kv__range (kv_, &range, take_range, &got);
    count ("range");
    if (got == value)
      return;
    std::lock_guard<std::mutex> hold (lock_);
    failures["read " + got + " for " + value]++;
  }

  unsigned n_puts_;
  ProtobufCService *kv_;
  std::mutex lock_;
  std::atomic<unsigned> next_{ 0 };
  std::vector<std::thread> threads_;
};

TEST (EtcdRestarted, NoCallFailsAndAWatchSeesEveryPut)
{
  const unsigned n = scaled (10000, 500);
  Etcd etcd;

  if (!Etcd::is_there ())
    GTEST_SKIP () << "etcd";
  ASSERT_TRUE (etcd.start ());
  Client client (etcd.port (), "size=3\nbackoff=quick\n");
  connect (client);
  Watcher watcher (client.pool, n);
  Users users (client.pool, n);
  for (unsigned part : { 1u, 2u }) {
    while (users.done () < part * n / 3)
      std::this_thread::yield ();
    etcd.end ();
    ASSERT_TRUE (etcd.start ());
  }
  users.join ();
  for (const auto &[what, times] : users.failures)
    ADD_FAILURE () << times << " times: " << what;
  EXPECT_EQ (2 * n, users.calls);
  std::set<std::string> seen = watcher.await_all ();
  EXPECT_EQ (n, seen.size ());
  for (unsigned i = 0; i < n; i++)
    EXPECT_EQ (1u, seen.count (Users::key (i))) << Users::key (i);
  EXPECT_GE (watcher.streams (), 3u) << "each server that ended took one with it";
  printf ("%u puts and ranges, %u watch streams; %u puts refused by an etcd that was about to end\n", users.calls.load (),
          watcher.streams (), users.refused.load ());
}

} /* namespace */
