/* SPDX-License-Identifier: Apache-2.0 */
/* error: the error domain of what fails without a call (CENOTE_STATUS: core/call/status-error.c).  Any thread. */
#include <cenote/error.h>

G_DEFINE_QUARK (cenote-error-quark, cenote_error)
