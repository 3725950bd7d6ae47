#!/usr/bin/env bash
# Brings a backup back. Everything is stopped meanwhile; with --replace it takes the place of what is there.
# A backup that is damaged or refused changes nothing, and what ran before runs again.
#
#   restore.sh [--containers] FILE [--replace]
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"
split_arguments "$@"
file=$path
[[ -r $file ]] || { echo 'Usage: restore.sh [--containers] FILE [--replace]'; exit 2; }
status=0
if [[ -z $containers ]]; then
  was_running=''
  if mistudio status >/dev/null 2>&1; then was_running=yes; fi
  mistudio down
  mistudio restore "$file" "${options[@]}" || status=$?
  if [[ $status == 0 || -n $was_running ]]; then mistudio up; fi
  exit "$status"
fi
compose() { "$root/scripts/containers.sh" compose "$@"; }
# Only the database stays: nothing else may be connected to it while it changes.
compose stop
compose up --detach --wait postgres
compose run --rm --no-deps -T --entrypoint '' backend mistudio restore - "${options[@]}" <"$file" || status=$?
compose up --detach --wait
exit "$status"
