#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The page of the sink prometheus as its users see it: in a browser, with a server killed and back.  At full length
# alone (make check-long): a browser takes its time.

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
  [ "${CENOTE_TEST_SCALE:-1}" = 1 ] || { echo 'at full length alone (CENOTE_TEST_SCALE=1)'; return; }
  { have chromium && have node; } || echo 'chromium or node is not here'
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

reason=$(why_not)
if [ -n "$reason" ]; then
  skip 'the page in a browser' "$reason"
  finish
fi
CENOTE_DEMO_PORT=$(free_port)
export CENOTE_DEMO_PORT
write_keyfile
page_in_browser
finish
