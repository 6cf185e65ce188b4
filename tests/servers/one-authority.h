/* SPDX-License-Identifier: Apache-2.0 */
/*
 * one-authority: a certificate of an authority that has never signed anything.  Each state of transport/tls reads all
 * authorities that it is to trust, and a system has a hundred and fifty: with this one it is made in no time.
 */
#ifndef CENOTE_TESTS_ONE_AUTHORITY_H
#define CENOTE_TESTS_ONE_AUTHORITY_H

inline const char one_authority[] =
  "-----BEGIN CERTIFICATE-----\n"
  "MIIBRDCB66ADAgECAgEBMAoGCCqGSM49BAMCMBExDzANBgNVBAMMBmEgcm9vdDAg\n"
  "Fw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEwMTAwMDAwMFowETEPMA0GA1UEAwwGYSBy\n"
  "b290MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEO00a6fq+uQeU4K1MGfw4i4SF\n"
  "YHckNQPHE8tJ979Mne2E4uVyWVU7Ds7GuuMfZ3nSkxto9oe/Z9KfaoeX3AIWhqMy\n"
  "MDAwDwYDVR0TAQH/BAUwAwEB/zAdBgNVHQ4EFgQUWezJvgesF+n/101D4yWsqQAY\n"
  "hVgwCgYIKoZIzj0EAwIDSAAwRQIgE26P9DuS6gSI0dhNLzyoyCylldeLikR2JaJi\n"
  "xuZNHXwCIQC8Ik1aJnjN9pJXjEaFZ7QwcBXuE8GWPMpKQMn2gZ55Dw==\n"
  "-----END CERTIFICATE-----\n";

#endif
