#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The tarball builds and installs where there is neither git nor autotools: in place of each is a
# program that takes note and fails.  Takes minutes, so only in make check-long.

. "${abs_top_srcdir:?}/tests/tarball.sh"
absent=(git aclocal aclocal-1.16 autoconf autoheader autom4te automake automake-1.16 autoreconf libtoolize m4)
jobs=$(nproc)

hide_programs ()
{
  local program
  mkdir -p "$scratch/bin"
  for program in "${absent[@]}"; do
    printf '#!/bin/sh\necho "$0 $*" >>%s\nexit 127\n' "$scratch/called" >"$scratch/bin/$program"
    chmod +x "$scratch/bin/$program"
  done
  PATH=$scratch/bin:$PATH
}

in_tree ()
{
  (cd "$scratch/tree" && "$@")
}

configures ()
{
  mkdir -p "$scratch/tree" && in_tree "$unpacked/configure" --quiet --prefix=/usr --enable-tests=unit
}

nothing_was_called ()
{
  [ ! -e "$scratch/called" ] || { cat "$scratch/called"; return 1; }
}

# The source too: a tarball builds from a folder that one may not write to.
source_is_untouched ()
{
  diff <(tar -tzf "$unpacked.tar.gz" | grep -v '/$' | sort) <(cd "$scratch" && find "cenote-$version" ! -type d | sort)
}

installed_command_works ()
{
  LD_LIBRARY_PATH=$(echo "$scratch"/stage/usr/lib) "$scratch/stage/usr/bin/cenote" --version
}

has_no_leftover ()
{
  ! tar -tzf "$unpacked.tar.gz" | grep -E '/\.git/|\.o$|\.pb-c\.|\.gch$'
}

if only_when_long 'the tarball builds without git and autotools'; then
  case_is 'the tarball is made' make_tarball
  case_is 'it has no leftover of a build' has_no_leftover
  hide_programs
  case_is 'it configures' configures
  case_is 'it builds' in_tree make -s -j"$jobs"
  case_is 'it installs' in_tree make -s install DESTDIR="$scratch/stage"
  case_is 'what it installs runs' installed_command_works
  case_is 'neither git nor autotools were asked for' nothing_was_called
  case_is 'nothing was written into its source' source_is_untouched
fi

finish
