#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cenote check: one line for a sound keyfile, every fault of a wrong one, and nothing opened.

. "${abs_top_srcdir:?}/tests/integration/command.sh"

run check "$examples/demo.conf"
case_is 'the example is sound' exits 0
case_is 'it says so' says out '^OK: 1 pool \(demo\), [0-9]+ plugins$'
case_is 'and no more' has_lines out 1
case_is 'on stdout' is_empty err

cat >"$scratch/notes.conf" <<'END'
[pool:a]
target=localhost:1
transport=insecure
[pool:b]
target=localhost:2
profile=test
[backoff:spare]
plugin=constant
END
run check "$scratch/notes.conf"
case_is 'what is odd is no fault' exits 0
case_is 'two pools are named' says out '^OK: 2 pools \(a, b\)'
case_is 'an unused group is a note, with its line' says out '^note: .*notes\.conf:7: \[backoff:spare\]'

cat >"$scratch/mixed.conf" <<'END'
[pool:a]
no line of a keyfile
target=localhost:1
profile=test
sise=3
size=0
connect-timeout=5 parsecs
END
run check "$scratch/mixed.conf"
case_is 'a wrong file exits 1' exits 1
case_is 'says nothing on stdout' is_empty out
case_is 'has a line for each fault' has_lines err 4
case_is 'of form' says err 'mixed\.conf:2: '
case_is 'of a key, with the nearest' says err 'mixed\.conf:5: \[pool:a\] sise: .*size'
case_is 'of a range, with the range' says err 'mixed\.conf:6: \[pool:a\] size: .*10000'
case_is 'of a type' says err 'mixed\.conf:7: \[pool:a\] connect-timeout: .*duration'
cut -d: -f2 "$scratch/err" >"$scratch/lines"
case_is 'sorted by line' sort -n -c "$scratch/lines"
cp "$scratch/err" "$scratch/problems"
for command in explain status; do
  run "$command" "$scratch/mixed.conf"
  case_is "$command finds the same faults" cmp "$scratch/problems" "$scratch/err"
  case_is "$command exits 1" exits 1
done

run check "$examples/demo.conf" --set pool:demo/size=7 --set backoff:brisk/initial=1s
case_is '--set is taken' exits 0
run check --set pool:demo/size=many "$examples/demo.conf"
case_is 'a wrong --set exits 1' exits 1
case_is 'and is named' says err '^\(program\): \[pool:demo\] size: .*many'
run check --set size=7 "$examples/demo.conf"
case_is 'a --set without a group exits 1' exits 1

run check "$scratch/absent.conf"
case_is 'an absent file exits 1' exits 1
case_is 'and is named' says err 'absent\.conf'
mkfifo "$scratch/fifo"
run check "$scratch/fifo"
case_is 'a FIFO is refused and hangs nothing' exits 1
run check --plugin-path "$scratch/absent" "$examples/demo.conf"
case_is 'an absent plugin directory exits 1' exits 1

# A listener that would see a connection.
opens_nothing ()
{
  /usr/bin/python3 - "$CENOTE" "$scratch/listen.conf" <<'END'
import socket, subprocess, sys
listener = socket.create_server(("127.0.0.1", 0))
listener.setblocking(False)
with open(sys.argv[2], "w") as file:
    file.write("[pool:a]\ntarget=127.0.0.1:%d\nprofile=test\n" % listener.getsockname()[1])
for command in "check", "explain":
    subprocess.run([sys.argv[1], command, sys.argv[2]], check=True, stdout=subprocess.DEVNULL)
try:
    listener.accept()
    sys.exit("somebody connected")
except BlockingIOError:
    pass
END
}
case_is 'check and explain connect to nobody' opens_nothing

# Each wrong keyfile, with what must be told beside it: so many lines, each of which begins so.
tells_expected_lines ()
{
  local expected told
  while IFS= read -r expected <&3 && IFS= read -r told <&4; do
    [ "${told#"$expected"}" != "$told" ] || { echo "not told: $expected"; show_streams; return 1; }
  done 3<"$1" 4<"$scratch/err"
  has_lines err "$(wc -l <"$1")"
}

wrong=$abs_top_srcdir/tests/integration/wrong-keyfiles
for file in "$wrong"/*.conf; do
  [ -e "$file" ] || break
  name=$(basename "$file" .conf)
  (cd "$wrong" && exec "$CENOTE" check "$name.conf") >"$scratch/out" 2>"$scratch/err" </dev/null
  status=$?
  case_is "wrong keyfile $name exits 1" exits 1
  case_is "wrong keyfile $name says nothing on stdout" is_empty out
  case_is "wrong keyfile $name is told of" tells_expected_lines "$wrong/$name.expected"
done

# What only the plugin itself can tell.
cat >"$scratch/trial.conf" <<'END'
[transport:flaky]
plugin=mock
script=ok;perhaps
[pool:a]
target=localhost:1
transport=flaky
END
run check "$scratch/trial.conf"
case_is 'what a plugin finds wrong exits 1' exits 1
case_is 'and is told at its group' says err "trial\.conf:1: \[transport:flaky\].*script: step 2, 'perhaps'"
echo 'critical=no' >>"$scratch/trial.conf"
run check "$scratch/trial.conf"
case_is 'of a pool that is not critical it is a note' exits 0
case_is 'that says the same' says out "^note: .*script: step 2, 'perhaps'"

printf 's3cret two\n' >"$scratch/token"
cat >"$scratch/token.conf" <<'END'
[pool:a]
target=localhost:1
profile=test
token-file=token
allow-plaintext-credentials=yes
END
run check "$scratch/token.conf"
case_is 'a token that is none exits 1' exits 1
case_is 'and is told' says err 'token\.conf:1: \[pool:a\].*token-file: .*no header may have'
case_is 'but not shown' says_not err 's3cret'

if [ -e "$abs_top_builddir/plugins/.libs/transport-tls.so" ]; then
  printf '[transport:tls]\nca-file=none.pem\n[pool:a]\ntarget=localhost:1\n' >"$scratch/tls.conf"
  run check "$scratch/tls.conf"
  case_is 'a certificate that is not there exits 1' exits 1
  case_is 'and is told' says err "tls\.conf:1: \[transport:tls\].*ca-file: '.*none\.pem' cannot be opened: No such file"
else
  skip 'a certificate that is not there' 'no transport tls'
fi

finish
