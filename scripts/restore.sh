#!/usr/bin/env bash
# Brings a backup back. Everything is stopped meanwhile; with --replace it takes the place of what is there.
#
#   restore.sh [--containers] FILE [--replace]
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"
split_arguments "$@"
file=$path
[[ -r $file ]] || { echo 'Usage: restore.sh [--containers] FILE [--replace]'; exit 2; }
if [[ -z $containers ]]; then
  mistudio down
  mistudio restore "$file" "${options[@]}"
  exec mistudio up
fi
compose() { "$root/scripts/containers.sh" compose "$@"; }
# Only the database stays: nothing else may be connected to it while it changes.
compose stop
compose up --detach --wait postgres
compose run --rm --no-deps -T --entrypoint '' backend mistudio restore - "${options[@]}" <"$file"
compose up --detach --wait
