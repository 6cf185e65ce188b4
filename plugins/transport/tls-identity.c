/* SPDX-License-Identifier: Apache-2.0 */
#include "tls-identity.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EVP_PKEY, EVP_PKEY_free)

/* ----------------------------------------------------------------- the key */

/* A process without a terminal is asked for nothing; DATA notes that it was. */
static int
refuse_password (char *buffer, int size, int writing, void *data)
{
  (void) buffer;
  (void) size;
  (void) writing;
  *(gboolean *) data = TRUE;
  return -1;
}

static EVP_PKEY *
read_key (const char *pem, char **out_fault)
{
  g_autoptr (BIO) bio = BIO_new_mem_buf (pem, -1);
  gboolean encrypted = FALSE;
  EVP_PKEY *key;

  ERR_clear_error ();
  key = PEM_read_bio_PrivateKey (bio, NULL, refuse_password, &encrypted);
  ERR_clear_error ();
  if (key)
    return key;
  if (encrypted)
    *out_fault = g_strdup ("is encrypted (expected a key without a passphrase)");
  else if (strstr (pem, "-----BEGIN ") && strstr (pem, "PRIVATE KEY-----"))
    *out_fault = g_strdup ("has a key that is cut short or damaged");
  else
    *out_fault = g_strdup ("has no key in it (expected -----BEGIN PRIVATE KEY-----)");
  return NULL;
}

/* --------------------------------------------------------------- the chain */

/* (transfer full) (nullable): each certificate is to be followed by its issuer's. */
static char *
find_gap (TlsChain *chain)
{
  for (int i = 1; i < sk_X509_num (chain); i++) {
    g_autofree char *name = tls_x509_describe_name (X509_get_subject_name (sk_X509_value (chain, i)));

    if (X509_check_issued (sk_X509_value (chain, i), sk_X509_value (chain, i - 1)) != X509_V_OK)
      return g_strdup_printf ("its certificate %d ('%s') did not issue the one before it (expected the client's "
                              "certificate first, then its issuer's, and so on)", i + 1, name);
  }
  return NULL;
}

static char *
find_invalid (TlsChain *chain)
{
  for (int i = 0; i < sk_X509_num (chain); i++) {
    X509 *certificate = sk_X509_value (chain, i);
    g_autofree char *validity = tls_x509_describe_validity (certificate);
    g_autofree char *name = tls_x509_describe_name (X509_get_subject_name (certificate));

    if (validity)
      return g_strdup_printf ("its certificate '%s' %s", name, validity);
  }
  return NULL;
}

static char *
find_chain_fault (TlsChain *chain)
{
  char *fault = find_invalid (chain);

  return fault ? fault : find_gap (chain);
}

/* ------------------------------------------------------------------- whole */

TlsIdentity *
tls_identity_new (const char *chain_pem, const char *key_pem, TlsFaultOf *out_of, char **out_fault)
{
  g_autoptr (TlsChain) chain = NULL;
  g_autoptr (EVP_PKEY) key = NULL;
  gboolean match;
  TlsIdentity *identity;

  *out_of = TLS_FAULT_OF_CERTIFICATE;
  chain = tls_x509_read (chain_pem, out_fault);
  if (!chain)
    return NULL;
  *out_of = TLS_FAULT_OF_KEY;
  key = read_key (key_pem, out_fault);
  if (!key)
    return NULL;
  match = X509_check_private_key (sk_X509_value (chain, 0), key);
  ERR_clear_error ();
  if (!match) {
    *out_fault = g_strdup ("is not the key of the first certificate in cert-file (expected the one that it was made "
                           "with)");
    return NULL;
  }
  *out_of = TLS_FAULT_OF_CERTIFICATE;
  *out_fault = find_chain_fault (chain);
  if (*out_fault)
    return NULL;
  identity = g_new0 (TlsIdentity, 1);
  identity->chain_pem = g_strdup (chain_pem);
  identity->key_pem = g_strdup (key_pem);
  identity->certificate = sk_X509_shift (chain);
  return identity;
}

void
tls_identity_free (TlsIdentity *identity)
{
  if (!identity)
    return;
  explicit_bzero (identity->key_pem, strlen (identity->key_pem));
  g_free (identity->key_pem);
  g_free (identity->chain_pem);
  X509_free (identity->certificate);
  g_free (identity);
}
