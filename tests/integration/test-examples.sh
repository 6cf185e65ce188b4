#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The examples that need no other package: each opens, calls and ends well, and says why when it cannot.

. "${abs_top_srcdir:?}/tests/integration/command.sh"

run_example ()
{
  local name=$1
  shift
  "$abs_top_builddir/examples/$name" "$@" >"$scratch/out" 2>"$scratch/err" </dev/null
  status=$?
}

# statements FROM TO FILE: how many there are, in the form of ours, from the line that has FROM to the one that has TO.
# A declaration is one; so are if and else, beside what they lead to.
statements ()
{
  awk -v from="$1" -v to="$2" '
    index ($0, from)  { inside = 1 }
    inside            { n += gsub (/;/, "") + gsub (/(^|[^a-z_])(if|else|for|while)([^a-z_]|$)/, "") }
    inside && index ($0, to) { print n; exit }' "$3"
}

is_short ()
{
  local n
  n=$(statements cenote_config_new_from_file 'print_message (reply)' "$examples/first-call.c")
  echo "$n statements"
  [ "${n:-0}" -ge 4 ] && [ "$n" -le 10 ]
}

start_server
export CENOTE_DEMO_PORT=$port

case_is 'first-call has at most ten statements from the keyfile to the reply' is_short
run_example first-call "$examples/demo.conf"
case_is 'it calls a server' exits 0
case_is 'and prints the reply' says out '^0801$'
case_is 'and nothing else' has_lines out 1
case_is 'no warning on stderr' says_not err 'WARNING|CRITICAL|^[a-z-]+:'

run_example async "$examples/demo.conf"
case_is 'async calls a server' exits 0
case_is 'its callback is called for each of ten' has_lines out 10
case_is 'with a reply' says out '^demo: a reply of 2 bytes$'
case_is 'no warning on stderr' says_not err 'WARNING|CRITICAL|^[a-z-]+:'

run_example first "$examples/demo.conf"
case_is 'first calls over a channel that it takes' exits 0
case_is 'and says how that went' says out '^demo: .* status 0$'
case_is 'no warning on stderr' says_not err 'WARNING|CRITICAL|^first:'
run_example first
case_is 'wrong usage exits 2' exits 2

for name in first-call async first; do
  run_example "$name" "$scratch/absent.conf"
  case_is "$name: an absent file exits 1" exits 1
  case_is 'and is named' says err "^$name: .*absent\.conf"
done

stop_server
run_example first-call "$examples/demo.conf"
case_is 'first-call: without a server it exits 1' exits 1
case_is 'and says why' says err '^first-call: .*refused'
run_example async "$examples/demo.conf"
case_is 'async: without a server it exits 1' exits 1
case_is 'and each of ten calls says why' test "$(grep -c '^demo: .*refused' "$scratch/err")" -eq 10

finish
