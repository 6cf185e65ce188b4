#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cenote plugins: what can be found, what is shadowed, and what is refused and why.

. "${abs_top_srcdir:?}/tests/integration/command.sh"

built=${CENOTE_PLUGIN_PATH:?}

run plugins
case_is 'the listing exits 0' exits 0
case_is 'it has headings' says out '^KIND +NAME +VERSION +PATH +SUMMARY$'
for plugin in 'backoff +exponential' 'connector +persistent' 'picker +p2c' 'telemetry +log' 'transport +insecure'; do
  case_is "it has $plugin with its file" says out "^$plugin +[0-9.]+ +/.*\.so +[A-Z]"
done
case_is 'no escape codes in a pipe' says_not out "$escape"
case_is 'nothing on stderr' is_empty err

run plugins backoff
case_is 'one kind exits 0' exits 0
case_is 'it is there' says out '^backoff +constant'
case_is 'no other is' says_not out '^(connector|picker|telemetry|transport) '

run plugins --json
case_is 'JSON exits 0' exits 0
case_is 'JSON has kinds' json '{"backoff", "connector", "picker", "telemetry", "transport"} == {p["kind"] for p in d["plugins"]}'
case_is 'JSON has options with defaults' json \
  '[o["default"] for p in d["plugins"] if p["name"] == "exponential" for o in p["options"] if o["name"] == "initial"] == ["100ms"]'
case_is 'JSON refuses none' json 'not [p for p in d["plugins"] if "refused" in p]'

# A directory of its own: one that hides a built one, and files that are no plugins.
mkdir "$scratch/own"
cp "$built/backoff-constant.so" "$scratch/own/"
echo 'no shared object' >"$scratch/own/backoff-broken.so"
cp "$built/backoff-constant.so" "$scratch/own/picker-misnamed.so"
cp "$built/backoff-constant.so" "$scratch/own/notaplugin.so"
chmod go-w "$scratch/own" "$scratch/own"/*

run plugins --plugin-path "$scratch/own"
case_is 'broken plugins do not fail the listing' exits 0
case_is 'the first directory wins' says out "^backoff +constant +[0-9.]+ +$scratch/own/backoff-constant\.so"
case_is 'and what it hides is shown' says out "^backoff +constant +- +/.*/backoff-constant\.so +shadowed"
case_is 'a file that is no plugin is refused with a reason' says out '^backoff +broken +- +- +refused: .*backoff-broken\.so.*'
case_is 'one of another kind is refused with both kinds' says out '^picker +misnamed +- +- +refused: .*(picker.*backoff|backoff.*picker)'
case_is 'a file of another name is none' says_not out 'notaplugin'

run plugins --plugin-path "$scratch/own" --json
case_is 'JSON with refused ones exits 0' exits 0
case_is 'JSON has the reason' json '["refused" in p for p in d["plugins"] if p["name"] == "broken"] == [True]'
case_is 'JSON has what is shadowed' json \
  '[len(p["shadowed"]) for p in d["plugins"] if p["kind"] == "backoff" and p["name"] == "constant"] == [1]'

# Whatever a plugin does to the process that loads it, it is listed, and so are the others.
mkdir "$scratch/bad"
for name in aborts exits; do
  cp "${CENOTE_TEST_PLUGINS:?}/backoff-$name.so" "$scratch/bad/"
done
chmod go-w "$scratch/bad" "$scratch/bad"/*
others=$(CENOTE_PLUGIN_PATH=$built "$CENOTE" plugins | grep -c .)

run plugins --plugin-path "$scratch/bad"
case_is 'plugins that end their process do not fail the listing' exits 0
case_is 'one that aborts is refused' says out \
  '^backoff +aborts +- +- +refused: the process that loaded it was ended by signal 6 \(Aborted\)$'
case_is 'one that exits is refused' says out \
  '^backoff +exits +- +- +refused: the process that loaded it exited with status 0$'
case_is 'the others are there as always' has_lines out $((others + 2))

run plugins --plugin-path "$scratch/bad" --json
case_is 'JSON has how they ended' json \
  '{p["name"]: p["refused"].split("it ")[1] for p in d["plugins"] if "refused" in p} == {"aborts": "was ended by signal 6 (Aborted)", "exits": "exited with status 0"}'

# What is refused by what its file says is listed with that.
mkdir "$scratch/open"
cp "$built/backoff-constant.so" "$scratch/open/"
ln -s "$built/backoff-linear.so" "$scratch/open/"
chmod go-w "$scratch/open"
chmod 0646 "$scratch/open/backoff-constant.so"

run plugins --plugin-path "$scratch/open"
case_is 'one that anybody may write is refused' says out '^backoff +constant .*refused: .*has mode 0646.*expected 0644'
case_is 'a symbolic link is refused' says out '^backoff +linear .*refused: .*is a symbolic link to .*/backoff-linear\.so'
chmod 0777 "$scratch/open"
run plugins --plugin-path "$scratch/open"
case_is 'a directory that anybody may write exits 1' exits 1
case_is 'and is named with its mode' says err "$scratch/open has mode 0777 and anybody may write it, expected 0775"

run plugins --plugin-path "$scratch/absent"
case_is 'an absent directory exits 1' exits 1
case_is 'and is named' says err "$scratch/absent"

finish
