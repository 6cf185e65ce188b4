/* SPDX-License-Identifier: Apache-2.0 */
/* rpc-request: what every attempt of a call sends, checked before anything is sent. */
#include <grpc/grpc.h>
#include <grpc/slice.h>
#include <stdatomic.h>
#include <string.h>

#include "core/base/hot.h"
#include "rpc-private.h"

/* ------------------------------------------------------------------ methods */

/* A program calls the same few methods again and again.  Their texts stay for good, so that no call counts
 * who refers to them; of one that calls more than these (it relays whatever comes) each call has its own. */
#define MAX_KEPT 1000
#define LONGEST_KEPT 255

static _Atomic guint n_methods_kept;

/* What the thread called last. */
static _Thread_local struct {
  const char *text;          /* NULL: nothing yet */
  grpc_slice slice;
} last_method;

static gboolean
is_method (const char *method)
{
  const char *slash = method == NULL || method[0] != '/' ? NULL : strchr (method + 1, '/');

  return slash != NULL && slash > method + 1 && slash[1] != '\0' && strchr (slash + 1, '/') == NULL;
}

static COLD gboolean
refuse_method (const char *method, GError **error)
{
  g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_INVALID, "method is %s: use a full path such as /package.Service/Method",
               method == NULL ? "NULL" : method);
  return FALSE;
}

static gboolean
may_keep (const char *method)
{
  if (strlen (method) > LONGEST_KEPT)
    return FALSE;
  return g_quark_try_string (method) != 0 ||
         (atomic_load (&n_methods_kept) < MAX_KEPT && atomic_fetch_add (&n_methods_kept, 1) < MAX_KEPT);
}

static gboolean
find_method (RpcRequest *request, const char *method, GError **error)
{
  if (!is_method (method))
    return refuse_method (method, error);
  request->has_own_method = !may_keep (method);
  if (request->has_own_method) {
    request->method = grpc_slice_from_copied_string (method);
    return TRUE;
  }
  last_method.text = g_intern_string (method);
  last_method.slice = grpc_slice_from_static_string (last_method.text);
  request->method = last_method.slice;
  return TRUE;
}

static HOT gboolean
set_method (RpcRequest *request, const char *method, GError **error)
{
  if (last_method.text == NULL || method == NULL || strcmp (method, last_method.text) != 0)
    return find_method (request, method, error);
  request->has_own_method = FALSE;
  request->method = last_method.slice;
  return TRUE;
}

/* ----------------------------------------------------------------- metadata */

static gboolean
is_reserved (const char *key)
{
  return key[0] == ':' || g_str_has_prefix (key, "grpc-");
}

/* Values are not shown: they may be secrets. */
static gboolean
check_metadatum (grpc_slice key, grpc_slice value, const char *name, GError **error)
{
  if (!grpc_header_key_is_legal (key) || is_reserved (name)) {
    g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_INVALID,
                 "metadata key \"%s\": use lower case letters, digits, '-', '_' and '.', and not what begins with grpc- or ':'",
                 name);
    return FALSE;
  }
  if (grpc_is_binary_header (key) || grpc_header_nonbin_value_is_legal (value))
    return TRUE;
  g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_INVALID,
               "metadata %s: its value is not printable ASCII (a key that ends in -bin takes any bytes)", name);
  return FALSE;
}

static gboolean
add_metadatum (RpcRequest *request, const CenoteMetadatum *metadatum, GError **error)
{
  gsize length = metadatum->length < 0 ? strlen (metadatum->value) : (gsize) metadatum->length;
  grpc_metadata *row = &request->metadata[request->n_metadata];

  memset (row, 0, sizeof *row);
  row->key = grpc_slice_from_copied_string (metadatum->key);
  row->value = grpc_slice_from_copied_buffer (metadatum->value == NULL ? "" : metadatum->value, length);
  request->n_metadata++;
  return check_metadatum (row->key, row->value, metadatum->key, error);
}

static void
free_room (RpcRequest *request)
{
  if (request->metadata != &request->deadline_row)
    g_free (request->metadata);
}

HOT gboolean
rpc_request_init (RpcRequest *request, const char *method, const CenoteMetadatum *metadata, gsize n_metadata,
                  const RpcPayload *payload, GError **error)
{
  gsize i;

  if (payload != NULL && !rpc_payload_check (payload, error))
    return FALSE;
  if (!set_method (request, method, error))
    return FALSE;
  request->is_stream = payload == NULL;
  request->message = grpc_empty_slice ();
  request->metadata = n_metadata == 0 ? &request->deadline_row : g_new (grpc_metadata, n_metadata + 1);
  request->n_metadata = request->n_credentials = 0;
  for (i = 0; i < n_metadata; i++) {
    if (!add_metadatum (request, &metadata[i], error)) {
      rpc_request_clear (request);
      return FALSE;
    }
  }
  if (payload != NULL)
    request->message = rpc_payload_slice (payload);
  return TRUE;
}

/* For N_ROWS, of which the first N_KEPT stay. */
static void
set_room (RpcRequest *request, gsize n_kept, gsize n_rows)
{
  grpc_metadata *rows = n_rows == 1 ? &request->deadline_row : g_new (grpc_metadata, n_rows);

  if (rows == request->metadata)
    return;
  memcpy (rows, request->metadata, n_kept * sizeof *rows);
  free_room (request);
  request->metadata = rows;
}

void
rpc_request_set_credentials (RpcRequest *request, CcoreCredentials *credentials)
{
  const gsize n_own = request->n_metadata - request->n_credentials;

  ccore_metadata_clear (request->metadata + n_own, request->n_credentials);
  request->n_credentials = ccore_credentials_count (credentials);
  request->n_metadata = n_own + request->n_credentials;
  set_room (request, n_own, request->n_metadata + 1);
  ccore_credentials_add_to (credentials, request->metadata + n_own);
}

HOT void
rpc_request_clear (RpcRequest *request)
{
  ccore_metadata_clear (request->metadata, request->n_metadata);
  free_room (request);
  if (request->has_own_method)
    grpc_slice_unref (request->method);
  if (request->message.refcount != NULL)
    grpc_slice_unref (request->message);
}

/* ----------------------------------------------------------------- deadline */

/* gRPC's form: at most eight digits and a unit. */
#define LARGEST_TIMEOUT 99999999

static grpc_slice
timeout_text (gint64 us)
{
  gint64 ms = (us + 999) / 1000;
  gboolean fits = ms <= LARGEST_TIMEOUT;
  gint64 number = fits ? ms : MIN ((ms + 999) / 1000, LARGEST_TIMEOUT);
  char text[16];
  char *start = text + sizeof text;

  *--start = fits ? 'm' : 'S';
  do
    *--start = (char) ('0' + number % 10);
  while ((number /= 10) > 0);
  return grpc_slice_from_copied_buffer (start, (gsize) (text + sizeof text - start));
}

/* What a thread's call said last: most say the same again and again. */
static _Thread_local struct {
  gint64 us;
  grpc_metadata row;
} last_timeout = { .us = -1 };

/* The text is short enough to be in the slice itself, so that a copy of the row is one more of it. */
static void
learn_timeout (gint64 us)
{
  last_timeout.us = us;
  last_timeout.row = (grpc_metadata) { .key = grpc_slice_from_static_string ("grpc-timeout"), .value = timeout_text (us) };
}

HOT void
rpc_request_set_timeout (RpcRequest *request, gint64 us)
{
  if (last_timeout.us != us)
    learn_timeout (us);
  request->metadata[request->n_metadata] = last_timeout.row;
}
