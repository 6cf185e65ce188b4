/* SPDX-License-Identifier: Apache-2.0 */
/* rpc-request: what every attempt of a call sends, checked before anything is sent. */
#include <grpc/grpc.h>
#include <grpc/slice.h>
#include <string.h>

#include "rpc-private.h"

static gboolean
check_method (const char *method, GError **error)
{
  const char *slash = method == NULL || method[0] != '/' ? NULL : strchr (method + 1, '/');

  if (slash != NULL && slash > method + 1 && slash[1] != '\0' && strchr (slash + 1, '/') == NULL)
    return TRUE;
  g_set_error (error, CENOTE_ERROR, CENOTE_ERROR_INVALID, "method is %s: use a full path such as /package.Service/Method",
               method == NULL ? "NULL" : method);
  return FALSE;
}

/* The method that a thread called last: most call the same again and again. */
static void
forget_method (gpointer data)
{
  grpc_slice *method = data;

  grpc_slice_unref (*method);
  g_free (method);
}

static GPrivate last_method = G_PRIVATE_INIT (forget_method);

static gboolean
is_method (const grpc_slice *slice, const char *method)
{
  return slice != NULL && method != NULL && strlen (method) == GRPC_SLICE_LENGTH (*slice) &&
         memcmp (method, GRPC_SLICE_START_PTR (*slice), GRPC_SLICE_LENGTH (*slice)) == 0;
}

/* (transfer none) (nullable): METHOD, checked. */
static const grpc_slice *
find_method (const char *method, GError **error)
{
  grpc_slice *last = g_private_get (&last_method);

  if (is_method (last, method))
    return last;
  if (!check_method (method, error))
    return NULL;
  last = g_new (grpc_slice, 1);
  *last = grpc_slice_from_copied_string (method);
  g_private_replace (&last_method, last);
  return last;
}

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

RpcRequest *
rpc_request_new (const char *method, const CenoteMetadatum *metadata, gsize n_metadata, GBytes *message, GError **error)
{
  const grpc_slice *path = find_method (method, error);
  RpcRequest *request;
  gsize i;

  if (path == NULL)
    return NULL;
  request = g_new0 (RpcRequest, 1);
  request->method = grpc_slice_ref (*path);
  request->metadata = g_new (grpc_metadata, n_metadata + 1);
  request->message = message == NULL ? NULL : g_bytes_ref (message);
  for (i = 0; i < n_metadata; i++) {
    if (!add_metadatum (request, &metadata[i], error)) {
      rpc_request_free (request);
      return NULL;
    }
  }
  return request;
}

void
rpc_request_set_credentials (RpcRequest *request, CcoreCredentials *credentials)
{
  const gsize n_own = request->n_metadata - request->n_credentials;

  ccore_metadata_clear (request->metadata + n_own, request->n_credentials);
  request->n_credentials = ccore_credentials_count (credentials);
  request->n_metadata = n_own + request->n_credentials;
  request->metadata = g_renew (grpc_metadata, request->metadata, request->n_metadata + 1);
  ccore_credentials_add_to (credentials, request->metadata + n_own);
}

void
rpc_request_free (RpcRequest *request)
{
  if (request == NULL)
    return;
  ccore_metadata_clear (request->metadata, request->n_metadata);
  g_free (request->metadata);
  grpc_slice_unref (request->method);
  g_clear_pointer (&request->message, g_bytes_unref);
  g_free (request);
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

/* The text is short enough to be in the slice itself. */
void
rpc_request_set_timeout (RpcRequest *request, gint64 us)
{
  grpc_metadata *row = &request->metadata[request->n_metadata];

  memset (row, 0, sizeof *row);
  row->key = grpc_slice_from_static_string ("grpc-timeout");
  row->value = timeout_text (us);
}
