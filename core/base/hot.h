/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hot: marks what every get, release and unary call runs through.
 *
 * The linker puts what is marked side by side.  Between two calls of a program the caches
 * are gRPC's, the kernel's and the server's: then what a call costs is less its instructions
 * than the pages that they are on.
 */
#ifndef CENOTE_CORE_HOT_H
#define CENOTE_CORE_HOT_H

#define HOT __attribute__ ((hot))
/* What is for faults alone: the ways to it, too, are put far from what is marked HOT. */
#define COLD __attribute__ ((cold))

#endif
