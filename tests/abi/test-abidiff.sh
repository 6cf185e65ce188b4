#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Nothing of the library's ABI of the last release is gone or changed: libcenote-0.1.abi.xml is what abidw said of
# it.  (Until 0.1 is released: of what it is to be.)  New functions are fine.  A struct that begins with its own
# size may grow at its end: then abidiff says so here, test-offsets.cc pins what is new, and the baseline is made anew.
#
# At a release, too, it is made anew, from a build by gcc on x86_64 with CFLAGS=-g:
#   abs_top_srcdir=$PWD abs_top_builddir=$PWD/build CC=gcc bash tests/abi/test-abidiff.sh baseline >tests/abi/libcenote-VERSION.abi.xml

: "${abs_top_srcdir:?}" "${abs_top_builddir:?}" "${CC:?}"
. "$abs_top_srcdir/tests/script.sh"

abi=$abs_top_srcdir/tests/abi
baseline=$abi/libcenote-0.1.abi.xml
library=$abs_top_builddir/.libs/libcenote.so

# The exported functions and the types of the public headers, by files of the source tree.
describe ()
{
  abidw --suppressions "$abi/public.abignore" --exported-interfaces-only --no-corpus-path --no-comp-dir-path --no-show-locs \
    --no-elf-needed --type-id-style hash "$library" | sed "s|\( path='\)[^']*/core/|\1core/|"
}

# Why it cannot be tried here, if so.
obstacle ()
{
  if ! command -v abidiff >/dev/null; then
    echo 'no abidiff (abigail-tools)'
  elif [ "$(uname -m)" != x86_64 ]; then
    echo 'the baseline is of x86_64'
  elif ! $CC --version | grep -q 'Free Software Foundation'; then
    echo "the baseline is of gcc's making"
  elif ! readelf --sections --wide "$library" | grep -q '\.debug_info' || readelf --dynamic "$library" | grep -qE 'lib[atu]b?san'; then
    echo 'the library is without debug information, or with a sanitizer'
  fi
}

# keeps THEN NOW: also what it prints where it does not.
keeps ()
{
  abidiff --no-added-syms "$1" "$2"
}

# finds SED: a library that SED has changed does not keep the baseline, as abidiff says by bit 2 of its exit status.
finds ()
{
  local status
  sed "$1" "$scratch/now.abi" >"$scratch/other.abi"
  keeps "$baseline" "$scratch/other.abi"
  status=$?
  [ "$status" -lt 16 ] && [ $((status & 4)) -ne 0 ]
}

if [ "${1-}" = baseline ]; then
  describe
  exit
fi

why=$(obstacle)
if [ -n "$why" ]; then
  skip "the library keeps its ABI" "$why"
  finish
fi
describe >"$scratch/now.abi"
case_is 'the library keeps the ABI of the last release' keeps "$baseline" "$scratch/now.abi"
case_is 'a function that is gone is found' finds 's/cenote_pool_cancel/cenote_pool_gone/'
case_is 'a struct of another size is found' finds "/class-decl name='CenoteLease'/s/size-in-bits='512'/size-in-bits='576'/"
case_is 'a member of another place is found' \
  finds "/class-decl name='CenoteDurations'/,/class-decl>/s/layout-offset-in-bits='64'/layout-offset-in-bits='32'/"

finish
