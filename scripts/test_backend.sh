#!/usr/bin/env bash
# The backend's tests with the limits of coverage: 80 % of everything, 90 % where work is computed
# or could be lost. Two queues of about the same length run side by side, each on servers of its
# own: what starts the whole product, and everything else.   test_backend.sh [JUNIT_FOLDER]
set -uo pipefail
cd "$(dirname "$0")/../backend" || exit 1
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} TOKENIZERS_PARALLELISM=false
tests() { # tests NAME MARKERS PATHS…
  local name=$1 markers=$2
  shift 2
  coverage run -m pytest -q -m "$markers" "$@" \
    ${junit:+--junitxml="$junit/$name.xml" -o junit_family=xunit2}
}
junit=${1:-}
coverage erase
stack_log=$(mktemp)
tests backend-stack 'slow and not long' >"$stack_log" 2>&1 &
stack=$!
trap 'kill $stack 2>/dev/null; rm -f "$stack_log"' EXIT
status=0
tests backend 'not slow and not long' || status=$?
wait "$stack" || status=$?
cat "$stack_log"
coverage combine -q 2>/dev/null
rm -f .coverage.* # half written by processes that tests killed
floor() { # floor PERCENT WHAT REPORT_OPTIONS…
  local percent=$1 what=$2
  shift 2
  if coverage report --fail-under="$percent" "$@" >/tmp/coverage.$$; then
    printf 'coverage of %s: %s\n' "$what" "$(awk '/^TOTAL/ {print $NF}' /tmp/coverage.$$)"
  else
    cat /tmp/coverage.$$
    printf 'coverage of %s is below %s %%\n' "$what" "$percent"
    status=1
  fi
  rm -f /tmp/coverage.$$
}
floor 80 'everything'
floor 90 'app/ml' --include='app/ml/*'
floor 90 'jobs and workers' --include='app/workers/*,app/services/job_*,app/services/outbox*'
exit $status
