/* SPDX-License-Identifier: Apache-2.0 */
/*
 * late-server DELAY STREAMS: answers every gRPC call DELAY ms after it has come, with the same small
 * message, and takes STREAMS calls at once on one connection.
 *
 * For benches whose figure is what clients do: a server of C-core's takes more of the
 * machine for a call than its client does, and then it is the server that is measured.
 * So this one does without: it looks at frames and not into them (what is called and with
 * what does not matter), and what is due on a connection at once goes out in one send().
 *
 * Listens on 127.0.0.1, prints its port, and ends with its stdin.  One thread, one ppoll().
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_CONNECTIONS 64
#define MAX_STREAMS 1024
#define PREFACE_SIZE 24
#define HEAD_SIZE 9
#define INPUT_SIZE (128 * 1024)
#define OUTPUT_SIZE (256 * 1024)

/* RFC 9113, 6 */
enum { DATA = 0, HEADERS = 1, SETTINGS = 4, PING = 6, WINDOW_UPDATE = 8 };
enum { END_STREAM = 1, ACK = 1, END_HEADERS = 4 };

typedef struct Request {
  uint32_t stream;
  int64_t due_us;
} Request;

typedef struct Connection {
  int fd;
  size_t n_input, n_output;
  uint32_t n_taken;          /* bytes of DATA that the client is to be given back */
  size_t first, n_requests;  /* a ring, in the order of their times */
  Request requests[MAX_STREAMS];
  unsigned char input[INPUT_SIZE];
  unsigned char output[OUTPUT_SIZE];
} Connection;

static int64_t delay_us;
static uint32_t max_streams;
static Connection *connections[MAX_CONNECTIONS];
static size_t n_connections;

static int64_t
now_us (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static _Noreturn void
fail (const char *what)
{
  perror (what);
  exit (1);
}

/* ------------------------------------------------------------------ frames */

static void
put_32 (unsigned char *at, uint32_t value)
{
  const unsigned char bytes[] = { (unsigned char) (value >> 24), (unsigned char) (value >> 16), (unsigned char) (value >> 8),
                                  (unsigned char) value };

  memcpy (at, bytes, sizeof bytes);
}

static uint32_t
get_32 (const unsigned char *at)
{
  return (uint32_t) at[0] << 24 | (uint32_t) at[1] << 16 | (uint32_t) at[2] << 8 | at[3];
}

static void
put_frame (Connection *connection, unsigned char type, unsigned char flags, uint32_t stream, const void *payload, size_t size)
{
  unsigned char *head = connection->output + connection->n_output;

  if (connection->n_output + HEAD_SIZE + size > OUTPUT_SIZE)
    fail ("late-server: more is to be sent than there is room for");
  put_32 (head, (uint32_t) size << 8 | type);
  head[4] = flags;
  put_32 (head + 5, stream);
  memcpy (head + HEAD_SIZE, payload, size);
  connection->n_output += HEAD_SIZE + size;
}

static void
put_settings (Connection *connection)
{
  unsigned char limit[6] = { 0, 3 }; /* MAX_CONCURRENT_STREAMS */

  put_32 (limit + 2, max_streams);
  put_frame (connection, SETTINGS, 0, 0, limit, sizeof limit);
}

/* RFC 7541: :status 200 by its number, content-type by that of its name, grpc-status in full. */
static void
put_answer (Connection *connection, uint32_t stream)
{
  static const char head[] = "\x88\x0f\x10\x10" "application/grpc";
  static const char message[] = "\0\0\0\0\x0f" "a small message";
  static const char trailer[] = "\0\x0b" "grpc-status" "\x01" "0";

  put_frame (connection, HEADERS, END_HEADERS, stream, head, sizeof head - 1);
  put_frame (connection, DATA, 0, stream, message, sizeof message - 1);
  put_frame (connection, HEADERS, END_HEADERS | END_STREAM, stream, trailer, sizeof trailer - 1);
}

static void
give_window_back (Connection *connection)
{
  unsigned char bytes[4];

  put_32 (bytes, connection->n_taken);
  if (connection->n_taken > 0)
    put_frame (connection, WINDOW_UPDATE, 0, 0, bytes, sizeof bytes);
  connection->n_taken = 0;
}

/* ---------------------------------------------------------------- requests */

static void
note_request (Connection *connection, uint32_t stream)
{
  size_t last = (connection->first + connection->n_requests) % MAX_STREAMS;

  if (connection->n_requests == MAX_STREAMS)
    fail ("late-server: the client does not keep to the limit of streams");
  connection->requests[last] = (Request) { stream, now_us () + delay_us };
  connection->n_requests++;
}

static void
take_frame (Connection *connection, const unsigned char *head, size_t size)
{
  unsigned char type = head[3], flags = head[4];
  uint32_t stream = get_32 (head + 5);

  if (type == DATA)
    connection->n_taken += (uint32_t) size;
  if ((type == DATA || type == HEADERS) && (flags & END_STREAM) != 0)
    note_request (connection, stream);
  if ((type == SETTINGS || type == PING) && (flags & ACK) == 0)
    put_frame (connection, type, ACK, 0, head + HEAD_SIZE, type == PING ? size : 0);
}

/* What is whole; the rest is moved to the front. */
static void
take_frames (Connection *connection)
{
  size_t at = 0;

  while (connection->n_input - at >= HEAD_SIZE) {
    const unsigned char *head = connection->input + at;
    size_t size = get_32 (head) >> 8;

    if (connection->n_input - at < HEAD_SIZE + size)
      break;
    take_frame (connection, head, size);
    at += HEAD_SIZE + size;
  }
  connection->n_input -= at;
  memmove (connection->input, connection->input + at, connection->n_input);
}

/* When something is due next; INT64_MAX: nothing is. */
static int64_t
answer_what_is_due (Connection *connection)
{
  int64_t now = now_us ();

  for (; connection->n_requests > 0 && connection->requests[connection->first].due_us <= now; connection->n_requests--) {
    put_answer (connection, connection->requests[connection->first].stream);
    connection->first = (connection->first + 1) % MAX_STREAMS;
  }
  return connection->n_requests == 0 ? INT64_MAX : connection->requests[connection->first].due_us;
}

/* ------------------------------------------------------------- connections */

static void
accept_one (int listener)
{
  Connection *connection = calloc (1, sizeof *connection);
  int on = 1;

  if (connection == NULL || n_connections == MAX_CONNECTIONS)
    fail ("late-server: no room for a connection");
  connection->fd = accept (listener, NULL, NULL);
  if (connection->fd < 0 || recv (connection->fd, connection->input, PREFACE_SIZE, MSG_WAITALL) != PREFACE_SIZE)
    fail ("late-server: accept");
  setsockopt (connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  put_settings (connection);
  connections[n_connections++] = connection;
}

static int
read_some (Connection *connection)
{
  ssize_t n = recv (connection->fd, connection->input + connection->n_input, INPUT_SIZE - connection->n_input, 0);

  if (n <= 0)
    return 0;
  connection->n_input += (size_t) n;
  take_frames (connection);
  give_window_back (connection);
  return 1;
}

/* Who does not read what he asked for is left out: its end is seen when it is read from. */
static void
flush (Connection *connection)
{
  size_t at = 0;
  ssize_t n = 1;

  for (; at < connection->n_output && n > 0; at += n > 0 ? (size_t) n : 0)
    n = send (connection->fd, connection->output + at, connection->n_output - at, MSG_NOSIGNAL);
  connection->n_output = 0;
}

static void
drop (size_t k)
{
  close (connections[k]->fd);
  free (connections[k]);
  connections[k] = connections[--n_connections];
}

/* Listener and stdin come first. */
static void
wait_for_any (struct pollfd *polled, int64_t due_us)
{
  int64_t left_us = due_us - now_us ();
  struct timespec left = { 0, 0 };
  size_t k;

  if (left_us > 0)
    left = (struct timespec) { left_us / 1000000, left_us % 1000000 * 1000 };
  for (k = 0; k < n_connections; k++)
    polled[2 + k] = (struct pollfd) { .fd = connections[k]->fd, .events = POLLIN };
  ppoll (polled, 2 + n_connections, due_us == INT64_MAX ? NULL : &left, NULL);
}

static void
serve (int listener)
{
  struct pollfd polled[2 + MAX_CONNECTIONS] = { { .fd = listener, .events = POLLIN }, { .fd = 0, .events = POLLIN } };
  int64_t due_us = INT64_MAX;
  size_t k;

  for (;;) {
    wait_for_any (polled, due_us);
    if (polled[1].revents != 0)
      return;
    for (k = n_connections; k-- > 0;) {
      if (polled[2 + k].revents != 0 && !read_some (connections[k]))
        drop (k);
    }
    if (polled[0].revents != 0)
      accept_one (listener);
    due_us = INT64_MAX;
    for (k = 0; k < n_connections; k++) {
      int64_t next_us = answer_what_is_due (connections[k]);

      due_us = next_us < due_us ? next_us : due_us;
      flush (connections[k]);
    }
  }
}

static int
listen_on_any_port (void)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  socklen_t size = sizeof address;
  int listener = socket (AF_INET, SOCK_STREAM, 0);

  if (listener < 0 || bind (listener, (struct sockaddr *) &address, size) != 0 || listen (listener, MAX_CONNECTIONS) != 0 ||
      getsockname (listener, (struct sockaddr *) &address, &size) != 0)
    fail ("late-server: listen");
  printf ("%u\n", ntohs (address.sin_port));
  fflush (stdout);
  return listener;
}

int
main (int argc, char **argv)
{
  delay_us = argc == 3 ? atoi (argv[1]) * 1000 : 0;
  max_streams = argc == 3 ? (uint32_t) atoi (argv[2]) : 0;
  if (max_streams < 1 || max_streams > MAX_STREAMS) {
    fprintf (stderr, "usage: late-server DELAY STREAMS (milliseconds, and 1 to %d)\n", MAX_STREAMS);
    return 2;
  }
  serve (listen_on_any_port ());
  return 0;
}
