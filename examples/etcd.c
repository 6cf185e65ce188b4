/* SPDX-License-Identifier: Apache-2.0 */
/*
 * etcd: stubs that protoc-c generated, over a pool: puts a key, reads it, and sees the
 * next put on a watch stream.
 *
 *   protoc-c --c_out=. etcd.proto
 *   cc etcd.c etcd.pb-c.c -o etcd $(pkg-config --cflags --libs cenote-protobuf-c) && ./etcd etcd.conf
 */
#include <cenote/cenote.h>
#include <cenote/protobuf-c.h>
#include <stdio.h>

#include "etcd.pb-c.h"

#define BYTES(text) { sizeof (text) - 1, (uint8_t *) (text) }

static void
show_put (const Etcdserverpb__PutResponse *response, void *what)
{
  if (response != NULL)
    printf ("put %s\n", (const char *) what);
}

static void
show_range (const Etcdserverpb__RangeResponse *response, void *data)
{
  (void) data;
  if (response != NULL && response->n_kvs == 1)
    printf ("read %.*s\n", (int) response->kvs[0]->value.len, (const char *) response->kvs[0]->value.data);
}

static gboolean
put (ProtobufCService *kv, const char *value, GError **error)
{
  Etcdserverpb__PutRequest request = ETCDSERVERPB__PUT_REQUEST__INIT;

  request.key = (ProtobufCBinaryData) BYTES ("greeting");
  request.value = (ProtobufCBinaryData) { strlen (value), (uint8_t *) value };
  etcdserverpb__kv__put (kv, &request, show_put, (void *) value);
  if (cenote_protobuf_c_get_error () != NULL)
    g_propagate_error (error, g_error_copy (cenote_protobuf_c_get_error ()));
  return cenote_protobuf_c_get_error () == NULL;
}

static gboolean
range (ProtobufCService *kv, GError **error)
{
  Etcdserverpb__RangeRequest request = ETCDSERVERPB__RANGE_REQUEST__INIT;

  request.key = (ProtobufCBinaryData) BYTES ("greeting");
  etcdserverpb__kv__range (kv, &request, show_range, NULL);
  if (cenote_protobuf_c_get_error () != NULL)
    g_propagate_error (error, g_error_copy (cenote_protobuf_c_get_error ()));
  return cenote_protobuf_c_get_error () == NULL;
}

/* The next message of WATCH; what it tells of puts is printed. */
static gboolean
see (CenoteCall *watch, GError **error)
{
  ProtobufCMessage *message = NULL;
  const Etcdserverpb__WatchResponse *response;

  if (!cenote_protobuf_c_read (watch, -1, &etcdserverpb__watch_response__descriptor, &message, error))
    return FALSE;
  if (message == NULL)
    return cenote_call_finish (watch, error);
  response = (const Etcdserverpb__WatchResponse *) message;
  for (gsize i = 0; i < response->n_events; i++)
    printf ("saw %.*s\n", (int) response->events[i]->kv->value.len, (const char *) response->events[i]->kv->value.data);
  protobuf_c_message_free_unpacked (message, NULL);
  return TRUE;
}

static CenoteCall *
watch (CenotePool *pool, GError **error)
{
  g_autoptr (CenoteCall) call = cenote_protobuf_c_call_new (pool, &etcdserverpb__watch__descriptor, "Watch", NULL, error);
  Etcdserverpb__WatchRequest request = ETCDSERVERPB__WATCH_REQUEST__INIT;
  Etcdserverpb__WatchCreateRequest create = ETCDSERVERPB__WATCH_CREATE_REQUEST__INIT;

  create.key = (ProtobufCBinaryData) BYTES ("greeting");
  request.request_union_case = ETCDSERVERPB__WATCH_REQUEST__REQUEST_UNION_CREATE_REQUEST;
  request.create_request = &create;
  if (call == NULL || !cenote_protobuf_c_write (call, &request.base, FALSE, error) || !see (call, error))
    return NULL;
  return g_steal_pointer (&call);
}

static gboolean
run (const char *file, GError **error)
{
  g_autoptr (CenoteConfig) config = cenote_config_new_from_file (file, error);
  g_autoptr (CenoteRuntime) runtime = config != NULL ? cenote_runtime_new (config, error) : NULL;
  g_autoptr (CenotePool) pool = runtime != NULL ? cenote_runtime_get_pool (runtime, NULL, error) : NULL;
  g_autoptr (CenoteCall) stream = NULL;
  ProtobufCService *kv;
  gboolean good;

  if (pool == NULL)
    return FALSE;
  kv = cenote_protobuf_c_service_new (pool, &etcdserverpb__kv__descriptor);
  good = put (kv, "hello", error) && range (kv, error) && (stream = watch (pool, error)) != NULL &&
         put (kv, "hello again", error) && see (stream, error);
  protobuf_c_service_destroy (kv);
  return good;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  if (argc != 2) {
    fprintf (stderr, "usage: %s KEYFILE\n", argv[0]);
    return 2;
  }
  if (run (argv[1], &error))
    return 0;
  fprintf (stderr, "%s\n", error->message);
  return 1;
}
