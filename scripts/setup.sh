#!/bin/sh
# Make a fresh checkout ready: dependencies, build and, as root on Debian or Ubuntu, the helper programs that make lichen better.
# Helpers are never required: without network or apt this says what is missing and goes on.
set -eu
cd "$(dirname -- "$0")/.."

# program:package
helpers='crun:crun conmon:conmon pasta:passt slirp4netns:slirp4netns fuse-overlayfs:fuse-overlayfs newuidmap:uidmap iptables:iptables'
# Those that are on nobody's PATH.
hidden='netavark:netavark aardvark-dns:aardvark-dns'
libraries='libdeflate.so.0:libdeflate0'

has_library() {
  ldconfig -p 2> /dev/null | grep -q "^[[:space:]]*$1 "
}

missing_packages() {
  for pair in "$@"; do
    command -v "${pair%%:*}" > /dev/null || [ -x "/usr/lib/podman/${pair%%:*}" ] || [ -x "/usr/libexec/podman/${pair%%:*}" ] ||
      has_library "${pair%%:*}" || printf '%s ' "${pair#*:}"
  done
}

install_packages() {
  echo "setup: installing as root: $*"
  export DEBIAN_FRONTEND=noninteractive
  { apt-get update -q && apt-get install -qy --no-install-recommends "$@"; } < /dev/null > /tmp/lichen-setup.$$ 2>&1 || {
    tail -n 3 "/tmp/lichen-setup.$$" >&2
    echo "setup: could not install them; going on without" >&2
  }
  rm -f "/tmp/lichen-setup.$$"
}

PATH=$PATH:/usr/sbin:/sbin
# More pairs may be given as arguments (scripts/test.sh does).
# shellcheck disable=SC2086
packages=$(missing_packages $helpers $hidden $libraries "$@")
if [ -n "$packages" ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
    # shellcheck disable=SC2086
    install_packages $packages
  else
    echo "setup: these packages would help and are not installed: $packages"
    command -v apt-get > /dev/null && echo "setup: as root: apt-get install --no-install-recommends $packages"
  fi
fi
# After the packages: a C compiler may be one of them.
if [ -d node_modules/.bin ]; then
  npm run --silent build < /dev/null
else
  npm ci --no-audit --no-fund --loglevel=error < /dev/null # builds, too
fi

echo 'setup: ready; try: bin/lichen --help'
