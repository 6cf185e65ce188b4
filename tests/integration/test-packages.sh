#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Debian's packages are built of the tarball, and lintian finds no error in them.  Installed over this
# system, in a layer of its own that goes when the test ends, the examples are compiled against them with
# pkg-config alone, and when they are removed nothing is left.  Takes minutes, so only in make check-long.

. "${abs_top_srcdir:?}/tests/tarball.sh"
packages=(cenote-plugins cenote-tools libcenote-dev libcenote-protobuf-c0 libcenote0)
layer=$scratch/layer
built='the Debian packages are built'
installed='the Debian packages install, serve and go'

can_build ()
{
  local missing
  only_when_long "$built" && has_programs "$built" dpkg-buildpackage dh lintian || return
  missing=$(cd "$abs_top_srcdir" && dpkg-checkbuilddeps -Pnocheck 2>&1) || { skip "$built" "${missing##*: }"; return 1; }
  [ "$(id -u)" -eq 0 ] || has_programs "$built" fakeroot
}

builds_packages ()
{
  cp "$unpacked.tar.gz" "$scratch/cenote_$version.orig.tar.gz"
  (cd "$unpacked" && DEB_BUILD_OPTIONS="nocheck parallel=$(nproc)" DEB_BUILD_PROFILES=nocheck \
    dpkg-buildpackage --no-sign) || return
}

packages_are_there ()
{
  diff <(printf '%s\n' "${packages[@]}") <(cd "$scratch" && ls -- *.deb | sed 's/_.*//' | grep -v -e '-dbgsym$')
}

lintian_finds_no_error ()
{
  lintian --allow-root --fail-on error "$scratch"/cenote_*.changes
}

# Every file that is installed is in one package, and none in two.
no_file_is_in_two ()
{
  local file
  for file in "$scratch"/*.deb; do
    dpkg-deb --contents "$file" | awk '$1 !~ /^d/ { print $6 }'
  done | sort | uniq -d | { ! grep .; }
}

# ------------------------------------------------------------------- layer

# The script that runs within the layer, as root of this system: its functions and one of them.
in_layer ()
{
  unshare --mount bash -uc "
    mount -t tmpfs tmpfs '$layer' && mkdir '$layer/upper' '$layer/work' '$layer/merged' &&
    mount -t overlay overlay -o 'lowerdir=/,upperdir=$layer/upper,workdir=$layer/work' '$layer/merged' &&
    mount --bind /dev '$layer/merged/dev' && mount -t proc proc '$layer/merged/proc' && mkdir '$layer/merged/debs' &&
    find '$scratch' -maxdepth 1 -name '*.deb' ! -name '*-dbgsym*' -exec cp {} '$layer/merged/debs' ';' || exit 77
    $(declare -f "$@")
    $1 '$layer'"
}

can_have_layers ()
{
  [ "$(id -u)" -eq 0 ] || { skip "$installed" 'not root'; return 1; }
  in_layer true >/dev/null 2>&1 || { skip "$installed" 'no layer over this system is allowed'; return 1; }
}

# Each example whose packages are there, as its own first lines say; then what the command knows.
try_examples ()
{
  set -e
  cd /usr/share/doc/libcenote-dev/examples
  for example in async first-call first; do
    cc -Wall -Werror "$example.c" -o "/debs/$example" $(pkg-config --cflags --libs cenote grpc)
  done
  protoc-c --c_out=/debs etcd.proto
  cc -Wall -Werror -I/debs etcd.c /debs/etcd.pb-c.c -o /debs/etcd $(pkg-config --cflags --libs cenote-protobuf-c)
  [ "$(cenote plugins | awk 'NR > 1' | wc -l)" -eq "$(ls "$(pkg-config --variable=plugindir cenote)"/*.so | wc -l)" ]
  ! cenote plugins | grep refused
  cenote check demo.conf
  ! CENOTE_DEMO_PORT=1 /debs/first-call demo.conf 2>/debs/said
  grep 'no ready channel' /debs/said
  man -w cenote cenote.conf libcenote cenote-backoff-exponential || [ ! -x /usr/bin/man ]
}

# What is left in the layer but for dpkg's own notes and the caches of ldconfig and man.
left_over ()
{
  find "$1/upper" ! -type d ! -path "$1/upper/debs/*" ! -path "$1/upper/var/lib/dpkg/*" ! -path "$1/upper/var/log/*" \
    ! -path "$1/upper/var/cache/*" ! -path "$1/upper/etc/ld.so.cache" ! -path "$1/upper/tmp/*"
}

# In the layer: the packages come, are tried, and go.
live_and_go ()
{
  local within=(chroot "$1/merged" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin bash -c)
  "${within[@]}" 'dpkg --install /debs/*.deb' || return
  "${within[@]}" "$(declare -f try_examples); try_examples" || return
  "${within[@]}" 'dpkg --purge $(for deb in /debs/*.deb; do dpkg-deb --field "$deb" Package; done)' || return
  [ -z "$(left_over "$1" | tee /dev/stderr)" ]
}

packages_live_and_go ()
{
  in_layer live_and_go try_examples left_over
}

if can_build; then
  mkdir "$layer"
  case_is 'the tarball is made' make_tarball
  case_is "$built" builds_packages
  case_is 'there are five of them' packages_are_there
  case_is 'no file is in two' no_file_is_in_two
  case_is 'lintian finds no error' lintian_finds_no_error
  ! can_have_layers || case_is "$installed" packages_live_and_go
fi

finish
