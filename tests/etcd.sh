# SPDX-License-Identifier: Apache-2.0
# Sourced after script.sh: etcd, a real gRPC server, on a port of its own.
#
#   etcd_start         returns when it serves; sets etcd_port and etcd_pid
#   etcd_stop          kills it
# shellcheck shell=bash

etcd_pid=
etcd_port=
trap 'etcd_stop; rm -rf "$scratch"' EXIT

# A port that nobody listens on.
free_port ()
{
  local port
  while port=$((20000 + RANDOM % 10000)); do
    ss -Hltn "sport = :$port" | grep -q . || { echo "$port"; return; }
  done
}

# etcd_run PORT: TRUE once it serves, FALSE where it ends or says nothing for long.
etcd_run ()
{
  local line log
  exec {log}< <(exec etcd --data-dir "$scratch/etcd" --logger zap --log-level info \
    --listen-client-urls "http://127.0.0.1:$1" --advertise-client-urls "http://127.0.0.1:$1" \
    --listen-peer-urls "http://127.0.0.1:$(free_port)" 2>&1)
  etcd_pid=$!
  while read -r -t 30 line <&"$log"; do
    case $line in
      *'serving client traffic insecurely'*)
        # Somebody has to take what it says from now on.
        cat <&"$log" >/dev/null 2>&1 &
        exec {log}<&-
        return 0
        ;;
    esac
  done
  exec {log}<&-
  etcd_stop
  return 1
}

etcd_start ()
{
  for _ in 1 2 3 4 5; do
    etcd_port=$(free_port)
    etcd_run "$etcd_port" && return
  done
  return 1
}

etcd_stop ()
{
  [ -n "$etcd_pid" ] || return 0
  kill -KILL "$etcd_pid" 2>/dev/null
  wait "$etcd_pid" 2>/dev/null
  etcd_pid=
}
