#!/usr/bin/env bash
# The backend's tests with the limits of coverage: 80 % of everything, 90 % where work is computed
# or could be lost. The two groups may run side by side, each on servers of its own.
#
#   test_backend.sh products|parts|coverage [JUNIT_FOLDER]
#
# products  what starts the whole product
# parts     everything else
# coverage  the limits, once both have run
set -uo pipefail
cd "$(dirname "$0")/../backend" || exit 1
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} TOKENIZERS_PARALLELISM=false
junit=${2:-}
tests() { # tests NAME MARKERS FILES…
  local name=$1 markers=$2
  shift 2
  coverage run -m pytest -q -m "$markers" \
    ${junit:+--junitxml="$junit/backend-$name.xml" -o junit_family=xunit2} "$@"
}
floor() { # floor PERCENT WHAT REPORT_OPTIONS…
  local percent=$1 what=$2 report
  shift 2
  if report=$(coverage report --fail-under="$percent" "$@"); then
    printf 'coverage of %s: %s\n' "$what" "$(awk '/^TOTAL/ {print $NF}' <<<"$report")"
  else
    printf '%s\ncoverage of %s is below %s %%\n' "$report" "$what" "$percent"
    return 1
  fi
}
limits() {
  local status=0
  coverage combine -q 2>/dev/null
  rm -f .coverage.* # half written by processes that tests killed
  floor 80 'everything' || status=1
  floor 90 'app/ml' --include='app/ml/*' || status=1
  floor 90 'jobs and workers' --include='app/workers/*,app/services/job_*,app/services/outbox*' || status=1
  return $status
}
case ${1:-} in
  # Only the files that mark something so: reading all of them takes 13 s of processor time.
  products) mapfile -t files < <(grep -rl --include='*.py' 'mark\.slow' tests | sort)
    tests products 'slow and not long' "${files[@]}" ;;
  parts) tests parts 'not slow and not long' ;;
  coverage) limits ;;
  *) sed -n '2,9p' "$0"; exit 2 ;;
esac
