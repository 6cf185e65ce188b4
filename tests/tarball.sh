# SPDX-License-Identifier: Apache-2.0
# Sourced by the tests of what is shipped.
#
#   $version                the version of this build
#   make_tarball            $scratch/cenote-VERSION.tar.gz, as make dist makes it, and unpacked beside it: $unpacked
#   only_when_long NAME     whether a test may take its time, as in make check-long; else the case NAME is skipped
#   has_programs NAME PROGRAM…   whether all of them are there; else the case NAME is skipped
# shellcheck shell=bash

: "${abs_top_srcdir:?}" "${abs_top_builddir:?}"
. "$abs_top_srcdir/tests/script.sh"
unset MAKEFLAGS MFLAGS MAKELEVEL DESTDIR
version=$(sed -n 's/^VERSION = //p' "$abs_top_builddir/Makefile")
unpacked=$scratch/cenote-$version

# Not in the build itself: another test may be at it.
make_tarball ()
{
  make --no-print-directory -C "$abs_top_builddir" distdir distdir="$unpacked" &&
    tar -C "$scratch" -czf "$unpacked.tar.gz" "cenote-$version" &&
    rm -rf "$unpacked" && tar -C "$scratch" -xzf "$unpacked.tar.gz"
}

only_when_long ()
{
  [ "${CENOTE_TEST_LIMIT_S:-600}" -ge 3600 ] || { skip "$1" 'it takes minutes: only in make check-long'; return 1; }
}

has_programs ()
{
  local program
  for program in "${@:2}"; do
    command -v "$program" >/dev/null || { skip "$1" "no $program"; return 1; }
  done
}
