#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Each public header compiles alone, without a warning, as every language that it promises.

: "${abs_top_srcdir:?}" "${abs_top_builddir:?}"
. "$abs_top_srcdir/tests/script.sh"

read -r -a glib < <(pkg-config --cflags glib-2.0)
read -r -a protobuf_c < <(pkg-config --silence-errors --cflags libprotobuf-c)
include=(-I"$abs_top_srcdir/include" -I"$abs_top_builddir/include")
warnings=(-Wall -Wextra -Wpedantic -Wshadow -Wundef -Werror)

# GLib is no part of what a plugin needs.
glib_free='plugin.h plugin-test.h telemetry.h version.h'

flags_of ()
{
  case " protobuf-c.h $glib_free " in
    " $1 "*) printf '%s\n' "${glib[@]}" "${protobuf_c[@]}" ;;
    *" $1 "*) ;;
    *) printf '%s\n' "${glib[@]}" ;;
  esac
}

# compiles COMPILER STANDARD HEADER [OPTION...]
compiles ()
{
  local language=c
  case $2 in c++*) language=c++ ;; esac
  mapfile -t flags < <(flags_of "$3")
  # Twice: a header that is included again adds nothing.
  printf '#include <cenote/%s>\n#include <cenote/%s>\n' "$3" "$3" |
    $1 "${@:4}" -fsyntax-only -x "$language" -std="$2" "${warnings[@]}" "${include[@]}" "${flags[@]}" -
}

for header in $(cd "$abs_top_srcdir/include/cenote" && ls -- *.h) version.h; do
  for compiler in gcc clang; do
    for standard in c11 c17 c++17; do
      if [ "$header" = protobuf-c.h ] && ! pkg-config --exists libprotobuf-c; then
        skip "$header alone, $compiler, $standard" 'no protobuf-c'
      elif command -v "$compiler" >/dev/null; then
        case_is "$header alone, $compiler, $standard" compiles "$compiler" "$standard" "$header"
      else
        skip "$header alone, $compiler, $standard" "no $compiler"
      fi
    done
  done
done

# What is C++ is of no use to C.
for header in $(cd "$abs_top_srcdir/include/cenote" && ls -- *.hpp); do
  for compiler in gcc clang; do
    for standard in c++17 c++20; do
      if command -v "$compiler" >/dev/null; then
        case_is "$header alone, $compiler, $standard" compiles "$compiler" "$standard" "$header"
      else
        skip "$header alone, $compiler, $standard" "no $compiler"
      fi
    done
  done
done

for compiler in gcc clang; do
  if command -v "$compiler" >/dev/null; then
    case_is "cenote.hpp without gRPC C++, $compiler" compiles "$compiler" c++17 cenote.hpp -DCENOTE_NO_GRPCPP
    case_is "cenote.hpp without RTTI, $compiler" compiles "$compiler" c++17 cenote.hpp -fno-rtti
  fi
done

finish
