#!/usr/bin/env bash
# Make requirements/run.txt and requirements/dev.txt anew from pyproject.toml, every pin with the
# hashes of all files of its release. Pip's own settings of this machine are left out, so that
# no address and no local folder of it can get into the files; pip's default index is asked.
# `scripts/pins.sh --upgrade` also takes newer versions; without it the pins stay where they can.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for name in $(env | sed -n 's/^\(PIP_[A-Z_]*\)=.*/\1/p'); do
  [ "$name" = PIP_CERT ] || unset "$name"
done
export PIP_CONFIG_FILE=/dev/null
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet pip-tools

# The backend that builds us must be pinned too: the project is installed without isolation.
sed -n '/^\[build-system\]/,/^\[/s/^requires = \["\(.*\)"\]$/\1/p' pyproject.toml > "$work/build.in"
test -s "$work/build.in"

compile() {
  "$work/venv/bin/pip-compile" --quiet --generate-hashes --strip-extras --no-header \
    --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-annotate \
    "$@" pyproject.toml "$work/build.in"
}
compile --output-file requirements/run.txt "$@"
compile --output-file requirements/dev.txt --extra dev "$@"

for file in requirements/run.txt requirements/dev.txt; do
  if grep -nE '://|^--|/tmp/' "$file"; then
    echo "$file names an address, an option or a folder" >&2
    exit 1
  fi
  sed -i "1i # Made by scripts/pins.sh from pyproject.toml; not edited by hand." "$file"
done
