/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolver: which addresses a host's name stands for now.
 *
 * What pools ask, and what a simulation answers in place of the network.  Control
 * thread only.
 */
#ifndef CENOTE_CORE_RESOLVER_H
#define CENOTE_CORE_RESOLVER_H

#include "core/runtime/control.h"

G_BEGIN_DECLS

typedef struct Resolver Resolver;
typedef struct ResolverQuery ResolverQuery;

/* ADDRESSES: numeric, the preferred first, at least one, NULL-terminated; or NULL, and ERROR says why. */
typedef void (*ResolverDone) (const char *const *addresses, const char *error, gpointer data);

struct Resolver {
  /* Looks HOST up.  DONE is called once, not inside this call. */
  ResolverQuery *(*ask) (Resolver *resolver, const char *host, ResolverDone done, gpointer data);
  /* DONE will not be called; not after it was. */
  void (*cancel) (ResolverQuery *query);
};

/* By c-ares, which C-core resolves with as well: /etc/hosts, then the servers of
 * /etc/resolv.conf, read anew for each bout of questions.  One thread of its own,
 * begun by the first question.  NULL: Cenote was built without c-ares. */
Resolver *resolver_ares_new (Control *control);
/* Any thread, before CONTROL has ended: what is under way answers with an error.  NULL is ignored. */
void resolver_ares_stop (Resolver *resolver);
/* After CONTROL has ended. */
void resolver_ares_free (Resolver *resolver);

G_END_DECLS

#endif
