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
#include <string.h>

#include "etcd.pb-c.h"

static ProtobufCBinaryData
bytes_of (const char *text)
{
  return (ProtobufCBinaryData) { strlen (text), (uint8_t *) text };
}

static void
show (const char *what, ProtobufCBinaryData bytes)
{
  printf ("%s %.*s\n", what, (int) bytes.len, (const char *) bytes.data);
}

/* How the stub's call ended that has just returned. */
static gboolean
was_ok (GError **error)
{
  const GError *why = cenote_protobuf_c_get_error ();

  if (why != NULL)
    g_propagate_error (error, g_error_copy (why));
  return why == NULL;
}

/* ------------------------------------------------------ calls by their stubs */

static void
put_is_done (const Etcdserverpb__PutResponse *response, void *request)
{
  if (response != NULL)
    show ("put", ((Etcdserverpb__PutRequest *) request)->value);
}

static gboolean
put (ProtobufCService *kv, const char *key, const char *value, GError **error)
{
  Etcdserverpb__PutRequest request = ETCDSERVERPB__PUT_REQUEST__INIT;

  request.key = bytes_of (key);
  request.value = bytes_of (value);
  etcdserverpb__kv__put (kv, &request, put_is_done, &request);
  return was_ok (error);
}

static void
range_is_done (const Etcdserverpb__RangeResponse *response, void *data)
{
  (void) data;
  for (size_t i = 0; response != NULL && i < response->n_kvs; i++)
    show ("read", response->kvs[i]->value);
}

static gboolean
range (ProtobufCService *kv, const char *key, GError **error)
{
  Etcdserverpb__RangeRequest request = ETCDSERVERPB__RANGE_REQUEST__INIT;

  request.key = bytes_of (key);
  etcdserverpb__kv__range (kv, &request, range_is_done, NULL);
  return was_ok (error);
}

/* ------------------------------------------------------------------ a stream */

static CenoteCall *
watch (CenotePool *pool, const char *key, GError **error)
{
  Etcdserverpb__WatchRequest request = ETCDSERVERPB__WATCH_REQUEST__INIT;
  Etcdserverpb__WatchCreateRequest create = ETCDSERVERPB__WATCH_CREATE_REQUEST__INIT;
  CenoteCall *call = cenote_protobuf_c_call_new (pool, &etcdserverpb__watch__descriptor, "Watch", NULL, error);

  create.key = bytes_of (key);
  request.request_union_case = ETCDSERVERPB__WATCH_REQUEST__REQUEST_UNION_CREATE_REQUEST;
  request.create_request = &create;
  if (call != NULL && !cenote_protobuf_c_write (call, &request.base, FALSE, error))
    g_clear_pointer (&call, cenote_call_unref);
  return call;
}

/* The next message of the stream: that it watches, or what was put. */
static gboolean
see (CenoteCall *call, GError **error)
{
  Etcdserverpb__WatchResponse *response = NULL;

  if (!cenote_protobuf_c_read (call, -1, &etcdserverpb__watch_response__descriptor, (ProtobufCMessage **) &response, error))
    return FALSE;
  if (response == NULL)      /* no more come */
    return cenote_call_finish (call, error);
  for (size_t i = 0; i < response->n_events; i++)
    show ("saw", response->events[i]->kv->value);
  etcdserverpb__watch_response__free_unpacked (response, NULL);
  return TRUE;
}

static gboolean
run (CenotePool *pool, GError **error)
{
  ProtobufCService *kv = cenote_protobuf_c_service_new (pool, &etcdserverpb__kv__descriptor);
  g_autoptr (CenoteCall) stream = NULL;
  gboolean good;

  good = put (kv, "greeting", "hello", error) && range (kv, "greeting", error) &&
         (stream = watch (pool, "greeting", error)) != NULL && see (stream, error) &&
         put (kv, "greeting", "hello again", error) && see (stream, error);
  protobuf_c_service_destroy (kv);
  return good;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CenoteConfig) config = cenote_config_new_from_file (argc > 1 ? argv[1] : "etcd.conf", &error);
  g_autoptr (CenoteRuntime) runtime = config != NULL ? cenote_runtime_new (config, &error) : NULL;
  g_autoptr (CenotePool) pool = runtime != NULL ? cenote_runtime_get_pool (runtime, NULL, &error) : NULL;

  if (pool != NULL && run (pool, &error))
    return 0;
  fprintf (stderr, "etcd: %s\n", error->message);
  return 1;
}
