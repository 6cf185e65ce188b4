/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench-protobuf-c: calls through stubs that protoc-c generated, against calls that are written by hand
 * over C-core, on channels with gRPC's defaults, with bytes that are packed and unpacked by hand; and
 * against our own calls over the same pool with such bytes, which shows what the stubs cost.  Nearly all
 * of that is protobuf-c's own work: rows without a bar leave that to it by hand, too.
 */
#include <cenote/protobuf-c.h>
#include <string.h>

#include "bench/echo.pb-c.h"
#include "rig.h"
#include "tools/demo-server.h"

#define IN_FLIGHT 100
#define TEXT "a small message"
#define NUMBER 300
#define PACKED_SIZE (sizeof TEXT - 1 + 5)
#define N_CHANNELS 5

typedef struct Setup {
  Rig *rig;
  ProtobufCService *blocking;
  grpc_channel *channels[N_CHANNELS]; /* as many as the pool's; with gRPC's defaults */
} Setup;

/* How a request is made and a reply read. */
typedef struct Codec {
  GBytes *(*pack) (void);
  void (*unpack) (GBytes *reply);
} Codec;

/* What is under way of a run on one thread's context. */
typedef struct Run {
  Setup *setup;
  GMainContext *context;
  ProtobufCService *service; /* on that context; NULL: by hand */
  const Codec *codec;        /* by hand */
  guint64 to_begin, to_end;
} Run;

static void
check (gboolean good, const char *what)
{
  if (!good)
    g_error ("%s", what);
}

static void
check_reply (const char *text, gsize length, guint64 number)
{
  check (length == strlen (TEXT) && memcmp (text, TEXT, length) == 0 && number == NUMBER, "a wrong reply");
}

static Cenote__Demo__Note
make_note (void)
{
  Cenote__Demo__Note note = CENOTE__DEMO__NOTE__INIT;

  note.text = (char *) TEXT;
  note.number = NUMBER;
  return note;
}

static void
take_note (const Cenote__Demo__Note *note, void *data)
{
  (void) data;
  check (note != NULL, "a call failed");
  check_reply (note->text, strlen (note->text), note->number);
}

/* ---------------------------------------------------------------- by hand */

/* Fields 1, a string, and 2, a varint of two bytes. */
static void
put_note (guint8 bytes[PACKED_SIZE])
{
  const gsize length = strlen (TEXT);

  bytes[0] = 1 << 3 | 2;
  bytes[1] = (guint8) length;
  memcpy (bytes + 2, TEXT, length);
  bytes[length + 2] = 2 << 3;
  bytes[length + 3] = (NUMBER & 0x7f) | 0x80;
  bytes[length + 4] = NUMBER >> 7;
}

static void
read_note (const guint8 *bytes, gsize size)
{
  gsize length = size < 2 ? 0 : bytes[1];

  check (length + 5 == size && bytes[0] == (1 << 3 | 2) && bytes[length + 2] == 2 << 3, "a wrong reply");
  check_reply ((const char *) bytes + 2, length, (bytes[length + 3] & 0x7f) | (guint64) bytes[length + 4] << 7);
}

static GBytes *
pack (void)
{
  guint8 *bytes = g_malloc (PACKED_SIZE);

  put_note (bytes);
  return g_bytes_new_take (bytes, PACKED_SIZE);
}

static void
unpack (GBytes *reply)
{
  gsize size = 0;
  const guint8 *bytes = g_bytes_get_data (reply, &size);

  read_note (bytes, size);
}

static const Codec own = { pack, unpack };

static GBytes *
pack_note (void)
{
  const Cenote__Demo__Note note = make_note ();
  gsize size = cenote__demo__note__get_packed_size (&note);
  guint8 *bytes = g_malloc (size);

  cenote__demo__note__pack (&note, bytes);
  return g_bytes_new_take (bytes, size);
}

static void
unpack_note (GBytes *reply)
{
  gsize size = 0;
  const guint8 *bytes = g_bytes_get_data (reply, &size);
  Cenote__Demo__Note *note = cenote__demo__note__unpack (NULL, size, bytes);

  take_note (note, NULL);
  cenote__demo__note__free_unpacked (note, NULL);
}

static const Codec protobuf_c = { pack_note, unpack_note };

static void
call_by_hand (guint64 n, Setup *setup, const Codec *codec)
{
  while (n-- > 0) {
    g_autoptr (GBytes) request = codec->pack (), reply = NULL;

    check (cenote_call_unary (setup->rig->pool, DEMO_ECHO_METHOD, request, NULL, &reply, NULL), "a call failed");
    codec->unpack (reply);
  }
}

static void
run_by_hand (guint64 n, gpointer data)
{
  call_by_hand (n, data, &own);
}

static void
run_packed (guint64 n, gpointer data)
{
  call_by_hand (n, data, &protobuf_c);
}

/* ----------------------------------------------------------- over C-core */

static grpc_channel *
take_default (gpointer data, CenoteLease *lease)
{
  Setup *setup = data;

  (void) lease;
  return setup->channels[rig_random (N_CHANNELS)];
}

static grpc_slice
pack_slice (void)
{
  grpc_slice message = grpc_slice_malloc (PACKED_SIZE);

  put_note (GRPC_SLICE_START_PTR (message));
  return message;
}

static void
run_plucked (guint64 n, gpointer data)
{
  const RigSource source = { take_default, data, pack_slice, read_note };

  check (rig_pluck (&source, n) == 0, "a call failed");
}

static void
run_next (guint64 n, gpointer data)
{
  const RigSource source = { take_default, data, pack_slice, read_note };

  check (rig_call (&source, n, IN_FLIGHT) == 0, "a call failed");
}

/* --------------------------------------------------------------- by the stub */

static void
call_stub (ProtobufCService *service, Cenote__Demo__Note_Closure closure, void *data)
{
  const Cenote__Demo__Note note = make_note ();

  cenote__demo__echo__echo (service, &note, closure, data);
}

static void
run_stub (guint64 n, gpointer data)
{
  Setup *setup = data;

  while (n-- > 0)
    call_stub (setup->blocking, take_note, NULL);
}

/* ------------------------------------------------------------- asynchronous */

static void begin (Run *run);

static void
take_reply (CenotePool *pool, GBytes *reply, const GError *error, gpointer data)
{
  Run *run = data;

  (void) pool;
  check (error == NULL, "a call failed");
  run->codec->unpack (reply);
  run->to_end--;
  begin (run);
}

static void
take_note_of_run (const Cenote__Demo__Note *note, void *data)
{
  Run *run = data;

  take_note (note, NULL);
  run->to_end--;
  begin (run);
}

static void
begin (Run *run)
{
  if (run->to_begin == 0)
    return;
  run->to_begin--;
  if (run->service != NULL) {
    call_stub (run->service, take_note_of_run, run);
  } else {
    g_autoptr (GBytes) request = run->codec->pack ();

    cenote_call_unary_async (run->setup->rig->pool, DEMO_ECHO_METHOD, request, NULL, run->context, take_reply, run, NULL);
  }
}

static void
run_loop (Run *run)
{
  guint i;

  for (i = 0; i < IN_FLIGHT; i++)
    begin (run);
  while (run->to_end > 0)
    g_main_context_iteration (run->context, TRUE);
  g_main_context_unref (run->context);
}

static void
run_async_by_hand (guint64 n, gpointer data)
{
  Run run = { data, g_main_context_new (), NULL, &own, n, n };

  run_loop (&run);
}

static void
run_async_packed (guint64 n, gpointer data)
{
  Run run = { data, g_main_context_new (), NULL, &protobuf_c, n, n };

  run_loop (&run);
}

static void
run_async_stub (guint64 n, gpointer data)
{
  Setup *setup = data;
  Run run = { setup, g_main_context_new (), NULL, NULL, n, n };

  run.service = cenote_protobuf_c_service_new (setup->rig->pool, &cenote__demo__echo__descriptor);
  cenote_protobuf_c_service_set_context (run.service, run.context);
  run_loop (&run);
  protobuf_c_service_destroy (run.service);
}

/* --------------------------------------------------------------- comparison */

static void
compare (Setup *setup, const char *what, guint n_threads, void (*stub) (guint64, gpointer), void (*by_hand) (guint64, gpointer),
         BenchBar bar)
{
  const BenchWay way = { "stub", stub, setup, n_threads, BENCH_WITH_SERVER };
  const BenchWay base = { "by hand", by_hand, setup, n_threads, BENCH_WITH_SERVER };
  const BenchRatio ratio = bench_rate_ratio (&way, &base);

  bench_print (what, &ratio, bar, 0.97);
}

int
main (void)
{
  guint port = 0;
  Child *server = rig_start_server (&port);
  Setup setup = { .rig = rig_new (port) };
  g_autofree char *target = g_strdup_printf ("ipv4:127.0.0.1:%u", port);
  CenoteLease held = CENOTE_LEASE_INIT;
  guint i;

  for (i = 0; i < N_CHANNELS; i++)
    setup.channels[i] = rig_default_channel (target);
  setup.blocking = cenote_protobuf_c_service_new (setup.rig->pool, &cenote__demo__echo__descriptor);
  run_async_by_hand (1000, &setup); /* what threads there are to be, before the bench pins its own */
  check (cenote_pool_get_channel (setup.rig->pool, &held, NULL), "no channel"); /* as bench-calls has it */
  bench_title ("protobuf-c, against C-core's pluck and next with bytes packed by hand, gRPC's defaults");
  compare (&setup, "blocking, 1 thread", 1, run_stub, run_plucked, BENCH_AT_LEAST);
  compare (&setup, "blocking, 2 threads", 2, run_stub, run_plucked, BENCH_AT_LEAST);
  compare (&setup, "asynchronous, 100 in flight", 1, run_async_stub, run_next, BENCH_AT_LEAST);
  compare (&setup, "asynchronous, 2 threads of 100 in flight", 2, run_async_stub, run_next, BENCH_AT_LEAST);
  bench_title ("protobuf-c, against our own calls with bytes packed by hand");
  compare (&setup, "blocking, 1 thread", 1, run_stub, run_by_hand, BENCH_AT_LEAST);
  compare (&setup, "blocking, 2 threads", 2, run_stub, run_by_hand, BENCH_AT_LEAST);
  compare (&setup, "asynchronous, 100 in flight", 1, run_async_stub, run_async_by_hand, BENCH_AT_LEAST);
  compare (&setup, "blocking, 1 thread, protobuf-c by hand, too", 1, run_stub, run_packed, BENCH_NO_BAR);
  compare (&setup, "asynchronous, protobuf-c by hand, too", 1, run_async_stub, run_async_packed, BENCH_NO_BAR);
  cenote_lease_release (&held);
  for (i = 0; i < N_CHANNELS; i++)
    grpc_channel_destroy (setup.channels[i]);
  protobuf_c_service_destroy (setup.blocking);
  rig_free (setup.rig);
  child_free (server);
  return 0;
}
