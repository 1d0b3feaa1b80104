#!/bin/sh
# Runs the relay in the foreground, on 127.0.0.1:8799 unless config.env, .env or PORT says otherwise.
# Ctrl-C or SIGTERM: running answers finish first; a second one ends them.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$(readlink -f -- "$0")")" && pwd)
cd -- "$root"
# shellcheck source=scripts/checkout.sh
. scripts/checkout.sh

[ "$(id -u)" -ne 0 ] || say "Running as root is not needed and not advised: any user will do."
install_dependencies
make_config
node=$(own_node)
# exec: signals reach the relay itself. The young generation at 8 MiB: docs/adr/0007.
exec "$node" --max-semi-space-size=8 --import ./scripts/check-node.mjs packages/server/src/main.ts
