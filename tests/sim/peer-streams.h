/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peer-streams: the private streams of a simulation: what its peers answer to
 * pings and to health checks, by what a test has set in Peer.voice.
 */
#ifndef CENOTE_TESTS_SIM_PEER_STREAMS_H
#define CENOTE_TESTS_SIM_PEER_STREAMS_H

#include "core/grpc/health-message.h"
#include "core/grpc/stream.h"
#include "peers.h"

G_BEGIN_DECLS

StreamMaker peer_stream_maker (Control *control);

/* From now on PEER's health is STATUS, and who watches is told. */
void peer_serves (Peer *peer, ServingStatus status);
/* Every Watch at PEER ends with STATUS. */
void peer_end_watches (Peer *peer, int status, const char *details);

G_END_DECLS

#endif
