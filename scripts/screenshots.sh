#!/usr/bin/env bash
# Takes the documentation's pictures (docs/images) again, all or the parts that are named (inputs,
# training, features with steering): from the product at MISTUDIO_URL, or from one of its own in a
# temporary home, where the demo first takes a small model apart.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"
if ! CHROME=$("$root/scripts/find_chromium.sh" --install 2>>"$log"); then
  echo 'Chromium or Chrome is needed (sudo apt install chromium).'
  exit 1
fi
export CHROME
if [[ -z ${MISTUDIO_URL:-} ]]; then
  # shellcheck source=scripts/page.sh
  source "$root/scripts/page.sh"
  build_page
  home=$(mktemp -d "${TMPDIR:-/tmp}/mistudio-screenshots-XXXXXX")
  export MISTUDIO_HOME=$home MISTUDIO_PORT=0
  trap 'mistudio down >/dev/null; rm -rf "$home"' EXIT
  mistudio demo --no-open --model "$root/backend/tests/data/glass-en" --tokens 200000
  MISTUDIO_URL=$(python -c 'import json, sys; print(json.load(open(sys.argv[1]))["url"])' "$home/run/services.json")
  export MISTUDIO_URL
fi
cd "$root/frontend" && node scripts/screenshots.mjs "$@"
