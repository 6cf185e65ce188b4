/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prometheus-fork: sockets that a forked child of this process must not keep.
 *
 * A child has none of our threads; a listening socket that it held would keep the port from whoever comes after us,
 * and a client's would keep the client waiting.
 */
#ifndef CENOTE_PROMETHEUS_FORK_H
#define CENOTE_PROMETHEUS_FORK_H

/* FD is closed in a child; any thread. */
void fork_guard_add (int fd);
/* Before FD is closed here. */
void fork_guard_remove (int fd);

#endif
