/* SPDX-License-Identifier: Apache-2.0 */
/*
 * authority: a CA for tests, and the certificates that it signs, made when they are needed.
 */
#ifndef CENOTE_TESTS_AUTHORITY_H
#define CENOTE_TESTS_AUTHORITY_H

#include <glib.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdlib>
#include <string>

#include "folder.h"

/* A certificate and its key, as PEM. */
struct Credential {
  std::string certificate;
  std::string key;
};

/* What a certificate says. */
struct Claim {
  std::string name = "server";             /* common name */
  std::string hosts = "DNS:localhost,IP:127.0.0.1"; /* subjectAltName; "": none */
  int from_hours = -1;                     /* valid from now + this */
  int until_hours = 24;
  bool is_authority = false;
};

class Authority {
public:
  explicit Authority (const std::string &name = "Test CA", int until_hours = 24)
  {
    Claim claim;

    claim.name = name;
    claim.hosts = "";
    claim.until_hours = until_hours;
    claim.from_hours = -48;
    claim.is_authority = true;
    key_ = EVP_EC_gen ("P-256");
    certificate_ = make (claim, key_, nullptr, key_);
  }

  ~Authority ()
  {
    X509_free (certificate_);
    EVP_PKEY_free (key_);
  }

  Authority (const Authority &) = delete;
  Authority &operator= (const Authority &) = delete;

  std::string pem () const { return to_pem (certificate_); }
  std::string key_pem () const { return to_pem (key_); }

  Credential
  issue (const Claim &claim) const
  {
    EVP_PKEY *key = EVP_EC_gen ("P-256");
    X509 *certificate = make (claim, key, certificate_, key_);
    Credential credential = { to_pem (certificate), to_pem (key) };

    X509_free (certificate);
    EVP_PKEY_free (key);
    return credential;
  }

  /* For a client's certificate. */
  Credential
  issue (const std::string &name) const
  {
    Claim claim;

    claim.name = name;
    claim.hosts = "";
    return issue (claim);
  }

  /* A key as a person keeps it who has to type a passphrase. */
  static std::string
  encrypted_key ()
  {
    EVP_PKEY *key = EVP_EC_gen ("P-256");
    BIO *bio = BIO_new (BIO_s_mem ());
    unsigned char passphrase[] = "open sesame";

    PEM_write_bio_PKCS8PrivateKey (bio, key, EVP_aes_128_cbc (), reinterpret_cast<char *> (passphrase),
                                   sizeof passphrase - 1, nullptr, nullptr);
    EVP_PKEY_free (key);
    return take (bio);
  }

private:
  static void
  add_extension (X509 *certificate, X509 *issuer, int nid, const char *value)
  {
    X509V3_CTX context;
    X509_EXTENSION *extension;

    X509V3_set_ctx (&context, issuer, certificate, nullptr, nullptr, 0);
    extension = X509V3_EXT_conf_nid (nullptr, &context, nid, value);
    if (extension == nullptr)
      abort ();
    X509_add_ext (certificate, extension, -1);
    X509_EXTENSION_free (extension);
  }

  /* ISSUER: null for one that signs itself. */
  static X509 *
  make (const Claim &claim, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key)
  {
    static long serial = 1;
    X509 *certificate = X509_new ();
    X509_NAME *name = X509_get_subject_name (certificate);

    X509_set_version (certificate, X509_VERSION_3);
    ASN1_INTEGER_set (X509_get_serialNumber (certificate), serial++);
    X509_gmtime_adj (X509_getm_notBefore (certificate), claim.from_hours * 3600L);
    X509_gmtime_adj (X509_getm_notAfter (certificate), claim.until_hours * 3600L);
    X509_NAME_add_entry_by_txt (name, "CN", MBSTRING_UTF8,
                                reinterpret_cast<const unsigned char *> (claim.name.c_str ()), -1, -1, 0);
    X509_set_issuer_name (certificate, issuer == nullptr ? name : X509_get_subject_name (issuer));
    X509_set_pubkey (certificate, key);
    add_extension (certificate, issuer == nullptr ? certificate : issuer, NID_basic_constraints,
                   claim.is_authority ? "critical,CA:TRUE" : "CA:FALSE");
    if (!claim.hosts.empty ())
      add_extension (certificate, issuer, NID_subject_alt_name, claim.hosts.c_str ());
    X509_sign (certificate, issuer_key, EVP_sha256 ());
    return certificate;
  }

  static std::string
  take (BIO *bio)
  {
    char *bytes;
    long n = BIO_get_mem_data (bio, &bytes);
    std::string text (bytes, static_cast<size_t> (n));

    BIO_free (bio);
    return text;
  }

  static std::string
  to_pem (X509 *certificate)
  {
    BIO *bio = BIO_new (BIO_s_mem ());

    PEM_write_bio_X509 (bio, certificate);
    return take (bio);
  }

  static std::string
  to_pem (EVP_PKEY *key)
  {
    BIO *bio = BIO_new (BIO_s_mem ());

    PEM_write_bio_PrivateKey (bio, key, nullptr, nullptr, 0, nullptr, nullptr);
    return take (bio);
  }

  EVP_PKEY *key_;
  X509 *certificate_;
};

#endif
