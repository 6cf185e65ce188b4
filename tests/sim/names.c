/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"

#define ANSWER_US 1000

typedef struct Host {
  char **addresses; /* NULL: no answer */
  guint n_asked;
} Host;

struct Names {
  Resolver resolver; /* first */
  Control *control;
  GHashTable *hosts; /* name → Host */
  guint n_under_way;
};

struct ResolverQuery {
  Names *names;
  Host *host;
  char *name;
  ControlTimer timer;
  ResolverDone done;
  gpointer data;
};

static void
host_free (gpointer data)
{
  Host *host = data;

  g_strfreev (host->addresses);
  g_free (host);
}

static Host *
get_host (Names *names, const char *name)
{
  Host *host = g_hash_table_lookup (names->hosts, name);

  if (host == NULL) {
    host = g_new0 (Host, 1);
    g_hash_table_insert (names->hosts, g_strdup (name), host);
  }
  return host;
}

static void
query_free (ResolverQuery *query)
{
  query->names->n_under_way--;
  g_free (query->name);
  g_free (query);
}

static void
answer (gpointer data)
{
  ResolverQuery *query = data;
  g_autofree char *error = g_strdup_printf ("%s cannot be resolved: nobody answers", query->name);
  g_auto (GStrv) addresses = g_strdupv (query->host->addresses);
  ResolverDone done = query->done;
  gpointer done_data = query->data;

  query_free (query);
  done ((const char *const *) addresses, addresses == NULL ? error : NULL, done_data);
}

static ResolverQuery *
ask (Resolver *resolver, const char *host, ResolverDone done, gpointer data)
{
  Names *names = (Names *) resolver;
  ResolverQuery *query = g_new0 (ResolverQuery, 1);

  query->names = names;
  query->host = get_host (names, host);
  query->host->n_asked++;
  query->name = g_strdup (host);
  query->done = done;
  query->data = data;
  query->timer = (ControlTimer){ .func = answer, .data = query };
  names->n_under_way++;
  control_timer_set (names->control, &query->timer, control_now_us (names->control) + ANSWER_US);
  return query;
}

static void
cancel (ResolverQuery *query)
{
  control_timer_unset (query->names->control, &query->timer);
  query_free (query);
}

Names *
names_new (Control *control)
{
  Names *names = g_new0 (Names, 1);

  names->resolver = (Resolver){ ask, cancel };
  names->control = control;
  names->hosts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, host_free);
  return names;
}

void
names_free (Names *names)
{
  g_assert_cmpuint (names->n_under_way, ==, 0);
  g_hash_table_unref (names->hosts);
  g_free (names);
}

Resolver *
names_resolver (Names *names)
{
  return &names->resolver;
}

void
names_set (Names *names, const char *host, const char *addresses)
{
  Host *mine = get_host (names, host);

  g_strfreev (mine->addresses);
  mine->addresses = addresses == NULL ? NULL : g_strsplit (addresses, " ", -1);
}

guint
names_n_asked (Names *names, const char *host)
{
  return get_host (names, host)->n_asked;
}

guint
names_n_under_way (const Names *names)
{
  return names->n_under_way;
}
