#!/bin/sh
# Chromium, coturn, certutil, nginx and Caddy, which tests of pages and of the network need and only
# root can install (by apt). Does nothing where all are; where they cannot be had it says so, and
# those tests are skipped, but never in CI.
set -eu

missing=""
command -v chromium > /dev/null || missing="chromium"
command -v turnserver > /dev/null || missing="$missing coturn"
command -v certutil > /dev/null || missing="$missing libnss3-tools"
command -v nginx > /dev/null || missing="$missing nginx"
command -v caddy > /dev/null || missing="$missing caddy"
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
  echo "Some tests of pages are skipped: as root, apt-get install$(printf ' %s' $missing)"
  [ "${CI:-}" != true ] || exit 1
  exit 0
fi
echo "Installing for tests of pages:" $missing
export DEBIAN_FRONTEND=noninteractive
# Their packages start servers that nobody here wants.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' > "$policy"
  chmod 755 "$policy"
  trap 'rm -f "$policy"' EXIT
fi
apt-get update -qq
# shellcheck disable=SC2086 # a list of names
apt-get install -y -qq --no-install-recommends $missing > /dev/null
