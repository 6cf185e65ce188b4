/* SPDX-License-Identifier: Apache-2.0 */
#include "ccore-credentials.h"

#include <grpc/grpc_security.h>
#include <grpc/support/string_util.h>

#include "core/base/monitor.h"

struct CcoreCredentials {
  gatomicrefcount refs;      /* the pool's, its calls', and C-core's while a channel has them */
  char *header;
  grpc_call_credentials *calls; /* NULL until asked for; control thread */
  Monitor lock;              /* the next one */
  grpc_slice value;
};

static grpc_slice
credentials_take_value (CcoreCredentials *credentials)
{
  grpc_slice value;

  monitor_lock (&credentials->lock);
  value = grpc_slice_ref (credentials->value);
  monitor_unlock (&credentials->lock);
  return value;
}

CcoreCredentials *
ccore_credentials_new (const char *header, const char *value)
{
  CcoreCredentials *credentials = g_new0 (CcoreCredentials, 1);

  g_atomic_ref_count_init (&credentials->refs);
  credentials->header = g_strdup (header);
  credentials->value = grpc_slice_from_copied_string (value);
  monitor_init (&credentials->lock);
  return credentials;
}

CcoreCredentials *
ccore_credentials_ref (CcoreCredentials *credentials)
{
  g_atomic_ref_count_inc (&credentials->refs);
  return credentials;
}

void
ccore_credentials_unref (CcoreCredentials *credentials)
{
  if (credentials == NULL || !g_atomic_ref_count_dec (&credentials->refs))
    return;
  grpc_slice_unref (credentials->value);
  monitor_clear (&credentials->lock);
  g_free (credentials->header);
  g_free (credentials);
}

void
ccore_credentials_free (CcoreCredentials *credentials)
{
  if (credentials == NULL)
    return;
  if (credentials->calls != NULL)
    grpc_call_credentials_release (credentials->calls);
  credentials->calls = NULL;
  ccore_credentials_unref (credentials);
}

void
ccore_credentials_set (CcoreCredentials *credentials, const char *value)
{
  grpc_slice slice = grpc_slice_from_copied_string (value), old;

  monitor_lock (&credentials->lock);
  old = credentials->value;
  credentials->value = slice;
  monitor_unlock (&credentials->lock);
  grpc_slice_unref (old);
}

void
ccore_credentials_add_to (CcoreCredentials *credentials, grpc_metadata *out_metadata)
{
  *out_metadata = (grpc_metadata) {
    .key = grpc_slice_from_copied_string (credentials->header),
    .value = credentials_take_value (credentials),
  };
}

const char *
ccore_credentials_header (const CcoreCredentials *credentials)
{
  return credentials->header;
}

char *
ccore_credentials_dup_value (CcoreCredentials *credentials)
{
  grpc_slice value = credentials_take_value (credentials);
  char *text = g_strndup ((const char *) GRPC_SLICE_START_PTR (value), GRPC_SLICE_LENGTH (value));

  grpc_slice_unref (value);
  return text;
}

/* ------------------------------------------------------- for C-core's calls */

/* On the thread that starts a call; answers at once. */
static int
get_metadata (void *state, grpc_auth_metadata_context context, grpc_credentials_plugin_metadata_cb done,
              void *done_data, grpc_metadata metadata[GRPC_METADATA_CREDENTIALS_PLUGIN_SYNC_MAX], size_t *out_n,
              grpc_status_code *out_status, const char **out_details)
{
  (void) context;
  (void) done;
  (void) done_data;
  ccore_credentials_add_to (state, &metadata[0]);
  *out_n = 1;
  *out_status = GRPC_STATUS_OK;
  *out_details = NULL;
  return 1;
}

/* For C-core's own log: says nothing of the secret. */
static char *
describe (void *state)
{
  (void) state;
  return gpr_strdup ("CenoteCredentials");
}

static void
destroy (void *state)
{
  ccore_credentials_unref (state);
}

struct grpc_call_credentials *
ccore_credentials_get (CcoreCredentials *credentials)
{
  const grpc_metadata_credentials_plugin plugin = {
    .get_metadata = get_metadata,
    .debug_string = describe,
    .destroy = destroy,
    .state = credentials,
    .type = "cenote",
  };

  if (credentials->calls != NULL)
    return credentials->calls;
  ccore_credentials_ref (credentials);
  credentials->calls = grpc_metadata_credentials_create_from_plugin (plugin, GRPC_PRIVACY_AND_INTEGRITY, NULL);
  return credentials->calls;
}
