/* SPDX-License-Identifier: Apache-2.0 */
#include "http2-peer.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace http2 {

/* ------------------------------------------------------------------- bytes */

std::string
be32 (uint32_t number)
{
  uint32_t big = htonl (number);

  return std::string (reinterpret_cast<const char *> (&big), sizeof big);
}

std::string
setting (uint16_t id, uint32_t value)
{
  return be32 (id).substr (2) + be32 (value);
}

/* RFC 7541, 5.1 and 5.2: a length of seven bits or more, and no Huffman code. */
static void
pack_string (std::string &block, const std::string &text)
{
  size_t rest = text.size ();

  if (rest < 127) {
    block += static_cast<char> (rest);
  } else {
    block += '\x7f';
    for (rest -= 127; rest >= 128; rest >>= 7)
      block += static_cast<char> (rest | 128);
    block += static_cast<char> (rest);
  }
  block += text;
}

std::string
pack (const Headers &headers)
{
  std::string block;

  for (const auto &[key, value] : headers) {
    block += '\0';
    pack_string (block, key);
    pack_string (block, value);
  }
  return block;
}

std::string
frame (FrameType type, uint8_t flags, uint32_t stream, const std::string &payload)
{
  std::string bytes = be32 (static_cast<uint32_t> (payload.size ())).substr (1);

  bytes += static_cast<char> (type);
  bytes += static_cast<char> (flags);
  return bytes + be32 (stream) + payload;
}

std::string
message (const std::string &text, uint8_t compressed)
{
  return static_cast<char> (compressed) + be32 (static_cast<uint32_t> (text.size ())) + text;
}

Headers
response_headers ()
{
  return { { ":status", "200" }, { "content-type", "application/grpc" } };
}

Headers
status_trailers (const std::string &status, const std::string &text)
{
  Headers trailers = { { "grpc-status", status } };

  if (!text.empty ())
    trailers.emplace_back ("grpc-message", text);
  return trailers;
}

/* -------------------------------------------------------------- connections */

void
Connection::send (const std::string &bytes)
{
  size_t done = 0;

  while (done < bytes.size ()) {
    ssize_t n = ::send (fd_, bytes.data () + done, bytes.size () - done, MSG_NOSIGNAL);

    if (n <= 0)
      return;
    done += static_cast<size_t> (n);
  }
}

void
Connection::end (uint32_t stream, const std::string &status, const std::string &text)
{
  headers (stream, status_trailers (status, text), END_HEADERS | END_STREAM);
}

void
Connection::reply (uint32_t stream, const std::string &text)
{
  send (frame (HEADERS, END_HEADERS, stream, pack (response_headers ())) + frame (DATA, 0, stream, message (text)) +
        frame (HEADERS, END_HEADERS | END_STREAM, stream, pack (status_trailers ("0"))));
}

void
Connection::close ()
{
  shutdown (fd_, SHUT_RDWR);
}

/* What was received and not read, and lingering for no time, each make it an RST. */
void
Connection::reset ()
{
  const linger now = { 1, 0 };
  int gone = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  setsockopt (fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  dup3 (gone, fd_, O_CLOEXEC);
  ::close (gone);
}

bool
Connection::read (void *bytes, size_t n)
{
  return n == 0 || recv (fd_, bytes, n, MSG_WAITALL) == static_cast<ssize_t> (n);
}

void
Connection::ask (uint32_t stream, bool whole)
{
  auto found = streams_.find (stream);

  if (found == streams_.end ())
    return;
  std::string &bytes = found->second;
  uint32_t length = 0;
  if (bytes.size () >= 5) {
    memcpy (&length, bytes.data () + 1, sizeof length);
    length = ntohl (length);
  }
  if (!whole && (bytes.size () < 5 || bytes.size () - 5 < length))
    return;
  Request request = { stream, bytes.size () < 5 ? "" : bytes.substr (5, length) };
  streams_.erase (found);
  peer_->asked_++;
  peer_->answer_ (*this, request);
}

/* Gives the connection's window back, so that it may live long. */
void
Connection::take_data (uint32_t stream, uint8_t flags, const std::string &payload)
{
  auto found = streams_.find (stream);

  if (!payload.empty ())
    send (WINDOW_UPDATE, 0, 0, be32 (static_cast<uint32_t> (payload.size ())));
  if (found != streams_.end ())
    found->second += payload;
  ask (stream, flags & END_STREAM);
}

bool
Connection::take_frame ()
{
  uint8_t head[9];
  uint32_t stream;

  if (!read (head, sizeof head))
    return false;
  std::string payload (static_cast<size_t> (head[0]) << 16 | static_cast<size_t> (head[1]) << 8 | head[2], '\0');
  memcpy (&stream, head + 5, sizeof stream);
  stream = ntohl (stream) & 0x7fffffff;
  if (!read (&payload[0], payload.size ()))
    return false;
  switch (head[3]) {
  case HEADERS:
    streams_[stream];
    if (head[4] & END_STREAM)
      ask (stream, true);
    break;
  case DATA:
    take_data (stream, head[4], payload);
    break;
  case RST_STREAM:
    streams_.erase (stream);
    break;
  case SETTINGS:
  case PING:
    if (!(head[4] & ACK))
      send (static_cast<FrameType> (head[3]), ACK, 0, head[3] == PING ? payload : "");
    break;
  default:
    break;
  }
  return true;
}

void
Connection::run ()
{
  char preface[24];

  if (read (preface, sizeof preface)) {
    send (SETTINGS, 0, 0, peer_->settings_);
    while (take_frame ())
      ;
  }
  shutdown (fd_, SHUT_RDWR);
  over_ = true;
}

/* -------------------------------------------------------------------- peers */

Peer::Peer (Answer answer, const std::string &settings) : answer_ (std::move (answer)), settings_ (settings)
{
  sockaddr_in address = {};
  socklen_t size = sizeof address;

  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  listener_ = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener_ < 0 || bind (listener_, reinterpret_cast<sockaddr *> (&address), sizeof address) != 0 ||
      ::listen (listener_, 128) != 0 || getsockname (listener_, reinterpret_cast<sockaddr *> (&address), &size) != 0) {
    perror ("http2::Peer");
    abort ();
  }
  port_ = ntohs (address.sin_port);
  thread_ = std::thread (&Peer::listen, this);
}

void
Peer::sweep ()
{
  for (auto at = connections_.begin (); at != connections_.end ();) {
    if (!at->over_) {
      ++at;
      continue;
    }
    at->thread_.join ();
    ::close (at->fd_);
    at = connections_.erase (at);
  }
}

void
Peer::listen ()
{
  for (;;) {
    int fd = accept4 (listener_, nullptr, nullptr, SOCK_CLOEXEC);
    int on = 1;

    if (fd < 0)
      return;
    setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    sweep ();
    Connection &made = connections_.emplace_back (this, fd, ++accepted_);
    made.thread_ = std::thread (&Connection::run, &made);
  }
}

Peer::~Peer ()
{
  shutdown (listener_, SHUT_RDWR);
  thread_.join ();
  ::close (listener_);
  for (Connection &connection : connections_)
    shutdown (connection.fd_, SHUT_RDWR);
  for (Connection &connection : connections_) {
    connection.thread_.join ();
    ::close (connection.fd_);
  }
}

} /* namespace http2 */
