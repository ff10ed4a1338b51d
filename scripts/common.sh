# Sourced by the other scripts: where things are, and how they speak.
# shellcheck shell=bash
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Where rustup puts cargo; a shell that is older than the installation does not know it.
export PATH=$PATH:$HOME/.cargo/bin

# One target folder for everything, outside the checkout: a fresh clone does not compile 400 libraries again.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$HOME/.cache/flowforge/target}
# shellcheck disable=SC2034
flowforge=$CARGO_TARGET_DIR/debug/flowforge

# Where the endpoint of `make demo` listens, and what `make run` therefore lets nodes call on this machine.
# shellcheck disable=SC2034
demo_port=${FLOWFORGE_DEMO_PORT:-8099}

# Bold on a terminal, plain in a log.
if [ -t 2 ] && [ -z "${NO_COLOR:-}" ]; then bold=$'\033[1m' plain=$'\033[0m'; else bold='' plain=''; fi

say() { printf '%s==>%s %s\n' "$bold" "$plain" "$*" >&2; }

die() {
  printf '%serror:%s %s\n' "$bold" "$plain" "$1" >&2
  shift
  for line in "$@"; do printf '       %s\n' "$line" >&2; done
  exit 1
}

# Runs a command as root: directly, or through sudo when that needs no password.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    sudo -n "$@"
  else
    return 126
  fi
}

# Installs Debian packages. Fails, without a word, where there is no apt or no right to use it.
apt_install() {
  command -v apt-get >/dev/null || return 127
  as_root true || return 126
  as_root apt-get update -qq </dev/null >&2 &&
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" </dev/null >&2
}

# Every script builds the same packages with the same features, so that none builds a library that another one has
# already built. The examples are part of it because they bring in the libraries of the tests.
build() {
  say "building (the first time takes minutes: every library is compiled)"
  cargo build --workspace --bins --examples --locked </dev/null
}
