#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cenote: help, version, and what wrong usage gets: exit 2 and one line on stderr.

. "${abs_top_srcdir:?}/tests/integration/command.sh"

is_misuse ()
{
  exits 2 && is_empty out && has_lines err 1 && says err "$1"
}

run --version
case_is 'the version is on stdout' says out '^cenote [0-9]+\.[0-9]+\.[0-9]+$'
case_is 'the version is all' has_lines out 1
case_is 'the version exits 0' exits 0

run help
case_is 'help exits 0' exits 0
for command in check explain plugins inspect new test-plugin status call advise demo; do
  case_is "help lists $command" says out "^  $command "
done
cp "$scratch/out" "$scratch/help"
run --help
case_is '--help is help' cmp "$scratch/help" "$scratch/out"

for command in check explain plugins inspect new test-plugin status call advise demo; do
  run help "$command"
  case_is "help $command exits 0" exits 0
  case_is "help $command shows its usage" says out "^ *cenote $command "
  case_is "help $command is on stdout" is_empty err
  cp "$scratch/out" "$scratch/help"
  run "$command" --help
  case_is "$command --help is the same" cmp "$scratch/help" "$scratch/out"
done

run
case_is 'no command' is_misuse 'cenote help'
run chekc
case_is 'a command that is nearly one' is_misuse "did you mean 'check'"
run quux
case_is 'a command that is none' is_misuse "no command 'quux'"
run help quux
case_is 'help on a command that is none' is_misuse "no command 'quux'"
run check
case_is 'a word too few' is_misuse 'cenote check FILE'
run check a b
case_is 'a word too many' is_misuse "'b'"
run plugins a b
case_is 'two kinds' is_misuse "'b'"
run plugins flavour
case_is 'a kind that is none' is_misuse "'flavour'"
run test-plugin
case_is 'no plugin to test' is_misuse 'cenote test-plugin FILE.so'
run status a --wait=soon
case_is 'a wait that is none' is_misuse 'soon'
run status a --wait=-1s
case_is 'a wait before now' is_misuse '1s'
run advise --rate=100
case_is 'a latency too few' is_misuse 'latency'
run advise --rate=fast --latency=5ms
case_is 'a rate that is none' is_misuse 'fast'
run advise --rate=100 --latency=0
case_is 'calls that take no time' is_misuse 'duration'
run advise --rate=100 --latency=5ms --streams=0
case_is 'a connection without streams' is_misuse '1 to 1000000'
run advise --rate=100 --latency=5ms extra
case_is 'a word for advise' is_misuse "'extra'"
run explain --jsonn a
case_is 'an option that is none' is_misuse 'jsonn'
run check "a${escape}[31m" b "c${escape}[31m"
case_is 'arguments cannot drive the terminal' says_not err "$escape"

# Little's law: 20,000 calls a second of 50 ms are 1,000 at once.
run advise --rate=20000 --latency=50ms
case_is 'advise exits 0' exits 0
case_is 'advice is lines for a keyfile' says out '^size=20$'
case_is 'with the streams that it rests on' says out '^max-streams-per-channel=100$'
case_is 'and the sum' says out '1000 at once'
run advise --rate=20000 --latency=50ms --streams=250 --json
cp "$scratch/out" "$scratch/advice"
case_is 'advice for scripts' grep -qx \
  '{"in_flight":1000,"min_size":4,"size":8,"max_streams_per_channel":250}' "$scratch/advice"
run advise --rate=1 --latency=1ms
case_is 'a small load has two, of which one may be lost' says out '^size=2$'
run advise --rate=1e6 --latency=5ms
case_is 'a rate is a plain decimal' is_misuse '1e6'
run advise --rate=100000000 --latency=1s
case_is 'a load beyond a pool exits 1' exits 1
case_is 'and is told' says err 'at most 10000 channels'

if [ -c /dev/full ]; then
  "$CENOTE" help >/dev/full 2>"$scratch/err"
  status=$?
  case_is 'a full disk is told' exits 1
  case_is 'and said' says err 'cannot be written'
fi

finish
