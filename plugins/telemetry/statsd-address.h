/* SPDX-License-Identifier: Apache-2.0 */
/*
 * statsd-address: where a daemon is.
 *
 * A text becomes an address at once where it is a number or a path.  A name is looked up on a thread of its own, so
 * that nobody waits for the name's servers; whoever gives the address up does not wait for that thread either.
 */
#ifndef CENOTE_PLUGINS_STATSD_ADDRESS_H
#define CENOTE_PLUGINS_STATSD_ADDRESS_H

#include <glib.h>
#include <sys/socket.h>

#define STATSD_DEFAULT_PORT 8125

typedef struct StatsdAddress StatsdAddress;

typedef enum {
  STATSD_ADDRESS_KNOWN,
  STATSD_ADDRESS_PENDING,    /* its name is being looked up */
  STATSD_ADDRESS_UNKNOWN     /* its name has no address; it is looked up again from now on */
} StatsdAddressState;

/* TEXT: "127.0.0.1:8125", "[::1]:8125", "statsd.example.com", "unix:///run/statsd.sock".
 * NULL: *OUT_PROBLEM (transfer full) says what would be right. */
StatsdAddress *statsd_address_new (const char *text, char **out_problem);
void statsd_address_free (StatsdAddress *address);

/* *OUT and *OUT_SIZE where KNOWN; *OUT_WHY (transfer full) where UNKNOWN. */
StatsdAddressState statsd_address_get (StatsdAddress *address, struct sockaddr_storage *out, socklen_t *out_size,
                                       char **out_why);

#endif
