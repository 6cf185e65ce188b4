# SPDX-License-Identifier: Apache-2.0
# Sourced by the tests of the command: runs it and looks at what it left.
#
#   run ARGUMENT...         runs cenote; $scratch/out and $scratch/err have its streams
#   exits N                 how it ended
#   says out|err PATTERN    a line of the stream matches
#   is_empty out|err        nothing came
#   has_lines out|err N     so many lines came
#   json EXPRESSION         holds of the JSON on stdout, which is `d` in it
#   start_server [PORT]     starts the demo's server; its port is in $port
# shellcheck shell=bash

: "${abs_top_srcdir:?}" "${abs_top_builddir:?}"
. "$abs_top_srcdir/tests/script.sh"
: "${CENOTE:=$abs_top_builddir/tools/cenote}"
: "${DEMO_SERVER:=$abs_top_builddir/tests/integration/demo-server}"
examples=$abs_top_srcdir/examples
escape=$'\033'
unset NO_COLOR CENOTE_DEMO_PORT G_MESSAGES_DEBUG

run ()
{
  "$CENOTE" "$@" >"$scratch/out" 2>"$scratch/err" </dev/null
  status=$?
}

show_streams ()
{
  echo "exit status $status; stdout:"
  cat "$scratch/out"
  echo 'stderr:'
  cat "$scratch/err"
  return 1
}

exits ()
{
  [ "$status" -eq "$1" ] || show_streams
}

says ()
{
  grep -qE -- "$2" "$scratch/$1" || show_streams
}

says_not ()
{
  ! grep -qE -- "$2" "$scratch/$1" || show_streams
}

is_empty ()
{
  [ ! -s "$scratch/$1" ] || show_streams
}

has_lines ()
{
  [ "$(wc -l <"$scratch/$1")" -eq "$2" ] || show_streams
}

json ()
{
  /usr/bin/python3 -c '
import json, sys
with open(sys.argv[1]) as file:
    d = json.load(file)
sys.exit(0 if eval(sys.argv[2]) else 1)' "$scratch/out" "$1" || show_streams
}

# start_server [PORT]: it ends when its stdin does: with this script, or by stop_server.
start_server ()
{
  coproc SERVER { exec "$DEMO_SERVER" "$@"; }
  read -r port <&"${SERVER[0]}"
}

stop_server ()
{
  local pid=$SERVER_PID
  eval "exec ${SERVER[1]}>&-"
  wait "$pid"
}
