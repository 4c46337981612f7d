#!/bin/sh
# The whole check: set-up, types, lint, format, tests. Arguments go to vitest (`npm test -- --project unit`).
# The last line is the count and stands alone: "N passed, N failed, N skipped"; the exit status is 0 only if nothing failed.
set -u
cd "$(dirname -- "$0")/.." || exit 1

# What the suite needs beyond what lichen uses itself; tests that miss theirs are skipped. A registry, Podman and servers are run by the tests, never as services.
needs='busybox:busybox-static debootstrap:debootstrap docker-registry:docker-registry catatonit:catatonit openssl:openssl script:bsdutils systemd-run:systemd dbus-daemon:dbus-user-session fish:fish zsh:zsh tmux:tmux vim.tiny:vim-tiny top:procps skopeo:skopeo podman:podman nft:nftables nginx:nginx-light redis-server:redis-server qemu-aarch64:qemu-user cc:build-essential runc:runc ssh-agent:openssh-client'
if [ "$(id -u)" = 0 ] && [ -d /run/systemd/system ]; then
  command -v docker-registry > /dev/null || systemctl mask --quiet docker-registry.service
  command -v nginx > /dev/null || systemctl mask --quiet nginx.service
  command -v redis-server > /dev/null || systemctl mask --quiet redis-server.service
  command -v podman > /dev/null || systemctl mask --quiet podman.socket podman.service podman-restart.service podman-auto-update.service podman-auto-update.timer
fi
failed_checks=0
check() {
  name=$1
  shift
  echo "== $name"
  "$@" < /dev/null || {
    echo "$name failed" >&2
    failed_checks=$((failed_checks + 1))
  }
}
# shellcheck disable=SC2086
check set-up sh scripts/setup.sh $needs
check types node_modules/.bin/tsc -p .
check lint node_modules/.bin/oxlint --type-aware
check format node_modules/.bin/oxfmt --check

echo '== tests'
report=$(mktemp)
trap 'rm -f "$report"' EXIT
# Nothing may hang a CI machine: the limit is above what the suite takes and below what CI allows.
timeout --kill-after=20 4500 sh scripts/node.sh node_modules/vitest/vitest.mjs run --reporter=default --reporter=json --outputFile="$report" "$@" < /dev/null
sh scripts/node.sh scripts/count.ts "$report" "$failed_checks" || exit 1
