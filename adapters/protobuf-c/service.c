/* SPDX-License-Identifier: Apache-2.0 */
/* protobuf-c/service: stubs that protoc-c generated, over a pool's unary calls. */
#include <cenote/protobuf-c.h>
#include <string.h>

#include "message.h"
#include "scratch.h"

typedef struct Service {
  ProtobufCService base;     /* first */
  CenotePool *pool;          /* (reference) */
  char **paths;              /* of the descriptor's methods: to print one costs more than all else here */
  CenoteCallOptions options; /* with what its members point to */
  GMainContext *context;     /* (reference); NULL: calls block */
} Service;

/* ------------------------------------------------------------------- errors */

static void
clear_error (gpointer data)
{
  g_error_free (data);
}

/* The last blocking call's, owned; and, in a closure of an asynchronous one, that call's. */
static GPrivate last_error = G_PRIVATE_INIT (clear_error);
static _Thread_local const GError *closure_error;
static _Thread_local gboolean in_closure;

const GError *
cenote_protobuf_c_get_error (void)
{
  return in_closure ? closure_error : g_private_get (&last_error);
}

/* (transfer full) ERROR, nullable. */
static void
keep_error (GError *error)
{
  if (error != NULL || g_private_get (&last_error) != NULL)
    g_private_replace (&last_error, error);
}

/* -------------------------------------------------------------------- calls */

/* One call on its way. */
typedef struct Invocation {
  const ProtobufCMessageDescriptor *output;
  ProtobufCClosure closure;
  gpointer closure_data;
} Invocation;

static void
run_closure (const Invocation *invocation, const ProtobufCMessage *message, const GError *error)
{
  gboolean was_in = in_closure;
  const GError *outer = closure_error;

  in_closure = TRUE;
  closure_error = error;
  invocation->closure (message, invocation->closure_data);
  closure_error = outer;
  in_closure = was_in;
}

/* A reply, in memory of its own. */
typedef struct Reply {
  const ProtobufCMessageDescriptor *descriptor;
  Scratch scratch;
  ProtobufCMessage *message; /* NULL: there is none */
} Reply;

static void
reply_init (Reply *reply, const ProtobufCMessageDescriptor *descriptor)
{
  reply->descriptor = descriptor;
  reply->message = NULL;
  scratch_init (&reply->scratch);
}

static gboolean
reply_unpack (const guint8 *packed, gsize length, gpointer data, GError **error)
{
  Reply *reply = data;

  reply->message = message_unpack (reply->descriptor, &reply->scratch.allocator, packed, length, error);
  return reply->message != NULL;
}

static void
call_blocking (const Service *service, const char *method, const CenotePackable *request, const Invocation *invocation)
{
  GError *error = NULL;
  Reply reply;

  reply_init (&reply, invocation->output);
  cenote_call_unary_packed (service->pool, method, request, &service->options, reply_unpack, &reply, &error);
  run_closure (invocation, reply.message, error);
  scratch_clear (&reply.scratch, reply.message);
  keep_error (error);
}

static void
done (CenotePool *pool, const guint8 *packed, gsize length, const GError *error, gpointer data)
{
  const Invocation *invocation = data;
  g_autoptr (GError) fault = NULL;
  Reply reply;

  (void) pool;
  reply_init (&reply, invocation->output);
  if (error == NULL)
    reply_unpack (packed, length, &reply, &fault);
  run_closure (invocation, reply.message, error != NULL ? error : fault);
  scratch_clear (&reply.scratch, reply.message);
}

static void
invocation_free (gpointer data)
{
  g_slice_free (Invocation, data);
}

static void
call_async (const Service *service, const char *method, const CenotePackable *request, const Invocation *invocation)
{
  Invocation *kept = g_slice_new (Invocation);

  *kept = *invocation;
  cenote_call_unary_packed_async (service->pool, method, request, &service->options, service->context, done, kept,
                                  invocation_free);
}

static void
invoke (ProtobufCService *base, unsigned index, const ProtobufCMessage *input, ProtobufCClosure closure, void *closure_data)
{
  const Service *service = (const Service *) base;
  const Invocation invocation = { base->descriptor->methods[index].output, closure, closure_data };
  const CenotePackable request = message_packable (input);

  if (service->context != NULL)
    call_async (service, service->paths[index], &request, &invocation);
  else
    call_blocking (service, service->paths[index], &request, &invocation);
}

/* ------------------------------------------------------------------ options */

static void
clear_options (CenoteCallOptions *options)
{
  gsize i;

  for (i = 0; i < options->n_metadata; i++) {
    g_free ((char *) options->metadata[i].key);
    g_free ((char *) options->metadata[i].value);
  }
  g_free ((gpointer) options->metadata);
  g_free ((char *) options->affinity_key);
}

static void
copy_metadata (CenoteCallOptions *options)
{
  CenoteMetadatum *rows = g_new (CenoteMetadatum, options->n_metadata);
  gsize i;

  for (i = 0; i < options->n_metadata; i++) {
    const CenoteMetadatum *row = &options->metadata[i];
    gsize length = row->length < 0 ? strlen (row->value) : (gsize) row->length;

    rows[i] = (CenoteMetadatum) { g_strdup (row->key), g_memdup2 (row->value, length + (row->length < 0)), row->length };
  }
  options->metadata = rows;
}

void
cenote_protobuf_c_service_set_options (ProtobufCService *base, const CenoteCallOptions *options)
{
  Service *service = (Service *) base;
  CenoteCallOptions copy = CENOTE_CALL_OPTIONS_INIT;

  g_return_if_fail (base != NULL && options != NULL);
  memcpy (&copy, options, MIN (options->struct_size, sizeof copy));
  copy.struct_size = sizeof copy;
  copy_metadata (&copy);
  copy.affinity_key = g_strdup (copy.affinity_key);
  clear_options (&service->options);
  service->options = copy;
}

void
cenote_protobuf_c_service_set_context (ProtobufCService *base, GMainContext *context)
{
  Service *service = (Service *) base;

  g_return_if_fail (base != NULL);
  g_clear_pointer (&service->context, g_main_context_unref);
  service->context = context == NULL ? NULL : g_main_context_ref (context);
}

/* -------------------------------------------------------------------- lives */

static void
destroy (ProtobufCService *base)
{
  Service *service = (Service *) base;

  cenote_pool_unref (service->pool);
  g_clear_pointer (&service->context, g_main_context_unref);
  clear_options (&service->options);
  g_strfreev (service->paths);
  g_free (service);
}

static char **
paths_of (const ProtobufCServiceDescriptor *descriptor)
{
  char **paths = g_new0 (char *, descriptor->n_methods + 1);
  unsigned i;

  for (i = 0; i < descriptor->n_methods; i++)
    paths[i] = message_method_path (descriptor, descriptor->methods[i].name);
  return paths;
}

ProtobufCService *
cenote_protobuf_c_service_new (CenotePool *pool, const ProtobufCServiceDescriptor *descriptor)
{
  Service *service;

  g_return_val_if_fail (pool != NULL && descriptor != NULL, NULL);
  service = g_new0 (Service, 1);
  service->base = (ProtobufCService) { .descriptor = descriptor, .invoke = invoke, .destroy = destroy };
  service->pool = cenote_pool_ref (pool);
  service->paths = paths_of (descriptor);
  service->options = (CenoteCallOptions) CENOTE_CALL_OPTIONS_INIT;
  return &service->base;
}
