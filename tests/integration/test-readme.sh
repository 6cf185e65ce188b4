#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What README.md and the manual pages show is run as it stands there: commands against
# a real server, keyfiles by `cenote check`, and every file and make target that is named
# exists; code is word for word a part of an example, which `make check` builds and runs.
# `./bootstrap demo` and `./bootstrap check` are left to who runs them anyway.

. "${abs_top_srcdir:?}/tests/integration/command.sh"
: "${CC:?}"
unset MAKEFLAGS MFLAGS MAKELEVEL DESTDIR
readme=$abs_top_srcdir/README.md
home=$scratch/home

# ------------------------------------------------------------------- blocks

# blocks_of_readme LANGUAGE DIRECTORY: each block of that language becomes a file.
blocks_of_readme ()
{
  mkdir -p "$2"
  awk -v language="$1" -v directory="$2" '
    /^```/ && inside  { inside = 0; next }
    /^```/            { inside = 1; wanted = $0 == "```" language; file = directory "/" (n += wanted); next }
    inside && wanted  { print > file }' "$readme"
}

# blocks_of_manual FILE SECTION DIRECTORY: each .nf block of the section becomes a file, as man shows it.
blocks_of_manual ()
{
  mkdir -p "$3"
  awk -v section=".SH $2" -v directory="$3" '
    /^\.SH/           { here = $0 == section; next }
    here && /^\.nf/   { inside = 1; file = directory "/" ++n; next }
    /^\.fi/           { inside = 0; next }
    inside            { gsub (/\\-/, "-"); gsub (/\\e/, "\\"); print > file }' "$1"
}

every_block_has_a_language ()
{
  awk '/^```/ && ++n % 2 && $0 == "```" { print FILENAME ":" FNR; bad = 1 } END { exit bad || n % 2 }' "$readme"
}

is_keyfile ()
{
  grep -q '^\[pool:' "$1"
}

# is_excerpt FILE: its lines stand in one of the examples, in a row.
is_excerpt ()
{
  /usr/bin/python3 -c '
import glob, sys
block = open(sys.argv[1]).read()
texts = [open(path).read() for path in glob.glob(sys.argv[2] + "/*.c*")]
sys.exit(not any(("\n" + text).find("\n" + block) >= 0 for text in texts))' "$1" "$examples" || { head -n 5 "$1"; return 1; }
}

# ------------------------------------------------------------------ running

# Where somebody sits who has installed Cenote and unpacked it: the command, what
# pkg-config knows, the examples; all of it from the build tree.
make_home ()
{
  mkdir -p "$home" "$scratch/bin" "$scratch/pkgconfig"
  cp -r "$abs_top_srcdir/examples" "$home"
  ln -s "$CENOTE" "$scratch/bin/cenote"
  ln -s "$(command -v "${CC##* }")" "$scratch/bin/cc"
  sed -e "s|^includedir=.*|includedir=$abs_top_srcdir/include|" -e "s|^libdir=.*|libdir=$abs_top_builddir/.libs|" \
    -e "s|^Cflags:|& -I$abs_top_builddir/include|" "$abs_top_builddir/cenote.pc" >"$scratch/pkgconfig/cenote.pc"
  cat >"$home/users.conf" <<END
[pool:users]
profile=local
target=127.0.0.1:$port
END
}

# runs_block FILE [DIRECTORY]: as a shell would that stops at the first failure.
runs_block ()
{
  (cd "${2:-$home}" && PATH=$scratch/bin:$PATH PKG_CONFIG_PATH=$scratch/pkgconfig \
    LD_LIBRARY_PATH=$abs_top_builddir/.libs CENOTE_DEMO_PORT=$port bash -eu -o pipefail "$1" </dev/null)
}

checks ()
{
  "$CENOTE" check "$1"
}

# try_block NAME FILE: a keyfile is checked, all else is run.
try_block ()
{
  if is_keyfile "$2"; then
    case_is "$1 is a sound keyfile" checks "$2"
  else
    case_is "$1 runs" runs_block "$2"
  fi
}

# try_blocks NAME DIRECTORY: there is one, and each is good.
try_blocks ()
{
  local file
  case_is "$1 has a block" test -e "$2/1"
  for file in "$2"/*; do
    try_block "$1, block $(basename "$file")," "$file"
  done
}

# ----------------------------------------------------------------- building

# A copy of what a checkout has.
copy_tree ()
{
  mkdir -p "$scratch/tree"
  if git -C "$abs_top_srcdir" rev-parse --git-dir >/dev/null 2>&1; then
    (cd "$abs_top_srcdir" && git ls-files -z --cached --others --exclude-standard |
      tar -c --null --files-from=- --ignore-failed-read 2>/dev/null)
  else
    tar -C "$abs_top_srcdir" -c --exclude=./build .
  fi | tar -C "$scratch/tree" -x
}

is_long ()
{
  [ "${CENOTE_TEST_SCALE:-0.1}" = 1 ]
}

# install_tool NAME: a command with stdin as its script, in place of the system's.
install_tool ()
{
  mkdir -p "$scratch/builders"
  cat >"$scratch/builders/$1"
  chmod +x "$scratch/builders/$1"
}

# make and ldconfig that change nothing out of $scratch.
make_builders ()
{
  local make="exec $(command -v make) DESTDIR=$scratch/stage"
  install_tool ldconfig <<<'#!/bin/sh'
  if is_long; then
    install_tool make <<<"$(printf '#!/bin/sh\n%s -j2 "$@"' "$make")"
  else
    install_tool make <<<"$(printf '#!/bin/sh\n%s -n "$@" >/dev/null' "$make")"
  fi
}

# All but the bootstrap, which needs root.  What takes minutes is done only where tests
# have their full length; else make says what it would do, and there is nothing to run.
builds_as_it_says ()
{
  local left_out='^\./bootstrap'
  is_long || left_out+='|tools/cenote'
  copy_tree && make_builders
  grep -vE "$left_out" "$1" >"$scratch/build-block"
  PATH=$scratch/builders:$PATH runs_block "$scratch/build-block" "$scratch/tree" 2>&1 | tail -n 30
}

bootstrap_knows ()
{
  "$abs_top_srcdir/bootstrap" help 2>&1 | grep -q "^  $1 "
}

# ---------------------------------------------------------------- the table

make_has ()
{
  make --no-print-directory -C "$abs_top_builddir" -n "$1" >/dev/null
}

configure_has ()
{
  "$abs_top_srcdir/configure" --help | grep -q -- "${1#--}"
}

# Each `command` of a table's first column.
try_commands_of_tables ()
{
  local words option
  while read -r words; do
    case $words in
      'make '*)
        case_is "the table's $words" make_has "${words#make }"
        ;;
      './configure '*)
        option=${words#./configure --}
        option=${option#enable-} option=${option#disable-}
        case_is "the table's $words" configure_has "${option%%=*}"
        ;;
      *)
        case_is "$words of the table is a path" test -e "$abs_top_srcdir/$words"
        ;;
    esac
  done < <(sed -n 's/^| `\([^`]*\)` |.*/\1/p' "$readme")
}

# In the source, of the build, or a program by its source.
is_in_the_tree ()
{
  [ -e "$abs_top_srcdir/$1" ] || [ -e "$abs_top_builddir/$1" ] || [ -e "$abs_top_srcdir/$1.c" ]
}

# Paths in backquotes and in links.
named_files_exist ()
{
  local path bad=0
  while read -r path; do
    is_in_the_tree "$path" || { echo "$1: $path"; bad=1; }
  done < <(grep -oE '`(core|plugins|tools|examples|tests|doc|bench|include|m4)/[A-Za-z0-9_./-]*`|\]\([a-z][^):]*\)' \
    "$abs_top_srcdir/$1" | sed -E 's/^`|`$//g; s/^\]\(|\)$//g')
  return "$bad"
}

# --------------------------------------------------------------------- cases

start_server
make_home

case_is 'every block says its language' every_block_has_a_language
blocks_of_readme ini "$scratch/ini"
try_blocks "README's ini" "$scratch/ini"
for language in c cpp; do
  blocks_of_readme $language "$scratch/$language"
  for block in "$scratch/$language"/*; do
    [ ! -e "$block" ] || case_is "README's $language, block $(basename "$block"), is an example's" is_excerpt "$block"
  done
done
case_is 'README has programs' test -e "$scratch/c/1"
blocks_of_readme sh "$scratch/sh"
case_is 'README has commands' test -e "$scratch/sh/1"
for block in "$scratch"/sh/*; do
  if grep -q '^autoreconf' "$block"; then
    case_is 'README builds and installs' builds_as_it_says "$block"
  elif ! grep -qv '^\./bootstrap' "$block"; then
    for word in $(sed 's/^\.\/bootstrap \([a-z]*\).*/\1/' "$block") deps; do
      case_is "./bootstrap has $word" bootstrap_knows "$word"
    done
  else
    try_block "README's sh, block $(basename "$block")," "$block"
  fi
done
try_commands_of_tables
for text in README.md doc/design.md doc/plugins.md; do
  case_is "what $text names is there" named_files_exist "$text"
done

for manual in "$abs_top_srcdir"/doc/*.[1-9]; do
  name=$(basename "$manual")
  blocks_of_manual "$manual" EXAMPLES "$scratch/$name"
  try_blocks "EXAMPLES of $name" "$scratch/$name"
  blocks_of_manual "$manual" SYNOPSIS "$scratch/$name.synopsis"
  for block in "$scratch/$name.synopsis"/*; do
    [ ! -e "$block" ] || try_block "SYNOPSIS of $name" "$block"
  done
done

stop_server
finish
