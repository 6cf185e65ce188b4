/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mock: a user's function in the place of a pool's gets, counted, so that its
 * notify runs once when it was replaced and no call of it runs.  Any thread.
 */
#ifndef CENOTE_CORE_MOCK_H
#define CENOTE_CORE_MOCK_H

#include <cenote/pool.h>

typedef struct MockBox MockBox;

MockBox *mock_new (CenoteMockFunc func, gpointer user_data, GDestroyNotify notify);
MockBox *mock_ref (MockBox *mock);
void mock_unref (MockBox *mock);
/* A lease of the mock's is its channel alone, whatever else it wrote. */
gboolean mock_get (MockBox *mock, CenotePool *pool, CenoteLease *out_lease, GError **error);

#endif
