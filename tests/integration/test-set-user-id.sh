#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Whoever runs a set-user-ID cenote does not choose its plugins by his environment.

: "${abs_top_builddir:?}" "${CENOTE_TEST_PLUGINS:?}"
. "${abs_top_srcdir:?}/tests/script.sh"

owner=1001 caller=1002
place=$scratch/place

as_caller ()
{
  setpriv --reuid=$caller --regid=$caller --clear-groups env CENOTE_PLUGIN_PATH="$scratch/plugins" "$@"
}

# set_user_id PROGRAM: it runs as its owner from now on.
set_user_id ()
{
  chown $owner "$1" && chmod 4755 "$1"
}

can_try ()
{
  [ "$(id -u)" -eq 0 ] || { echo 'not root'; return 1; }
  command -v setpriv >/dev/null || { echo 'no setpriv'; return 1; }
  cp "$(command -v id)" "$place/id" && set_user_id "$place/id"
  [ "$(as_caller "$place/id" -u)" = $owner ] || { echo 'set-user-ID bits do nothing here'; return 1; }
}

lists ()
{
  as_caller "$place/cenote" plugins backoff >"$scratch/out" || return
  cat "$scratch/out"
  grep -q '^KIND ' "$scratch/out" && grep -q "^backoff  *schedule .*$scratch/plugins/backoff-schedule.so" "$scratch/out"
}

lists_not ()
{
  ! lists && grep -q '^KIND ' "$scratch/out" && ! grep -q "schedule\|$scratch" "$scratch/out"
}

mkdir "$place" "$scratch/plugins"
cp "$CENOTE_TEST_PLUGINS/backoff-schedule.so" "$scratch/plugins/"
chmod -R go-w,go+rX "$scratch"

if reason=$(can_try); then
  case_is 'the command is installed' install -m 0755 "$abs_top_builddir/tests/integration/cenote-whole" "$place/cenote"
  case_is 'CENOTE_PLUGIN_PATH is followed by the command as it is' lists
  case_is 'it becomes set-user-ID' set_user_id "$place/cenote"
  case_is 'and follows CENOTE_PLUGIN_PATH no more' lists_not
else
  skip 'a set-user-ID command ignores CENOTE_PLUGIN_PATH' "$reason"
fi

finish
