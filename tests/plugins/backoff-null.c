/* SPDX-License-Identifier: Apache-2.0 */
/* Refused: cenote_plugin_query() returns NULL, as a plugin may that does not like its host. */
#include <cenote/plugin.h>

CENOTE_NOTE_CLOSE __attribute__ ((used, aligned (4), section (CENOTE_NOTE_SECTION))) static const CenoteNote note = {
  .owner_size = sizeof CENOTE_NOTE_OWNER,
  .payload_size = CENOTE_NOTE_PAYLOAD_SIZE,
  .type = CENOTE_NOTE_TYPE,
  .owner = CENOTE_NOTE_OWNER,
  .abi_major = CENOTE_ABI_MAJOR,
  .abi_minor = CENOTE_ABI_MINOR,
  .kind = CENOTE_PLUGIN_BACKOFF,
  .name = "null",
};

CENOTE_PLUGIN_EXPORT const CenotePlugin *cenote_plugin_query (uint32_t host_abi);

CENOTE_PLUGIN_EXPORT const CenotePlugin *
cenote_plugin_query (uint32_t host_abi)
{
  (void) host_abi;
  return NULL;
}
