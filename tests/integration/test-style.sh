#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What every source file keeps: its licence line, clean ends of lines, and silence about
# the machine that it was written on.

: "${abs_top_srcdir:?}"
. "$abs_top_srcdir/tests/script.sh"
cd "$abs_top_srcdir" || exit 1

mapfile -t code < <(find include core plugins tools examples bench tests -name '*.[ch]' -o -name '*.cc' -o -name '*.hpp' | sort)
mapfile -t scripts < <(find bootstrap configure.ac Makefile.am .ci m4/cenote.m4 core plugins tools examples bench tests doc \
  -type f \( -name bootstrap -o -name run -o -name '*.am' -o -name '*.ac' -o -name '*.mk' -o -name '*.m4' \
  -o -name '*.sh' -o -name '*.awk' -o -name '*.map' \) 2>/dev/null | sort)
mapfile -t texts < <(find README.md NEWS doc examples -type f ! -name '.*' 2>/dev/null | sort)

has_licence ()
{
  head -n 2 "$1" | grep -q 'SPDX-License-Identifier: Apache-2.0'
}

all_have_licence ()
{
  local file bad=0
  for file in "$@"; do
    has_licence "$file" || { echo "$file"; bad=1; }
  done
  return "$bad"
}

# none PATTERN FILE...: no line matches.
none ()
{
  ! grep -nE -- "$@"
}

mentions_no_checkout ()
{
  ! grep -nF -- "$abs_top_srcdir" "$@"
}

core_is_not_ignored ()
{
  [ ! -e .gitignore ] || ! grep -nE '^/?(\*\*/)?core/?$' .gitignore
}

case_is 'sources have the SPDX line' all_have_licence "${code[@]}"
case_is 'scripts have the SPDX line' all_have_licence "${scripts[@]}"
case_is 'no tab and no blank at the end of a line of code' none $'\t|[ \t]$' "${code[@]}"
case_is 'nothing names a home of somebody' none '/(home|root|Users)/[a-z]' "${code[@]}" "${scripts[@]}" "${texts[@]}"
case_is 'nothing names the place of this checkout' mentions_no_checkout "${code[@]}" "${scripts[@]}" "${texts[@]}"
mapfile -t plugins < <(find plugins -name "*.[ch]")
case_is 'plugins include public headers alone' none '#include ".*core/' "${plugins[@]}"
case_is 'git does not ignore the folder core' core_is_not_ignored

finish
