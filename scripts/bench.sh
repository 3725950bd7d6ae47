#!/usr/bin/env bash
# Measures this machine; each table is also kept in .mistudio/bench.txt. Servers in temporary homes.
set -uo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"
unset DATABASE_URL REDIS_URL MISTUDIO_HOME MISTUDIO_PORT
cd "$root/backend" || exit 1
measure() {
  local name failed=0
  for name in extraction sae_step discovery steering gpu database realtime api; do
    if ! python -m "benchmarks.$name" 2>>"$log"; then
      printf '%s✗ %s failed.%s The log tells why: %s\n' "$red" "$name" "$plain" "$log"
      failed=1
    fi
  done
  printf '\nThe page in a browser\n'
  "$root/scripts/e2e.sh" '' journey speed live || failed=1
  return "$failed"
}
measure | tee "$state/bench.txt"
