#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The first page of doc/plugins.md is done as it stands there, by somebody who has Cenote installed: each command
# is run, what it prints is what the page shows (but for numbers, and where the page has …), each diff is made.

. "${abs_top_srcdir:?}/tests/integration/command.sh"
: "${CC:?}"
unset MAKEFLAGS MFLAGS MAKELEVEL DESTDIR CFLAGS CPPFLAGS LDFLAGS
guide=$abs_top_srcdir/doc/plugins.md
stage=$scratch/stage
home=$scratch/home
most_lines=40
umask 022

# ------------------------------------------------------------------ installing

installs ()
{
  make --no-print-directory -C "$abs_top_builddir" DESTDIR="$stage" install
}

# What configure was told, as the files stand now.
read_directories ()
{
  cd "$abs_top_builddir" &&
    printf '%s=@%s@\n' prefix prefix exec_prefix exec_prefix bindir bindir libdir libdir plugindir plugindir |
      ./config.status --silent --file=- >"$scratch/directories"
}

# An installation by its paths: DESTDIR put before them.
enter_installation ()
{
  mkdir -p "$scratch/pkgconfig" "$scratch/bin" "$home"
  sed "s|^prefix=.*|prefix=$stage$prefix|" "$stage$libdir/pkgconfig/cenote.pc" >"$scratch/pkgconfig/cenote.pc"
  ln -s "$(command -v "${CC##* }")" "$scratch/bin/cc"
  export PKG_CONFIG_PATH=$scratch/pkgconfig LD_LIBRARY_PATH=$stage$libdir CENOTE_PLUGIN_PATH=$stage$plugindir
  export PATH=$scratch/bin:$stage$bindir:$PATH LC_ALL=C
  cd "$home"
}

# -------------------------------------------------------------------- the page

# Each command and each diff of the first page becomes a file: N.command with what it shows in N.shown, or N.diff.
read_page ()
{
  mkdir -p "$scratch/page"
  awk -v at="$scratch/page/" '
    /^## /             { page++ }
    page != 1          { next }
    /^```/ && inside   { inside = ""; next }
    /^```/             { inside = substr ($0, 4); if (inside == "diff") file = sprintf ("%s%02d.diff", at, ++n); next }
    inside == "diff"   { print > file }
    inside == "console" && /^\$ / {
      file = sprintf ("%s%02d", at, ++n)
      print substr ($0, 3) > (file ".command")
      printf "" > (file ".shown")
      next
    }
    inside == "console" { print > (file ".shown") }' "$guide"
}

# shows SHOWN PRINTED: its lines are among what was printed, in their order; a number stands for any other.
shows ()
{
  /usr/bin/python3 -c '
import re, sys

def pattern (line):
    line = re.escape (" ".join (line.split ())).replace ("…", ".*")
    line = re.sub (r"[0-9]+((\\?\.)[0-9]+)*", r"[0-9.]+", line)
    return re.sub (r"\[0-9\.\]\+(\\ )(ms|s|us)\b", r"[0-9.]+ (ms|s|us)", line)

printed = [" ".join (line.split ()) for line in open (sys.argv[2]).read ().replace (sys.argv[3], "/usr/local").splitlines ()]
at = 0
for line in open (sys.argv[1]).read ().splitlines ():
    if line == "…":
        continue
    while at < len (printed) and not re.fullmatch (pattern (line), printed[at]):
        at += 1
    if at == len (printed):
        sys.exit ("not printed: " + line)
    at += 1' "$1" "$2" "$stage$prefix"
}

# The status that a command exits with, where its line says one.
status_of ()
{
  sed -n 's/.* # exits \([0-9]*\)$/\1/p' "$1"
}

# follows STEP: runs its command where the one before it ended.
follows ()
{
  local step=$1 wanted status
  wanted=$(status_of "$step.command")
  bash -c "$(cat "$step.command"); status=\$?; pwd >'$scratch/where'; exit \$status" >"$scratch/printed" 2>&1 </dev/null
  status=$?
  cat "$scratch/printed"
  [ "$status" -eq "${wanted:-0}" ] || { echo "exited with $status"; return 1; }
  shows "$step.shown" "$scratch/printed"
}

# edits DIFF: takes out the lines with - and puts in those with +.
edits ()
{
  /usr/bin/python3 -c '
import sys

lines = open (sys.argv[1]).read ().splitlines ()
path = lines[0].split ()[1]
text = open (path).read ()
gone, come = [], []
for line in lines[1:] + [" "]:
    if gone and line[0] == "-" and come or line == " ":
        old = "".join (line + "\n" for line in gone)
        if text.count (old) != 1:
            sys.exit (path + " has not once: " + old)
        text = text.replace (old, "".join (line + "\n" for line in come))
        gone, come = [], []
    (gone if line[0] == "-" else come).append (line[1:])
open (path, "w").write (text)' "$1"
}

# Lines of the author's own: what the diffs put in.
author_lines ()
{
  cat "$scratch"/page/*.diff | grep -c '^+'
}

is_short ()
{
  local n
  n=$(author_lines)
  echo "$n lines"
  [ "$n" -ge 1 ] && [ "$n" -lt "$most_lines" ]
}

# Of what was printed last: 200 ms times one, four and nine, each shortened by a tenth at most, and then cut to what is shown.
delays_are_squares ()
{
  /usr/bin/python3 -c '
import re, sys

units = {"us": 1e-3, "ms": 1, "s": 1e3}
shown = re.findall (r"in ([0-9.]+) (us|ms|s) ", open (sys.argv[1]).read ())
print (shown)
good = [0.9 * most - units[unit] / 10 - 1 <= float (n) * units[unit] <= most for (n, unit), most in zip (shown, (200, 800, 1800))]
sys.exit (good != [True] * 3)' \
    "$scratch/printed"
}

has_steps ()
{
  [ "$(find "$scratch/page" -name '*.command' | wc -l)" -ge 8 ]
}

try_step ()
{
  local step=$1 command
  if [ -e "$step.diff" ]; then
    case_is "the guide's change of $(sed -n '1s/^--- //p' "$step.diff")" edits "$step.diff"
    return
  fi
  command=$(cat "$step.command")
  case_is "the guide's \$ $command" follows "$step"
  cd "$(cat "$scratch/where")" || exit 1
  [[ $command != *'dials again'* ]] || case_is 'its delays are those of the author' delays_are_squares
}

read_directories && . "$scratch/directories" || exit 1
case_is 'make install' installs
enter_installation || exit 1
read_page
case_is 'the guide has a first page' has_steps
case_is "less than $most_lines lines are the author's own" is_short
for step in $(find "$scratch/page" -name '*.command' -o -name '*.diff' | sed 's/\.[a-z]*$//' | sort); do
  try_step "$step"
done

finish
