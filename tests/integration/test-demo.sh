#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cenote demo: the whole story on a pipe and on a terminal, and that it notices when the story goes wrong.

. "${abs_top_srcdir:?}/tests/integration/command.sh"

run demo
case_is 'on a pipe it exits 0' exits 0
case_is 'nothing on stderr' is_empty err
case_is 'plain text on a pipe' says_not out "$escape"
case_is 'ASCII on a pipe' says_not out '[^ -~]'
case_is 'it shows the keyfile' says out '^ +\[pool:demo\]$'
for i in 1 2 3 4 5; do
  case_is "it has step $i" says out "^$i\. [A-Z]"
done
case_is 'calls went over five connections' says out 'over 5 connections'
case_is 'each channel had its share' says out '^ +5 +[1-9][0-9]+ +#+$'
case_is 'a get fails while the server is gone' says out 'A get fails at once'
case_is 'the delays grow as the backoff says' says out 'backoff waited [0-9]+, [0-9]+, [0-9]+'
case_is 'the table has the calls' says out '^calls +1000 +0 +[0-9.]+ m?s +5 of 5$'
case_is 'the table has the outage' says out '^outage +1 +1 +[0-9.]+ m?s +0 of 5$'
case_is 'the table has the return' says out '^return +1 +0 +[0-9.]+ m?s +5 of 5$'
case_is 'the table has the calls again' says out '^calls again +1000 +0 +[0-9.]+ m?s +5 of 5$'

run demo "$examples/demo.conf" --set pool:demo/size=3
case_is 'a file and a setting are taken' exits 0
case_is 'and followed' says out '^calls again +1000 +0 .* 3 of 3$'

# A pool that does not reach our server: the first step must fail.
cat >"$scratch/elsewhere.conf" <<'END'
[pool:elsewhere]
target=127.0.0.1:1
profile=test
initialization=fail-fast
connect-timeout=200ms
END
run demo "$scratch/elsewhere.conf"
case_is 'a story that goes wrong exits 1' exits 1
case_is 'and says why' says err 'refused'

run demo --set pool:demo/size=0
case_is 'a wrong setting exits 1' exits 1
case_is 'says nothing on stdout' is_empty out
case_is 'and is named as check does' says err '^\(program\): \[pool:demo\] size: '

# On a terminal: script(1) gives one.
on_terminal ()
{
  script -qec "'$CENOTE' $1" /dev/null >"$scratch/out" 2>"$scratch/err" </dev/null
  status=$?
}
if command -v script >/dev/null; then
  export TERM=xterm
  on_terminal demo
  case_is 'on a terminal it exits 0' exits 0
  case_is 'with colours' says out "$escape\[32m"
  case_is 'and drawn in place' says out "$escape\[[0-9]+A"
  on_terminal plugins
  case_is 'a listing has colours there' says out "$escape\[1m"
  NO_COLOR=1 on_terminal plugins
  case_is 'unless NO_COLOR is set' says_not out "$escape"
  NO_COLOR='' on_terminal plugins
  case_is 'and not empty' says out "$escape\[1m"
  TERM=dumb on_terminal plugins
  case_is 'a dumb terminal has none' says_not out "$escape"
else
  skip 'on a terminal' 'there is no script(1)'
fi

finish
