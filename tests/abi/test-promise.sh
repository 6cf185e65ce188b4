#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the kept headers of this ABI major say still holds in today's, and no public struct is unpinned.

: "${abs_top_srcdir:?}" "${abs_top_builddir:?}" "${CC:?}"
. "$abs_top_srcdir/tests/script.sh"

abi=$abs_top_srcdir/tests/abi
include=$abs_top_srcdir/include/cenote
major=$(sed -n 's/^#define CENOTE_ABI_MAJOR \([0-9]*\)u$/\1/p' "$include/plugin.h")

members ()
{
  awk -f "$abi/members.awk" "$@"
}

# ------------------------------------------------------------------- pinned

# plugin-test.h is compiled into whoever includes it: nothing of it is shared.
public_members ()
{
  ls -- "$include"/*.h | grep -v /plugin-test.h | while read -r header; do members "$header"; done |
    awk -F '\t' '$1 != "enum" && $1 != "typedef" { print $1, $2 }' | sort
}

pinned_members ()
{
  sed -n 's/^  AT (\([A-Za-z]*\), \([a-z_0-9]*\), [0-9]*);$/\1 \2/p' "$abi/test-offsets.cc" | sort
}

pinned_sizes ()
{
  sed -n 's/^  SIZE (\([A-Za-z]*\), [0-9]*);$/\1/p' "$abi/test-offsets.cc" | sort
}

public_members >"$scratch/members"
cut -d ' ' -f 1 "$scratch/members" | uniq >"$scratch/structs"
pinned_members >"$scratch/pinned-members"
pinned_sizes >"$scratch/pinned-sizes"

case_is 'the headers have structs' grep -qx CenoteHost "$scratch/structs"
case_is 'the place of each public member is pinned, and no other' diff "$scratch/members" "$scratch/pinned-members"
case_is 'the size of each public struct is pinned, and no other' diff "$scratch/structs" "$scratch/pinned-sizes"

# --------------------------------------------------------------------- kept

# Declarations of KEPT that TODAY has not, or has in another order.  What is new comes after what is old.
changed ()
{
  awk -F '\t' 'FNR == 1 { file++ }
    $1 == "enum" { next }
    $1 == "typedef" { n = $2 } $1 != "typedef" { n = ++count[file, $1] }
    file == 1 { kept[$1, n] = $3; next }
    { today[$1, n] = $3 }
    END {
      for (key in kept)
        if (kept[key] != today[key])
          print "was: " kept[key] "; is: " today[key]
    }' "$1" "$2"
}

# CENOTE_N_EVENTS counts what there is.
numbers_of ()
{
  awk -F '\t' '
    $1 == "enum" && $2 != "CENOTE_N_EVENTS" { printf "  printf (\"%s %%lld\\n\", (long long) %s);\n", $2, $2 }
    $1 != "enum" && $1 != "typedef" {
      printf "  printf (\"%s.%s at %%zu of %%zu\\n\", offsetof (%s, %s), sizeof (((%s *) 0)->%s));\n", $1, $2, $1, $2, $1, $2
    }' "$1"
}

# tell_numbers LIST HEADER: what the compiler makes of the names in LIST by HEADER.
tell_numbers ()
{
  { printf '#include "%s"\n#include <stdio.h>\nint\nmain (void)\n{\n' "$2"; numbers_of "$1"; printf '}\n'; } >"$scratch/tell.c"
  $CC -I"$abs_top_srcdir/include" -o "$scratch/tell" "$scratch/tell.c" && "$scratch/tell"
}

same_declarations ()
{
  local found
  found=$(changed "$1" "$2")
  printf '%s\n' "$found"
  [ -z "$found" ]
}

# What a plugin of an older minor sees and what the core does are the same numbers, compiled.
same_numbers ()
{
  tell_numbers "$1" "$2" >"$scratch/then" && tell_numbers "$1" cenote/telemetry.h >"$scratch/now" &&
    [ -s "$scratch/then" ] && diff "$scratch/then" "$scratch/now"
}

members "$include/plugin.h" "$include/telemetry.h" >"$scratch/today"
for kept in "$abi"/plugin-"$major".*.h; do
  minor=${kept##*/plugin-} minor=${minor%.h}
  telemetry=$abi/telemetry-$minor.h
  members "$kept" "$telemetry" >"$scratch/kept"
  case_is "each declaration of ABI $minor is as it was" same_declarations "$scratch/kept" "$scratch/today"
  case_is "each number of ABI $minor is as it was" same_numbers "$scratch/kept" "$telemetry"
done

# ---------------------------------------------------- the check itself finds

# differs SED WHAT: a header that SED has changed is found out.
differs ()
{
  sed "$1" "$abi/plugin-1.0.h" >"$scratch/plugin.h"
  members "$scratch/plugin.h" >"$scratch/other"
  members "$abi/plugin-1.0.h" >"$scratch/kept"
  ! same_declarations "$scratch/kept" "$scratch/other"
}

case_is 'a slot that is gone is found' differs '/(\*renew) /d'
case_is 'a type that is another is found' differs 's/uint32_t n_places;/uint64_t n_places;/'
case_is 'a parameter that is another is found' differs 's/, int32_t status, int64_t latency_us/, int32_t status/'
case_is 'a function type that is another is found' differs 's/(\*CenoteTransportNotify) (void \*notify_data, uint32_t/&64_t/'
case_is 'two members that changed places are found' differs 's/uint32_t verb; /uint32_t X; /; s/uint32_t wanted; /uint32_t verb; /'

finish
