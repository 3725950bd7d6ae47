#!/usr/bin/env bash
# Every test: backend (with its coverage limits), page, browser. Ends with one line of counts.
# Two lanes run side by side, because most suites keep one core busy: what starts the whole
# product, and everything else. Nothing here touches port 8000 or the installation's home: each
# suite has a home of its own.
set -uo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"
set +e
"$root/scripts/bootstrap.sh" --dev && "$root/scripts/page_packages.sh" || exit 1

results=$state/test-results
rm -rf "$results" && mkdir -p "$results/output"
rm -f "$root"/backend/.coverage*
unset DATABASE_URL REDIS_URL MISTUDIO_HOME MISTUDIO_PORT

suite() { # suite NAME COMMAND…: its output appears in one piece when it has ended
  local name=$1 began=$SECONDS output="$results/output/${1//[^a-z]/-}"
  shift
  "$@" >"$output" 2>&1 || echo "$name" >>"$results/failed"
  { printf '\n── %s   %s%d s%s\n' "$name" "$dim" $((SECONDS - began)) "$plain" && cat "$output"; }
}
backend() { "$root/scripts/test_backend.sh" "$1" "$results"; }
lint_page() { cd "$root/frontend" && npm run --silent typecheck && npm run --silent lint; }
page() {
  cd "$root/frontend" &&
    npx vitest run --coverage --reporter=dot --reporter=junit --outputFile.junit="$results/page.xml"
}
browser() { "$root/scripts/e2e.sh" "$results/browser.xml"; }
products_lane() {
  suite 'backend: the whole product' backend products
  suite 'browser' browser
}
parts_lane() {
  suite 'backend: its parts' backend parts
  suite 'page: lint and types' lint_page
  suite 'API document: lint' "$root/scripts/openapi_lint.sh"
  suite 'page' page
}

echo 'Running everything in two lanes; each suite shows when it has ended.'
products_lane &
products=$!
trap 'kill $products 2>/dev/null' EXIT
parts_lane
wait "$products"
trap - EXIT
suite 'backend: coverage' backend coverage

echo
[[ -s $results/failed ]] && printf '%sFailed: %s%s\n' "$red" "$(paste -sd, "$results/failed")" "$plain"
[[ -f $results/browser.skipped ]] && cat "$results/browser.skipped"
python "$root/scripts/count_tests.py" "$results" || exit 1
[[ ! -s $results/failed ]]
