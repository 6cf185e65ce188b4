/* SPDX-License-Identifier: Apache-2.0 */
#include "tls-x509.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#define MAX_NAME_LENGTH 100
#define MAX_HOSTS 4

void
tls_x509_free (TlsChain *chain)
{
  sk_X509_pop_free (chain, X509_free);
}

/* ----------------------------------------------------------------- reading */

/* Certificates have no password, and nobody is to be asked for one. */
static int
no_password (char *buffer, int size, int writing, void *data)
{
  (void) buffer;
  (void) size;
  (void) writing;
  (void) data;
  return -1;
}

static gboolean
is_end_of_file (void)
{
  unsigned long error = ERR_peek_last_error ();

  return ERR_GET_LIB (error) == ERR_LIB_PEM && ERR_GET_REASON (error) == PEM_R_NO_START_LINE;
}

TlsChain *
tls_x509_read (const char *pem, char **out_fault)
{
  g_autoptr (BIO) bio = BIO_new_mem_buf (pem, -1);
  g_autoptr (TlsChain) chain = sk_X509_new_null ();
  gboolean at_end;
  X509 *certificate;

  ERR_clear_error ();
  while ((certificate = PEM_read_bio_X509 (bio, NULL, no_password, NULL)))
    sk_X509_push (chain, certificate);
  at_end = is_end_of_file ();
  ERR_clear_error ();
  if (!at_end)
    *out_fault = g_strdup_printf ("its certificate %d is cut short or damaged", sk_X509_num (chain) + 1);
  else if (sk_X509_num (chain) == 0)
    *out_fault = g_strdup ("has no certificate in it (expected -----BEGIN CERTIFICATE-----)");
  else
    return g_steal_pointer (&chain);
  return NULL;
}

/* ---------------------------------------------------------------- validity */

TlsValidity
tls_x509_validity (const X509 *certificate)
{
  if (X509_cmp_current_time (X509_get0_notBefore (certificate)) > 0)
    return TLS_NOT_YET_VALID;
  return X509_cmp_current_time (X509_get0_notAfter (certificate)) > 0 ? TLS_VALID : TLS_EXPIRED;
}

char *
tls_x509_describe_time (const ASN1_TIME *time)
{
  struct tm parts;
  char text[40];

  if (!ASN1_TIME_to_tm (time, &parts) || strftime (text, sizeof text, "%Y-%m-%d %H:%M UTC", &parts) == 0)
    return g_strdup ("an unreadable time");
  return g_strdup (text);
}

char *
tls_x509_describe_validity (const X509 *certificate)
{
  TlsValidity validity = tls_x509_validity (certificate);
  g_autofree char *from = tls_x509_describe_time (X509_get0_notBefore (certificate));
  g_autofree char *until = tls_x509_describe_time (X509_get0_notAfter (certificate));

  if (validity == TLS_VALID)
    return NULL;
  return validity == TLS_EXPIRED ? g_strdup_printf ("expired on %s", until)
                                 : g_strdup_printf ("is valid only from %s on", from);
}

/* ------------------------------------------------------------------- names */

/* (transfer full) */
static char *
make_printable (const char *bytes, gsize length)
{
  char *text = g_strndup (bytes, MIN (length, MAX_NAME_LENGTH));

  for (char *c = text; *c; c++) {
    if (!g_ascii_isprint (*c))
      *c = '?';
  }
  return text;
}

/* (transfer full) (nullable) */
static char *
common_name (const X509_NAME *name)
{
  int at = X509_NAME_get_index_by_NID (name, NID_commonName, -1);
  unsigned char *bytes;
  char *text;
  int length;

  if (at < 0)
    return NULL;
  length = ASN1_STRING_to_UTF8 (&bytes, X509_NAME_ENTRY_get_data (X509_NAME_get_entry (name, at)));
  if (length < 0)
    return NULL;
  text = make_printable ((const char *) bytes, (gsize) length);
  OPENSSL_free (bytes);
  return text;
}

char *
tls_x509_describe_name (const X509_NAME *name)
{
  char *text = common_name (name);
  char line[MAX_NAME_LENGTH + 1];

  if (text && *text)
    return text;
  g_free (text);
  X509_NAME_oneline (name, line, sizeof line);
  return make_printable (line, strlen (line));
}

/* (transfer full) (nullable): NULL where NAME is no host's. */
static char *
describe_host (const GENERAL_NAME *name)
{
  char text[INET6_ADDRSTRLEN];
  const ASN1_OCTET_STRING *bytes;

  if (name->type == GEN_DNS)
    return make_printable ((const char *) ASN1_STRING_get0_data (name->d.dNSName),
                           (gsize) ASN1_STRING_length (name->d.dNSName));
  if (name->type != GEN_IPADD)
    return NULL;
  bytes = name->d.iPAddress;
  if (ASN1_STRING_length (bytes) != 4 && ASN1_STRING_length (bytes) != 16)
    return NULL;
  return g_strdup (inet_ntop (ASN1_STRING_length (bytes) == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data (bytes), text,
                              sizeof text));
}

static void
append_host (GString *hosts, const char *host, int n)
{
  if (n < MAX_HOSTS)
    g_string_append_printf (hosts, "%s%s", n == 0 ? "" : ", ", host);
  else if (n == MAX_HOSTS)
    g_string_append (hosts, " and others");
}

/* Those of the alternative names; the common name counts only where there is none of them. */
char *
tls_x509_describe_hosts (X509 *certificate)
{
  GENERAL_NAMES *names = X509_get_ext_d2i (certificate, NID_subject_alt_name, NULL, NULL);
  g_autoptr (GString) hosts = g_string_new (NULL);
  int n = 0;

  for (int i = 0; i < sk_GENERAL_NAME_num (names); i++) {
    g_autofree char *host = describe_host (sk_GENERAL_NAME_value (names, i));

    if (host)
      append_host (hosts, host, n++);
  }
  GENERAL_NAMES_free (names);
  ERR_clear_error ();
  if (n == 0)
    return tls_x509_describe_name (X509_get_subject_name (certificate));
  return g_string_free (g_steal_pointer (&hosts), FALSE);
}
