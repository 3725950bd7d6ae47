#!/usr/bin/env bash
# Prints the path of a Chromium or Chrome for the browser tests; fails when there is none.
#
#   find_chromium.sh [--install]     --install: as root, let apt install Debian's package
set -euo pipefail

find_browser() {
  local name candidate
  if [[ -n ${CHROME:-} ]]; then
    [[ -x $CHROME ]] && echo "$CHROME" && return
    echo "CHROME=$CHROME cannot be run" >&2
  fi
  for name in chromium chromium-browser google-chrome google-chrome-stable; do
    command -v "$name" && return
  done
  for candidate in "${PLAYWRIGHT_BROWSERS_PATH:-$HOME/.cache/ms-playwright}"/chromium-*/chrome-linux*/chrome; do
    [[ -x $candidate ]] && echo "$candidate" && return
  done
  return 1
}

find_browser && exit
if [[ ${1:-} == --install && $(id -u) == 0 ]] && command -v apt-get >/dev/null; then
  {
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core
  } >&2
  find_browser && exit
fi
exit 1
