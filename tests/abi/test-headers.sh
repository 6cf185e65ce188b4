#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Each public header compiles alone, without a warning, as every language that it promises; so does a plugin.

: "${abs_top_srcdir:?}" "${abs_top_builddir:?}"
. "$abs_top_srcdir/tests/script.sh"

# What GLib's own headers are warned of is GLib's.
read -r -a glib < <(pkg-config --cflags glib-2.0 | sed 's/-I/-isystem /g')
read -r -a protobuf_c < <(pkg-config --silence-errors --cflags libprotobuf-c)
include=(-I"$abs_top_srcdir/include" -I"$abs_top_builddir/include")
warnings=(-Wall -Wextra -Wpedantic -Wshadow -Wundef -Werror)
# What a program may be strict about, beside those.
strict=(-Wconversion -Wsign-conversion -Wcast-qual -Wcast-align)

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

# strictly STANDARD HEADER: the warnings of it.  plugin-test.h casts as C does: it is for tests.
strictly ()
{
  printf '%s\n' "${strict[@]}"
  case "$1 $2" in
    'c++'*' plugin-test.h') ;;
    c++*) echo -Wold-style-cast ;;
    *) echo -Wstrict-prototypes ;;
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
        mapfile -t more < <(strictly "$standard" "$header")
        case_is "$header alone, $compiler, $standard" compiles "$compiler" "$standard" "$header" "${more[@]}"
      else
        skip "$header alone, $compiler, $standard" "no $compiler"
      fi
    done
  done
done

# ------------------------------------------------------------ plugins, whole

cat >"$scratch/plugin.c" <<'END'
#include <cenote/telemetry.h>
static void handle (void *state, const CenoteEvent *event) { (void) state; (void) event; }
static const CenoteTelemetryOps ops = {
  .struct_size = sizeof ops, .mask = CENOTE_EVENT_MASK_ALL & ~CENOTE_EVENT_BIT (CENOTE_EVENT_CHANNEL_GET), .handle = handle };
static const CenoteOption options[] = { { "key", CENOTE_OPTION_INT, 0, "1", "0", NULL, NULL, "A number" } };
static const CenotePlugin plugin = {
  CENOTE_PLUGIN_HEAD (CENOTE_PLUGIN_TELEMETRY), .name = "used", .version = "1", .summary = "Is compiled",
  .license = "Apache-2.0", CENOTE_PLUGIN_OPTIONS (options), .ops = &ops };
CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_TELEMETRY, "used")
END
cat >"$scratch/plugin.cc" <<'END'
#include <cenote/telemetry.h>
static void handle (void *, const CenoteEvent *) {}
static constexpr CenoteTelemetryOps ops = {
  sizeof (CenoteTelemetryOps), 0, CENOTE_EVENT_MASK_ALL & ~CENOTE_EVENT_BIT (CENOTE_EVENT_CHANNEL_GET),
  nullptr, handle, nullptr, nullptr, nullptr, nullptr };
static constexpr CenoteOption options[] = { { "key", CENOTE_OPTION_INT, 0, "1", "0", nullptr, nullptr, "A number" } };
static constexpr CenotePlugin plugin = cenote_plugin (&ops, "used", "1", "Is compiled", "Apache-2.0", options);
static constexpr CenotePlugin bare = cenote_plugin (&ops, "bare", "1", "Has no options", "Apache-2.0");
static_assert (plugin.kind == CENOTE_PLUGIN_TELEMETRY && plugin.n_options == 1, "it is what its operations are");
static_assert (bare.options == nullptr && bare.n_options == 0, "none");
CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_TELEMETRY, "used")
END

# plugin_compiles COMPILER STANDARD FILE [OPTION...]
plugin_compiles ()
{
  mapfile -t more < <(strictly "$2" plugin.h)
  $1 -fsyntax-only -std="$2" "${warnings[@]}" "${more[@]}" -Wmissing-declarations "${include[@]}" "${@:4}" "$scratch/$3"
}

for compiler in gcc clang; do
  if ! command -v "$compiler" >/dev/null; then
    skip "a plugin compiles, $compiler" "no $compiler"
    continue
  fi
  for way in 'c11 plugin.c' 'c17 plugin.c' 'c++17 plugin.cc' 'c++20 plugin.cc'; do
    # shellcheck disable=SC2086
    case_is "a plugin compiles, $compiler, $way" plugin_compiles "$compiler" $way
    # shellcheck disable=SC2086
    case_is "and to be linked into a program" plugin_compiles "$compiler" $way -DCENOTE_PLUGIN_STATIC=used_query
  done
done

# What is C++ is of no use to C.  gRPC's own headers take seconds, so that not each is put to each compiler.
while read -r compiler standard header options; do
  what="$header alone, $compiler, $standard${options:+ $options}"
  if command -v "$compiler" >/dev/null; then
    # shellcheck disable=SC2086
    case_is "$what" compiles "$compiler" "$standard" "$header" $options
  else
    skip "$what" "no $compiler"
  fi
done <<'END'
gcc c++17 cenote.hpp
gcc c++17 cenote.hpp -DCENOTE_NO_GRPCPP
gcc c++17 cenote.hpp -fno-rtti
gcc c++17 grpcpp.hpp
gcc c++17 grpcpp-call.hpp
gcc c++17 grpcpp-relay.hpp
clang c++17 cenote.hpp
clang c++17 cenote.hpp -DCENOTE_NO_GRPCPP
clang c++17 grpcpp.hpp
clang c++20 cenote.hpp -fno-rtti
END
for header in "$abs_top_srcdir"/include/cenote/*.hpp; do
  case_is "$(basename "$header") is among them" grep -q "c++17 $(basename "$header")\$" "$0"
done

finish
