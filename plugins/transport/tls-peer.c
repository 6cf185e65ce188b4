/* SPDX-License-Identifier: Apache-2.0 */
#include "tls-peer.h"

#include <pthread.h>

struct TlsPeer {
  gatomicrefcount refs;
  TlsTrust *trust;
  pthread_mutex_t lock;      /* the rest; not GLib's, which ThreadSanitizer does not see */
  gboolean trusted;
  char *refusal;             /* NULL: none */
};

TlsPeer *
tls_peer_new (TlsTrust *trust)
{
  TlsPeer *peer = g_new0 (TlsPeer, 1);

  g_atomic_ref_count_init (&peer->refs);
  peer->trust = tls_trust_ref (trust);
  pthread_mutex_init (&peer->lock, NULL);
  return peer;
}

TlsPeer *
tls_peer_ref (TlsPeer *peer)
{
  g_atomic_ref_count_inc (&peer->refs);
  return peer;
}

void
tls_peer_unref (TlsPeer *peer)
{
  if (!peer || !g_atomic_ref_count_dec (&peer->refs))
    return;
  /* C-core orders its last check before this, which ThreadSanitizer sees by the lock alone. */
  pthread_mutex_lock (&peer->lock);
  g_clear_pointer (&peer->refusal, g_free);
  pthread_mutex_unlock (&peer->lock);
  pthread_mutex_destroy (&peer->lock);
  tls_trust_unref (peer->trust);
  g_free (peer);
}

char *
tls_peer_refuse (TlsPeer *peer, const char *host, const char *leaf, const char *chain)
{
  char *refusal = tls_trust_refuse (peer->trust, host, leaf, chain);

  pthread_mutex_lock (&peer->lock);
  g_free (peer->refusal);
  peer->refusal = g_strdup (refusal);
  peer->trusted = refusal == NULL;
  pthread_mutex_unlock (&peer->lock);
  return refusal;
}

gboolean
tls_peer_was_trusted (TlsPeer *peer)
{
  gboolean trusted;

  pthread_mutex_lock (&peer->lock);
  trusted = peer->trusted;
  pthread_mutex_unlock (&peer->lock);
  return trusted;
}

char *
tls_peer_get_refusal (TlsPeer *peer)
{
  char *refusal;

  pthread_mutex_lock (&peer->lock);
  refusal = g_strdup (peer->refusal);
  pthread_mutex_unlock (&peer->lock);
  return refusal;
}
