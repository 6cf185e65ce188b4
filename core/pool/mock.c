/* SPDX-License-Identifier: Apache-2.0 */
#include "mock.h"

struct MockBox {
  gatomicrefcount refs;
  CenoteMockFunc func;
  gpointer user_data;
  GDestroyNotify notify;
};

MockBox *
mock_new (CenoteMockFunc func, gpointer user_data, GDestroyNotify notify)
{
  MockBox *mock = g_new0 (MockBox, 1);

  g_atomic_ref_count_init (&mock->refs);
  mock->func = func;
  mock->user_data = user_data;
  mock->notify = notify;
  return mock;
}

MockBox *
mock_ref (MockBox *mock)
{
  g_atomic_ref_count_inc (&mock->refs);
  return mock;
}

void
mock_unref (MockBox *mock)
{
  if (mock == NULL || !g_atomic_ref_count_dec (&mock->refs))
    return;
  if (mock->notify != NULL)
    mock->notify (mock->user_data);
  g_free (mock);
}

gboolean
mock_get (MockBox *mock, CenotePool *pool, CenoteLease *out_lease, GError **error)
{
  CenoteLease answer = CENOTE_LEASE_INIT;
  GError *why = NULL;

  if (mock->func (pool, &answer, mock->user_data, &why) && answer.channel != NULL) {
    g_clear_error (&why);
    *out_lease = (CenoteLease) CENOTE_LEASE_INIT;
    out_lease->channel = answer.channel;
    return TRUE;
  }
  if (why == NULL)
    why = g_error_new (CENOTE_ERROR, CENOTE_ERROR_NOT_CONNECTED, "The mock of pool %s gave no channel and no reason",
                       cenote_pool_get_name (pool));
  g_propagate_error (error, why);
  return FALSE;
}
