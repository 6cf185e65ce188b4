# SPDX-License-Identifier: Apache-2.0
# Names the cases that failed, from automake's FILE.trs and the FILE.log beside each,
# and shows the end of what each said:
#
#   PROGRAM: CASE
#       what it said
#
# -v lines=N: so many lines of each (0: names alone).  -v under=PATH/: what is left
# out at the front of programs' names.  A case is what it is in count-cases.awk.

FNR == 1 && FILENAME != "/dev/null" { look(FILENAME) }

function look(trs,   log_file, line, end, seen)
{
  log_file = trs
  sub (/\.trs$/, ".log", log_file)
  program = substr (trs, 1, length (trs) - 4)
  if (index (program, under) == 1)
    program = substr (program, length (under) + 1)
  running = ""; n_said = 0; n_told = 0; tap = 0
  while ((getline line < log_file) > 0) {
    if (line ~ /^\[ RUN      \] /)
      begin(substr (line, 14))
    else if (line ~ /^\[       OK \] |^\[  SKIPPED \] .* \([0-9]+ ms\)$|^ok [0-9]/)
      begin("")
    else if (line ~ /^\[  FAILED  \] .* \([0-9]+ ms\)$/)
      tell(running)
    else if (line ~ /^not ok [0-9]/) {
      flush_tap()
      sub (/^not ok [0-9]+ - /, "", line)
      begin(line)
      tap = 1
    } else if (line ~ /^FAIL .* \(exit status: [0-9]+\)$/)
      end = exit_status(line)
    else if (tap && line !~ /^#/)
      flush_tap()
    else
      said[n_said++] = line
  }
  close (log_file)
  flush_tap()
  if (running != "" || !n_told)
    tell((running == "" ? "" : running " ") how_it_ended(end))
}

function flush_tap()
{
  if (tap)
    tell(running)
}

function begin(name)
{
  flush_tap()
  running = name
  n_said = 0
}

function exit_status(line)
{
  sub (/.*exit status: /, "", line)
  return line + 0
}

# 124 is timeout's, which kills (137) whom that does not end; from 128 on it is a signal.
function how_it_ended(status)
{
  if (status == 124)
    return "had not ended when its time was over"
  if (status == 137)
    return "was killed: its time was over, or memory"
  if (status > 128)
    return "was ended by signal " (status - 128)
  return "ended with status " (status + 0)
}

# Where it said too much: the first line that says what is wrong, and the end.
function tell(what,   i, first)
{
  print program ": " what
  n_told++
  first = n_said - lines
  if (lines > 0 && first > 0) {
    for (i = 0; i < first && said[i] !~ /: Failure$|ERROR: |WARNING: /; i++)
      continue
    if (i < first && lines > 2) {
      show(said[i])
      print "    …"
      first += 2
    }
  }
  for (i = first < 0 ? 0 : first; i < n_said && lines > 0; i++)
    show(said[i])
  running = ""; n_said = 0; tap = 0
}

function show(line)
{
  sub (/^# /, "", line)
  print "    " substr (line, 1, 200)
}
