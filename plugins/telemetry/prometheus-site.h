/* SPDX-License-Identifier: Apache-2.0 */
/* prometheus-site: what the endpoint answers, path by path; its functions are for prometheus-http, on its thread. */
#ifndef CENOTE_PROMETHEUS_SITE_H
#define CENOTE_PROMETHEUS_SITE_H

#include <cenote/plugin.h>

#include "bounds.h"
#include "prometheus-errors.h"
#include "prometheus-history.h"
#include "prometheus-http.h"
#include "prometheus-page.h"
#include "prometheus-status.h"

typedef struct Site {
  const CenoteHost *host;
  Bounds bounds;
  char **hosts;              /* nullable */
  gsize max_request_bytes;
  Page page;
  Errors *errors;
  History *history;          /* NULL: none is kept */
  StatusDesk *desk;          /* set before the first request */
  guint64 born;              /* a number of this site's own, by which the page knows that another process answers */
} Site;

extern const HttpFuncs site_funcs;

#endif
