/* SPDX-License-Identifier: Apache-2.0 */
/* <cenote/error.h>: the error domains. */
#ifndef CENOTE_ERROR_H
#define CENOTE_ERROR_H

#include <cenote/version.h>
#include <glib.h>

G_BEGIN_DECLS

/**
 * CENOTE_ERROR:
 *
 * What can fail without a call having been made.  Each message names the
 * object, the value, and what would be right or what to do next.
 */
#define CENOTE_ERROR (cenote_error_quark ())

/**
 * cenote_error_quark:
 *
 * Returns: the domain CENOTE_ERROR.
 * Errors: none.  Threads: any.  Blocks: no.  Since: 0.1
 */
CENOTE_API GQuark cenote_error_quark (void);

/**
 * CenoteError:
 * @CENOTE_ERROR_CONFIG: a keyfile, a setting or a connection string is wrong
 * @CENOTE_ERROR_PLUGIN: a plugin was refused, or failed
 * @CENOTE_ERROR_NOT_FOUND: no pool, plugin or file of that name
 * @CENOTE_ERROR_NOT_CONNECTED: no channel is ready; the message has the last connection error
 * @CENOTE_ERROR_TIMEOUT: the wait was longer than the caller allowed
 * @CENOTE_ERROR_LIMIT: above a maximum, below a minimum, or too many waiters
 * @CENOTE_ERROR_STOPPED: the pool or the runtime was stopped, is paused for good, or this is a forked child
 * @CENOTE_ERROR_INVALID: the call does not fit this pool, this thread or these values
 * @CENOTE_ERROR_CALL: gRPC did not take the call
 */
typedef enum {
  CENOTE_ERROR_CONFIG = 1,
  CENOTE_ERROR_PLUGIN,
  CENOTE_ERROR_NOT_FOUND,
  CENOTE_ERROR_NOT_CONNECTED,
  CENOTE_ERROR_TIMEOUT,
  CENOTE_ERROR_LIMIT,
  CENOTE_ERROR_STOPPED,
  CENOTE_ERROR_INVALID,
  CENOTE_ERROR_CALL
} CenoteError;

/**
 * CENOTE_STATUS:
 *
 * A call that got a channel and ended badly; the code is its grpc_status_code
 * (also one above 16, as the server sent it).
 */
#define CENOTE_STATUS (cenote_status_quark ())

/**
 * cenote_status_quark:
 *
 * Returns: the domain CENOTE_STATUS.
 * Errors: none.  Threads: any.  Blocks: no.  Since: 0.1
 */
CENOTE_API GQuark cenote_status_quark (void);

G_END_DECLS

#endif
