/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backoff/newer: a plugin as a later minor will build them: every table is longer
 * than the core's, an option has a type that the core does not know, and there
 * are flags that mean nothing to it yet.
 */
#include <cenote/plugin.h>

#define NEWER_MINOR 99u

typedef struct NewerOption {
  CenoteOption known;
  const char *unit;
} NewerOption;

typedef struct NewerOps {
  CenoteBackoffOps known;
  void (*remember) (void *state, const char *error);
} NewerOps;

typedef struct NewerPlugin {
  CenotePlugin known;
  const char *home_page;
} NewerPlugin;

static char only_state;

static const NewerOption options[] = {
  { { "delay", CENOTE_OPTION_DURATION, 1u << 30, "7ms", "1ms", "1s", NULL, "The delay" }, "time" },
  { { "colour", 77, 0, "#ffcc00", NULL, NULL, NULL, "Of a type that comes later" }, "hue" },
};

/* An older host leaves what it cannot read unset, and says so by its minor. */
static void *
create (const CenoteHost *host, const CenoteOptions *values, CenoteFault *fault)
{
  if (host->abi_minor < NEWER_MINOR && cenote_options_at (values, 1)->is_set) {
    host->fail (host, fault, "an old host gave a value that it cannot know");
    return NULL;
  }
  return &only_state;
}

static int64_t
next (void *state)
{
  (void) state;
  return 7000;
}

static void
remember (void *state, const char *error)
{
  (void) state;
  (void) error;
}

static const NewerOps ops = {
  { .struct_size = sizeof ops, .flags = 1u << 31, .create = create, .next = next }, remember
};

static const NewerPlugin plugin = {
  { .magic = CENOTE_PLUGIN_MAGIC, .abi_major = CENOTE_ABI_MAJOR, .abi_minor = NEWER_MINOR, .struct_size = sizeof plugin,
    .kind = CENOTE_PLUGIN_BACKOFF, .name = "newer", .version = "9.9", .summary = "Was built with a newer header",
    .license = "Apache-2.0", .options = &options[0].known, .n_options = 2, .option_size = sizeof options[0],
    .ops = &ops.known },
  "https://example.com/"
};

CENOTE_PLUGIN_DEFINE (plugin.known, CENOTE_PLUGIN_BACKOFF, "newer")
