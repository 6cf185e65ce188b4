/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connects: when this process called connect(), and to which port, since the test at hand began.
 *
 * The program's own connect() stands before libc's, for the libraries too: it
 * notes the time and goes on into the kernel.  Any thread.
 */
#ifndef CENOTE_TESTS_CONNECTS_H
#define CENOTE_TESTS_CONNECTS_H

#include <glib.h>

#include <vector>

/* Monotonic microseconds, oldest first. */
std::vector<gint64> connects_to (unsigned port);
/* Waits until there have been N.  FALSE: not within a minute. */
bool connects_await (unsigned port, size_t n);

#endif
