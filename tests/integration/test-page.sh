#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The endpoint of the sink prometheus as its users see it: the page in a browser, a server killed and back; and
# Prometheus itself, which has each series of it.  At full length alone (make check-long): a browser takes its time.

. "${abs_top_srcdir:?}/tests/integration/command.sh"
: "${abs_top_builddir:?}" "${CENOTE_PLUGIN_PATH:?}"
watched=$abs_top_builddir/tests/integration/watched

have ()
{
  command -v "$1" >/dev/null
}

why_not ()
{
  [ -e "$CENOTE_PLUGIN_PATH/telemetry-prometheus.so" ] || { echo 'telemetry-prometheus was left out'; return; }
  [ "${CENOTE_TEST_SCALE:-1}" = 1 ] || echo 'at full length alone (CENOTE_TEST_SCALE=1)'
}

write_keyfile ()
{
  cat >"$scratch/watched.conf" <<END
[cenote]
telemetry=page

[telemetry:page]
plugin=prometheus
listen=127.0.0.1:0

[backoff:quick]
plugin=constant
delay=50ms

[pool:users]
profile=local
backoff=quick
target=ipv4:127.0.0.1:$CENOTE_DEMO_PORT
END
}

# A port that was free a moment ago.
free_port ()
{
  "$DEMO_SERVER" </dev/null
}

# ----------------------------------------------------------------- the browser

page_in_browser ()
{
  local line
  while read -r line; do
    case $line in
      'ok '* | 'not ok '*) case_is "${line#* - }" test "${line%% *}" = ok ;;
      '#'*) echo "$line" ;;
    esac
  done < <(node "$abs_top_srcdir/tests/integration/page.js" "$(command -v chromium)" "$watched" "$DEMO_SERVER" "$scratch")
  [ -z "${CENOTE_PAGE_PICTURES-}" ] || cp "$scratch"/*.png "$CENOTE_PAGE_PICTURES"
}

# ------------------------------------------------------------------ Prometheus

# Starts the watched process; its endpoint is in $endpoint.
start_watched ()
{
  mkfifo "$scratch/stdin"
  G_MESSAGES_DEBUG=Cenote "$watched" "$scratch/watched.conf" <"$scratch/stdin" >"$scratch/log" 2>&1 &
  exec 9>"$scratch/stdin"
  eventually grep -q 'serves http:' "$scratch/log"
  endpoint=$(sed -n 's|.*serves http://\([^/]*\)/.*|\1|p' "$scratch/log")
}

eventually ()
{
  local tries
  for tries in $(seq 120); do
    "$@" && return
    sleep 0.5
  done
  echo "not within a minute: $* ($tries)"
  return 1
}

start_prometheus ()
{
  local port
  port=$(free_port)
  cat >"$scratch/prometheus.yml" <<END
global: { scrape_interval: 1s, scrape_timeout: 1s }
scrape_configs:
  - job_name: cenote
    static_configs: [ { targets: [ "$endpoint" ] } ]
END
  prometheus --config.file="$scratch/prometheus.yml" --storage.tsdb.path="$scratch/tsdb" \
    --web.listen-address="127.0.0.1:$port" >"$scratch/prometheus.log" 2>&1 &
  prometheus_pid=$!
  api=http://127.0.0.1:$port/api/v1
}

# Whether Prometheus, which asks for OpenMetrics, has the series of /metrics, by their names and labels.
has_all_series ()
{
  python3 - "$api" "$endpoint" <<'END'
import json, re, sys, urllib.parse, urllib.request
def read(url):
  request = urllib.request.Request(url, headers={'Accept': 'application/openmetrics-text'})
  return urllib.request.urlopen(request, timeout=10).read().decode()
text = read('http://%s/metrics' % sys.argv[2])
shown = {(name, frozenset(re.findall(r'(\w+)="([^"]*)"', labels or '')))
         for name, labels in re.findall(r'^(\w+)(?:\{(.*)\})? ', text, re.M)}
kept = json.loads(read(sys.argv[1] + '/series?' + urllib.parse.urlencode({'match[]': '{job="cenote"}'})))['data']
kept = {(one['__name__'], frozenset((k, v) for k, v in one.items() if k not in ('__name__', 'job', 'instance'))) for one in kept}
print(len(shown), 'series shown,', len(shown - kept), 'missing', *sorted(map(str, shown - kept))[:5])
sys.exit(not shown or bool(shown - kept))
END
}

# query EXPRESSION: prints the value of its first result.
query ()
{
  python3 - "$api" "$1" <<'END'
import json, sys, urllib.parse, urllib.request
url = sys.argv[1] + '/query?' + urllib.parse.urlencode({'query': sys.argv[2]})
try:
  result = json.load(urllib.request.urlopen(url, timeout=10))['data']['result']
  print(result[0]['value'][1] if result else '')
except OSError:
  pass
END
}

query_is ()
{
  [ "$(query "$1")" = "$2" ]
}

# ------------------------------------------------------------------------ all

reason=$(why_not)
if [ -n "$reason" ]; then
  skip 'the page in a browser' "$reason"
  skip 'Prometheus scrapes it' "$reason"
  finish
fi
CENOTE_DEMO_PORT=$(free_port)
export CENOTE_DEMO_PORT
write_keyfile

if have chromium && have node; then
  page_in_browser
else
  skip 'the page in a browser' 'chromium or node is not here'
fi

if have prometheus; then
  start_server "$CENOTE_DEMO_PORT"
  start_watched >/dev/null
  case_is 'the watched process serves' test -n "$endpoint"
  start_prometheus
  trap 'kill "$prometheus_pid"; wait "$prometheus_pid"; rm -rf "$scratch"' EXIT
  case_is 'Prometheus scrapes it' eventually query_is up 1
  case_is 'it has the counters' eventually query_is 'cenote_channel_connection_attempts_succeeded_total{pool_name="users"}' 3
  case_is 'it has the states' eventually query_is 'sum(cenote_channels{pool_name="users",state="ready"})' 3
  case_is 'it has histograms' eventually query_is 'cenote_call_duration_seconds_count{pool_name="users"} > bool 0' 1
  case_is 'it has each series' eventually has_all_series
  kill "$prometheus_pid"
  wait "$prometheus_pid"
  trap 'rm -rf "$scratch"' EXIT
  exec 9>&-
  stop_server
else
  skip 'Prometheus scrapes it' "Debian's prometheus is not here"
fi
finish
