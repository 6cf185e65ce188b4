#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# examples/etcd: stubs that protoc-c generated, over a pool to a real etcd.

. "${abs_top_srcdir:?}/tests/integration/command.sh"
. "$abs_top_srcdir/tests/etcd.sh"

etcd_example=$abs_top_builddir/examples/etcd

run_example ()
{
  "$etcd_example" "$@" >"$scratch/out" 2>"$scratch/err" </dev/null
  status=$?
}

if [ ! -x "$etcd_example" ]; then
  skip 'generated stubs work' 'no protoc-c'
  finish
fi
if ! command -v etcd >/dev/null; then
  skip 'generated stubs work' 'no etcd'
  finish
fi
etcd_start || exit 1
export ETCD_PORT=$etcd_port

run_example "$examples/etcd.conf"
case_is 'puts, ranges and watches' exits 0
printf 'put hello\nread hello\nput hello again\nsaw hello again\n' >"$scratch/expected"
case_is 'says what it did' cmp "$scratch/out" "$scratch/expected"
case_is "no warning on stderr" says_not err "WARNING|CRITICAL|^\*\*"

etcd_stop
run_example "$examples/etcd.conf"
case_is 'without a server it exits 1' exits 1
case_is 'and says why' says err 'Connection refused'

finish
