/* SPDX-License-Identifier: Apache-2.0 */
/* bench-idle: what share of a core a process uses that has a pool of five connected channels and no callers. */
#include <stdio.h>
#include <sys/resource.h>

#include "rig.h"

#define N_WINDOWS 6
#define WINDOW_US (2 * G_USEC_PER_SEC)

static gint64
cpu_us (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * G_USEC_PER_SEC +
         usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

int
main (void)
{
  g_autoptr (GArray) shares = g_array_new (FALSE, FALSE, sizeof (double));
  guint port = 0;
  g_autoptr (Child) server G_GNUC_UNUSED = rig_start_server (&port);
  Rig *rig = rig_new (port);
  guint i;

  g_usleep (G_USEC_PER_SEC);
  for (i = 0; i < N_WINDOWS; i++) {
    gint64 began_us = cpu_us ();

    g_usleep (WINDOW_US);
    rig_add (shares, 100.0 * (double) (cpu_us () - began_us) / WINDOW_US);
  }
  rig_title ("an idle process");
  rig_print ("of a core, in windows of 2 s", "%", shares, BENCH_AT_MOST, 0.5);
  rig_free (rig);
  return 0;
}
