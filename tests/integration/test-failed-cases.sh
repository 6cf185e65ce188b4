# SPDX-License-Identifier: Apache-2.0
# What ./bootstrap check says at its end of cases that failed, from the logs of programs.
# shellcheck shell=bash source=tests/script.sh
. "$abs_top_srcdir/tests/script.sh"

# log_of NAME: the log of program NAME is what comes in; it failed.
log_of ()
{
  mkdir -p "$scratch/tests"
  cat >"$scratch/tests/$1.log"
  echo ':global-test-result: FAIL' >"$scratch/tests/$1.trs"
}

# says NAME LINES: of program NAME it says what comes in.
says ()
{
  diff - <(awk -v lines="$2" -v under="$scratch/" -f "$abs_top_srcdir/tests/failed-cases.awk" /dev/null \
    "$scratch/tests/$1.trs")
}

# counts NAME PASSED FAILED SKIPPED
counts ()
{
  [ "$(awk -v status=2 -f "$abs_top_srcdir/tests/count-cases.awk" /dev/null "$scratch/tests/$1.trs")" = "$2 $3 $4" ]
}

log_of failing <<'END'
[ RUN      ] Pool.Good
of no interest
[       OK ] Pool.Good (1 ms)
[ RUN      ] Pool.Bad
before
tests/test-pool.cc:7: Failure
Expected equality of these values:
  1
  2
[  FAILED  ] Pool.Bad (12 ms)
[ RUN      ] Pool.Absent
[  SKIPPED ] Pool.Absent (0 ms)
[ RUN      ] Pool.Worse
tests/test-pool.cc:8: Failure
Failed
[  FAILED  ] Pool.Worse (3 ms)
[  FAILED  ] 2 tests, listed below:
[  FAILED  ] Pool.Bad
[  FAILED  ] Pool.Worse
FAIL tests/failing (exit status: 1)
END
case_is "each test that failed, with the end of what it said" says failing 5 <<'END'
tests/failing: Pool.Bad
    before
    tests/test-pool.cc:7: Failure
    Expected equality of these values:
      1
      2
tests/failing: Pool.Worse
    tests/test-pool.cc:8: Failure
    Failed
END
case_is "their names alone" says failing 0 <<'END'
tests/failing: Pool.Bad
tests/failing: Pool.Worse
END
case_is "where there is no room, what is wrong before the end" says failing 3 <<'END'
tests/failing: Pool.Bad
    tests/test-pool.cc:7: Failure
    …
      2
tests/failing: Pool.Worse
    tests/test-pool.cc:8: Failure
    Failed
END
case_is "and they are counted" counts failing 1 2 1

log_of hanging <<'END'
[ RUN      ] Pool.Good
[       OK ] Pool.Good (1 ms)
[ RUN      ] Pool.Hangs
waits for what does not come
FAIL tests/hanging (exit status: 124)
END
case_is "the test that hung" says hanging 2 <<'END'
tests/hanging: Pool.Hangs had not ended when its time was over
    waits for what does not come
END
case_is "which is counted" counts hanging 1 1 0

log_of crashing <<'END'
[ RUN      ] Pool.Crashes
FAIL tests/crashing (exit status: 139)
END
case_is "the test that crashed" says crashing 2 <<'END'
tests/crashing: Pool.Crashes was ended by signal 11
END

log_of leaking <<'END'
[ RUN      ] Pool.Good
[       OK ] Pool.Good (1 ms)
==1==ERROR: LeakSanitizer: detected memory leaks
Direct leak of 7 byte(s)
SUMMARY: AddressSanitizer: 7 byte(s) leaked in 1 allocation(s).
FAIL tests/leaking (exit status: 1)
END
case_is "a program that is at fault after its last test" says leaking 3 <<'END'
tests/leaking: ended with status 1
    ==1==ERROR: LeakSanitizer: detected memory leaks
    Direct leak of 7 byte(s)
    SUMMARY: AddressSanitizer: 7 byte(s) leaked in 1 allocation(s).
END

log_of script.sh <<'END'
ok 1 - good
not ok 2 - bad
# what it said
ok 3 - good # SKIP not here
not ok 4 - worse
1..4
FAIL tests/script.sh (exit status: 1)
END
case_is "a script's cases" says script.sh 3 <<'END'
tests/script.sh: bad
    what it said
tests/script.sh: worse
END

log_of plain.sh <<'END'
one
two
FAIL tests/plain.sh (exit status: 3)
END
case_is "a script without cases" says plain.sh 1 <<'END'
tests/plain.sh: ended with status 3
    two
END

# A script of ours that hangs in a case, and is ended as by make check: it reads what
# we have opened, and so has begun to hang, and never write.
cat >"$scratch/hangs.sh" <<'END'
. "$abs_top_srcdir/tests/script.sh"
hang () { exec cat "$1"; }
case_is 'good' true
case_is 'hangs' hang "$1"
END
hangs ()
{
  local pid held
  mkfifo "$scratch/begun"
  timeout 600 bash "$scratch/hangs.sh" "$scratch/begun" >"$scratch/said" &
  pid=$!
  exec {held}>"$scratch/begun"
  kill -TERM "$pid"
  wait "$pid"
  exec {held}>&-
  [ "$(cat "$scratch/said")" = $'ok 1 - good\nnot ok 2 - hangs\n# had not ended when its time was over' ]
}
case_is "a script of ours that hangs names its case" hangs

finish
