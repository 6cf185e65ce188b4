/* SPDX-License-Identifier: Apache-2.0 */
/* error: the two error domains, made on first use.  Any thread. */
#include <cenote/error.h>

G_DEFINE_QUARK (cenote-error-quark, cenote_error)
G_DEFINE_QUARK (cenote-status-quark, cenote_status)
