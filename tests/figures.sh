#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Prints how long functions and files are, over core, plugins and tools.  A
# function is counted from the line of its name to its closing brace.
set -eu -o pipefail
cd "$(dirname "$0")/.."

lengths ()
{
  awk '
    FNR == 1 { inside = 0; previous = "" }
    /^{/ { inside = 1; start = FNR - 1; name = previous; sub (/ \(.*/, "", name) }
    /^}/ && inside { print FNR - start + 1, FILENAME ":" start, name; inside = 0 }
    # The line of the name, also where the parameters go on in further lines.
    /^[a-z_].* \(/ { previous = $0 }
  ' "$@" | sort -n
}

mapfile -t files < <(find core plugins tools -name '*.c' | sort)
lengths "${files[@]}" | awk '
  { length_of[NR] = $1; where[NR] = $2 " " $3; within += $1 <= 40 }
  function at (share) { return length_of[int ((NR - 1) * share) + 1] }
  END {
    if (!NR) exit
    printf "functions    %d\nmedian       %d lines\n90th of 100  %d lines\n", NR, at(0.5), at(0.9)
    printf "up to 40     %.1f %%\nlongest      %d lines, %s\n", 100 * within / NR, length_of[NR], where[NR]
  }'
wc -l "${files[@]}" | grep -v ' total$' | sort -n | tail -n 1 | awk '{ printf "longest file %d lines, %s\n", $1, $2 }'
