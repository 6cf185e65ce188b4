#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The example plugins that are not written in C: built, put to the suite that our own are put to, and used.

. "${abs_top_srcdir:?}/tests/integration/command.sh"

plugins=$abs_top_srcdir/examples/plugins

is_kept_by ()
{
  "$CENOTE" test-plugin "$1" >"$scratch/tap"
  local status=$?
  grep -v '^ok' "$scratch/tap"
  [ "$status" -eq 0 ] && [ "$(grep -c '^ok' "$scratch/tap")" -ge 10 ]
}

# refuses DIRECTORY GROUP REASON: a keyfile with GROUP (lines) is wrong, for REASON.
refuses ()
{
  printf '[cenote]\nplugin-path=%s\ntelemetry=\n[pool:a]\nprofile=local\nbackoff=b\n[backoff:b]\n%b\n' "$1" "$2" >"$scratch/wrong.conf"
  "$CENOTE" check "$scratch/wrong.conf" >"$scratch/said" 2>&1
  local status=$?
  cat "$scratch/said"
  [ "$status" -eq 1 ] && grep -qF -- "$3" "$scratch/said"
}

# ---------------------------------------------------------------------- C++
built=$abs_top_builddir/examples/plugins/.libs
case_is 'staircase (C++) keeps the promises of its kind' is_kept_by "$built/backoff-staircase.so"
case_is 'what it throws is a reason, and goes no further' \
  refuses "$built" 'plugin=staircase\nsteps=1s;soon' "steps: 'soon' is no delay"

# --------------------------------------------------------------------- Rust
if command -v rustc >/dev/null; then
  mkdir "$scratch/rust"
  case_is 'jittered (Rust) compiles without a warning' rustc --edition 2021 --crate-type cdylib -D warnings -O \
    "$plugins/jittered.rs" -o "$scratch/rust/backoff-jittered.so"
  case_is 'it keeps the promises of its kind' is_kept_by "$scratch/rust/backoff-jittered.so"
  case_is 'what it does not take it refuses, and says why' \
    refuses "$scratch/rust" 'plugin=jittered\nmin=2s\nmax=1s' 'min is more than max'
else
  skip 'jittered (Rust) keeps the promises of its kind' 'no rustc'
fi

finish
