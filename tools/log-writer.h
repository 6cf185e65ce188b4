/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log-writer: what the library logs, one line each on stderr: warnings and worse,
 * and the rest, the events of the sink `log` among it, where G_MESSAGES_DEBUG names the domain.
 */
#ifndef CENOTE_TOOLS_LOG_WRITER_H
#define CENOTE_TOOLS_LOG_WRITER_H

void log_writer_install (void);

#endif
