# SPDX-License-Identifier: Apache-2.0
# Sourced by the test scripts: reports cases in TAP and cleans up.
#
#   case_is "what holds" command …   the case is good where the command succeeds
#   finish                           last line of a script
#   $scratch                         a directory that goes when the script ends
# shellcheck shell=bash

set -u -o pipefail
cases=0 bad=0
scratch=$(mktemp -d "${TMPDIR:-/tmp}/cenote-test.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'echo "not ok $cases - $running"; echo "# had not ended when its time was over"; exit 124' TERM
running='before its first case'

# case_is NAME COMMAND...: runs COMMAND; what it printed is shown where it fails.
case_is ()
{
  local name=$1 output
  shift
  cases=$((cases + 1))
  running=$name
  if output=$("$@" 2>&1); then
    echo "ok $cases - $name"
  else
    bad=$((bad + 1))
    echo "not ok $cases - $name"
    printf '%s\n' "$output" | sed 's/^/# /'
  fi
}

# skip NAME REASON: a case that cannot be tried here.
skip ()
{
  cases=$((cases + 1))
  echo "ok $cases - $1 # SKIP $2"
}

finish ()
{
  echo "1..$cases"
  [ "$bad" -eq 0 ]
  exit
}
