#!/usr/bin/env bash
# Brings a backup back. Everything is stopped meanwhile; with --replace it takes the place of what is there.
# A backup that is damaged or refused changes nothing, and what ran before runs again.
#
#   restore.sh [--containers] FILE [--replace]
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"
split_arguments --replace -- "$@"
file=$path
[[ -n $file ]] || usage
[[ -f $file && -r $file ]] || give_up "There is no file $file that can be read."
if [[ -z $containers ]]; then
  [[ -x $venv/bin/mistudio ]] || give_up 'Nothing is installed here (make setup); for containers: restore.sh --containers'
  use_home_of_service
  take_down
  trap bring_back EXIT # refused or interrupted
  mistudio restore "$file" "${options[@]}"
  was_running=${was_running:-yes}
  exit
fi
compose() { "$root/scripts/containers.sh" compose "$@"; }
# Only the database stays: nothing else may be connected to it while it changes.
compose stop
trap 'compose up --detach --wait' EXIT
compose up --detach --wait postgres
compose run --rm --no-deps -T --entrypoint '' backend mistudio restore - "${options[@]}" <"$file"
