#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tests/names-tests in namespaces of its own: a network with nothing but a loopback, and a
# resolv.conf that names the dnsmasq which it starts there.

: "${abs_top_srcdir:?}" "${abs_top_builddir:?}"
. "$abs_top_srcdir/tests/script.sh"

in_namespaces ()
{
  unshare --net --mount --propagation private "$@"
}

lacks ()
{
  if [ ! -x "$abs_top_builddir/tests/names-tests" ]; then
    echo 'Cenote was built without c-ares or OpenSSL'
  elif ! command -v dnsmasq ip unshare >/dev/null || [ ! -e /etc/resolv.conf ]; then
    echo 'no dnsmasq, iproute2 or /etc/resolv.conf'
  elif ! in_namespaces true 2>/dev/null; then
    echo 'no namespaces for whom runs this'
  fi
}

reason=$(lacks)
if [ -n "$reason" ]; then
  skip dnsmasq "$reason"
  finish
fi

echo 'nameserver 127.0.0.1' >"$scratch/resolv.conf"
echo '127.0.0.1 localhost' >"$scratch/hosts"
export scratch
in_namespaces sh -e -c '
  ip link set lo up
  mount --bind "$scratch/resolv.conf" /etc/resolv.conf
  mount --bind "$scratch/hosts" /etc/hosts
  exec "$abs_top_builddir/tests/names-tests"'
