#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# make install into an empty DESTDIR puts everything where it belongs, a program
# builds against it with pkg-config alone, and make uninstall leaves nothing.

: "${abs_top_srcdir:?}" "${abs_top_builddir:?}" "${CC:?}" "${CXX:?}"
. "$abs_top_srcdir/tests/script.sh"
unset MAKEFLAGS MFLAGS MAKELEVEL DESTDIR

stage=$scratch/stage

# The directories that configure was given.
read_directories ()
{
  cd "$abs_top_builddir" || return
  printf '%s=@%s@\n' prefix prefix exec_prefix exec_prefix bindir bindir libdir libdir includedir includedir \
    datarootdir datarootdir datadir datadir mandir mandir PACKAGE_TARNAME PACKAGE_TARNAME docdir docdir \
    plugindir plugindir |
    ./config.status --silent --file=- >"$scratch/directories"
}

in_build ()
{
  make --no-print-directory -C "$abs_top_builddir" DESTDIR="$stage" "$@"
}

has_protobuf_c ()
{
  [ -e "$abs_top_builddir/libcenote-protobuf-c.la" ]
}

headers_are_there ()
{
  local header
  for header in "$abs_top_srcdir"/include/cenote/*.h "$abs_top_srcdir"/include/cenote/*.hpp version.h; do
    [ "$(basename "$header")" != protobuf-c.h ] || has_protobuf_c || continue
    [ -f "$stage$includedir/cenote/$(basename "$header")" ] || { echo "no $header"; return 1; }
  done
}

plugins_are_there ()
{
  diff <(cd "$abs_top_builddir/plugins/.libs" && ls -- *.so) <(cd "$stage$plugindir" && ls -- *.so)
}

# Those of the source, and those that were made in the build.
manual_pages_are_there ()
{
  local page
  for page in "$abs_top_srcdir"/doc/*.[1-9] "$abs_top_builddir"/doc/man/*.[1-9]; do
    [ -f "$stage$mandir/man${page##*.}/$(basename "$page")" ] || { echo "no $page"; return 1; }
  done
}

# The sources among DIRECTORY's files, without what a build has made of them.
examples_in ()
{
  (cd "$1" && find . -type f ! -name local.mk ! -name '*.pb*' ! -name '*.[lo]*' ! -path '*/.*/*' | sort)
}

examples_are_there ()
{
  diff <(examples_in "$abs_top_srcdir/examples") <(examples_in "$stage$docdir/examples")
}

# is_resident FILE: nothing unloads what is linked so.
is_resident ()
{
  readelf --dynamic "$1" | grep -q NODELETE || { echo "$1"; return 1; }
}

plugins_are_resident ()
{
  local plugin
  for plugin in "$stage$plugindir"/*.so; do
    is_resident "$plugin" || return
  done
}

# Cenote's own .pc files, with the prefix of where the files are for now.
staged_pkg_config ()
{
  local file
  mkdir -p "$scratch/pkgconfig"
  for file in cenote.pc cenote++.pc cenote-protobuf-c.pc; do
    [ -e "$stage$libdir/pkgconfig/$file" ] || continue
    sed "s|^prefix=.*|prefix=$stage$prefix|" "$stage$libdir/pkgconfig/$file" >"$scratch/pkgconfig/$file"
  done
  PKG_CONFIG_PATH=$scratch/pkgconfig pkg-config "$@"
}

# builds SOURCE PACKAGE...: with what pkg-config says and nothing else.
builds ()
{
  local source=$1
  shift
  read -r -a flags < <(staged_pkg_config --cflags --libs "$@")
  $CC -Wall -Wextra -Werror "$source" -o "$scratch/program" -Wl,--as-needed "${flags[@]}"
}

says_its_version ()
{
  printf '#include <cenote/cenote.h>\n#include <stdio.h>\nint main (void) { return puts (cenote_version ()) < 0; }\n' \
    >"$scratch/version.c"
  builds "$scratch/version.c" cenote &&
    [ "$(LD_LIBRARY_PATH=$stage$libdir "$scratch/program")" = "$(staged_pkg_config --modversion cenote)" ]
}

# The same in C++, as one handle with its error.
cpp_program_works ()
{
  read -r -a flags < <(staged_pkg_config --cflags --libs cenote++)
  printf '#include <cenote/cenote.hpp>\n#include <cstdio>\nint main () { try { cenote::Runtime::from_data (""); } %s }\n' \
    'catch (const cenote::Error &error) { return std::puts (error.what ()) < 0; } return 1;' >"$scratch/program.cc"
  $CXX -std=c++17 -Wall -Wextra -Werror "$scratch/program.cc" -o "$scratch/cpp-program" -Wl,--as-needed "${flags[@]}" &&
    LD_LIBRARY_PATH=$stage$libdir "$scratch/cpp-program"
}

# The example whose stubs protoc-c makes, as its first lines say.
stubs_build ()
{
  protoc-c --proto_path="$stage$docdir/examples" --c_out="$scratch" etcd.proto || return
  read -r -a flags < <(staged_pkg_config --cflags --libs cenote-protobuf-c)
  $CC -Wall -Wextra -Werror -I"$scratch" "$stage$docdir/examples/etcd.c" "$scratch/etcd.pb-c.c" -o "$scratch/program" \
    -Wl,--as-needed "${flags[@]}"
}

variable_is ()
{
  [ "$(PKG_CONFIG_PATH=$stage$libdir/pkgconfig pkg-config --variable="$1" cenote)" = "$2" ]
}

command_finds_plugins ()
{
  LD_LIBRARY_PATH=$stage$libdir CENOTE_PLUGIN_PATH=$stage$plugindir "$stage$bindir/cenote" plugins
}

nothing_is_left ()
{
  [ -z "$(find "$stage" ! -type d | tee /dev/stderr)" ]
}

read_directories && . "$scratch/directories" || exit 1
abi_major=$(sed -n 's/^#define CENOTE_ABI_MAJOR \([0-9]*\)u$/\1/p' "$abs_top_srcdir/include/cenote/plugin.h")

case_is 'make install' in_build install
case_is 'every public header is installed' headers_are_there
case_is 'the library is installed by its soname' test -f "$stage$libdir/libcenote.so.0"
case_is 'every plugin is installed' plugins_are_there
case_is 'every manual page is installed' manual_pages_are_there
case_is 'every example is installed' examples_are_there
case_is 'bash completion is installed' test -f "$stage$datadir/bash-completion/completions/cenote"
case_is 'the API reference is installed' test -s "$stage$docdir/reference.html"
case_is 'the library is linked to stay' is_resident "$stage$libdir/libcenote.so.0"
case_is 'and so are the plugins' plugins_are_resident
case_is 'pkg-config knows plugindir' variable_is plugindir "$plugindir"
case_is 'pkg-config knows abi_major' variable_is abi_major "$abi_major"
case_is 'a program builds with pkg-config alone, and runs' says_its_version
case_is 'so does one in C++ with cenote++' cpp_program_works
case_is 'the installed command finds the plugins' command_finds_plugins
shopt -s nullglob
for example in "$stage$docdir"/examples/*.c; do
  [ "$(basename "$example")" != etcd.c ] || continue
  case_is "$(basename "$example") builds with pkg-config alone" builds "$example" cenote grpc
done
if has_protobuf_c && command -v protoc-c >/dev/null; then
  case_is 'etcd.c builds with protoc-c and pkg-config alone' stubs_build
else
  skip 'etcd.c builds with protoc-c and pkg-config alone' 'no protobuf-c'
fi
case_is 'make uninstall' in_build uninstall
case_is 'nothing is left' nothing_is_left

finish
