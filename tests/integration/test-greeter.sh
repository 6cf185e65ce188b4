#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# examples/greeter: stubs that protoc generated for C++, over a pool to a server of gRPC C++'s.

. "${abs_top_srcdir:?}/tests/integration/command.sh"

greeter=$abs_top_builddir/examples/greeter

run_greeter ()
{
  "$greeter" "$@" >"$scratch/out" 2>"$scratch/err" </dev/null
  status=$?
}

if [ ! -x "$greeter" ]; then
  skip 'generated C++ stubs work' 'no gRPC C++'
  finish
fi
coproc SERVER { exec "$abs_top_builddir/tests/servers/greeter"; }
read -r -t 30 GREETER_PORT <&"${SERVER[0]}" || exit 1
export GREETER_PORT

run_greeter "$examples/greeter.conf"
case_is 'it calls' exits 0
printf 'Hello, world\nHello, stream\nHello, pool\n' >"$scratch/expected"
case_is 'says what came back' cmp "$scratch/out" "$scratch/expected"
case_is 'no warning on stderr' says_not err 'WARNING|CRITICAL|^greeter:'

run_greeter "$scratch/absent.conf"
case_is 'an absent file exits 1' exits 1
case_is 'and is named' says err 'absent\.conf'
run_greeter
case_is 'wrong usage exits 2' exits 2

finish
