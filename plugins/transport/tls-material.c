/* SPDX-License-Identifier: Apache-2.0 */
#include "tls-material.h"

/* Where systems keep the CAs that they trust, in one file; Debian's is the first. */
static const char *const system_authorities[] = {
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/tls/cacert.pem",
  "/etc/ssl/cert.pem",
};

static const char *const keys[TLS_N_FILES] = { "ca-file", "cert-file", "key-file" };

/* ------------------------------------------------------------------- files */

/* (transfer full): OF is where the fault was found; takes FAULT. */
static char *
place_fault (const TlsMaterial *material, int of, char *fault)
{
  g_autofree char *what = fault;

  return g_strdup_printf ("%s: '%s' %s", keys[of], material->paths[of], what);
}

static gboolean
read_file (TlsMaterial *material, int which, TlsFile *out_file, char **out_fault)
{
  char *fault = NULL;

  if (!tls_file_read (material->paths[which], out_file, &fault)) {
    *out_fault = place_fault (material, which, fault);
    return FALSE;
  }
  material->stamps[which] = out_file->stamp;
  return TRUE;
}

static const char *
find_system_authorities (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (system_authorities); i++) {
    if (g_file_test (system_authorities[i], G_FILE_TEST_EXISTS))
      return system_authorities[i];
  }
  return NULL;
}

/* --------------------------------------------------------------------- CAs */

static gboolean
choose_authorities (TlsMaterial *material, const char *ca_file, char **out_fault)
{
  const char *path = ca_file ? ca_file : find_system_authorities ();

  if (!path) {
    *out_fault = g_strdup_printf ("ca-file: is not set, and this system has no CAs in %s (the package ca-certificates, "
                                  "or ca-file=PATH)", system_authorities[0]);
    return FALSE;
  }
  material->paths[TLS_FILE_CA] = g_strdup (path);
  material->ca_name = g_strdup_printf (ca_file ? "ca-file '%s'" : "the system (%s)", path);
  return TRUE;
}

static gboolean
read_trust (TlsMaterial *material, const char *ca_file, char **out_fault)
{
  g_auto (TlsFile) file = { .text = NULL };
  char *fault = NULL;

  if (!choose_authorities (material, ca_file, out_fault) || !read_file (material, TLS_FILE_CA, &file, out_fault))
    return FALSE;
  material->trust = tls_trust_new (file.text, material->ca_name, &fault);
  material->ca_pem = g_steal_pointer (&file.text);
  if (!material->trust)
    *out_fault = place_fault (material, TLS_FILE_CA, fault);
  return material->trust != NULL;
}

/* ---------------------------------------------------------------- identity */

static gboolean
check_mode (TlsMaterial *material, mode_t mode, gboolean allow_readable, char **out_fault)
{
  char *fault;

  if (allow_readable || (mode & (S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH)) == 0)
    return TRUE;
  fault = g_strdup_printf ("can be read or written by others than its owner (its mode is %04o; expected 0600, or "
                           "allow-readable-key=yes)", (guint) (mode & 07777));
  *out_fault = place_fault (material, TLS_FILE_KEY, fault);
  return FALSE;
}

static gboolean
read_identity (TlsMaterial *material, const TlsFiles *files, char **out_fault)
{
  g_auto (TlsFile) chain = { .text = NULL };
  g_auto (TlsFile) key = { .text = NULL };
  TlsFaultOf of;
  char *fault = NULL;

  material->paths[TLS_FILE_CERTIFICATE] = g_strdup (files->certificate);
  material->paths[TLS_FILE_KEY] = g_strdup (files->key);
  if (!read_file (material, TLS_FILE_CERTIFICATE, &chain, out_fault)
      || !read_file (material, TLS_FILE_KEY, &key, out_fault)
      || !check_mode (material, key.mode, files->allow_readable_key, out_fault))
    return FALSE;
  material->identity = tls_identity_new (chain.text, key.text, &of, &fault);
  if (!material->identity)
    *out_fault = place_fault (material, of == TLS_FAULT_OF_KEY ? TLS_FILE_KEY : TLS_FILE_CERTIFICATE, fault);
  return material->identity != NULL;
}

static gboolean
check_pair (const TlsFiles *files, char **out_fault)
{
  if (!files->certificate == !files->key)
    return TRUE;
  *out_fault = files->key ? g_strdup ("key-file: is set without cert-file (expected both, or neither)")
                          : g_strdup ("cert-file: is set without key-file (expected both, or neither)");
  return FALSE;
}

/* ------------------------------------------------------------------- whole */

TlsMaterial *
tls_material_new (const TlsFiles *files, char **out_fault)
{
  g_autoptr (TlsMaterial) material = g_new0 (TlsMaterial, 1);

  if (!check_pair (files, out_fault) || !read_trust (material, files->ca, out_fault))
    return NULL;
  if (files->certificate && !read_identity (material, files, out_fault))
    return NULL;
  return g_steal_pointer (&material);
}

void
tls_material_free (TlsMaterial *material)
{
  if (!material)
    return;
  for (int i = 0; i < TLS_N_FILES; i++)
    g_free (material->paths[i]);
  g_free (material->ca_pem);
  g_free (material->ca_name);
  tls_trust_unref (material->trust);
  tls_identity_free (material->identity);
  g_free (material);
}

gboolean
tls_material_is_current (const TlsMaterial *material)
{
  for (int i = 0; i < TLS_N_FILES; i++) {
    const TlsStamp now = material->paths[i] ? tls_file_look (material->paths[i]) : material->stamps[i];

    if (!tls_stamp_equal (&now, &material->stamps[i]))
      return FALSE;
  }
  return TRUE;
}

static gboolean
identity_equal (const TlsIdentity *a, const TlsIdentity *b)
{
  if (!a || !b)
    return a == b;
  return g_str_equal (a->chain_pem, b->chain_pem) && g_str_equal (a->key_pem, b->key_pem);
}

gboolean
tls_material_equal (const TlsMaterial *a, const TlsMaterial *b)
{
  return g_str_equal (a->ca_pem, b->ca_pem) && identity_equal (a->identity, b->identity);
}
