/* SPDX-License-Identifier: Apache-2.0 */
/* spies: plugins of the tests' own: a picker that remembers what it was shown, a connector that plans what a test says.
 */
#ifndef CENOTE_TESTS_SIM_SPIES_H
#define CENOTE_TESTS_SIM_SPIES_H

#include <cenote/plugin.h>

#include <functional>
#include <map>

namespace spies {

inline CenotePlugin
describe (CenotePluginKind kind, const char *name, const void *ops)
{
  CenotePlugin plugin = {};

  plugin.magic = CENOTE_PLUGIN_MAGIC;
  plugin.abi_major = CENOTE_ABI_MAJOR;
  plugin.abi_minor = CENOTE_ABI_MINOR;
  plugin.struct_size = sizeof plugin;
  plugin.kind = kind;
  plugin.name = name;
  plugin.version = "1";
  plugin.summary = "A plugin of the tests";
  plugin.license = "Apache-2.0";
  plugin.option_size = sizeof (CenoteOption);
  plugin.ops = ops;
  return plugin;
}

/* Where a plugin's create() answers "made". */
inline void *
create (const CenoteHost *, const CenoteOptions *, CenoteFault *)
{
  static char state;

  return &state;
}

/* ------------------------------------------------------------------ picker */

/* Place number → channel, as of the last pick. */
inline std::map<uint32_t, uint64_t> places;

inline uint32_t
pick (void *, const CenotePickView *view)
{
  places.clear ();
  for (uint32_t i = 0; i < view->n_places; i++) {
    const CenotePlace *place = cenote_pick_place (view, i);

    places[place->number] = place->channel_id;
  }
  return static_cast<uint32_t> ((*view->scratch)++ % view->n_places);
}

inline const CenotePickerOps picker_ops = { sizeof picker_ops, 0, nullptr, pick, nullptr, nullptr };
inline const CenotePlugin picker = describe (CENOTE_PLUGIN_PICKER, "spy", &picker_ops);

/* --------------------------------------------------------------- connector */

inline std::function<void (const CenoteConnectorView *, CenotePlan *)> planner;

inline void
plan (void *, const CenoteConnectorView *view, CenotePlan *out_plan)
{
  if (planner)
    planner (view, out_plan);
}

inline const CenoteConnectorOps connector_ops = { sizeof connector_ops, 0, nullptr, plan, nullptr };
inline const CenotePlugin connector = describe (CENOTE_PLUGIN_CONNECTOR, "spy", &connector_ops);
inline const CenoteConnectorOps sizing_ops = { sizeof sizing_ops, CENOTE_CONNECTOR_SIZES_ITSELF, nullptr, plan,
                                               nullptr };
inline const CenotePlugin sizing = describe (CENOTE_PLUGIN_CONNECTOR, "sizing", &sizing_ops);

} // namespace spies

#endif
