#!/bin/sh
# Chromium, coturn and certutil, which the browser tests need and only root can install (by apt). Does
# nothing where all are; where they cannot be had it says so, and those tests are skipped, but never
# in CI.
set -eu

missing=""
command -v chromium > /dev/null || missing="chromium"
command -v turnserver > /dev/null || missing="$missing coturn"
command -v certutil > /dev/null || missing="$missing libnss3-tools"
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
  echo "Browser tests are skipped: as root, apt-get install$(printf ' %s' $missing)"
  [ "${CI:-}" != true ] || exit 1
  exit 0
fi
echo "Installing for the browser tests:" $missing
export DEBIAN_FRONTEND=noninteractive
# coturn's package starts a server that nobody here wants.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' > "$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
fi
apt-get update -qq
# shellcheck disable=SC2086 # a list of names
apt-get install -y -qq --no-install-recommends $missing > /dev/null
