# Sourced by run.sh, install.sh and bin/*, which have set $root and gone there. POSIX sh.
# shellcheck shell=sh disable=SC2154

say() { printf '%s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

installed() { [ -d node_modules/commander ] && [ -d node_modules/fastify ]; }

# npm writes .package-lock.json when it is done: older than package-lock.json, it is of another version.
up_to_date() {
  installed && [ -f node_modules/.package-lock.json ] &&
    [ -z "$(find . -maxdepth 1 -name package-lock.json -newer node_modules/.package-lock.json)" ]
}

# What npm brings along, when it is not there yet or not this version's.
install_dependencies() {
  if up_to_date; then return; fi
  command -v npm >/dev/null || die "Node 20 or newer with npm is needed: https://nodejs.org"
  say "Installing dependencies (npm ci)…"
  # Standard output stays clean for whoever reads ours.
  npm ci --no-progress --loglevel=error >&2 || die "npm ci failed: see above."
}

# The Node that npm ci brought along; without one for this machine, the one on PATH.
# scripts/check-node.mjs says so when that is too old.
own_node() {
  if [ -x node_modules/.bin/node ]; then
    printf '%s\n' "$root/node_modules/.bin/node"
  else
    command -v node || die "Node 22.19 or newer is needed: https://nodejs.org"
  fi
}

# config.env, for its owner's eyes only. It sets PORT=8799, unless another file sets a port already.
make_config() {
  if [ -e config.env ]; then return; fi
  port_line='s/^PORT=/PORT=/'
  if grep -Eqs '^[[:space:]]*(export[[:space:]]+)?PORT=' .env ||
    grep -Eqs '"port"[[:space:]]*:' claude-relay-config.json; then
    port_line='s/^PORT=/#PORT=/'
  fi
  (umask 077 && sed "$port_line" config.env.example >config.env) ||
    die "config.env cannot be written in $root."
  say "Made config.env from config.env.example."
}
