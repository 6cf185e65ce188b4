/* SPDX-License-Identifier: Apache-2.0 */
#include "tls-trust.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "tls-x509.h"

struct TlsTrust {
  gatomicrefcount refs;
  X509_STORE *store;
  char *name;
};

G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509_STORE_CTX, X509_STORE_CTX_free)

/* ------------------------------------------------------------------ making */

/* A system's bundle may well have some that are over; where all are, nothing can be verified. */
static char *
find_fault (TlsChain *authorities)
{
  g_autofree char *first = tls_x509_describe_validity (sk_X509_value (authorities, 0));
  g_autofree char *name = tls_x509_describe_name (X509_get_subject_name (sk_X509_value (authorities, 0)));

  for (int i = 0; i < sk_X509_num (authorities); i++) {
    if (tls_x509_validity (sk_X509_value (authorities, i)) == TLS_VALID)
      return NULL;
  }
  return g_strdup_printf ("its certificate of '%s' %s", name, first);
}

/* Whatever stands in the store is trusted, also where it is not the end of a chain. */
static X509_STORE *
make_store (TlsChain *authorities)
{
  X509_STORE *store = X509_STORE_new ();

  for (int i = 0; i < sk_X509_num (authorities); i++)
    X509_STORE_add_cert (store, sk_X509_value (authorities, i));
  X509_STORE_set_flags (store, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
  ERR_clear_error ();
  return store;
}

TlsTrust *
tls_trust_new (const char *pem, const char *name, char **out_fault)
{
  g_autoptr (TlsChain) authorities = tls_x509_read (pem, out_fault);
  TlsTrust *trust;

  if (!authorities)
    return NULL;
  *out_fault = find_fault (authorities);
  if (*out_fault)
    return NULL;
  trust = g_new0 (TlsTrust, 1);
  g_atomic_ref_count_init (&trust->refs);
  trust->store = make_store (authorities);
  trust->name = g_strdup (name);
  return trust;
}

TlsTrust *
tls_trust_ref (TlsTrust *trust)
{
  g_atomic_ref_count_inc (&trust->refs);
  return trust;
}

void
tls_trust_unref (TlsTrust *trust)
{
  if (!trust || !g_atomic_ref_count_dec (&trust->refs))
    return;
  X509_STORE_free (trust->store);
  g_free (trust->name);
  g_free (trust);
}

/* -------------------------------------------------------------- the verdict */

/* Whose certificate, of those on the way from the server's to a CA's, has the fault. */
static char *
describe_culprit (X509_STORE_CTX *context)
{
  X509 *culprit = X509_STORE_CTX_get_current_cert (context);
  g_autofree char *name = culprit ? tls_x509_describe_name (X509_get_subject_name (culprit)) : g_strdup ("?");

  if (X509_STORE_CTX_get_error_depth (context) == 0)
    return g_strdup_printf ("the server's certificate ('%s')", name);
  return g_strdup_printf ("the certificate of the server's CA ('%s')", name);
}

static char *
describe_untrusted (const TlsTrust *trust, X509 *leaf)
{
  g_autofree char *issuer = tls_x509_describe_name (X509_get_issuer_name (leaf));
  gboolean self_signed = X509_NAME_cmp (X509_get_issuer_name (leaf), X509_get_subject_name (leaf)) == 0;

  if (self_signed)
    return g_strdup_printf ("the server's certificate ('%s') is self-signed, and not among those of %s", issuer,
                            trust->name);
  return g_strdup_printf ("the server's certificate is not signed by a CA of %s (its issuer is '%s')", trust->name,
                          issuer);
}

static char *
describe_failure (const TlsTrust *trust, X509_STORE_CTX *context, X509 *leaf)
{
  int error = X509_STORE_CTX_get_error (context);
  X509 *culprit = X509_STORE_CTX_get_current_cert (context);
  g_autofree char *who = describe_culprit (context);
  g_autofree char *validity = culprit ? tls_x509_describe_validity (culprit) : NULL;

  switch (error) {
  case X509_V_ERR_CERT_HAS_EXPIRED:
  case X509_V_ERR_CERT_NOT_YET_VALID:
    return g_strdup_printf ("%s %s", who, validity ? validity : "is not valid now");
  case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
  case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
  case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
  case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
  case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
  case X509_V_ERR_CERT_UNTRUSTED:
    return describe_untrusted (trust, leaf);
  case X509_V_ERR_INVALID_PURPOSE:
    return g_strdup_printf ("%s is not for servers (extendedKeyUsage)", who);
  default:
    return g_strdup_printf ("%s cannot be trusted: %s", who, X509_verify_cert_error_string (error));
  }
}

static char *
refuse_chain (const TlsTrust *trust, X509 *leaf, TlsChain *chain)
{
  g_autoptr (X509_STORE_CTX) context = X509_STORE_CTX_new ();

  if (!context || !X509_STORE_CTX_init (context, trust->store, leaf, chain)
      || !X509_STORE_CTX_set_default (context, "ssl_server"))
    return g_strdup ("the server's certificate cannot be verified: out of memory");
  return X509_verify_cert (context) == 1 ? NULL : describe_failure (trust, context, leaf);
}

static char *
refuse_host (X509 *leaf, const char *host)
{
  g_autofree char *hosts = NULL;
  int matches = g_hostname_is_ip_address (host) ? X509_check_ip_asc (leaf, host, 0)
                                                : X509_check_host (leaf, host, 0, 0, NULL);

  if (matches == 1)
    return NULL;
  hosts = tls_x509_describe_hosts (leaf);
  return g_strdup_printf ("the server's certificate is for %s and not for %s (server-name=NAME, if that is right)",
                          hosts, host);
}

char *
tls_trust_refuse (const TlsTrust *trust, const char *host, const char *leaf, const char *chain)
{
  g_autofree char *fault = NULL;
  g_autoptr (TlsChain) leaves = tls_x509_read (leaf, &fault);
  g_autoptr (TlsChain) issuers = leaves && chain && *chain ? tls_x509_read (chain, &fault) : NULL;
  char *refusal;

  if (fault)
    return g_strdup_printf ("the server's certificate cannot be read: %s", fault);
  refusal = refuse_chain (trust, sk_X509_value (leaves, 0), issuers);
  if (!refusal)
    refusal = refuse_host (sk_X509_value (leaves, 0), host);
  ERR_clear_error ();
  return refusal;
}
