#!/usr/bin/env bash
# Writes database and files to one archive in FOLDER (default: here), while everything runs.
#
#   backup.sh [--containers] [FOLDER] [--without-activations]
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"
split_arguments --without-activations -- "$@"
folder=${path:-$PWD}
[[ -d $folder && -w $folder ]] || give_up "There is no folder $folder that can be written to."
if [[ -z $containers ]]; then
  [[ -x $venv/bin/mistudio ]] || give_up 'Nothing is installed here; for containers: backup.sh --containers'
  use_home_of_service
  exec mistudio backup "$folder" "${options[@]}"
fi
file=$folder/mistudio-$(date -u +%FT%H%M%S).tar
umask 077
trap 'rm -f "$file.part"' EXIT
"$root/scripts/containers.sh" compose exec -T backend mistudio backup - "${options[@]}" >"$file.part" ||
  give_up 'No backup was written (the reason is above).'
mv "$file.part" "$file"
echo "Written: $file"
