#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# examples/first: the smallest program opens, calls and ends well, and says why when it cannot.

. "${abs_top_srcdir:?}/tests/integration/command.sh"
: "${FIRST:=$abs_top_builddir/examples/first}"

run_first ()
{
  "$FIRST" "$@" >"$scratch/out" 2>"$scratch/err" </dev/null
  status=$?
}

start_server
CENOTE_DEMO_PORT=$port run_first "$examples/demo.conf"
case_is 'it calls a server' exits 0
case_is 'and says how that went' says out '^demo: .* status 0$'
case_is 'no warning on stderr' says_not err 'WARNING|CRITICAL|^first:'

run_first "$scratch/absent.conf"
case_is 'an absent file exits 1' exits 1
case_is 'and is named' says err 'absent\.conf'
run_first
case_is 'wrong usage exits 2' exits 2

finish
