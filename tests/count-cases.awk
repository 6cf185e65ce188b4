# SPDX-License-Identifier: Apache-2.0
# Counts test cases from automake's FILE.trs and the FILE.log beside each.
# A log of GoogleTest's has a case per test, one in TAP a case per "ok" line,
# any other is one case.  A program that dies leaves its running test failed.
# Prints: PASSED FAILED SKIPPED.  -v status=N: not 0 means that something failed.

FNR == 1 && FILENAME != "/dev/null" { count(FILENAME) }

END {
  if (passed + failed + skipped == 0 && status == 0)
    passed = 1
  if (failed == 0 && status != 0)
    failed = 1
  print passed + 0, failed + 0, skipped + 0
}

function result_of(trs,   line, result)
{
  while ((getline line < trs) > 0)
    if (line ~ /^:global-test-result: /)
      result = substr (line, 22)
  close (trs)
  return result
}

function count(trs,   log_file, line, result, run, ok, skip, bad)
{
  result = result_of(trs)
  log_file = trs
  sub (/\.trs$/, ".log", log_file)
  while ((getline line < log_file) > 0) {
    if (line ~ /\[ RUN      \] /) run++
    else if (line ~ /\[       OK \] .* \([0-9]+ ms\)$/) ok++
    else if (line ~ /\[  SKIPPED \] .* \([0-9]+ ms\)$/) skip++
    else if (line ~ /^ok .*# SKIP/) { run++; skip++ }
    else if (line ~ /^ok [0-9]/) { run++; ok++ }
    else if (line ~ /^not ok [0-9]/) run++
  }
  close (log_file)

  if (!run) {
    run = 1
    ok = result == "PASS"
    skip = result == "SKIP"
  }
  bad = run - ok - skip
  if (!bad && (result == "FAIL" || result == "ERROR"))
    bad = 1
  passed += ok
  skipped += skip
  failed += bad
}
