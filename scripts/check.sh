#!/usr/bin/env bash
# Everything that can be judged without running the product. Goes through all of it, fails at the end.
set -uo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"
set +e
"$root/scripts/bootstrap.sh" --dev --no-page && "$root/scripts/page_packages.sh" || exit 1
failed=0
check() { # check NAME FOLDER COMMAND…
  local name=$1 folder=$2 output
  shift 2
  if output=$(cd "$root/$folder" && "$@" 2>&1); then
    printf '%s✓%s %s\n' "$green" "$plain" "$name"
  else
    printf '%s✗ %s%s\n%s\n' "$red" "$name" "$plain" "$output"
    failed=1
  fi
}
generated_is_current() {
  local folders=("$root/frontend/src/services/generated" "$root/docs/reference") before
  before=$(hash_of "${folders[@]}")
  "$root/scripts/gen.sh" >/dev/null && [[ $(hash_of "${folders[@]}") == "$before" ]] && return
  echo 'It was behind the code and is written anew: commit frontend/src/services/generated and docs/reference.'
  return 1
}
check 'ruff format' backend ruff format --check .
check 'ruff' backend ruff check .
check 'mypy' backend mypy
check 'eslint' frontend npm run --silent lint
check 'tsc' frontend npm run --silent typecheck
check 'prettier' frontend npm run --silent format:check
check 'generated files' . generated_is_current
check 'OpenAPI document' . scripts/openapi_lint.sh
check 'documentation' . scripts/docs.sh
check 'deployment' . scripts/check_deployment.sh
exit $failed
