/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls-material: what all connections of a transport are made with: the CAs, and who we are.
 *
 * Read whole from its files or not at all; immutable; one thread.
 */
#ifndef CENOTE_TLS_MATERIAL_H
#define CENOTE_TLS_MATERIAL_H

#include "tls-file.h"
#include "tls-identity.h"
#include "tls-trust.h"

G_BEGIN_DECLS

/* As the keyfile has them. */
typedef struct TlsFiles {
  char *ca;                  /* NULL: the system's */
  char *certificate;         /* NULL: none, and no key */
  char *key;
  gboolean allow_readable_key;
} TlsFiles;

enum { TLS_FILE_CA, TLS_FILE_CERTIFICATE, TLS_FILE_KEY, TLS_N_FILES };

typedef struct TlsMaterial {
  char *paths[TLS_N_FILES];  /* NULL: none */
  TlsStamp stamps[TLS_N_FILES];
  char *ca_pem;
  char *ca_name;             /* for people */
  TlsTrust *trust;
  TlsIdentity *identity;     /* NULL: none */
} TlsMaterial;

/* NULL: OUT_FAULT (transfer full) says which key's file is wrong, how, and what would be right. */
TlsMaterial *tls_material_new (const TlsFiles *files, char **out_fault);
void tls_material_free (TlsMaterial *material);

/* Whether the files are still those that it was read from. */
gboolean tls_material_is_current (const TlsMaterial *material);
/* Whether both say the same. */
gboolean tls_material_equal (const TlsMaterial *a, const TlsMaterial *b);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TlsMaterial, tls_material_free)

G_END_DECLS

#endif
