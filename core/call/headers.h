/* SPDX-License-Identifier: Apache-2.0 */
/*
 * headers: metadata that came with a call: keys in lower case, values that may hold
 * any bytes, in their order.  Immutable once made; any thread.
 */
#ifndef CENOTE_CORE_CALL_HEADERS_H
#define CENOTE_CORE_CALL_HEADERS_H

#include <glib.h>

G_BEGIN_DECLS

typedef struct Header {
  char *key;
  char *value;               /* with a NUL after its LENGTH bytes */
  gsize length;
} Header;

typedef struct Headers {
  gsize n;
  Header *rows;
} Headers;

Headers *headers_new (gsize n);
Headers *headers_copy (const Headers *headers);
void headers_free (Headers *headers);
/* Fills row I, once. */
void headers_put (Headers *headers, gsize i, const char *key, gsize key_length, const char *value, gsize length);
/* (nullable): the first value of KEY.  HEADERS may be NULL. */
const char *headers_get (const Headers *headers, const char *key, gsize *out_length);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Headers, headers_free)

G_END_DECLS

#endif
