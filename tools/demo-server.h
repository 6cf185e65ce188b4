/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demo-server: a gRPC server inside this process, by C-core's server API.
 *
 * Serves on an address of this machine, plaintext or TLS: /cenote.demo.Echo/Echo gives the message back,
 * /cenote.demo.Echo/Header the value of the call's header that the message names,
 * /grpc.health.v1.Health/Check says SERVING, anything else is UNIMPLEMENTED.
 * One thread serves while the server runs.  A bound socket that never listens
 * keeps the port for us while it does not: connects are then refused, as with a
 * server that has died.
 */
#ifndef CENOTE_TOOLS_DEMO_SERVER_H
#define CENOTE_TOOLS_DEMO_SERVER_H

#include <glib.h>

G_BEGIN_DECLS

#define DEMO_ECHO_METHOD "/cenote.demo.Echo/Echo"
/* ":authority" is a header here, ":peer" the common name of the client's certificate, and ":all" a
 * line for each that came, in order. */
#define DEMO_HEADER_METHOD "/cenote.demo.Echo/Header"
#define DEMO_HEALTH_METHOD "/grpc.health.v1.Health/Check"

typedef struct DemoServer DemoServer;

/* Takes a free port of 127.0.0.1; starts nothing, not even gRPC.  NULL with CENOTE_ERROR_CALL where there is none. */
DemoServer *demo_server_new (GError **error);
/* The same with the port given. */
DemoServer *demo_server_new_on (guint16 port, GError **error);
/* The same with an IPv4 address; port 0: any free one. */
DemoServer *demo_server_new_at (const char *address, guint16 port, GError **error);
/* Stops it first. */
void demo_server_free (DemoServer *server);
guint16 demo_server_get_port (const DemoServer *server);

/* From the next start on by TLS, with a certificate and its key; CLIENT_AUTHORITIES (nullable): and
 * for clients alone whose certificate one of these CAs has signed.  All PEM, copied. */
void demo_server_set_tls (DemoServer *server, const char *certificate, const char *key, const char *client_authorities);

/* FALSE where the port cannot be served. */
gboolean demo_server_start (DemoServer *server, GError **error);
/* At once: connections are closed, calls in flight are cut. */
void demo_server_stop (DemoServer *server);

/* Since the last start: the calls answered, and the TCP connections that they came over. */
guint demo_server_count_calls (DemoServer *server);
guint demo_server_count_connections (DemoServer *server);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (DemoServer, demo_server_free)

G_END_DECLS

#endif
