/* SPDX-License-Identifier: Apache-2.0 */
/* prometheus-listen: where the endpoint is: "127.0.0.1:9464", "[::1]:9464", "localhost:9464" or "unix:///run/app.sock". */
#ifndef CENOTE_PROMETHEUS_LISTEN_H
#define CENOTE_PROMETHEUS_LISTEN_H

#include <glib.h>
#include <sys/socket.h>

typedef struct ListenAddress {
  struct sockaddr_storage socket;
  socklen_t size;
  char *path;                /* of a unix socket; else NULL */
} ListenAddress;

/* Reads TEXT.  NULL, or (transfer full) what is wrong with it, and what would be right. */
char *listen_address_read (const char *text, ListenAddress *out);
void listen_address_clear (ListenAddress *address);

/* A socket that listens at ADDRESS, or -1 with (transfer full) why in OUT_WHY.  A unix socket that nobody
 * listens at any more is taken over. */
int listen_open (const ListenAddress *address, char **out_why);
/* (transfer full): what a browser calls the place that FD listens at: "http://127.0.0.1:9464/", with its real port. */
char *listen_url (const ListenAddress *address, int fd);
/* Closes FD; a unix socket's file goes where it is still ours. */
void listen_close (const ListenAddress *address, int fd);

#endif
