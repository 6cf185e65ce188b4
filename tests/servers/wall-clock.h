/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wall-clock: sets the wall clock back, for this process alone.
 *
 * The kernel's stays as it is.  What a test can do is to run ahead of it for a while, in
 * this process's clock_gettime(), and then to stop: to whoever computed a time meanwhile
 * and sleeps until then, that is what a clock is which was set back.  Of the kernel's two
 * answers to timerfd's TFD_TIMER_CANCEL_ON_SET only the read()'s ECANCELED is made up.
 *
 * A program that has this links with wall_clock_ldflags of tests/local.mk.
 */
#ifndef CENOTE_TESTS_WALL_CLOCK_H
#define CENOTE_TESTS_WALL_CLOCK_H

/* From now on CLOCK_REALTIME is so many seconds ahead of the kernel's. */
void wall_clock_run_ahead (long seconds);
/* It is the kernel's again, and nobody is told. */
void wall_clock_set_back (void);
/* Every timerfd of the library that asked to hear of it does. */
void wall_clock_tell (void);

#endif
