/* SPDX-License-Identifier: Apache-2.0 */
/* http-client: a connection to 127.0.0.1 that says exactly what a test wants, and a reply in its parts. */
#ifndef CENOTE_TESTS_HTTP_CLIENT_H
#define CENOTE_TESTS_HTTP_CLIENT_H

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <string>

struct HttpReply {
  int status = 0;            /* 0: there was none */
  std::map<std::string, std::string> headers; /* by their names in lower case */
  std::string body;

  static HttpReply
  parse (const std::string &text)
  {
    HttpReply reply;
    size_t end = text.find ("\r\n\r\n"), line = text.find ("\r\n");

    if (text.rfind ("HTTP/1.", 0) != 0 || end == std::string::npos)
      return reply;
    reply.status = std::stoi (text.substr (9, 3));
    reply.body = text.substr (end + 4);
    while (line < end) {
      size_t next = text.find ("\r\n", line + 2), colon = text.find (": ", line + 2);
      std::string name = text.substr (line + 2, colon - line - 2);

      std::transform (name.begin (), name.end (), name.begin (), [] (unsigned char c) { return std::tolower (c); });
      reply.headers[name] = text.substr (colon + 2, next - colon - 2);
      line = next;
    }
    return reply;
  }
};

class HttpConnection {
public:
  explicit HttpConnection (unsigned port)
  {
    sockaddr_in address = {};
    timeval minute = { 60, 0 };

    address.sin_family = AF_INET;
    address.sin_port = htons (static_cast<uint16_t> (port));
    address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
    fd_ = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt (fd_, SOL_SOCKET, SO_RCVTIMEO, &minute, sizeof minute);
    setsockopt (fd_, SOL_SOCKET, SO_SNDTIMEO, &minute, sizeof minute);
    is_connected_ = connect (fd_, reinterpret_cast<sockaddr *> (&address), sizeof address) == 0;
  }

  ~HttpConnection () { close (fd_); }
  HttpConnection (const HttpConnection &) = delete;
  HttpConnection &operator= (const HttpConnection &) = delete;

  bool is_connected () const { return is_connected_; }
  int fd () const { return fd_; }

  bool
  send (const std::string &text)
  {
    size_t sent = 0;

    while (sent < text.size ()) {
      ssize_t n = ::send (fd_, text.data () + sent, text.size () - sent, MSG_NOSIGNAL);
      if (n <= 0)
        return false;
      sent += static_cast<size_t> (n);
    }
    return true;
  }

  /* Until the peer closes, or for a minute. */
  std::string
  read_all ()
  {
    std::string text;
    char buffer[16384];
    ssize_t n;

    while ((n = recv (fd_, buffer, sizeof buffer, 0)) > 0)
      text.append (buffer, static_cast<size_t> (n));
    return text;
  }

  /* Whether the peer closes within a minute, whatever it says before. */
  bool
  await_close ()
  {
    char buffer[16384];
    ssize_t n;

    while ((n = recv (fd_, buffer, sizeof buffer, 0)) > 0)
      ;
    return n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
  }

  bool
  is_closed () const
  {
    pollfd watched = { fd_, POLLIN | POLLRDHUP, 0 };
    return poll (&watched, 1, 0) > 0 && (watched.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
  }

private:
  int fd_ = -1;
  bool is_connected_ = false;
};

/* HEADERS: lines, each with its "\r\n". */
inline std::string
http_request (const std::string &path, const std::string &headers = "", const std::string &method = "GET")
{
  return method + " " + path + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n";
}

inline HttpReply
http_send (unsigned port, const std::string &request)
{
  HttpConnection connection (port);

  return connection.is_connected () && connection.send (request) ? HttpReply::parse (connection.read_all ()) : HttpReply ();
}

inline HttpReply
http_get (unsigned port, const std::string &path, const std::string &headers = "")
{
  return http_send (port, http_request (path, headers));
}

#endif
