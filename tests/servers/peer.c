/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peer MODE [PORT]: something that listens on 127.0.0.1 and is no good gRPC server.
 *
 *   close          accepts and closes at once
 *   greet          accepts, sends SETTINGS (so that a client is READY), says no more at once
 *   silent         accepts and says nothing
 *   zombie         accepts, sends SETTINGS, and never says another word
 *   refuse         speaks HTTP/2 and answers every request with HTTP 400, as a proxy that knows no gRPC
 *   forward PORT   carries every connection to PORT, until told otherwise
 *
 * Prints its port.  Then it obeys lines on stdin, and ends with it:
 *   reset K        cuts the connection number K of those alive, oldest first, by RST;
 *                  answers with the monotonic time in ns before that, or "none"
 *   goaway K       tells the client of that connection to go away, then cuts it in the same way
 *   greet          sends SETTINGS to all that are alive
 *   count          answers with the number of connections accepted so far
 *   alive          answers with the number of those that are alive
 *
 * One thread, one poll().
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_CONNECTIONS 256
#define PREFACE_SIZE 24 /* of HTTP/2 */

typedef enum { MODE_CLOSE, MODE_GREET, MODE_SILENT, MODE_ZOMBIE, MODE_REFUSE, MODE_FORWARD, N_MODES } Mode;

/* Where a client's bytes are read as HTTP/2. */
typedef struct Frames {
  size_t skip;               /* bytes of the preface, or of a payload, that are still to come */
  size_t n_head;
  unsigned char head[9];
} Frames;

typedef struct Connection {
  int client;
  int server;                /* -1: nobody is behind us */
  Frames frames;
} Connection;

static Mode mode;
static int upstream_port;
static Connection connections[MAX_CONNECTIONS];
static int n_connections;
static int n_accepted;

static struct sockaddr_in
loopback (int port)
{
  return (struct sockaddr_in) {
    .sin_family = AF_INET, .sin_port = htons ((unsigned short) port), .sin_addr.s_addr = htonl (INADDR_LOOPBACK),
  };
}

static int
listen_anywhere (int *out_port)
{
  struct sockaddr_in address = loopback (0);
  socklen_t size = sizeof address;
  int fd = socket (AF_INET, SOCK_STREAM, 0);

  if (fd < 0 || bind (fd, (struct sockaddr *) &address, sizeof address) != 0 || listen (fd, MAX_CONNECTIONS) != 0 ||
      getsockname (fd, (struct sockaddr *) &address, &size) != 0)
    return -1;
  *out_port = ntohs (address.sin_port);
  return fd;
}

static int
connect_upstream (void)
{
  struct sockaddr_in address = loopback (upstream_port);
  int fd = socket (AF_INET, SOCK_STREAM, 0);
  int on = 1;

  if (fd < 0 || connect (fd, (struct sockaddr *) &address, sizeof address) != 0) {
    close (fd);
    return -1;
  }
  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

/* ------------------------------------------------------------- connections */

/* With RST on the client's side. */
static void
cut (int k)
{
  const struct linger now = { .l_onoff = 1, .l_linger = 0 };

  setsockopt (connections[k].client, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close (connections[k].client);
  if (connections[k].server >= 0)
    close (connections[k].server);
  n_connections--;
  memmove (&connections[k], &connections[k + 1], (size_t) (n_connections - k) * sizeof connections[0]);
}

static void
keep (int client, int server)
{
  int on = 1;

  setsockopt (client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  connections[n_connections++] = (Connection) { client, server, { PREFACE_SIZE, 0, { 0 } } };
}

static void
greet (int client)
{
  static const unsigned char settings[9] = { 0, 0, 0, 4, 0, 0, 0, 0, 0 };

  (void) !send (client, settings, sizeof settings, MSG_NOSIGNAL);
}

static void
welcome (int listener)
{
  int client = accept (listener, NULL, NULL);
  int server = -1;

  if (client < 0)
    return;
  n_accepted++;
  if (mode == MODE_FORWARD)
    server = connect_upstream ();
  if (mode == MODE_GREET) {
    greet (client);
    shutdown (client, SHUT_WR);
  }
  if (mode == MODE_ZOMBIE || mode == MODE_REFUSE)
    greet (client);
  if (mode == MODE_CLOSE || (mode == MODE_FORWARD && server < 0) || n_connections == MAX_CONNECTIONS) {
    close (client);
    if (server >= 0)
      close (server);
    return;
  }
  keep (client, server);
}

/* ------------------------------------------------------------------ HTTP/2 */

enum { FRAME_HEADERS = 1, FRAME_SETTINGS = 4 };

/* HEADERS that end the stream: the field ":status: 400" is number 12 of HPACK's table. */
static void
refuse_stream (int client, const unsigned char *id)
{
  const unsigned char answer[10] = { 0, 0, 1, FRAME_HEADERS, 0x5, id[0], id[1], id[2], id[3], 0x80 | 12 };

  (void) !send (client, answer, sizeof answer, MSG_NOSIGNAL);
}

static void
acknowledge_settings (int client)
{
  static const unsigned char answer[9] = { 0, 0, 0, FRAME_SETTINGS, 1, 0, 0, 0, 0 };

  (void) !send (client, answer, sizeof answer, MSG_NOSIGNAL);
}

static void
heed_frame (int client, const unsigned char *head)
{
  if (head[3] == FRAME_HEADERS)
    refuse_stream (client, head + 5);
  else if (head[3] == FRAME_SETTINGS && head[4] == 0)
    acknowledge_settings (client);
}

static void
heed_byte (Connection *connection, unsigned char byte)
{
  Frames *frames = &connection->frames;

  if (frames->skip > 0) {
    frames->skip--;
    return;
  }
  frames->head[frames->n_head++] = byte;
  if (frames->n_head < sizeof frames->head)
    return;
  frames->n_head = 0;
  frames->skip = (size_t) frames->head[0] << 16 | (size_t) frames->head[1] << 8 | frames->head[2];
  heed_frame (connection->client, frames->head);
}

/* 0: that was the last. */
static int
refuse (Connection *connection)
{
  unsigned char bytes[65536];
  ssize_t n = read (connection->client, bytes, sizeof bytes);
  ssize_t i;

  for (i = 0; i < n; i++)
    heed_byte (connection, bytes[i]);
  return n > 0;
}

/* 0: that was the last. */
static int
carry (int from, int to)
{
  char bytes[65536];
  ssize_t n = read (from, bytes, sizeof bytes);
  ssize_t done = 0;

  while (to >= 0 && done < n) {
    ssize_t written = send (to, bytes + done, (size_t) (n - done), MSG_NOSIGNAL);

    if (written <= 0)
      return 0;
    done += written;
  }
  return n > 0;
}

/* ---------------------------------------------------------------- commands */

static void
say_goodbye (int client)
{
  /* GOAWAY: no stream was refused, no error. */
  static const unsigned char goaway[17] = { 0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0 };

  (void) !send (client, goaway, sizeof goaway, MSG_NOSIGNAL);
}

static void
reset (int k, int politely)
{
  struct timespec now;

  if (k < 0 || k >= n_connections) {
    puts ("none");
    return;
  }
  clock_gettime (CLOCK_MONOTONIC, &now);
  if (politely)
    say_goodbye (connections[k].client);
  cut (k);
  printf ("%lld\n", now.tv_sec * 1000000000LL + now.tv_nsec);
}

static void
greet_all (void)
{
  int i;

  for (i = 0; i < n_connections; i++)
    greet (connections[i].client);
  puts ("0");
}

/* 0: stdin has ended. */
static int
obey (void)
{
  char line[64];
  int k;

  if (fgets (line, sizeof line, stdin) == NULL)
    return 0;
  if (sscanf (line, "reset %d", &k) == 1)
    reset (k, 0);
  else if (sscanf (line, "goaway %d", &k) == 1)
    reset (k, 1);
  else if (strcmp (line, "greet\n") == 0)
    greet_all ();
  else
    printf ("%d\n", strcmp (line, "alive\n") == 0 ? n_connections : n_accepted);
  return 1;
}

/* ------------------------------------------------------------------- loop */

static int
fill (struct pollfd *fds, int listener)
{
  int n = 2;
  int i;

  fds[0] = (struct pollfd) { .fd = STDIN_FILENO, .events = POLLIN };
  fds[1] = (struct pollfd) { .fd = listener, .events = POLLIN };
  for (i = 0; i < n_connections; i++) {
    fds[n++] = (struct pollfd) { .fd = connections[i].client, .events = POLLIN };
    fds[n++] = (struct pollfd) { .fd = connections[i].server, .events = POLLIN };
  }
  return n;
}

static void
serve (const struct pollfd *fds, int n)
{
  int i;

  /* The last first, because one that ends moves those after it. */
  for (i = (n - 2) / 2 - 1; i >= 0; i--) {
    const Connection connection = connections[i];
    int alive = 1;

    if (fds[2 + 2 * i].revents != 0 && mode == MODE_REFUSE)
      alive = refuse (&connections[i]);
    else if (fds[2 + 2 * i].revents != 0)
      alive = carry (connection.client, connection.server);
    if (alive && fds[3 + 2 * i].revents != 0)
      alive = carry (connection.server, connection.client);
    if (!alive)
      cut (i);
  }
}

static int
find_mode (const char *name)
{
  static const char *const names[N_MODES] = { "close", "greet", "silent", "zombie", "refuse", "forward" };
  int i;

  for (i = 0; i < N_MODES; i++)
    if (strcmp (name, names[i]) == 0)
      return i;
  return -1;
}

int
main (int argc, char **argv)
{
  static struct pollfd fds[2 + 2 * MAX_CONNECTIONS];
  int found = argc < 2 ? -1 : find_mode (argv[1]);
  int port, n;
  int listener = listen_anywhere (&port);

  if (found < 0 || listener < 0) {
    fputs ("usage: peer close|greet|silent|zombie|refuse|forward [PORT]\n", stderr);
    return 2;
  }
  mode = (Mode) found;
  upstream_port = argc < 3 ? 0 : atoi (argv[2]);
  setvbuf (stdin, NULL, _IONBF, 0);
  setvbuf (stdout, NULL, _IOLBF, 0);
  printf ("%d\n", port);
  for (;;) {
    n = fill (fds, listener);
    if (poll (fds, (nfds_t) n, -1) < 0)
      return 1;
    serve (fds, n);
    if (fds[1].revents != 0)
      welcome (listener);
    if (fds[0].revents != 0 && !obey ())
      return 0;
  }
}
