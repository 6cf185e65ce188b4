#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A server that is not ours: examples/first and cenote status against etcd.

. "${abs_top_srcdir:?}/tests/integration/command.sh"
. "$abs_top_srcdir/tests/etcd.sh"

if ! command -v etcd >/dev/null; then
  skip 'etcd is called' 'no etcd'
  finish
fi
etcd_start || exit 1
export CENOTE_DEMO_PORT=$etcd_port

case_is 'first makes a call' "$abs_top_builddir/examples/first" "$examples/demo.conf"

run status --json --wait 10s "$examples/demo.conf"
case_is 'status is healthy' exits 0
case_is 'five channels of five' json \
  'd["pools"][0]["state"] == "healthy" and d["pools"][0]["expected_size"] == d["pools"][0]["current_size"] == 5'

etcd_stop
run status --json --wait 0 "$examples/demo.conf"
case_is 'status of a pool without its server exits 1' exits 1
case_is 'no channel of five' json 'd["pools"][0]["expected_size"] == 5 and d["pools"][0]["current_size"] == 0'

finish
