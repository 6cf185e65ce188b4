/* SPDX-License-Identifier: Apache-2.0 */
/* pool-test: what tests of a pool as its callers see it have in common. */
#ifndef CENOTE_TESTS_POOL_TEST_H
#define CENOTE_TESTS_POOL_TEST_H

#include "sim-test.h"
#include "spies.h"

namespace {

class PoolTest : public SimTest
{
protected:
  static bool
  contains (const std::string &text, const std::string &part)
  {
    return text.find (part) != std::string::npos;
  }

  void
  connect_all ()
  {
    run (2 * SIM_S);
    ASSERT_EQ (current (), Status (pool)->expected_size);
    peer_forget_dials (peer);
  }

  void
  open_with_spy (const std::string &keys)
  {
    spies::places.clear ();
    sim = sim_new_empty (1);
    sim_add_plugin (sim, &spies::picker);
    open (keys + "\npicker=spy");
  }

  /* A connector that plans what PLANNER says. */
  void
  open_planned (const std::string &keys, std::function<void (const CenoteConnectorView *, CenotePlan *)> planner)
  {
    spies::planner = planner;
    sim = sim_new_empty (1);
    sim_add_plugin (sim, &spies::connector);
    sim_add_plugin (sim, &spies::sizing);
    open ((keys.find ("connector=") == std::string::npos ? "connector=spy\n" : "") + keys);
  }

  /* The error of a verb that answers -1. */
  std::string
  refusal (int (*verb) (CenotePool *, int, GError **), int n, int code)
  {
    g_autoptr (GError) error = nullptr;

    EXPECT_EQ (verb (pool, n, &error), -1);
    if (error == nullptr)
      return "";
    EXPECT_TRUE (g_error_matches (error, CENOTE_ERROR, code)) << error->message;
    return error->message;
  }

  /* Runs for SPAN_US, and a get succeeds all the while. */
  void
  run_with_gets (gint64 span_us)
  {
    for (gint64 left_us = span_us; left_us > 0; left_us -= SIM_MS / 2) {
      run (SIM_MS / 2);
      ASSERT_TRUE (can_get ()) << "at " << span_us - left_us << " us";
    }
  }
};

} // namespace

#endif
