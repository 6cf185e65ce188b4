/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random replies, good ones and malformed ones, to random calls: nothing crashes, what is OK is
 * what was sent, and every call ends by its deadline.
 *
 * A reply follows from the seed and the number that its call carries, whatever thread makes the
 * call and when: CENOTE_TEST_SEED=N (1) makes the same ones.
 */
#include <grpc/support/log.h>

#include <algorithm>
#include <random>

#include "call-test.h"

namespace {

/* ----------------------------------------------------------------- replies */

enum Kind {
  /* These end well. */
  GOOD,
  GOOD_IN_PIECES,
  GOOD_AMID_NOISE,
  GOOD_PADDED,
  GOOD_BEFORE_GOAWAY,
  LAST_GOOD = GOOD_BEFORE_GOAWAY,
  /* A server may say these. */
  STATUS,
  TRAILERS_ALONE,
  RESET_STREAM,
  LOWER_GOAWAY,
  /* It must not say these. */
  ODD_STATUS,
  NO_MESSAGE,
  TWO_MESSAGES,
  HALF_A_MESSAGE,
  WRONG_FLAG,
  ENORMOUS_LENGTH,
  TOO_LARGE,
  NO_STATUS,
  HTTP_STATUS,
  WRONG_CONTENT_TYPE,
  BIG_METADATA,
  BAD_BINARY,
  UPPER_CASE,
  DATA_FIRST,
  CONTINUATION_ALONE,
  HEADERS_THAT_GO_ON,
  BAD_HPACK,
  BAD_PADDING,
  STRANGE_STREAM,
  PUSHED,
  WINDOW_OVERFLOW,
  BAD_SETTINGS,
  LONG_FRAME,
  RANDOM_GOAWAY,
  NOISE,
  /* It may say less, or nothing. */
  CLOSED,
  CLOSED_IN_A_MESSAGE,
  CUT,
  SILENCE,
  HEADERS_AND_SILENCE,
  MESSAGE_AND_SILENCE,
  N_KINDS
};

class Dice {
public:
  explicit Dice (guint64 seed) : engine_ (seed) {}
  unsigned below (unsigned n) { return static_cast<unsigned> (engine_ () % n); }
  bool one_in (unsigned n) { return below (n) == 0; }

  std::string
  bytes (unsigned n)
  {
    std::string text (n, '\0');

    for (char &c : text)
      c = static_cast<char> (below (256));
    return text;
  }

private:
  std::mt19937_64 engine_;
};

/* One reply, to the call that carries NUMBER. */
class Script {
public:
  Script (guint64 seed, guint64 number) : dice_ (seed * G_GUINT64_CONSTANT (1000003) + number), text_ ("reply " + std::to_string (number))
  {
    kind_ = dice_.one_in (2) ? dice_.below (LAST_GOOD + 1) : dice_.below (N_KINDS);
    /* They take as long as their calls may. */
    if (kind_ >= SILENCE && dice_.below (4) > 0)
      kind_ = GOOD;
    if (dice_.one_in (4))
      text_ += std::string (dice_.below (40000), 'x');
  }

  const std::string &text () const { return text_; }
  unsigned kind () const { return kind_; }
  /* It says OK, and has the message: C-core takes some of these where others would not. */
  bool may_be_ok () const { return kind_ <= LAST_GOOD || kind_ == STATUS || kind_ == ODD_STATUS || kind_ == HTTP_STATUS || kind_ == DATA_FIRST; }

  void
  play (http2::Connection &connection, uint32_t stream)
  {
    connection_ = &connection;
    stream_ = stream;
    if (kind_ <= LAST_GOOD)
      play_good ();
    else if (kind_ < NO_MESSAGE || (kind_ >= NO_STATUS && kind_ <= UPPER_CASE))
      play_metadata ();
    else if (kind_ <= TOO_LARGE)
      play_messages ();
    else if (kind_ <= NOISE)
      play_frames ();
    else
      play_silence ();
  }

private:
  void send (const std::string &bytes) { connection_->send (bytes); }
  std::string begin () { return http2::frame (http2::HEADERS, http2::END_HEADERS, stream_, http2::pack (http2::response_headers ())); }
  std::string data (const std::string &bytes) { return http2::frame (http2::DATA, 0, stream_, bytes); }
  std::string end (const std::string &status = "0") { return headers (http2::status_trailers (status), true); }

  std::string
  headers (const http2::Headers &headers, bool last)
  {
    return http2::frame (http2::HEADERS, http2::END_HEADERS | (last ? http2::END_STREAM : 0), stream_, http2::pack (headers));
  }

  /* In frames that are not too long. */
  std::string
  message ()
  {
    std::string whole = http2::message (text_), frames;

    for (size_t at = 0; at < whole.size (); at += 16384)
      frames += data (whole.substr (at, 16384));
    return frames;
  }

  std::string
  noise ()
  {
    switch (dice_.below (4)) {
    case 0:
      return http2::frame (http2::PING, 0, 0, dice_.bytes (8));
    case 1:
      return http2::frame (static_cast<http2::FrameType> (20 + dice_.below (200)), static_cast<uint8_t> (dice_.below (256)),
                           stream_, dice_.bytes (dice_.below (100)));
    case 2:
      return http2::frame (http2::SETTINGS, 0, 0, http2::setting (http2::INITIAL_WINDOW_SIZE, 65535 + dice_.below (1000)));
    default:
      return http2::frame (http2::WINDOW_UPDATE, 0, dice_.one_in (2) ? 0 : stream_, http2::be32 (1 + dice_.below (1000)));
    }
  }

  void
  in_pieces (const std::string &bytes)
  {
    for (size_t at = 0, n; at < bytes.size (); at += n) {
      n = 1 + dice_.below (static_cast<unsigned> (bytes.size ()));
      send (bytes.substr (at, n));
    }
  }

  void
  play_good ()
  {
    http2::Headers more = http2::response_headers ();
    uint8_t padding = static_cast<uint8_t> (dice_.below (200));

    switch (kind_) {
    case GOOD_IN_PIECES:
      in_pieces (begin () + message () + end ());
      break;
    case GOOD_AMID_NOISE:
      more.emplace_back ("x-any", std::string (dice_.below (300), 'y'));
      more.emplace_back ("x-some-bin", "AAECAw==");
      in_pieces (noise () + headers (more, false) + noise () + message () + noise () + end () + noise ());
      break;
    case GOOD_PADDED:
      send (begin () + http2::frame (http2::DATA, http2::PADDED, stream_,
                                     static_cast<char> (padding) + std::string (padding, '\0')) +
            message () + end ());
      break;
    case GOOD_BEFORE_GOAWAY:
      connection_->goaway (stream_);
      send (begin () + message () + end ());
      break;
    default:
      send (begin () + message () + end ());
      break;
    }
  }

  void
  play_metadata ()
  {
    static const char *const odd[] = { "", "x", "-1", "00", "1.5", "4294967295", "99999999999999999999", "0\r\n", " 0" };
    static const char *const types[] = { "text/html", "", "application/grpc+json", "application/grpcx", "application/json" };
    http2::Headers all = http2::response_headers ();
    std::string block;

    switch (kind_) {
    case STATUS:
      send (begin () + message () + headers (http2::status_trailers (std::to_string (dice_.below (20)), "%" + dice_.bytes (20)), true));
      break;
    case TRAILERS_ALONE:
      all.emplace_back ("grpc-status", std::to_string (dice_.below (20)));
      send (headers (all, true));
      break;
    case RESET_STREAM:
      if (dice_.one_in (2))
        send (begin ());
      connection_->rst (stream_, dice_.below (16));
      break;
    case LOWER_GOAWAY:
      connection_->goaway (stream_ < 3 ? 0 : stream_ - 2);
      break;
    case ODD_STATUS:
      send (begin () + message () + end (odd[dice_.below (G_N_ELEMENTS (odd))]));
      break;
    case NO_STATUS:
      send (begin () + message () + headers ({ { "x-any", "1" } }, true));
      break;
    case HTTP_STATUS:
      all[0].second = std::to_string (dice_.below (700));
      send (headers (all, dice_.one_in (2)) + message () + end ());
      break;
    case WRONG_CONTENT_TYPE:
      all[1].second = types[dice_.below (G_N_ELEMENTS (types))];
      if (dice_.one_in (2))
        all.erase (all.begin () + 1);
      send (headers (all, false) + message () + headers ({ { "x-any", "1" } }, true));
      break;
    case BIG_METADATA:
      for (int i = 0; i < 5; i++)
        all.emplace_back ("x-big", std::string (4000 + dice_.below (100), 'z'));
      block = http2::pack (all);
      send (http2::frame (http2::HEADERS, 0, stream_, block.substr (0, 16384)) +
            http2::frame (http2::CONTINUATION, http2::END_HEADERS, stream_, block.substr (16384)) + message () +
            headers ({ { "x-any", "1" } }, true));
      break;
    case BAD_BINARY:
      all.emplace_back ("x-some-bin", "!" + dice_.bytes (10));
      send (headers (all, false) + message () + headers ({ { "x-any", "1" } }, true));
      break;
    default:
      all.emplace_back ("X-Upper", dice_.bytes (10));
      send (headers (all, false) + message () + headers ({ { "x-any", "1" } }, true));
      break;
    }
  }

  void
  play_messages ()
  {
    std::string whole = http2::message (text_.substr (0, 16000));

    switch (kind_) {
    case NO_MESSAGE:
      send (begin () + end ());
      break;
    case TWO_MESSAGES:
      send (begin () + data (whole) + data (whole) + (dice_.one_in (2) ? end () : ""));
      break;
    case HALF_A_MESSAGE:
      send (begin () + data (whole.substr (0, dice_.below (static_cast<unsigned> (whole.size ())))) + end ());
      break;
    case WRONG_FLAG:
      send (begin () + data (http2::message ("x", static_cast<uint8_t> (2 + dice_.below (254)))) + end ());
      break;
    case ENORMOUS_LENGTH:
      send (begin () + data (std::string (1, '\0') + "\xff\xff\xff\xff" + "some") + end ());
      break;
    default:
      send (begin () + data (std::string (1, '\0') + http2::be32 ((4u << 20) + 1 + dice_.below (1000)) + "some") + end ());
      break;
    }
  }

  void
  play_frames ()
  {
    switch (kind_) {
    case DATA_FIRST:
      send (message () + begin () + end ());
      break;
    case CONTINUATION_ALONE:
      send (http2::frame (http2::CONTINUATION, http2::END_HEADERS, stream_, http2::pack (http2::response_headers ())));
      break;
    case HEADERS_THAT_GO_ON:
      send (http2::frame (http2::HEADERS, 0, stream_, http2::pack (http2::response_headers ())) + message () + end ());
      break;
    case BAD_HPACK:
      send (http2::frame (http2::HEADERS, http2::END_HEADERS, stream_, dice_.bytes (1 + dice_.below (40))));
      break;
    case BAD_PADDING:
      send (begin () + http2::frame (http2::DATA, http2::PADDED, stream_, "\xff" "few") + end ());
      break;
    case STRANGE_STREAM:
      send (http2::frame (static_cast<http2::FrameType> (dice_.below (10)), static_cast<uint8_t> (dice_.below (256)),
                          dice_.one_in (3) ? 0 : dice_.below (1u << 31), dice_.bytes (dice_.below (20))) +
            begin () + message () + end ("14"));
      break;
    case PUSHED:
      send (http2::frame (http2::PUSH_PROMISE, http2::END_HEADERS, stream_, http2::be32 (2) + http2::pack (http2::response_headers ())));
      break;
    case WINDOW_OVERFLOW:
      send (http2::frame (http2::WINDOW_UPDATE, 0, dice_.one_in (2) ? 0 : stream_, http2::be32 (dice_.one_in (2) ? 0 : 0x7fffffff)) + begin ());
      break;
    case BAD_SETTINGS:
      send (http2::frame (http2::SETTINGS, static_cast<uint8_t> (dice_.below (2)), 0,
                          http2::setting (static_cast<uint16_t> (1 + dice_.below (6)), 0xffffffff) + dice_.bytes (dice_.below (6))) + begin ());
      break;
    case LONG_FRAME:
      send (begin () + data (std::string (16385 + dice_.below (1000), '\0')) + end ("14"));
      break;
    case RANDOM_GOAWAY:
      send (http2::frame (http2::GOAWAY, 0, 0, dice_.bytes (dice_.below (20))));
      break;
    default:
      send (dice_.bytes (1 + dice_.below (200)));
      break;
    }
    /* What C-core takes without a word of complaint would else be a silence. */
    connection_->close ();
  }

  void
  play_silence ()
  {
    switch (kind_) {
    case CLOSED_IN_A_MESSAGE:
      send (begin () + data (http2::message (text_).substr (0, 5)));
      /* FALLTHROUGH */
    case CLOSED:
      connection_->close ();
      break;
    case CUT:
      connection_->reset ();
      break;
    case HEADERS_AND_SILENCE:
      send (begin ());
      break;
    case MESSAGE_AND_SILENCE:
      send (begin () + message ());
      break;
    default:
      break;
    }
  }

  Dice dice_;
  unsigned kind_;
  std::string text_;
  http2::Connection *connection_ = nullptr;
  uint32_t stream_ = 0;
};

/* ------------------------------------------------------------------- calls */

class RandomReplies : public CallTest {
protected:
  void
  SetUp () override
  {
    const char *text = g_getenv ("CENOTE_TEST_SEED");

    /* C-core tells at length what it thinks of the peer. */
    gpr_set_log_function ([] (gpr_log_func_args *) {});
    seed_ = text == nullptr ? 1 : g_ascii_strtoull (text, nullptr, 10);
    open ([this] (auto &connection, const auto &request) {
      Script (seed_, g_ascii_strtoull (request.text.c_str (), nullptr, 10)).play (connection, request.stream);
    }, "size=4\n");
  }

  void
  TearDown () override
  {
    CallTest::TearDown ();
    gpr_set_log_function (nullptr);
  }

  std::string where (guint64 number) { return "CENOTE_TEST_SEED=" + std::to_string (seed_) + ", call " + std::to_string (number); }

  /* Whether NUMBER may have ended well with what it read. */
  void
  check (guint64 number, bool good, const std::string &text)
  {
    Script script (seed_, number);

    if (!good)
      return;
    n_good_++;
    if (!script.may_be_ok () || text != script.text ())
      ADD_FAILURE () << where (number) << ", kind " << script.kind () << ", is OK with " << text.substr (0, 50);
  }

  void
  note_end (gint64 begun_us, gint64 timeout_ms)
  {
    gint64 late_us = g_get_monotonic_time () - begun_us - timeout_ms * 1000;
    gint64 latest = latest_us_.load ();

    while (late_us > latest && !latest_us_.compare_exchange_weak (latest, late_us))
      ;
    n_ended_++;
    n_late_ += late_us > 50 * 1000;
  }

  CenoteCallOptions
  options (Dice &dice)
  {
    CenoteCallOptions options = CENOTE_CALL_OPTIONS_INIT;

    options.timeout_ms = 20 + dice.below (200);
    options.wait_for_ready = TRUE;
    options.retry = static_cast<CenoteRetry> (dice.below (3));
    return options;
  }

  void
  call_blocking (guint64 number, const CenoteCallOptions &options)
  {
    gint64 begun_us = g_get_monotonic_time ();
    Reply reply = call (pool (), METHOD, std::to_string (number), &options);

    note_end (begun_us, options.timeout_ms);
    check (number, reply.good, reply.text);
  }

  void
  call_packed (guint64 number, const CenoteCallOptions &options)
  {
    const std::string request = std::to_string (number);
    std::string text;
    auto pack = [] (gconstpointer message, guint8 *room, gsize size) {
      memcpy (room, static_cast<const std::string *> (message)->data (), size);
    };
    auto unpack = [] (const guint8 *reply, gsize length, gpointer data, GError **) -> gboolean {
      static_cast<std::string *> (data)->assign (reinterpret_cast<const char *> (reply), length);
      return TRUE;
    };
    const CenotePackable packable = { request.size (), pack, &request };
    gint64 begun_us = g_get_monotonic_time ();
    bool good = cenote_call_unary_packed (pool (), METHOD, &packable, &options, unpack, &text, nullptr);

    note_end (begun_us, options.timeout_ms);
    check (number, good, text);
  }

  void
  call_async (guint64 number, const CenoteCallOptions &options, bool cancels)
  {
    AsyncCalls calls (pool ());
    gint64 begun_us = g_get_monotonic_time ();
    guint id = calls.begin (METHOD, std::to_string (number), &options);

    if (cancels)
      cenote_pool_cancel (pool (), id);
    calls.await_all ();
    note_end (begun_us, options.timeout_ms);
    for (const Reply &reply : calls.replies)
      check (number, reply.good, reply.text);
  }

  /* The first message; whether there were more is told by its return. */
  static bool
  read_all (CenoteCall *stream, std::string &text)
  {
    unsigned n = 0;

    for (;;) {
      g_autoptr (GBytes) message = nullptr;
      gsize size;

      if (!cenote_call_read (stream, -1, &message, nullptr) || message == nullptr)
        return n <= 1;
      const char *start = static_cast<const char *> (g_bytes_get_data (message, &size));
      if (n++ == 0)
        text.assign (size == 0 ? "" : start, size);
    }
  }

  void
  call_stream (guint64 number, const CenoteCallOptions &options, bool cancels)
  {
    std::string request = std::to_string (number), text;
    g_autoptr (GBytes) bytes = g_bytes_new (request.data (), request.size ());
    gint64 begun_us = g_get_monotonic_time ();
    g_autoptr (CenoteCall) stream = cenote_call_new (pool (), METHOD, &options, nullptr);
    std::thread canceller;

    if (stream != nullptr) {
      if (cancels)
        canceller = std::thread ([&] { cenote_call_cancel (stream); });
      cenote_call_write (stream, bytes, TRUE, nullptr);
      bool single = read_all (stream, text);
      bool good = cenote_call_finish (stream, nullptr);
      /* A stream may have none or several messages, or end in half a one. */
      if (single && !text.empty ())
        check (number, good && Script (seed_, number).may_be_ok (), text);
    }
    note_end (begun_us, options.timeout_ms);
    if (canceller.joinable ())
      canceller.join ();
  }

  /* Eight threads, until the peer has been asked N times.  ONE_IN: of how many calls one is cancelled; 0: none. */
  void
  make_calls (guint n, unsigned one_in)
  {
    std::atomic<guint64> next{ 0 };
    std::vector<std::thread> threads;

    for (int t = 0; t < 8; t++)
      threads.emplace_back ([&] {
        while (peer_->asked () < n) {
          guint64 number = next++;
          Dice dice (seed_ + number);
          bool cancels = one_in > 0 && dice.one_in (one_in);

          switch (dice.below (4)) {
          case 0:
            call_blocking (number, options (dice));
            break;
          case 1:
            call_packed (number, options (dice));
            break;
          case 2:
            call_async (number, options (dice), cancels);
            break;
          default:
            call_stream (number, options (dice), cancels);
            break;
          }
        }
      });
    for (std::thread &thread : threads)
      thread.join ();
    EXPECT_EQ (0, in_flight ());
    /* 50 ms is the aim, met where nobody else wants the machine; what is late by seconds hangs. */
    EXPECT_LT (latest_us_, 5 * G_USEC_PER_SEC) << "CENOTE_TEST_SEED=" << seed_;
    EXPECT_GT (n_good_, n_ended_ / 10) << "CENOTE_TEST_SEED=" << seed_;
    printf ("CENOTE_TEST_SEED=%" G_GUINT64_FORMAT ": %u replies on %u connections to %d calls, %d of them OK; the latest "
            "ended %.1f ms after its deadline, %d more than 50 ms\n",
            seed_, peer_->asked (), peer_->accepted (), n_ended_.load (), n_good_.load (),
            static_cast<double> (latest_us_.load ()) / 1000, n_late_.load ());
  }

  guint64 seed_ = 0;
  std::atomic<gint64> latest_us_{ G_MININT64 };
  std::atomic<int> n_ended_{ 0 }, n_good_{ 0 }, n_late_{ 0 };
};

TEST_F (RandomReplies, DoNoHarm)
{
  make_calls (scaled (20000, 2000), 0);
}

/* The pool replaces its connections all the while, and every fifth call is cancelled.  Not before a call has come
 * through on the last ones: connections that are replaced before they are ready would let none through for ever. */
TEST_F (RandomReplies, AmidCancelsAndReconnects)
{
  std::atomic<bool> over{ false };
  std::thread reconnects ([&] {
    while (!over) {
      unsigned accepted = peer_->accepted (), asked = peer_->asked ();

      cenote_pool_reconnect (pool ());
      while (!over && (peer_->accepted () < accepted + 4 || peer_->asked () == asked))
        std::this_thread::yield ();
    }
  });

  make_calls (scaled (10000, 500), 5);
  over = true;
  reconnects.join ();
}

} /* namespace */
