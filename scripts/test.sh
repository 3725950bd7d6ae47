#!/usr/bin/env bash
# Every test: backend (with its coverage limits), page, browser. Ends with one line of counts.
# Nothing here touches port 8000 or the installation's home: each suite has a home of its own.
set -uo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"
set +e
"$root/scripts/bootstrap.sh" --dev && "$root/scripts/page_packages.sh" || exit 1

results=$state/test-results
rm -rf "$results" && mkdir -p "$results"
failed=()
suite() { # suite NAME COMMAND…
  local name=$1 began=$SECONDS
  shift
  printf '\n── %s\n' "$name"
  "$@" || failed+=("$name")
  printf '%s   %d s%s\n' "$dim" $((SECONDS - began)) "$plain"
}

unset DATABASE_URL REDIS_URL MISTUDIO_HOME MISTUDIO_PORT
backend() { cd "$root/backend" && "$root/scripts/test_backend.sh" "$results"; }
lint_page() {
  cd "$root/frontend" || return
  npm run --silent typecheck &
  npm run --silent lint && wait "$!"
}
page() {
  cd "$root/frontend" &&
    npx vitest run --coverage --reporter=dot --reporter=junit --outputFile.junit="$results/page.xml"
}
browser() { "$root/scripts/e2e.sh" "$results/browser.xml"; }

suite 'backend' backend
suite 'page: lint and types' lint_page
suite 'page' page
suite 'browser' browser

echo
((${#failed[@]})) && printf '%sFailed: %s%s\n' "$red" "$(IFS=,; echo "${failed[*]}")" "$plain"
[[ -f $results/browser.skipped ]] && cat "$results/browser.skipped"
python "$root/scripts/count_tests.py" "$results" || exit 1
((${#failed[@]} == 0))
