/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uri: a connection string, taken apart:
 *
 *   SCHEME://[USER[:PASSWORD]@]HOST[:PORT][,HOST[:PORT]…][?KEY=VALUE&…]   or unix:///PATH[?…]
 *
 * Knows the grammar only; what the keys mean is uri-keys'.  GUri would cut a list of
 * hosts at its first comma, so only percent-decoding is its.  No problem repeats any of the text
 * but the scheme: where a '@' or '/' was not encoded, every part may turn out to be the password.  Pure.
 */
#ifndef CENOTE_CORE_URI_H
#define CENOTE_CORE_URI_H

#include <glib.h>

G_BEGIN_DECLS

#define URI_HOSTS_MAX 1000
#define URI_ITEMS_MAX 200

typedef enum { URI_GRPC, URI_GRPCS, URI_UNIX, URI_CHRONICLE } UriScheme;

/* One KEY=VALUE, the value decoded. */
typedef struct UriItem {
  char *key;
  char *value;
} UriItem;

typedef struct Uri {
  UriScheme scheme;
  char **addresses;      /* each HOST:PORT, or the one unix:///PATH, percent-encoded as C-core takes it */
  char *user_password;   /* (nullable): "user:password", decoded; the password is empty where there is none */
  GPtrArray *items;      /* of UriItem, in their order; a key may stand there twice */
  gboolean has_stray_at; /* a '@' that is not encoded stands in the query: what looks like keys may be a password */
} Uri;

/* (transfer full) (nullable): NULL where PROBLEMS (of char *, owned) got any. */
Uri *uri_parse (const char *text, GPtrArray *problems);
void uri_free (Uri *uri);

/* "grpc", … */
const char *uri_scheme_name (UriScheme scheme);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Uri, uri_free)

G_END_DECLS

#endif
