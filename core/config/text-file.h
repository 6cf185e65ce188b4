/* SPDX-License-Identifier: Apache-2.0 */
/* text-file: reads a small regular file, and nothing that could hang or swamp us. */
#ifndef CENOTE_CORE_TEXT_FILE_H
#define CENOTE_CORE_TEXT_FILE_H

#include <cenote/error.h>

G_BEGIN_DECLS

/* (transfer full) (nullable): the bytes of PATH and a NUL; OUT_LENGTH: without it.
 * Errors, each naming PATH: CENOTE_ERROR_NOT_FOUND where there is none;
 * CENOTE_ERROR_CONFIG where it cannot be read, is no regular file (a FIFO does
 * not hang us) or has more than MAX bytes. */
char *text_file_read (const char *path, gsize max, gsize *out_length, GError **error);

G_END_DECLS

#endif
