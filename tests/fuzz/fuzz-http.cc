/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz-http: any bytes as what telemetry/prometheus reads by itself: the headers Accept and Host, the path and the
 * query, and its options listen and buckets; with what must hold of every answer.
 */
#include <cstdlib>
#include <cstring>
#include <string>

extern "C" {
#include "plugins/telemetry/bounds.h"
#include "plugins/telemetry/prometheus-listen.h"
#include "plugins/telemetry/prometheus-request.h"
int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);
}

namespace {

void
require (bool holds)
{
  if (!holds)
    abort ();
}

void
check_request (const char *text)
{
  const char *const hosts[] = { "metrics.example.com", nullptr };
  Request request = {};
  Format format = request_format (text);

  require (format == FORMAT_TEXT || strcasestr (text, "application/openmetrics-text") != nullptr);
  /* A name is ours, or begins with a digit or bracket as numbers do, or has a colon in it. */
  if (request_host_is_ours (text, hosts))
    require (strncasecmp (text, "localhost", 9) == 0 || strncasecmp (text, hosts[0], strlen (hosts[0])) == 0 ||
             *text == '[' || g_ascii_isdigit (*text));
  require (request_since (text) == 0 || g_ascii_isdigit (*text));
  request.method = request.path = request.accept = text;
  request.host = "localhost";
  require (request_route (&request, 8192, nullptr) >= ROUTE_NOT_FOUND);
}

void
check_listen (const char *text)
{
  ListenAddress address;
  g_autofree char *wrong = listen_address_read (text, &address);

  require ((wrong == nullptr) == (address.size > 0));
  listen_address_clear (&address);
}

void
check_bounds (const char *text)
{
  g_auto (GStrv) list = g_strsplit (text, ";", -1);
  Bounds bounds;
  g_autofree char *wrong = bounds_read (list, &bounds);

  require (bounds.n <= MAX_BOUNDS);
  for (guint i = 0; i < bounds.n; i++)
    require (bounds.ns[i] > (i == 0 ? 0 : bounds.ns[i - 1]));
  require (wrong != nullptr || bounds.n == g_strv_length (list));
}

} // namespace

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  std::string text ((const char *) data, strnlen ((const char *) data, size));

  check_request (text.c_str ());
  check_listen (text.c_str ());
  check_bounds (text.c_str ());
  return 0;
}
