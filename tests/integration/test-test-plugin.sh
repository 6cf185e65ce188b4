#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cenote test-plugin: good plugins, bad ones, and those that take the process with them.

. "${abs_top_srcdir:?}/tests/integration/command.sh"

built=${CENOTE_PLUGIN_PATH:?}
others=${CENOTE_TEST_PLUGINS:?}

# TAP as it should be: numbered from 1, the plan last and as many as that.
is_whole ()
{
  awk '/^(not )?ok / { n++; number = $1 == "ok" ? $2 : $3; wrong += number != n }
       { last = $0 }
       END { exit !(n > 0 && !wrong && last == "1.." n) }' "$scratch/out" || show_streams
}

# The check that was under way is the last one, and broken; then the suite is over.
bails_out_in ()
{
  awk -v check="- $1:" -v why="$2" '
    /^not ok / { broken = index ($0, check); next }
    /^#/ { next }
    /^ok / { broken = 0 }
    /^Bail out! / { good = broken && index ($0, why) }
    END { exit !good }' "$scratch/out" || show_streams
}

for plugin in backoff-constant connector-elastic picker-p2c transport-insecure; do
  run test-plugin "$built/$plugin.so"
  case_is "$plugin: all kept exits 0" exits 0
  case_is "$plugin: TAP is whole" is_whole
  case_is "$plugin: nothing is broken" says_not out '^not ok'
done

run test-plugin --set no-option=4 "$built/picker-p2c.so"
case_is 'an option that there is not is told by its name' says out "^# the plugin has no option 'no-option'"
if [ -e "$built/telemetry-prometheus.so" ]; then
  run test-plugin --set listen=127.0.0.1:0 "$built/telemetry-prometheus.so"
  case_is 'with an option set, a sink is good' exits 0
else
  skip 'with an option set, a sink is good' 'prometheus is not built'
fi

cp "$built/backoff-constant.so" "$scratch"
cd "$scratch" || exit
run test-plugin backoff-constant.so
case_is 'a file of this directory needs no path' exits 0
run test-plugin --set delay=soon backoff-constant.so
case_is 'a value that is none exits 1' exits 1
case_is 'and breaks create, with the value' says out "^# .*delay: 'soon'"

run test-plugin "$others/backoff-debtor.so"
case_is 'a broken promise exits 1' exits 1
case_is 'its check is named' says out '^not ok [0-9]+ - backoff-range: '
case_is 'with what was found' says out '^# delay 1 is -1 us, expected 0 to '
case_is 'TAP is whole' is_whole
case_is 'no other check is broken' says_not out '^not ok [0-9]+ - (backoff-[^r]|[^b])'
case_is 'what the plugin prints is not in it' says_not out 'own words'

run test-plugin "$others/backoff-crasher.so"
case_is 'a crash exits 1' exits 1
case_is 'and names the check and the signal' bails_out_in call-time 'signal 6'
run test-plugin "$others/backoff-leaver.so"
case_is 'a plugin that exits exits 1' exits 1
case_is 'and names the check and the status' bails_out_in call-time 'exited with status 3'
run test-plugin --timeout 3 "$others/backoff-dreamer.so"
case_is 'a plugin that hangs exits 1' exits 1
case_is 'and names the check and the limit' bails_out_in call-time 'did not end within 3 s'

run test-plugin "$others/backoff-liar.so"
case_is 'a plugin that is refused exits 1' exits 1
case_is 'with the reason' says out '^# .*backoff-liar\.so: .*honest'
case_is 'as the one check' says out '^1\.\.1$'
echo 'no shared object' >backoff-text.so
for file in backoff-text.so backoff-absent.so README.md; do
  run test-plugin "$file"
  case_is "$file exits 1" exits 1
  case_is "$file is no plugin, by the first check" says out '^not ok 1 - load: '
  case_is "$file is named" says out "^# .*$file"
done

run test-plugin
case_is 'no file is wrong usage' exits 2
run test-plugin --set delay backoff-constant.so
case_is 'a setting without = is wrong usage' exits 2
case_is 'and is named' says err '--set delay: expected KEY=VALUE'
run test-plugin --timeout 0 backoff-constant.so
case_is 'a limit of 0 is wrong usage' exits 2
run test-plugin --help
case_is 'help exits 0' exits 0
case_is 'help has the options' says out '--timeout=SECONDS'

cd / && finish
