/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls-x509: certificates out of PEM text, and what people are told about them.
 *
 * What a certificate says is its maker's choice: in texts it is short and printable.
 * Pure but for the wall clock, which decides what is valid now.  Any thread; the
 * thread's queue of OpenSSL's errors is left empty.
 */
#ifndef CENOTE_TLS_X509_H
#define CENOTE_TLS_X509_H

#include <glib.h>
#include <openssl/x509.h>

G_BEGIN_DECLS

typedef STACK_OF (X509) TlsChain;

/* The certificates of PEM in their order, at least one.  NULL: OUT_FAULT (transfer full) says why, e.g.
 * "its certificate 2 is cut short or damaged". */
TlsChain *tls_x509_read (const char *pem, char **out_fault);
void tls_x509_free (TlsChain *chain);

typedef enum { TLS_VALID, TLS_NOT_YET_VALID, TLS_EXPIRED } TlsValidity;
TlsValidity tls_x509_validity (const X509 *certificate);

/* (transfer full): "2031-05-01 12:00 UTC" */
char *tls_x509_describe_time (const ASN1_TIME *time);
/* (transfer full): "expired on TIME", "is valid from TIME on"; NULL: it is valid. */
char *tls_x509_describe_validity (const X509 *certificate);
/* (transfer full): whom it is about or who signed it: its common name or, without one, the whole name. */
char *tls_x509_describe_name (const X509_NAME *name);
/* (transfer full): the hosts that it is for, e.g. "a.example, *.b.example, 10.0.0.1", at most a few. */
char *tls_x509_describe_hosts (X509 *certificate);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TlsChain, tls_x509_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (X509, X509_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BIO, BIO_free)

G_END_DECLS

#endif
