#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# cenote new: a project of each kind builds without a warning, passes its own test, is a plugin to cenote, and
# installs; what cannot be begun leaves nothing.  cenote inspect: what it says of them.

. "${abs_top_srcdir:?}/tests/integration/command.sh"
unset MAKEFLAGS MFLAGS MAKELEVEL DESTDIR CFLAGS CPPFLAGS LDFLAGS
export PKG_CONFIG_PATH=$abs_top_builddir
umask 022
kinds='backoff connector picker transport telemetry'

in_project ()
{
  make --no-print-directory -C "$project" CC="$compiler" CFLAGS='-O1 -Werror' DESTDIR="$scratch/stage" "$@"
}

inspects ()
{
  run inspect "$project/$1-mine.so"
  exits 0 && says out "^$1/mine 0\.1\.0$" && says out "^  path +$project/$1-mine\.so$"
}

conforms ()
{
  "$CENOTE" test-plugin "$project/$1-mine.so"
}

demo_is_sound ()
{
  "$CENOTE" check --plugin-path "$project" "$project/demo.conf"
}

knows ()
{
  [ "$(pkg-config --variable="$1" cenote)" = "$2" ]
}

leaves_nothing_built ()
{
  in_project clean && [ "$(ls -A "$project" | wc -l)" -eq 6 ]
}

is_installed ()
{
  in_project install && cmp "$project/$1-mine.so" "$scratch/stage$abs_top_builddir/plugins/.libs/$1-mine.so"
}

nothing_stands_for_something ()
{
  ! grep -nE '@[A-Z]+@' -r "$project"
}

has_licences ()
{
  local file
  for file in "$project"/*.c "$project"/Makefile; do
    head -n 1 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' || { echo "$file"; return 1; }
  done
}

# -------------------------------------------------------------------- projects

case_is 'pkg-config knows the plugins of the build tree' knows plugindir "$abs_top_builddir/plugins/.libs"
case_is 'and the ABI' knows abi_major \
  "$(sed -n 's/^#define CENOTE_ABI_MAJOR \([0-9]*\)u$/\1/p' "$abs_top_srcdir/include/cenote/plugin.h")"
for kind in $kinds; do
  for compiler in gcc clang; do
    project=$scratch/$compiler/$kind-mine
    if ! command -v "$compiler" >/dev/null; then
      skip "$kind with $compiler" "no $compiler"
      continue
    fi
    mkdir -p "$scratch/$compiler"
    run new "$kind" mine "$project"
    case_is "$kind: new exits 0" exits 0
    case_is "$kind: it prints six files" has_lines out 6
    case_is "$kind: no word is left to fill in" nothing_stands_for_something
    case_is "$kind: each file states its licence" has_licences
    case_is "$kind: $compiler builds it without a warning" in_project
    case_is "$kind: its own test passes" in_project check
    [ "$compiler" = gcc ] || continue # what no compiler has a say in is seen once
    case_is "$kind: cenote inspect shows it" inspects "$kind"
    case_is "$kind: it conforms" conforms "$kind"
    case_is "$kind: its keyfile is sound" demo_is_sound
    case_is "$kind: it installs" is_installed "$kind"
    case_is "$kind: make clean leaves what was written" leaves_nothing_built
  done
done

# ------------------------------------------------------------------ wrong input

is_misuse ()
{
  exits 2 && is_empty out && has_lines err 1 && says err "$1"
}

is_failure ()
{
  exits 1 && is_empty out && has_lines err 1 && says err "$1"
}

is_absent ()
{
  [ ! -e "$1" ]
}

cd "$scratch" || exit 1
run new backof mine
case_is 'a kind that is nearly one' is_misuse "did you mean 'backoff'"
run new flavour mine
case_is 'a kind that is none' is_misuse "'flavour'.*telemetry"
for name in '' Mine 9th a/b ../x mine.so 'a b' "$(printf 'a%.0s' {1..48})"; do
  run new backoff "$name"
  case_is "'$name' is no name" is_misuse '\[a-z\]\[a-z0-9-\]\*, at most 47'
done
run new backoff
case_is 'a word too few' is_misuse 'KIND NAME \[DIR\]'
case_is 'nothing was written' test -z "$(ls -d backoff-* flavour-* a b 2>/dev/null)"

run new backoff "$(printf 'a%.0s' {1..47})" longest
case_is 'a name of 47 bytes is one' exits 0

mkdir full empty
touch full/mine.c plain
run new backoff mine full
case_is 'a directory with something in it' is_failure 'full is not empty'
case_is 'it is left alone' test "$(ls -A full)" = mine.c
run new backoff mine plain
case_is 'a file in place of a directory' is_failure 'plain'
run new backoff mine absent/mine
case_is 'a directory in one that is not there' is_failure 'absent/mine cannot be made: No such file'
run new backoff mine empty
case_is 'an empty directory is taken' exits 0
run new backoff mine
case_is 'without DIR it is KIND-NAME' test -f backoff-mine/mine.c

# No file may have more than a kilobyte: the first one fails.
new_in_no_room ()
{
  (trap '' XFSZ; ulimit -f 1; "$CENOTE" new backoff mine "$1") >"$scratch/out" 2>"$scratch/err"
  status=$?
}
mkdir room
new_in_no_room begun
case_is 'what cannot be finished is told' is_failure 'begun/mine\.c'
case_is 'and taken back' is_absent begun
new_in_no_room room
case_is 'also from a directory that was there' test -z "$(ls -A room)"
case_is 'which stays' test -d room

no_cenote ()
{
  ! PKG_CONFIG_PATH=$scratch PKG_CONFIG_LIBDIR=$scratch make -C backoff-mine >"$scratch/out" 2>"$scratch/err" &&
    grep -q 'PKG_CONFIG_PATH' "$scratch/err"
}
case_is 'without Cenote make says what to do' no_cenote

# --------------------------------------------------------------------- inspect

run inspect backoff/exponential
case_is 'a plugin by its name' exits 0
case_is 'its head' says out '^backoff/exponential [0-9.]+$'
case_is 'its ABI' says out '^  ABI +[0-9]+\.[0-9]+ \(this Cenote: [0-9]+\.[0-9]+\)$'
case_is 'the sizes of its tables' says out '^  operations +[0-9]+ +[0-9]+$'
case_is 'its options' says out '^  initial +duration +100ms '
case_is 'no escape codes in a pipe' says_not out "$escape"
run inspect picker/round-robin
case_is 'what Cenote fills' says out "^  done +Cenote's default$"
case_is 'what the plugin fills' says out '^  pick +the plugin$'
case_is 'that there are no options' says out 'no options'

mkdir own
cp "${CENOTE_PLUGIN_PATH:?}/backoff-constant.so" own/
chmod go-w own own/*
run inspect --plugin-path "$scratch/own" backoff/constant
case_is 'of two the first is shown' says out "^  path +$scratch/own/backoff-constant\.so$"
case_is 'with what it shadows' says out "^  shadows +$CENOTE_PLUGIN_PATH/backoff-constant\.so$"
run inspect --json backoff/exponential
case_is 'JSON exits 0' exits 0
case_is 'JSON has sizes' json 'd["sizes"]["descriptor"]["stated"] == d["sizes"]["descriptor"]["known"] > 0'
case_is 'JSON has slots' json 'd["slots"]["next"] is True'
case_is 'JSON has options' json '"initial" in [o["name"] for o in d["options"]]'

# ------------------------------------------------------------------- the page

# names_in PATTERN: the words that PATTERN's first group has in plugin.h, each once.
names_in ()
{
  sed -nE "s/$1/\\1/p" "$abs_top_srcdir/include/cenote/plugin.h" | sort -u
}

# page_has NAME...: each is a word of cenote-plugin(7).
page_has ()
{
  local name bad=0
  [ $# -ge 5 ] || return 1
  for name in "$@"; do
    grep -qw -- "$name" "$scratch/page" || { echo "cenote-plugin(7) has no $name"; bad=1; }
  done
  return "$bad"
}

sed 's/\\-/-/g; s/\\f[BIR]/ /g' "$abs_top_srcdir/doc/cenote-plugin.7" >"$scratch/page"
mapfile -t functions < <(names_in '^  [^/(]*\(\*([a-z_]+)\) \(.*')
mapfile -t types < <(names_in '^  CENOTE_OPTION_([A-Z_]+)[ ,].*')
mapfile -t flags < <(names_in '^  (CENOTE_(CONNECTOR|PICKER|TRANSPORT)_[A-Z_]+) = 1u.*')
case_is 'cenote-plugin(7) has every function of plugin.h' page_has "${functions[@]}"
case_is 'and every type and flag of options' page_has "${types[@]}"
case_is 'and every flag of operations' page_has "${flags[@]}"

run inspect exponential
case_is 'neither a name nor a file' is_misuse 'KIND/NAME'
run inspect flavour/mine
case_is 'a name of no kind' is_misuse "'flavour/mine'"
run inspect backoff/absent
case_is 'a plugin that is not there' is_failure 'backoff-absent\.so'
run inspect own/mine.so
case_is 'a file that is called otherwise' is_failure '<kind>-<name>\.so'
echo 'no shared object' >own/backoff-text.so
run inspect own/backoff-text.so
case_is 'a file that is no plugin' is_failure "$scratch/own/backoff-text\.so: "
run inspect "${CENOTE_TEST_PLUGINS:?}/backoff-aborts.so"
case_is 'one that aborts when it is loaded' is_failure 'signal'
run inspect "$CENOTE_TEST_PLUGINS/backoff-exits.so"
case_is 'one that exits when it is loaded' is_failure 'exited with status'
mkdir loose
cp own/backoff-constant.so loose/
chmod go+w loose/backoff-constant.so
run inspect loose/backoff-constant.so
case_is 'a file that others may write' is_failure 'loose/backoff-constant\.so'

finish
