/* SPDX-License-Identifier: Apache-2.0 */
#include "ccore-credentials.h"

#include <grpc/grpc_security.h>
#include <grpc/support/string_util.h>

#include "core/base/hot.h"
#include "core/base/monitor.h"
#include "core/config/metadatum.h"

struct CcoreCredentials {
  gatomicrefcount refs;      /* the pool's, its calls', and C-core's while a channel has them */
  grpc_metadata *fixed;      /* metadata, before the header */
  gsize n_fixed;
  char **pairs;              /* the same, as names and values in turn */
  char *header;              /* NULL: none, and no value */
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

static void
set_fixed (CcoreCredentials *credentials, const char *const *metadata)
{
  gsize i;

  credentials->n_fixed = metadata == NULL ? 0 : g_strv_length ((char **) metadata);
  credentials->fixed = g_new0 (grpc_metadata, credentials->n_fixed);
  credentials->pairs = g_new0 (char *, 2 * credentials->n_fixed + 1);
  for (i = 0; i < credentials->n_fixed; i++) {
    const char *value;

    credentials->pairs[2 * i] = metadatum_split (metadata[i], &value);
    credentials->pairs[2 * i + 1] = g_strdup (value);
    credentials->fixed[i].key = grpc_slice_from_copied_string (credentials->pairs[2 * i]);
    credentials->fixed[i].value = grpc_slice_from_copied_string (value);
  }
}

CcoreCredentials *
ccore_credentials_new (const char *header, const char *value, const char *const *metadata)
{
  CcoreCredentials *credentials = g_new0 (CcoreCredentials, 1);

  g_atomic_ref_count_init (&credentials->refs);
  set_fixed (credentials, metadata);
  credentials->header = g_strdup (header);
  credentials->value = header == NULL ? grpc_empty_slice () : grpc_slice_from_copied_string (value);
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
  ccore_metadata_clear (credentials->fixed, credentials->n_fixed);
  g_free (credentials->fixed);
  g_strfreev (credentials->pairs);
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

gsize
ccore_credentials_count (const CcoreCredentials *credentials)
{
  return credentials->n_fixed + (credentials->header != NULL);
}

static grpc_metadata
row_at (CcoreCredentials *credentials, gsize i)
{
  if (i >= credentials->n_fixed)
    return (grpc_metadata) {
      .key = grpc_slice_from_copied_string (credentials->header),
      .value = credentials_take_value (credentials),
    };
  return (grpc_metadata) {
    .key = grpc_slice_ref (credentials->fixed[i].key),
    .value = grpc_slice_ref (credentials->fixed[i].value),
  };
}

void
ccore_credentials_add_to (CcoreCredentials *credentials, grpc_metadata *out_metadata)
{
  gsize i;

  for (i = 0; i < ccore_credentials_count (credentials); i++)
    out_metadata[i] = row_at (credentials, i);
}

HOT void
ccore_metadata_clear (grpc_metadata *metadata, gsize n)
{
  gsize i;

  for (i = 0; i < n; i++) {
    grpc_slice_unref (metadata[i].key);
    grpc_slice_unref (metadata[i].value);
  }
}

const char *const *
ccore_credentials_pairs (const CcoreCredentials *credentials)
{
  return (const char *const *) credentials->pairs;
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

/* A plugin answers at once with so many rows at most; more of them are parts of their own, one after another. */
#define PART_ROWS GRPC_METADATA_CREDENTIALS_PLUGIN_SYNC_MAX

typedef struct Part {
  CcoreCredentials *credentials; /* (reference) */
  gsize first;
} Part;

/* On the thread that starts a call; answers at once. */
static int
get_metadata (void *state, grpc_auth_metadata_context context, grpc_credentials_plugin_metadata_cb done,
              void *done_data, grpc_metadata metadata[GRPC_METADATA_CREDENTIALS_PLUGIN_SYNC_MAX], size_t *out_n,
              grpc_status_code *out_status, const char **out_details)
{
  const Part *part = state;
  gsize i;

  (void) context;
  (void) done;
  (void) done_data;
  *out_n = MIN (ccore_credentials_count (part->credentials) - part->first, (gsize) PART_ROWS);
  for (i = 0; i < *out_n; i++)
    metadata[i] = row_at (part->credentials, part->first + i);
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
  Part *part = state;

  ccore_credentials_unref (part->credentials);
  g_free (part);
}

static grpc_call_credentials *
part_new (CcoreCredentials *credentials, gsize first)
{
  Part *part = g_new (Part, 1);
  const grpc_metadata_credentials_plugin plugin = {
    .get_metadata = get_metadata,
    .debug_string = describe,
    .destroy = destroy,
    .state = part,
    .type = "cenote",
  };

  *part = (Part) { ccore_credentials_ref (credentials), first };
  return grpc_metadata_credentials_create_from_plugin (plugin, GRPC_PRIVACY_AND_INTEGRITY, NULL);
}

/* Takes both. */
static grpc_call_credentials *
join (grpc_call_credentials *one, grpc_call_credentials *other)
{
  grpc_call_credentials *both = grpc_composite_call_credentials_create (one, other, NULL);

  grpc_call_credentials_release (one);
  grpc_call_credentials_release (other);
  return both;
}

struct grpc_call_credentials *
ccore_credentials_get (CcoreCredentials *credentials)
{
  gsize first;

  if (credentials->calls != NULL)
    return credentials->calls;
  credentials->calls = part_new (credentials, 0);
  for (first = PART_ROWS; first < ccore_credentials_count (credentials); first += PART_ROWS)
    credentials->calls = join (credentials->calls, part_new (credentials, first));
  return credentials->calls;
}
