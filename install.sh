#!/bin/sh
# Installs the relay as a service of this user (Linux, systemd --user; no root). Safe to repeat:
# after a git pull or a change of config.env it puts the new state into service.
#   ./install.sh              install, or bring up to date
#   ./install.sh --uninstall  stop and remove the services; config.env and the data stay
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$(readlink -f -- "$0")")" && pwd)
cd -- "$root"
# shellcheck source=scripts/checkout.sh
. scripts/checkout.sh

units=$HOME/.config/systemd/user

main() {
  case ${1-} in
    '') install_service ;;
    --uninstall) uninstall_service ;;
    *) die "Usage: ./install.sh [--uninstall]" ;;
  esac
}

install_service() {
  need_systemd
  plain_path "$root"
  install_dependencies
  make_config
  prepare_data
  write_units
  systemctl --user daemon-reload
  if systemctl --user is-active --quiet claude-relay; then
    systemctl --user restart claude-relay
  fi
  systemctl --user enable --now claude-relay
  ./bin/claude-relay --url "$(./bin/claude-relay setting url)" health --wait 30 >&2 ||
    die "The service does not answer. Its log: journalctl --user -u claude-relay -n 50"
  say_next
}

need_systemd() {
  [ "$(id -u)" -ne 0 ] ||
    die "Not as root and without sudo: run ./install.sh as the user whose Claude Code login is used."
  if [ "$(uname -s)" != Linux ] || ! command -v systemctl >/dev/null; then
    die "There is no systemd here. Run it in the foreground instead: ./run.sh"
  fi
  systemctl --user show-environment >/dev/null 2>&1 ||
    die "systemd has no session for this user (after su, log in directly). Or run it in the foreground: ./run.sh"
}

# Unit files give other characters a meaning.
plain_path() {
  case $1 in
    *[!A-Za-z0-9/._+@,-]*) die "systemd units cannot hold this path: $1. Move the folder to a plainer one." ;;
  esac
}

# The folder must be there before the service may write to it alone. The admin token goes into config.env:
# made up by the relay itself, it would be shown in the journal.
prepare_data() {
  data=$(./bin/claude-relay setting data-dir)
  plain_path "$data"
  (umask 077 && mkdir -p -- "$data")
  if [ "$(./bin/claude-relay setting admin-token)" = none ]; then
    token=$("$(own_node)" -p 'require("node:crypto").randomBytes(32).toString("base64url")')
    chmod 600 config.env
    printf '\n# Made by install.sh: the bearer token of the admin API.\nADMIN_TOKEN=relay-admin-%s\n' "$token" >>config.env
  fi
}

write_units() {
  mkdir -p -- "$units/claude-relay-ngrok.service.d"
  node=$(own_node)
  claude=$(command -v claude || printf '/usr/bin/claude')
  path=$(dirname -- "$claude"):%h/.local/bin:/usr/local/bin:/usr/bin:/bin
  plain_path "$node$(dirname -- "$claude")"
  # The longer paths first: the last replaces what is left of the checkout's.
  sed -e "s|%h/claude-relay/node_modules/.bin/node|$node|" \
    -e "s|^Environment=PATH=.*|Environment=PATH=$path|" \
    -e "s|%h/claude-relay/data|$data|" \
    -e "s|%h/claude-relay|$root|g" \
    systemd/claude-relay.service >"$units/claude-relay.service"
  # For claude-relay-ngrok.service, which is copied as it is.
  printf '[Service]\nEnvironmentFile=\nEnvironmentFile=%s/config.env\n' "$root" \
    >"$units/claude-relay-ngrok.service.d/checkout.conf"
  unlock_without_namespaces
}

# Where the kernel or the distribution keeps namespaces from users, a service with these locks does not start.
unlock_without_namespaces() {
  dropin=$units/claude-relay.service.d/no-namespaces.conf
  if systemd-run --user --quiet --wait --collect -p PrivateUsers=yes -p ProtectSystem=strict -p PrivateTmp=yes \
    true >/dev/null 2>&1; then
    rm -f -- "$dropin"
    return
  fi
  mkdir -p -- "$units/claude-relay.service.d"
  {
    printf '# Written by install.sh: user namespaces are not allowed on this machine.\n[Service]\n'
    printf 'PrivateUsers=no\nProtectSystem=no\nProtectHome=no\nReadWritePaths=\nInaccessiblePaths=\n'
    printf 'PrivateTmp=no\nPrivateDevices=no\n'
  } >"$dropin"
  say "Note: this machine lets users make no namespaces, so the service runs without the file system locks"
  say "      (and bwrap does not work). docs/install.md says how to allow them; then run ./install.sh again."
}

say_next() {
  say ""
  say "claude-relay is up and starts again at login. Next, a key for your app:"
  say "  ./bin/genkey my-app"
  if [ "$(loginctl show-user "$(id -un)" --property=Linger --value 2>/dev/null || true)" = no ]; then
    say "To have it run while you are logged out too: loginctl enable-linger"
  fi
}

uninstall_service() {
  need_systemd
  # The tunnel too: behind it another program could come to stand open to the world.
  for unit in claude-relay-ngrok claude-relay; do
    systemctl --user disable --now "$unit" 2>/dev/null || true
    rm -rf -- "$units/$unit.service" "$units/$unit.service.d"
  done
  systemctl --user daemon-reload
  say "Removed the services. Settings and data are still in $root: config.env and the data folder."
}

main "$@"
