#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cenote call: what is sent, what comes back, how failures are told, and the summary.

. "${abs_top_srcdir:?}/tests/integration/command.sh"
. "$abs_top_srcdir/tests/etcd.sh"

echo_method=cenote.demo.Echo/Echo
header_method=cenote.demo.Echo/Header
demo=$examples/demo.conf

call ()
{
  run call "$demo" demo "$@"
}

# call_with_stdin FILE ARGUMENT...
call_with_stdin ()
{
  local file=$1
  shift
  "$CENOTE" call "$demo" demo "$@" >"$scratch/out" 2>"$scratch/err" <"$file"
  status=$?
}

# prints TEXT: stdout is that line and nothing else.
prints ()
{
  printf '%s\n' "$1" | cmp -s - "$scratch/out" || show_streams
}

is_file ()
{
  cmp "$1" "$2"
}

# is_misuse PATTERN
is_misuse ()
{
  exits 2 && is_empty out && has_lines err 1 && says err "$1"
}

hex_of ()
{
  printf '%s' "$1" | od -An -v -tx1 | tr -d ' \n'
}

start_server
export CENOTE_DEMO_PORT=$port

# ------------------------------------------------------------------ messages
call $echo_method --data-hex '0a0548656c6c6f'
case_is 'one call exits 0' exits 0
case_is 'its reply is a line of hex' prints 0a0548656c6c6f
case_is 'nothing on stderr' is_empty err
call "/$echo_method" --data-hex $'0A 05 48\n65 6C 6c6f'
case_is 'hex takes blanks, and both cases; a method takes its slash' prints 0a0548656c6c6f
call $echo_method
case_is 'without data the message is empty, and so is the reply' prints ''
call grpc.health.v1.Health/Check
case_is 'a message of the server' prints 0801

head -c 100000 /dev/urandom >"$scratch/data"
call $echo_method --data-file "$scratch/data" --output "$scratch/reply"
case_is 'a file goes out and comes back as it is' is_file "$scratch/data" "$scratch/reply"
case_is 'and nothing to stdout' is_empty out
call_with_stdin "$scratch/data" $echo_method --data-file - -o -
case_is 'stdin goes out and comes back on stdout' is_file "$scratch/data" "$scratch/out"
call_with_stdin /dev/null $echo_method --data-file -
case_is 'an empty stdin is an empty message' prints ''

# ------------------------------------------------------------------ metadata
call $header_method --data-hex "$(hex_of x-who)" -H 'X-Who:  somebody : else '
case_is 'metadata reaches the server, its key in lower case' prints "$(hex_of 'somebody : else')"
call $header_method --data-hex "$(hex_of second)" -H 'first: 1' --header 'second: 2'
case_is 'and more than one' prints "$(hex_of 2)"
call $header_method --data-hex "$(hex_of key-bin)" -H 'key-bin: //9h'
case_is 'bytes of base64' prints ffff61
call $header_method --data-hex "$(hex_of key-bin)" -H 'key-bin: //9hYg'
case_is 'whose padding may be left out' prints ffff6162
call $echo_method -H 'key-bin: two words'
case_is 'what is no base64 is told' is_misuse 'key-bin.*base64'
call $echo_method -H 'no colon'
case_is 'so is metadata without a colon' is_misuse 'key: value'
call $echo_method -H 'grpc-timeout: 1S'
case_is "a key that is gRPC's own is refused" exits 1
case_is 'by name' says err 'metadata key "grpc-timeout"'

# ------------------------------------------------------------------- summary
call $echo_method --data-hex 00 -n 200 -c 4
case_is 'many calls exit 0' exits 0
case_is 'the summary counts them' says out '^200 of 200 calls were OK, in .* a second, 4 at a time\)$'
case_is 'and has quantiles' says out '^latency .*p50 .* [um]?s, p90 .*, p99 .*, longest '
case_is 'in two lines' has_lines out 2
case_is 'no escape codes in a pipe' says_not out "$escape"
case_is 'and no progress' is_empty err

call $echo_method --data-hex 0801 -n 50 --json
case_is 'JSON is one line' has_lines out 1
case_is 'JSON has the counts' json \
  'd["pool"] == "demo" and d["method"] == "/cenote.demo.Echo/Echo" and (d["calls"], d["ok"], d["failed"]) == (50, 50, 0)'
case_is 'JSON has quantiles in their order' json \
  'list(d["latency_us"]) == ["p50", "p90", "p99", "max"] and sorted(d["latency_us"].values()) == list(d["latency_us"].values()) and 0 < d["latency_us"]["max"] <= d["elapsed_us"] * 1.01'
case_is 'JSON has how they ended' json 'd["ends"] == [{"status": "OK", "calls": 50, "message": None}]'
case_is 'JSON has the last reply' json 'd["reply"] == "0801"'
call $echo_method --data-hex 0801 --json
case_is 'JSON of one call' json 'd["calls"] == 1 and d["reply"] == "0801"'
call $echo_method -n 3 -o "$scratch/reply" --data-hex 616263
case_is 'the last of many replies can be kept' is_file "$scratch/reply" <(printf abc)

# ------------------------------------------------------------------ failures
call cenote.demo.Echo/Absent
case_is 'a method that the server does not have exits 1' exits 1
case_is 'with its status and text' says err '^cenote call: UNIMPLEMENTED: the demo server has Echo'
case_is 'and nothing on stdout' is_empty out
call cenote.demo.Echo/Absent -n 3 --json
case_is 'failures are counted by status' json \
  '(d["ok"], d["failed"]) == (0, 3) and [(e["status"], e["calls"]) for e in d["ends"]] == [("UNIMPLEMENTED", 3)]'
case_is 'without latency' json 'set(d["latency_us"].values()) == {None} and d["reply"] is None'
case_is 'and exit 1' exits 1
call cenote.demo.Echo/Absent -n 3
case_is 'people read the same' says out '^  3 UNIMPLEMENTED$'
case_is 'with one text for the three' has_lines err 1

run call "$demo" dmeo $echo_method
case_is 'a pool that is none exits 1' exits 1
case_is 'and is named with those there are' says err 'dmeo.*demo'
run call "$scratch/absent.conf" demo $echo_method
case_is 'an absent file exits 1' exits 1
case_is 'and is named' says err 'absent\.conf'

# --------------------------------------------------------------------- usage
call Echo
case_is 'a method without a service' is_misuse "'Echo' is no method"
call $echo_method --data-hex 0g
case_is 'what is no hex' is_misuse 'at place 2'
call $echo_method --data-hex 012
case_is 'half a byte' is_misuse '3 digits'
call $echo_method --data-hex 00 --data-file /dev/null
case_is 'two messages' is_misuse 'give one'
call $echo_method --data-file "$scratch/absent"
case_is 'a file that is not there' is_misuse 'absent.*No such file'
call $echo_method --timeout soon
case_is 'no timeout' is_misuse 'soon'
call $echo_method --timeout 0
case_is 'no deadline at all' is_misuse '1ms or more'
call $echo_method --retry always
case_is 'no policy of retry' is_misuse 'never, unsent, idempotent'
call $echo_method -n 0
case_is 'no call at all' is_misuse '1 to '
call $echo_method -c 0
case_is 'none at a time' is_misuse '1 to 1000'
call $echo_method -n 2 -o -
case_is 'two things for stdout' is_misuse '--output=-'
run call "$demo" demo
case_is 'a word too few' is_misuse 'cenote call FILE POOL METHOD'

# ---------------------------------------------------------------- a terminal
# on_terminal ARGUMENT...: with a terminal for stdout.
on_terminal ()
{
  TERM=xterm script -qec "$(printf '%q ' "$CENOTE" "$@")" /dev/null </dev/null >"$scratch/out" 2>"$scratch/err"
  status=$?
}

if command -v script >/dev/null; then
  on_terminal call "$demo" demo $echo_method -n 30000
  case_is 'progress is seen on a terminal' says out '[0-9]+ of 30000 calls, 0 failed'
  case_is 'and the summary stays' says out '^.*30000 of 30000 calls were OK'
else
  skip 'progress is seen on a terminal' 'no script'
fi

# ^C ends the row, and what was done is told.
"$CENOTE" call "$demo" demo $echo_method -n 100000000 --json >"$scratch/out" 2>"$scratch/err" </dev/null &
pid=$!
until ss -Htn state established "dport = :$port" | grep -q .; do :; done
kill -INT "$pid"
wait "$pid"
status=$?
case_is 'an interrupted row exits 1' exits 1
case_is 'says how far it came' says err 'interrupted after [0-9]+ of 100000000 calls'
case_is 'and has its summary' json '0 <= d["calls"] == d["ok"] < 100000000'

# ------------------------------------------------------------ without a server
stop_server
call $echo_method
case_is 'without a server it exits 1' exits 1
case_is 'at once, with the reason' says err 'refused'
call $echo_method --wait-for-ready --timeout 300ms --json
case_is 'who waits for one waits to the deadline' json '[e["status"] for e in d["ends"]] == ["CENOTE_TIMEOUT"]'

# A server that is not ours: a put and a range of etcd's, as protoc would pack them.
if command -v etcd >/dev/null; then
  etcd_start || exit 1
  export CENOTE_DEMO_PORT=$etcd_port
  call etcdserverpb.KV/Put --data-hex '0a 03 666f6f 12 03 626172'
  case_is 'etcd takes a put' exits 0
  call etcdserverpb.KV/Range --data-hex '0a 03 666f6f'
  case_is 'and gives it back' says out '2a03626172.*2001$'
  call etcdserverpb.KV/Put -n 500 -c 8 --data-hex '0a 03 666f6f 12 03 626172' --retry idempotent --json
  case_is 'five hundred times' json 'd["ok"] == 500'
else
  skip 'etcd takes a put' 'no etcd'
fi

finish
