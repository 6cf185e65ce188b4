/* SPDX-License-Identifier: Apache-2.0 */
#include "tls-credentials.h"

#include <grpc/support/string_util.h>

#include "buildinfo.h"

/* ------------------------------------------------------------ our verifier */

typedef struct Verifier {
  grpc_tls_certificate_verifier_external table;
  TlsPeer *peer;             /* (reference) */
} Verifier;

/* On a thread of C-core's, once a handshake is over and before anything is sent. */
static int
verify (void *data, grpc_tls_custom_verification_check_request *request,
        grpc_tls_on_custom_verification_check_done_cb done, void *done_data, grpc_status_code *out_status,
        char **out_details)
{
  const Verifier *verifier = data;
  const char *leaf = request->peer_info.peer_cert, *host = request->target_name;
  g_autofree char *refusal = tls_peer_refuse (verifier->peer, host ? host : "", leaf ? leaf : "",
                                              request->peer_info.peer_cert_full_chain);

  (void) done;
  (void) done_data;
  *out_status = refusal ? GRPC_STATUS_UNAUTHENTICATED : GRPC_STATUS_OK;
  *out_details = refusal ? gpr_strdup (refusal) : NULL;
  return 1;
}

static void
cancel (void *data, grpc_tls_custom_verification_check_request *request)
{
  (void) data;
  (void) request;
}

static void
destruct (void *data)
{
  Verifier *verifier = data;

  tls_peer_unref (verifier->peer);
  g_free (verifier);
}

static grpc_tls_certificate_verifier *
make_verifier (TlsPeer *peer)
{
  Verifier *verifier = g_new0 (Verifier, 1);

  verifier->table = (grpc_tls_certificate_verifier_external) { verifier, verify, cancel, destruct };
  verifier->peer = tls_peer_ref (peer);
  return grpc_tls_certificate_verifier_external_create (&verifier->table);
}

static void
set_identity (grpc_tls_credentials_options *options, const TlsIdentity *identity)
{
  grpc_tls_identity_pairs *pairs = grpc_tls_identity_pairs_create ();
  grpc_tls_certificate_provider *provider;

  grpc_tls_identity_pairs_add_pair (pairs, identity->key_pem, identity->chain_pem);
  provider = grpc_tls_certificate_provider_static_data_create (NULL, pairs);
  grpc_tls_credentials_options_set_certificate_provider (options, provider);
  grpc_tls_credentials_options_watch_identity_key_cert_pairs (options);
  grpc_tls_certificate_provider_release (provider);
}

/* "Not to verify" means that the verifier does; C-core goes on with nothing that it has refused. */
static grpc_channel_credentials *
make_verified_by_us (const TlsMaterial *material, TlsPeer *peer)
{
  grpc_tls_credentials_options *options = grpc_tls_credentials_options_create ();
  grpc_tls_certificate_verifier *verifier = make_verifier (peer);

  grpc_tls_credentials_options_set_verify_server_cert (options, 0);
  grpc_tls_credentials_options_set_certificate_verifier (options, verifier);
  grpc_tls_certificate_verifier_release (verifier);
  if (material->identity)
    set_identity (options, material->identity);
  return grpc_tls_credentials_create (options);
}

/* --------------------------------------------------------- TLS 1.3 and only */

#ifdef HAVE_GRPC_SSL_MIN_VERSION

/* grpc_ssl_credentials::set_min_tls_version(grpc_tls_version): C-core 1.51 exports it, and has no C
 * function that does the same; the other kind of credentials, above, has nothing of the sort. */
extern void set_min_version (grpc_channel_credentials *credentials, grpc_tls_version version)
  __asm__ ("_ZN20grpc_ssl_credentials19set_min_tls_versionE16grpc_tls_version");

gboolean
tls_credentials_can_require_13 (void)
{
  return TRUE;
}

static grpc_channel_credentials *
make_verified_by_ccore (const TlsMaterial *material)
{
  const TlsIdentity *identity = material->identity;
  grpc_ssl_pem_key_cert_pair pair;
  grpc_channel_credentials *credentials;

  if (identity)
    pair = (grpc_ssl_pem_key_cert_pair) { identity->key_pem, identity->chain_pem };
  credentials = grpc_ssl_credentials_create_ex (material->ca_pem, identity ? &pair : NULL, NULL, NULL);
  set_min_version (credentials, TLS1_3);
  return credentials;
}

#else

gboolean
tls_credentials_can_require_13 (void)
{
  return FALSE;
}

static grpc_channel_credentials *
make_verified_by_ccore (const TlsMaterial *material)
{
  (void) material;
  g_return_val_if_reached (NULL);
}

#endif

/* ------------------------------------------------------------------- whole */

grpc_channel_credentials *
tls_credentials_new (const TlsMaterial *material, TlsPeer *peer, gboolean require_13, grpc_call_credentials *calls)
{
  grpc_channel_credentials *bare = require_13 ? make_verified_by_ccore (material)
                                              : make_verified_by_us (material, peer);
  grpc_channel_credentials *whole;

  if (!calls)
    return bare;
  whole = grpc_composite_channel_credentials_create (bare, calls, NULL);
  grpc_channel_credentials_release (bare);
  return whole;
}
