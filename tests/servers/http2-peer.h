/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http2-peer: an HTTP/2 server in this process that sends whatever frames a test wants,
 * also such as no server may send.
 *
 * It reads what a gRPC client sends just far enough to know when a message is whole, and
 * asks the test's Answer, on the connection's own thread, for which it is there alone.
 */
#ifndef CENOTE_TESTS_HTTP2_PEER_H
#define CENOTE_TESTS_HTTP2_PEER_H

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace http2 {

enum FrameType : uint8_t { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION };
enum Flag : uint8_t { END_STREAM = 0x1, ACK = 0x1, END_HEADERS = 0x4, PADDED = 0x8 };
enum Reason : uint32_t { NO_ERROR = 0, PROTOCOL_ERROR = 1, INTERNAL_ERROR = 2, REFUSED_STREAM = 7, CANCEL = 8, ENHANCE_YOUR_CALM = 11 };

enum Setting : uint16_t { HEADER_TABLE_SIZE = 1, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE };

/* In order; a key may come twice. */
using Headers = std::vector<std::pair<std::string, std::string>>;

std::string be32 (uint32_t number);
/* One of a SETTINGS frame's. */
std::string setting (uint16_t id, uint32_t value);
/* A header block: literals, never indexed. */
std::string pack (const Headers &headers);
std::string frame (FrameType type, uint8_t flags, uint32_t stream, const std::string &payload);
/* gRPC's five bytes and TEXT. */
std::string message (const std::string &text, uint8_t compressed = 0);

/* What a good server begins and ends with. */
Headers response_headers ();
Headers status_trailers (const std::string &status, const std::string &text = "");

class Peer;

class Connection {
public:
  Connection (Peer *peer, int fd, unsigned number) : peer_ (peer), fd_ (fd), number_ (number) {}
  /* From 1, in the order in which they were accepted. */
  unsigned number () const { return number_; }

  void send (const std::string &bytes);
  void send (FrameType type, uint8_t flags, uint32_t stream, const std::string &payload) { send (frame (type, flags, stream, payload)); }
  void headers (uint32_t stream, const Headers &headers, uint8_t flags = END_HEADERS) { send (HEADERS, flags, stream, pack (headers)); }
  void end (uint32_t stream, const std::string &status, const std::string &text = "");
  void rst (uint32_t stream, uint32_t reason) { send (RST_STREAM, 0, stream, be32 (reason)); }
  void goaway (uint32_t last_stream, uint32_t reason = NO_ERROR) { send (GOAWAY, 0, 0, be32 (last_stream) + be32 (reason)); }
  /* Headers, TEXT as a message, OK. */
  void reply (uint32_t stream, const std::string &text);
  /* No more is sent: FIN, or RST. */
  void close ();
  void reset ();

private:
  friend class Peer;
  void run ();
  bool read (void *bytes, size_t n);
  bool take_frame ();
  void take_data (uint32_t stream, uint8_t flags, const std::string &payload);
  void ask (uint32_t stream, bool whole);

  Peer *peer_;
  int fd_;
  unsigned number_;
  std::map<uint32_t, std::string> streams_; /* not yet answered: what has come */
  std::atomic<bool> over_{ false };
  std::thread thread_;
};

struct Request {
  uint32_t stream;
  std::string text;          /* of its first message */
};

using Answer = std::function<void (Connection &connection, const Request &request)>;

class Peer {
public:
  /* SETTINGS: the payload of the frame that it greets with. */
  explicit Peer (Answer answer, const std::string &settings = "");
  /* Cuts every connection, and waits for their threads. */
  ~Peer ();
  Peer (const Peer &) = delete;
  Peer &operator= (const Peer &) = delete;

  unsigned port () const { return port_; }
  unsigned accepted () const { return accepted_; }
  unsigned asked () const { return asked_; }

private:
  friend class Connection;
  void listen ();
  void sweep ();

  Answer answer_;
  std::string settings_;
  int listener_ = -1;
  unsigned port_ = 0;
  std::atomic<unsigned> accepted_{ 0 }, asked_{ 0 };
  std::list<Connection> connections_; /* the listening thread's, and at last the destructor's */
  std::thread thread_;
};

} /* namespace http2 */

#endif
