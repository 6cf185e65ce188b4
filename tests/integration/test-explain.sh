#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cenote explain: every effective value, where it comes from, and no secret.

. "${abs_top_srcdir:?}/tests/integration/command.sh"

cat >"$scratch/users.conf" <<'END'
[pool:users]
target=localhost:${USERS_PORT:-7001}
profile=local
backoff=gentle
api-key=ooh-secret
allow-plaintext-credentials=yes

[backoff:gentle]
plugin=exponential
initial=500ms
END

run explain "$scratch/users.conf" --set pool:users/max-waiters=7
case_is 'a sound keyfile exits 0' exits 0
case_is 'the warnings are not in its way' is_empty err
case_is 'a default' says out '^acquire-timeout=15s +default$'
case_is 'a profile' says out '^size=3 +profile local$'
case_is 'a line of the keyfile, expanded' says out '^target=localhost:7001 .*users\.conf:2$'
case_is 'a setting of the program' says out '^max-waiters=7 +program$'
case_is 'an option of a plugin' says out '^initial=500ms .*users\.conf:10$'
case_is 'a default of a plugin' says out '^max=10s +default$'
case_is 'the file of a plugin' says out '/backoff-exponential\.so'
case_is 'no secret' says_not out 'ooh-secret'
case_is 'no escape codes in a pipe' says_not out "$escape"

run explain --json "$scratch/users.conf"
case_is 'JSON exits 0' exits 0
case_is 'JSON has the pool' json 'd["pools"][0]["name"] == "users"'
case_is 'JSON has each option once' json '(lambda k: len(k) == len(set(k)) > 40)([o["key"] for o in d["pools"][0]["options"]])'
case_is 'JSON has sources' json '{"default", "profile", "keyfile"} == {o["source"] for o in d["pools"][0]["options"]}'
case_is 'JSON has lines' json '[o["line"] for o in d["pools"][0]["options"] if o["key"] == "target"] == [2]'
case_is 'JSON has no secret' says_not out 'ooh-secret'

case_is 'a pool on the quick path says nothing of another' json 'd["pools"][0]["tracking"] is None'

run explain "$scratch/users.conf" --set pool:users/hard-stream-limit=yes
case_is 'what a hard limit costs is said' says out '^# tracked path \(hard-stream-limit\): each get and release '
run explain "$scratch/users.conf" --set pool:users/leak-threshold=1min
case_is 'and what watching leases costs' says out '^# tracked path \(leak-threshold\): with each get '
run explain --json "$scratch/users.conf" --set pool:users/leak-threshold=1min
case_is 'to scripts too' json 'd["pools"][0]["tracking"].startswith("tracked path (leak-threshold)")'

# Of two files of one name, the one that is used and the one that is not.
mkdir "$scratch/own"
cp "${CENOTE_PLUGIN_PATH:?}/backoff-exponential.so" "$scratch/own/"
chmod go-w "$scratch/own" "$scratch/own"/*
run explain "$scratch/users.conf" --plugin-path "$scratch/own"
case_is 'the file that is used' says out "^# exponential [0-9.]+, $scratch/own/backoff-exponential\.so$"
case_is 'and the one that it shadows' says out "^# shadows $CENOTE_PLUGIN_PATH/backoff-exponential\.so$"
run explain --json "$scratch/users.conf" --plugin-path "$scratch/own"
case_is 'to scripts too' json \
  '[(p["path"], len(p["shadowed"])) for p in d["pools"][0]["plugins"] if p["kind"] == "backoff"] == [("'"$scratch"'/own/backoff-exponential.so", 1)]'

run explain "$scratch/absent.conf"
case_is 'an absent file exits 1' exits 1
case_is 'and says nothing on stdout' is_empty out

finish
