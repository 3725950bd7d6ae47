#!/usr/bin/env bash
# The browser tests against a stack of their own, in a temporary home on a free port.
#
#   e2e.sh [JUNIT_FILE [TEST_FILE…]]
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"
junit=${1:-}
shift || true

if ! CHROME=$("$root/scripts/find_chromium.sh" --install 2>>"$log"); then
  reason='Browser tests did not run: no Chromium or Chrome was found (sudo apt install chromium, or set CHROME=/path).'
  echo "$reason"
  [[ -n $junit ]] && echo "$reason" >"${junit%.xml}.skipped"
  exit 0
fi
# shellcheck source=scripts/page.sh
source "$root/scripts/page.sh"
build_page

home=$(mktemp -d "${TMPDIR:-/tmp}/mistudio-e2e-XXXXXX")
export CHROME MISTUDIO_HOME=$home MISTUDIO_PORT=0
stop() {
  mistudio down >/dev/null || true
  if ((${status:-1})); then echo "Logs of the stack: $home/logs"; else rm -rf "$home"; fi
}
trap stop EXIT
mistudio up
MISTUDIO_URL=$(python -c 'import json, sys; print(json.load(open(sys.argv[1]))["url"])' "$home/run/services.json")
export MISTUDIO_URL
cd "$root/frontend"
status=0
if [[ -n $junit ]]; then
  PLAYWRIGHT_JUNIT_OUTPUT_NAME=$junit npx playwright test --reporter=list,junit "$@" || status=$?
else
  npx playwright test --reporter=list "$@" || status=$?
fi
exit "$status"
