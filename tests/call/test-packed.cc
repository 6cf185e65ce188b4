/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that are packed and unpacked in place: where they lie, and when the caller's functions run. */
#include "call-test.h"
#include "tests/servers/message-memory.h"

namespace {

/* A request that knows where it was packed. */
class Text {
public:
  explicit Text (std::string text) : text_ (std::move (text)) {}
  Text (const Text &) = delete;
  Text &operator= (const Text &) = delete;

  operator const CenotePackable * () const { return &packable_; }

  std::atomic<int> packed{ 0 };
  const guint8 *room = nullptr;

private:
  static void
  pack (gconstpointer message, guint8 *room, gsize size)
  {
    Text *self = static_cast<Text *> (const_cast<gpointer> (message));

    EXPECT_EQ (self->text_.size (), size);
    self->text_.copy (reinterpret_cast<char *> (room), size);
    self->room = room;
    self->packed++;
  }

  std::string text_;
  const CenotePackable packable_ = { text_.size (), pack, this };
};

/* What came back, and where it lay. */
struct Unpacked {
  int times = 0;
  const guint8 *start = nullptr;
  std::string text;
  GQuark domain = 0;
  int code = 0;
  int given_up = 0;

  void
  take (const guint8 *reply, gsize length)
  {
    times++;
    start = reply;
    text.assign (reinterpret_cast<const char *> (reply), length);
  }

  void
  take_error (const GError *error)
  {
    domain = error->domain;
    code = error->code;
  }
};

gboolean
unpack (const guint8 *reply, gsize length, gpointer data, GError **)
{
  static_cast<Unpacked *> (data)->take (reply, length);
  return TRUE;
}

void
called_back (CenotePool *, const guint8 *reply, gsize length, const GError *error, gpointer data)
{
  Unpacked *unpacked = static_cast<Unpacked *> (data);

  EXPECT_NE (reply == nullptr, error == nullptr);
  if (reply != nullptr)
    unpacked->take (reply, length);
  else
    unpacked->take_error (error);
}

void
give_up (gpointer data)
{
  static_cast<Unpacked *> (data)->given_up++;
}

std::string
letters (size_t n)
{
  std::string text (n, 'x');

  for (size_t i = 0; i < n; i++)
    text[i] = static_cast<char> ('a' + i % 26);
  return text;
}

/* gRPC keeps shorter ones within the slice itself, which then is copied. */
const size_t within_a_slice = GRPC_SLICE_INLINED_SIZE;
const size_t in_one_piece = 200;
/* In all, what the peer takes on a connection, which widens no window. */
const size_t sizes[] = { 0, 1, within_a_slice, within_a_slice + 1, in_one_piece, 4096, 5000 };

class Packed : public CallTest {
protected:
  Packed () : context_ (g_main_context_new ()) {}
  ~Packed () override { g_main_context_unref (context_); }

  void
  open_echo (const std::string &keys = "size=1\n")
  {
    open ([this] (auto &connection, const auto &request) {
      if (to_refuse_ > 0 && to_refuse_-- > 0)
        connection.rst (request.stream, http2::REFUSED_STREAM);
      else
        connection.reply (request.stream, request.text);
    }, keys);
  }

  bool
  call (const CenotePackable *request, CenoteUnpackFunc func, Unpacked *unpacked, const char *method = METHOD)
  {
    g_autoptr (GError) error = nullptr;
    bool good = cenote_call_unary_packed (pool (), method, request, nullptr, func, unpacked, &error);

    EXPECT_EQ (good, error == nullptr);
    if (error != nullptr)
      unpacked->take_error (error);
    return good;
  }

  void
  begin (const CenotePackable *request, Unpacked *unpacked)
  {
    EXPECT_NE (0u, cenote_call_unary_packed_async (pool (), METHOD, request, nullptr, context_, called_back, unpacked, give_up));
  }

  void
  await (const Unpacked &unpacked)
  {
    while (unpacked.given_up == 0)
      g_main_context_iteration (context_, TRUE);
  }

  GMainContext *context_;
  std::atomic<int> to_refuse_{ 0 };
};

TEST_F (Packed, MessagesOfEverySizeTravel)
{
  open_echo ();
  for (size_t size : sizes) {
    Text blocking (letters (size)), asynchronous (letters (size));
    Unpacked reply, later;

    EXPECT_TRUE (call (blocking, unpack, &reply)) << size;
    EXPECT_EQ (letters (size), reply.text);
    EXPECT_EQ (1, reply.times);
    EXPECT_EQ (1, blocking.packed);
    begin (asynchronous, &later);
    EXPECT_EQ (1, asynchronous.packed);
    EXPECT_EQ (0, later.times);
    await (later);
    EXPECT_EQ (letters (size), later.text);
    EXPECT_EQ (1, later.times);
  }
}

TEST_F (Packed, ARequestIsSentFromWhereItWasPacked)
{
  open_echo ();
  for (size_t size : sizes) {
    if (size <= within_a_slice)
      continue;
    MessageMemory memory;
    Text blocking (letters (size)), asynchronous (letters (size)), streamed (letters (size));
    Unpacked reply, later;
    g_autoptr (CenoteCall) stream = cenote_call_new (pool (), METHOD, nullptr, nullptr);

    EXPECT_TRUE (call (blocking, unpack, &reply));
    EXPECT_LE (1, memory.sent_from (blocking.room, size)) << size;
    begin (asynchronous, &later);
    await (later);
    EXPECT_LE (1, memory.sent_from (asynchronous.room, size)) << size;
    EXPECT_TRUE (cenote_call_write_packed (stream, streamed, TRUE, nullptr));
    EXPECT_LE (1, memory.sent_from (streamed.room, size)) << size;
    EXPECT_TRUE (cenote_call_finish (stream, nullptr));
  }
}

TEST_F (Packed, AReplyIsReadWhereItWasReceived)
{
  open_echo ();
  MessageMemory memory;
  Text request (letters (in_one_piece));
  Unpacked reply, later;

  EXPECT_TRUE (call (request, unpack, &reply));
  EXPECT_LE (1, memory.received_in (reply.start, in_one_piece));
  begin (request, &later);
  await (later);
  EXPECT_LE (1, memory.received_in (later.start, in_one_piece));
}

TEST_F (Packed, AReplyInPiecesIsReadWhole)
{
  const std::string text = letters (in_one_piece);
  open ([&] (auto &connection, const auto &request) {
    connection.headers (request.stream, http2::response_headers ());
    for (const char &byte : http2::message (text))
      connection.send (http2::DATA, 0, request.stream, { byte });
    connection.end (request.stream, "0");
  });
  Text request ("x");
  Unpacked reply, later;

  EXPECT_TRUE (call (request, unpack, &reply));
  EXPECT_EQ (text, reply.text);
  begin (request, &later);
  await (later);
  EXPECT_EQ (text, later.text);
}

TEST_F (Packed, OnceForACallThatIsMadeAgain)
{
  open_echo ("size=2\n");
  for (size_t size : sizes) {
    Text blocking (letters (size)), asynchronous (letters (size));
    Unpacked reply, later;

    to_refuse_ = 1;
    EXPECT_TRUE (call (blocking, unpack, &reply));
    EXPECT_EQ (letters (size), reply.text);
    EXPECT_EQ (1, blocking.packed);
    to_refuse_ = 1;
    begin (asynchronous, &later);
    await (later);
    EXPECT_EQ (letters (size), later.text);
    EXPECT_EQ (1, asynchronous.packed);
  }
  EXPECT_EQ (2 * G_N_ELEMENTS (sizes), count (COUNTER_RETRIES_UNSENT));
}

TEST_F (Packed, AReplyMayBeDropped)
{
  open_echo ();
  Text request ("x");
  Unpacked none;

  EXPECT_TRUE (call (request, nullptr, &none));
  EXPECT_EQ (0, none.times);
}

TEST_F (Packed, WhatCannotBeUnpackedFailsTheCall)
{
  open_echo ();
  Text request ("x");
  Unpacked told, silent;
  auto tell = [] (const guint8 *, gsize length, gpointer, GError **error) -> gboolean {
    g_set_error (error, CENOTE_STATUS, DEADLINE_EXCEEDED, "%zu bytes are none", length);
    return FALSE;
  };
  auto say_nothing = [] (const guint8 *, gsize, gpointer, GError **) -> gboolean { return FALSE; };

  EXPECT_FALSE (call (request, tell, &told));
  EXPECT_EQ (CENOTE_STATUS, told.domain);
  EXPECT_EQ (DEADLINE_EXCEEDED, told.code);
  EXPECT_FALSE (call (request, say_nothing, &silent));
  EXPECT_EQ (CENOTE_ERROR, silent.domain);
  EXPECT_EQ (CENOTE_ERROR_INVALID, silent.code);
  EXPECT_EQ (0, in_flight ());
}

/* The caller may make what it likes of a reply, another call as well. */
TEST_F (Packed, UnpackMayCall)
{
  open_echo ();
  Text request ("x");
  auto again = [] (const guint8 *, gsize, gpointer data, GError **error) -> gboolean {
    return cenote_call_unary (static_cast<CenotePool *> (data), METHOD, nullptr, nullptr, nullptr, error);
  };

  EXPECT_TRUE (cenote_call_unary_packed (pool (), METHOD, request, nullptr, again, pool (), nullptr));
}

TEST_F (Packed, NothingIsPackedForACallThatIsRefused)
{
  open_echo ();
  Text request ("x");
  Unpacked unpacked;

  EXPECT_FALSE (call (request, unpack, &unpacked, "no path"));
  EXPECT_EQ (CENOTE_ERROR_INVALID, unpacked.code);
  EXPECT_EQ (0, request.packed);
  EXPECT_EQ (0, unpacked.times);
}

TEST_F (Packed, AMessageThatIsTooLargeIsRefused)
{
  open_echo ();
  const gsize larger = static_cast<gsize> (G_MAXUINT32) + 1;
  auto never = [] (gconstpointer, guint8 *, gsize) { ADD_FAILURE () << "packed"; };
  const CenotePackable large = { larger, never, nullptr };
  g_autoptr (GBytes) large_bytes = g_bytes_new_static ("", larger);
  g_autoptr (CenoteCall) stream = cenote_call_new (pool (), METHOD, nullptr, nullptr);
  g_autoptr (GError) of_bytes = nullptr, of_write = nullptr;
  Unpacked reply, later;

  EXPECT_FALSE (call (&large, unpack, &reply));
  EXPECT_EQ (CENOTE_ERROR_INVALID, reply.code);
  begin (&large, &later);
  await (later);
  EXPECT_EQ (CENOTE_ERROR_INVALID, later.code);
  EXPECT_FALSE (cenote_call_unary (pool (), METHOD, large_bytes, nullptr, nullptr, &of_bytes));
  EXPECT_STREQ ("message is of 4294967296 bytes: one has at most 4294967295", of_bytes->message);
  EXPECT_FALSE (cenote_call_write_packed (stream, &large, FALSE, &of_write));
  EXPECT_TRUE (g_error_matches (of_write, CENOTE_ERROR, CENOTE_ERROR_INVALID)) << of_write->message;
  EXPECT_TRUE (cenote_call_write_packed (stream, Text ("x"), TRUE, nullptr));
  EXPECT_TRUE (cenote_call_finish (stream, nullptr));
}

/* It lies in memory of gRPC's, which has gone by then. */
TEST_F (Packed, AReplyOutlivesTheRuntime)
{
  open_echo ();
  Text request (letters (in_one_piece));
  Unpacked later;

  begin (request, &later);
  while (in_flight () > 0)
    std::this_thread::yield ();
  close ();
  EXPECT_EQ (0, later.times);
  await (later);
  EXPECT_EQ (letters (in_one_piece), later.text);
}

} /* namespace */
