/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transport/tls: encrypted channels to servers whose certificate was verified.
 *
 *   [transport:corp]
 *   plugin=tls
 *   ca-file=/etc/ssl/corp.pem
 *
 * Never unverified: without ca-file by the CAs that the system trusts.  All files
 * are read and checked when a state is made, and again when they change (tls-material.h);
 * then new channels are made with what they say, and the host is asked to replace
 * those that there are.  What is broken or half-written by then is told once, and
 * changes nothing until it is whole.
 *
 * Control thread, but for the verifier (tls-peer.h).
 */
#include <cenote/plugin.h>
#include <grpc/grpc.h>
#include <string.h>

#include "tls-credentials.h"
#include "tls-explain.h"

enum { CA_FILE, CERT_FILE, KEY_FILE, SERVER_NAME, MIN_VERSION, REFRESH, ALLOW_READABLE_KEY };

static const CenoteOption options[] = {
  [CA_FILE] = { "ca-file", CENOTE_OPTION_PATH, 0, NULL, NULL, NULL, NULL,
                "The certificates, as PEM, of the CAs that servers are verified by; without it those that the system "
                "trusts" },
  [CERT_FILE] = { "cert-file", CENOTE_OPTION_PATH, 0, NULL, NULL, NULL, NULL,
                  "The client's certificate for servers that ask for one, as PEM, followed by its issuers'" },
  [KEY_FILE] = { "key-file", CENOTE_OPTION_PATH, 0, NULL, NULL, NULL, NULL,
                 "The key of cert-file, as PEM without a passphrase" },
  [SERVER_NAME] = { "server-name", CENOTE_OPTION_STRING, 0, NULL, NULL, NULL, NULL,
                    "The host that the server's certificate is to be for, in place of the target's" },
  [MIN_VERSION] = { "min-version", CENOTE_OPTION_ENUM, 0, "1.2", NULL, NULL, "1.2|1.3",
                    "The oldest version of TLS that is spoken" },
  [REFRESH] = { "refresh", CENOTE_OPTION_DURATION, CENOTE_OPTION_MAY_BE_OFF, "10s", "100ms", "24h", NULL,
                "How often the files are looked at for changes" },
  [ALLOW_READABLE_KEY] = { "allow-readable-key", CENOTE_OPTION_BOOL, 0, "no", NULL, NULL, NULL,
                           "Whether key-file is taken although its group or others can read it" },
};

typedef struct Tls {
  const CenoteHost *host;
  TlsFiles files;
  char *server_name;         /* NULL: the target's */
  const char *min_version;   /* "1.2" or "1.3" */
  gint64 refresh_us;
  CenoteTimer *timer;        /* for the next refresh */
  TlsMaterial *material;
  char *told;                /* the fault of changed files that was told; NULL: none */
  GHashTable *peers;         /* grpc_channel → TlsPeer (reference) */
  gboolean uses_grpc;        /* grpc_init() was called */
} Tls;

static gboolean
requires_13 (const Tls *tls)
{
  return g_str_equal (tls->min_version, "1.3");
}

/* --------------------------------------------------------------- refreshing */

static void
tell_fault (Tls *tls, const char *fault)
{
  g_autofree char *text = g_strdup_printf ("%s: the files have changed, and what was read before stays in use", fault);

  if (g_strcmp0 (tls->told, fault) != 0)
    tls->host->log (tls->host, CENOTE_LOG_WARNING, text);
  g_free (tls->told);
  tls->told = g_strdup (fault);
}

static void
renew (const Tls *tls)
{
  if (CENOTE_HOST_HAS (tls->host, renew) && tls->host->renew)
    tls->host->renew (tls->host, "certificate files have changed");
}

static void
reload (Tls *tls)
{
  g_autofree char *fault = NULL;
  g_autoptr (TlsMaterial) old = NULL;
  TlsMaterial *material = tls_material_new (&tls->files, &fault);

  if (!material) {
    tell_fault (tls, fault);
    return;
  }
  g_clear_pointer (&tls->told, g_free);
  old = tls->material;
  tls->material = material;
  if (!tls_material_equal (old, material))
    renew (tls);
}

static void
refresh (void *data)
{
  Tls *tls = data;

  if (!tls_material_is_current (tls->material))
    reload (tls);
  tls->timer = tls->host->timer_start (tls->host, tls->refresh_us, refresh, tls);
}

/* ----------------------------------------------------------------- channels */

static gboolean
names_several (const char *address)
{
  return strchr (address, ',') != NULL;
}

/* ARGS with the name that is verified, asked for by SNI, and called for by :authority. */
static grpc_channel *
create_with_name (const char *address, const grpc_channel_args *args, char *name, grpc_channel_credentials *credentials)
{
  g_autofree grpc_arg *rows = g_new (grpc_arg, args->num_args + 1);
  grpc_channel_args named = { .num_args = args->num_args, .args = rows };

  for (size_t i = 0; i < args->num_args; i++)
    rows[i] = args->args[i];
  if (name) {
    rows[named.num_args] = (grpc_arg) { .type = GRPC_ARG_STRING, .key = (char *) GRPC_SSL_TARGET_NAME_OVERRIDE_ARG };
    rows[named.num_args++].value.string = name;
  }
  return grpc_channel_create (address, credentials, &named);
}

static grpc_call_credentials *
call_credentials (const CenoteHost *host)
{
  return CENOTE_HOST_HAS (host, call_credentials) && host->call_credentials ? host->call_credentials (host) : NULL;
}

/* What was made of gRPC is given back with the state, which may be after the runtime did so. */
static void
use_grpc (Tls *tls)
{
  if (!tls->uses_grpc)
    grpc_init ();
  tls->uses_grpc = TRUE;
}

static grpc_channel *
create_channel (void *state, const char *address, const void *args, CenoteFault *fault)
{
  Tls *tls = state;
  TlsPeer *peer;
  grpc_channel_credentials *credentials;
  grpc_channel *channel;

  if (names_several (address) && !tls->server_name) {
    tls->host->fail (tls->host, fault,
                     "the target is several addresses, so server-name has to say whose certificate is expected "
                     "(server-name=NAME)");
    return NULL;
  }
  use_grpc (tls);
  peer = tls_peer_new (tls->material->trust);
  credentials = tls_credentials_new (tls->material, peer, requires_13 (tls), call_credentials (tls->host));
  channel = create_with_name (address, args, tls->server_name, credentials);
  grpc_channel_credentials_release (credentials);
  g_hash_table_insert (tls->peers, channel, peer);
  return channel;
}

/* C-core keeps the peer for as long as it may shake hands. */
static void
give_up_channel (void *state, grpc_channel *channel)
{
  Tls *tls = state;

  g_hash_table_remove (tls->peers, channel);
}

static void
close_channel (void *state, grpc_channel *channel)
{
  give_up_channel (state, channel);
  grpc_channel_destroy (channel);
}

static void
explain (void *state, grpc_channel *channel, const char *error, CenoteFault *fault)
{
  Tls *tls = state;
  const TlsIdentity *identity = tls->material->identity;
  TlsPeer *peer = g_hash_table_lookup (tls->peers, channel);
  g_autofree char *refusal = tls_peer_get_refusal (peer);
  g_autofree char *identity_fault = identity ? tls_x509_describe_validity (identity->certificate) : NULL;
  const TlsAttempt attempt = {
    .error = error,
    .refusal = refusal,
    .was_trusted = requires_13 (tls) || tls_peer_was_trusted (peer),
    .has_identity = identity != NULL,
    .identity_fault = identity_fault,
    .authorities = tls->material->ca_name,
    .min_version = tls->min_version,
  };
  g_autofree char *text = tls_explain (&attempt);

  if (text)
    tls->host->fail (tls->host, fault, text);
}

/* -------------------------------------------------------------------- state */

static void
destroy (void *state)
{
  Tls *tls = state;

  tls->host->timer_stop (tls->host, tls->timer);
  g_hash_table_unref (tls->peers);
  tls_material_free (tls->material);
  if (tls->uses_grpc)
    grpc_shutdown ();
  g_free (tls->files.ca);
  g_free (tls->files.certificate);
  g_free (tls->files.key);
  g_free (tls->server_name);
  g_free (tls->told);
  g_free (tls);
}

static Tls *
read_options (const CenoteHost *host, const CenoteOptions *values)
{
  Tls *tls = g_new0 (Tls, 1);

  tls->host = host;
  tls->files = (TlsFiles) {
    .ca = g_strdup (cenote_options_at (values, CA_FILE)->text),
    .certificate = g_strdup (cenote_options_at (values, CERT_FILE)->text),
    .key = g_strdup (cenote_options_at (values, KEY_FILE)->text),
    .allow_readable_key = cenote_options_at (values, ALLOW_READABLE_KEY)->number != 0,
  };
  tls->server_name = g_strdup (cenote_options_at (values, SERVER_NAME)->text);
  tls->min_version = cenote_options_at (values, MIN_VERSION)->number == 0 ? "1.2" : "1.3";
  tls->refresh_us = cenote_options_at (values, REFRESH)->number;
  tls->peers = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) tls_peer_unref);
  return tls;
}

/* (transfer full) (nullable) */
static char *
find_fault (const Tls *tls)
{
  const char *name = tls->server_name;

  if (name && !g_hostname_is_ip_address (name)
      && (*name == '\0' || strlen (name) > 253
          || strspn (name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_") < strlen (name)))
    return g_strdup_printf ("server-name: '%.100s' is no host's name (expected a name or an IP, without a port)", name);
  if (requires_13 (tls) && !tls_credentials_can_require_13 ())
    return g_strdup ("min-version: this gRPC cannot be told to speak nothing older than TLS 1.3 (expected 1.2)");
  return NULL;
}

static void *
create (const CenoteHost *host, const CenoteOptions *values, CenoteFault *fault)
{
  Tls *tls = read_options (host, values);
  g_autofree char *text = find_fault (tls);

  if (!text)
    tls->material = tls_material_new (&tls->files, &text);
  if (text) {
    host->fail (host, fault, text);
    destroy (tls);
    return NULL;
  }
  if (tls->refresh_us != CENOTE_OFF)
    tls->timer = host->timer_start (host, tls->refresh_us, refresh, tls);
  return tls;
}

static const CenoteTransportOps ops = {
  .struct_size = sizeof ops,
  .flags = CENOTE_TRANSPORT_SECURE | CENOTE_TRANSPORT_TAKES_ADDRESSES,
  .create = create,
  .create_channel = create_channel,
  .close_channel = close_channel,
  .destroy = destroy,
  .explain = explain,
  .give_up_channel = give_up_channel,
};

static const CenotePlugin plugin = {
  CENOTE_PLUGIN_HEAD (CENOTE_PLUGIN_TRANSPORT),
  .name = "tls",
  .version = "0.1.0",
  .summary = "HTTP/2 over TLS, with verified servers",
  .license = "Apache-2.0",
  CENOTE_PLUGIN_OPTIONS (options),
  .ops = &ops,
};

CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_TRANSPORT, "tls")
