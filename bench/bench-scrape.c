/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench-scrape: how long a good scrape of the sink prometheus takes while others do their worst.
 *
 * Scrapes are made alone and under attack in turn.  An attacker is this program in a process of its own; under a
 * real-time policy (chrt -r) it gives way to us: elsewhere it would not take our processors.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rig.h"

#define N_ROUNDS 5
#define N_SCRAPES 100        /* of each kind in a round */
#define PAUSE_US 2000        /* between two */
#define LIMIT_MS 50.0
#define PATIENCE_S 10        /* then a scrape has failed */

/* ----------------------------------------------------------------- sockets */

/* -1: it was refused. */
static int
dial (guint port)
{
  const struct sockaddr_in address = {
    .sin_family = AF_INET, .sin_port = htons ((guint16) port), .sin_addr = { htonl (INADDR_LOOPBACK) }
  };
  const struct timeval patience = { .tv_sec = PATIENCE_S };
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

  (void) setsockopt (fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  (void) setsockopt (fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (connect (fd, (const struct sockaddr *) &address, sizeof address) == 0)
    return fd;
  close (fd);
  return -1;
}

/* FALSE: the peer has closed. */
static gboolean
say (int fd, const char *text, gsize n)
{
  return send (fd, text, n, MSG_NOSIGNAL | MSG_DONTWAIT) == (gssize) n;
}

/* ---------------------------------------------------------------- attackers */

/* For so long, or until our stdin has ended. */
static gboolean
rest (int ms)
{
  struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };

  return poll (&input, 1, ms) == 0;
}

static void
open_all (int *fds, guint n, guint port, const char *text)
{
  for (guint i = 0; i < n; i++) {
    fds[i] = dial (port);
    (void) say (fds[i], text, strlen (text));
  }
  puts ("ready");
  fflush (stdout);
}

/* Who was cut off comes again. */
static void
renew (int *fd, guint port, const char *text)
{
  close (*fd);
  *fd = dial (port);
  (void) say (*fd, text, strlen (text));
}

/* 200 clients that say a byte a second each. */
static void
be_slow (guint port)
{
  enum { N = 200 };
  int fds[N];

  open_all (fds, N, port, "G");
  for (guint i = 0; rest (1000 / N); i = (i + 1) % N)
    if (!say (fds[i], "E", 1))
      renew (&fds[i], port, "G");
}

/* Heads of 100 KiB, one after another without a pause. */
static void
be_large (guint port)
{
  g_autofree char *head = g_strnfill (100 << 10, 'x');
  char answer[1024];

  memcpy (head, "GET / HTTP/1.1\r\n", 16);
  puts ("ready");
  fflush (stdout);
  while (rest (0)) {
    int fd = dial (port);

    (void) !send (fd, head, 100 << 10, MSG_NOSIGNAL);
    while (recv (fd, answer, sizeof answer, 0) > 0)
      continue;
    close (fd);
  }
}

/* 1000 half requests at once, each a newcomer again as soon as a thousand others were. */
static void
be_half (guint port)
{
  enum { N = 1000 };
  static const char half[] = "GET /metrics HTTP/1.1\r\nHo";
  int fds[N];

  open_all (fds, N, port, half);
  for (guint i = 0; rest (1); i = (i + 1) % N)
    renew (&fds[i], port, half);
}

static const struct { const char *name; void (*run) (guint port); } attacks[] = {
  { "200 slow clients", be_slow },
  { "heads of 100 KiB", be_large },
  { "1000 half requests", be_half }
};

static void
give_way (void)
{
  int policy = sched_getscheduler (0);
  const struct sched_param least = { .sched_priority = sched_get_priority_min (policy) };

  (void) sched_setscheduler (0, policy, &least);
}

static int
attack (const char *name, const char *port)
{
  give_way ();
  for (guint i = 0; i < G_N_ELEMENTS (attacks); i++)
    if (g_str_equal (attacks[i].name, name))
      attacks[i].run ((guint) atoi (port));
  return 0;
}

/* Once it is at it. */
static Child *
start_attack (const char *name, guint port)
{
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *text = g_strdup_printf ("%u", port);
  const char *argv[] = { program, name, text, NULL };
  Child *child = child_start (argv, NULL);
  g_autofree char *line = child == NULL ? NULL : child_read (child);

  if (line == NULL)
    g_error ("there is no attacker");
  return child;
}

/* ------------------------------------------------------------------ scrapes */

/* Milliseconds from the connect to the last byte. */
static double
scrape (guint port)
{
  static const char request[] = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
  char answer[65536], begin[16] = "";
  gint64 began_us = g_get_monotonic_time ();
  int fd = dial (port);
  gssize n;

  if (fd >= 0 && say (fd, request, sizeof request - 1))
    while ((n = recv (fd, answer, sizeof answer, 0)) > 0)
      if (*begin == '\0')
        g_strlcpy (begin, answer, sizeof begin);
  close (fd);
  if (!g_str_has_prefix (begin, "HTTP/1.1 200"))
    g_error ("a good scrape was not answered");
  return (double) (g_get_monotonic_time () - began_us) / 1000;
}

static void
scrape_often (guint port, GArray *times_ms)
{
  for (guint i = 0; i < N_SCRAPES; i++) {
    rig_add (times_ms, scrape (port));
    g_usleep (PAUSE_US);
  }
}

/* NAME NULL: all of them at once. */
static void
scrape_under (const char *name, guint port, GArray *times_ms)
{
  Child *attackers[G_N_ELEMENTS (attacks)] = { NULL };

  for (guint i = 0; i < G_N_ELEMENTS (attacks); i++)
    if (name == NULL || g_str_equal (name, attacks[i].name))
      attackers[i] = start_attack (attacks[i].name, port);
  scrape_often (port, times_ms);
  for (guint i = 0; i < G_N_ELEMENTS (attacks); i++)
    child_free (attackers[i]);
}

static void
print_times (const char *what, GArray *times_ms)
{
  printf ("    %-16s %8.2f %8.2f %8.2f ms\n", what, rig_quantile (times_ms, 0.5), rig_quantile (times_ms, 0.99),
          rig_quantile (times_ms, 1));
}

static void
measure (const char *name, guint port)
{
  g_autoptr (GArray) alone = g_array_new (FALSE, FALSE, sizeof (double));
  g_autoptr (GArray) under = g_array_new (FALSE, FALSE, sizeof (double));
  double slowest;

  for (guint i = 0; i < N_ROUNDS; i++) {
    scrape_often (port, alone);
    scrape_under (name, port, under);
  }
  printf ("  %s\n", name == NULL ? "all at once" : name);
  print_times ("alone", alone);
  print_times ("under attack", under);
  slowest = rig_quantile (under, 1);
  printf ("    ratio of medians %8.2f; slowest at most %g ms: %s\n", rig_quantile (under, 0.5) / rig_quantile (alone, 0.5),
          LIMIT_MS, slowest <= LIMIT_MS ? "holds" : "MISSED");
  fflush (stdout);
}

/* ----------------------------------------------------------------- endpoint */

static guint endpoint_port;

/* The sink says where it listens. */
static GLogWriterOutput
find_port (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  static const char words[] = "serves http://127.0.0.1:";

  (void) data;
  if (level & G_LOG_FLAG_FATAL)
    return g_log_writer_default (level, fields, n_fields, NULL);
  for (gsize i = 0; i < n_fields; i++) {
    const char *at = g_str_equal (fields[i].key, "MESSAGE") ? strstr (fields[i].value, words) : NULL;

    if (at != NULL)
      endpoint_port = (guint) atoi (at + strlen (words));
  }
  return G_LOG_WRITER_HANDLED;
}

static CenoteRuntime *
open_endpoint (guint server_port)
{
  g_autofree char *text = g_strdup_printf ("[cenote]\ntelemetry=prometheus\n[telemetry:prometheus]\nlisten=127.0.0.1:0\n"
                                           "[pool:bench]\nprofile=local\nsize=5\ntarget=ipv4:127.0.0.1:%u\n", server_port);
  g_autoptr (GError) error = NULL;
  g_autoptr (CenoteConfig) config = cenote_config_new_from_data (text, -1, &error);
  CenoteRuntime *runtime = config == NULL ? NULL : cenote_runtime_new (config, &error);

  if (runtime == NULL)
    g_error ("%s", error->message);
  return runtime;
}

int
main (int argc, char **argv)
{
  CenoteRuntime *runtime;
  Child *server;
  guint port = 0;

  if (argc == 3)
    return attack (argv[1], argv[2]);
  g_log_set_writer_func (find_port, NULL, NULL);
  server = rig_start_server (&port);
  runtime = open_endpoint (port);
  printf ("\nGood scrapes of telemetry/prometheus, max-connections=256%8s %8s %8s\n", "p50", "p99", "max");
  for (guint i = 0; i < G_N_ELEMENTS (attacks); i++)
    measure (attacks[i].name, endpoint_port);
  measure (NULL, endpoint_port);
  cenote_runtime_unref (runtime);
  child_free (server);
  return 0;
}
