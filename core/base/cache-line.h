/* SPDX-License-Identifier: Apache-2.0 */
/* cache-line: what processors hand to each other: who writes often has lines that others do not read. */
#ifndef CENOTE_CORE_CACHE_LINE_H
#define CENOTE_CORE_CACHE_LINE_H

/* Bytes; of every processor that gRPC is built for by Debian, or a multiple of theirs. */
#define CACHE_LINE 64

#endif
