#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the public headers declare, what the version script names and what
# libcenote.so exports are the same; and of gRPC's sixty libraries two are needed.

: "${abs_top_srcdir:?}" "${abs_top_builddir:?}" "${CC:?}"
. "$abs_top_srcdir/tests/script.sh"

library=$abs_top_builddir/.libs/libcenote.so

# What HEADER… declare, and what they include.
declared ()
{
  read -r -a glib < <(pkg-config --cflags glib-2.0)
  printf '#include "%s"\n' "$@" |
    $CC -E -P -x c -I"$abs_top_srcdir/include" -I"$abs_top_builddir/include" "${glib[@]}" - |
    tr '\n;' ' \n' |
    sed -n 's/^.*visibility *("default").*[^a-z0-9_]\(cenote_[a-z0-9_]*\) *(.*/\1/p' | sort -u
}

# Those of libcenote itself; plugin-test.h declares what a plugin exports.
own_headers ()
{
  ls -- "$abs_top_srcdir"/include/cenote/*.h "$abs_top_builddir"/include/cenote/version.h | grep -vE '/(protobuf-c|plugin-test)\.h$'
}

mapped ()
{
  sed -n 's/^ *\(cenote_[a-z0-9_]*\);$/\1/p' "$abs_top_srcdir/core/libcenote.map" | sort -u
}

exported ()
{
  nm --dynamic --defined-only --format=posix "$1" | sed 's/@.*//; s/ .*//' | grep -v '^CENOTE_[0-9]*$' | sort -u
}

needed ()
{
  readelf --dynamic "$1" | sed -n 's/.*(NEEDED).*\[\([^]]*\)\.so.*/\1/p'
}

# needs_only_ours FILE [LIBRARY]: and LIBRARY.  What is built with a sanitizer needs its library too.
needs_only_ours ()
{
  ! needed "$1" | grep -vE "^(libc|libm|libcares|libgrpc|libgpr|libglib-2\\.0|${2:-libc}|lib(a|t|ub)san|ld-linux.*)$"
}

sorted_by_name ()
{
  sed -n 's/^ *\(cenote_[a-z0-9_]*\);$/\1/p' "$abs_top_srcdir/core/libcenote.map" | LC_ALL=C sort --check --unique
}

exports_only_its_query ()
{
  [ "$(exported "$1")" = cenote_plugin_query ]
}

needs_nothing_of_ours ()
{
  ! needed "$1" | grep cenote
}

mapfile -t own < <(own_headers)
declared "${own[@]}" >"$scratch/headers"
mapped >"$scratch/map"
exported "$library" >"$scratch/library"

case_is 'the headers declare something' test -s "$scratch/headers"
case_is 'each declared function is in the map, and no other' diff "$scratch/headers" "$scratch/map"
case_is 'each name of the map is exported, and no other' diff "$scratch/map" "$scratch/library"
case_is 'the map is sorted, each name once' sorted_by_name
case_is 'libcenote needs gRPC, c-ares, GLib and the C library alone' needs_only_ours "$library"

adapter=$abs_top_builddir/.libs/libcenote-protobuf-c.so
if [ -e "$adapter" ]; then
  declared "$abs_top_srcdir/include/cenote/protobuf-c.h" | grep '^cenote_protobuf_c_' >"$scratch/adapter-headers"
  exported "$adapter" >"$scratch/adapter"
  case_is 'libcenote-protobuf-c exports what its header declares, and nothing else' \
    diff "$scratch/adapter-headers" "$scratch/adapter"
else
  skip 'libcenote-protobuf-c exports what its header declares, and nothing else' 'no protobuf-c'
fi

for plugin in "$abs_top_builddir"/plugins/.libs/*.so; do
  [ -e "$plugin" ] || continue
  name=$(basename "$plugin")
  case_is "$name exports cenote_plugin_query alone" exports_only_its_query "$plugin"
  case_is "$name links nothing of libcenote" needs_nothing_of_ours "$plugin"
  case $name in
    transport-tls.so) case_is "$name needs OpenSSL as well" needs_only_ours "$plugin" libcrypto ;;
    telemetry-otlp.so) case_is "$name needs protobuf-c as well" needs_only_ours "$plugin" libprotobuf-c ;;
    telemetry-prometheus.so) case_is "$name needs libmicrohttpd as well" needs_only_ours "$plugin" libmicrohttpd ;;
    *) case_is "$name needs gRPC and the C library at most" needs_only_ours "$plugin" ;;
  esac
done

finish
