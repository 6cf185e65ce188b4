#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cenote status: opens pools, waits for their health, and shows them.

. "${abs_top_srcdir:?}/tests/integration/command.sh"

start_server
export CENOTE_DEMO_PORT=$port

run status "$examples/demo.conf"
case_is 'a healthy pool exits 0' exits 0
case_is 'the pool is a line' says out '^pool demo: healthy, 5 of 5 channels, 0 in flight, to .*127\.0\.0\.1:'"$port"'$'
case_is 'each channel is a line' says out '^ +5 +ready +.*127\.0\.0\.1'
case_is 'with pool and headings that makes seven' has_lines out 7
case_is 'no escape codes in a pipe' says_not out "$escape"
case_is 'nothing on stderr' is_empty err

run status --json "$examples/demo.conf"
case_is 'JSON of a healthy pool exits 0' exits 0
case_is 'JSON is one line' has_lines out 1
case_is 'JSON says what was expected and what is' json \
  '[(p["state"], p["expected_size"], p["current_size"]) for p in d["pools"]] == [("healthy", 5, 5)]'
case_is 'JSON has the members of a pool' json \
  'set(d["pools"][0]) == {"name", "target", "state", "expected_size", "current_size", "connecting", "draining", "in_flight",
    "waiters", "leaks", "last_error", "last_error_age_ms", "wait", "call", "create", "use", "channels"}'
case_is 'JSON has how long things took' json \
  'd["pools"][0]["create"]["count"] == 5 and d["pools"][0]["create"]["p99_ns"] > 0 and d["pools"][0]["call"]["p50_ns"] is None'
case_is 'JSON has the members of a channel' json \
  'all(set(c) == {"id", "address", "state", "why", "in_flight", "age_ms", "attempts", "next_attempt_ms", "last_error", "calls",
    "failures"} for c in d["pools"][0]["channels"])'
case_is 'JSON has five channels of their own' json 'len({c["id"] for c in d["pools"][0]["channels"]}) == 5'
case_is 'what is absent is null' json '[c["last_error"] for c in d["pools"][0]["channels"]] == [None] * 5'

run status "$examples/demo.conf" demo --set pool:demo/size=2 --json
case_is 'one pool by name, with another size' json '[p["current_size"] for p in d["pools"]] == [2]'
run status "$examples/demo.conf" demp
case_is 'a pool that is none exits 1' exits 1
case_is 'and is named with those there are' says err "demp.*demo"
run status "$examples/demo.conf" --set pool:demo/initialization=manual
case_is 'a pool that waits to be told is told' exits 0

# Two pools, one of them to a port where nobody listens.
cat >"$scratch/two.conf" <<END
[pool:good]
target=127.0.0.1:$port
profile=test
[pool:bad]
target=127.0.0.1:1
profile=test
END
run status --wait 2s "$scratch/two.conf"
case_is 'one that is down exits 1' exits 1
case_is 'the good one is shown' says out '^pool good: healthy, 1 of 1'
case_is 'the bad one is shown' says out '^pool bad: down, 0 of 1'
case_is 'with the reason' says out 'refused'
run status --wait 2s --json "$scratch/two.conf"
case_is 'JSON of both exits 1' exits 1
case_is 'JSON has both in their order' json '[(p["name"], p["state"]) for p in d["pools"]] == [("good", "healthy"), ("bad", "down")]'
run status --wait 10s "$scratch/two.conf" good
case_is 'only the pool that was named counts' exits 0
run status --wait 0 "$scratch/two.conf" bad
case_is 'a wait of 0 does not wait' exits 1

# One that cannot run is not waited for.
cat >"$scratch/failed.conf" <<END
[pool:failed]
target=127.0.0.1:$port
transport=absent
critical=no
[pool:good]
target=127.0.0.1:$port
profile=test
END
run status --wait 1h "$scratch/failed.conf"
case_is 'a pool that cannot run exits 1, however long the wait' exits 1
case_is 'it is shown as stopped' says out '^pool failed: stopped'
case_is 'with the reason' says out "^  .*transport plugin 'absent'"
case_is 'the other one is healthy' says out '^pool good: healthy'

# So is one whose plugin is refused: it fails alone, and only where it may.
mkdir "$scratch/plugins"
echo 'no shared object' >"$scratch/plugins/picker-broken.so"
chmod go-w "$scratch/plugins" "$scratch/plugins"/*
sed 's/^transport=absent/profile=test\npicker=broken/' "$scratch/failed.conf" >"$scratch/refused.conf"
run status --wait 1h --plugin-path "$scratch/plugins" "$scratch/refused.conf"
case_is 'a pool whose plugin is refused is stopped' says out '^pool failed: stopped'
case_is 'with the reason' says out "^  .*picker plugin 'broken' is refused: .*picker-broken.so: not an ELF file"
case_is 'the other one is healthy as before' says out '^pool good: healthy'
sed -i '/^critical=no/d' "$scratch/refused.conf"
run status --wait 1h --plugin-path "$scratch/plugins" "$scratch/refused.conf"
case_is 'where it is critical none starts' exits 1
case_is 'for that reason' says err "picker plugin 'broken' is refused: "

# It goes on until its reader leaves.
"$CENOTE" status --watch --json "$examples/demo.conf" 2>"$scratch/err" </dev/null | head -n 3 >"$scratch/watched"
tail -n 1 "$scratch/watched" >"$scratch/out"
case_is 'watching prints an object a line' json '[p["name"] for p in d["pools"]] == ["demo"]'

stop_server
run status --wait 100ms "$examples/demo.conf"
case_is 'without the server it exits 1' exits 1
case_is 'and the pool is down' says out '^pool demo: down, 0 of 5 channels'

finish
