#!/usr/bin/env bash
# Writes database and files to one archive in FOLDER (default: here), while everything runs.
#
#   backup.sh [--containers] [FOLDER] [--without-activations]
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"
split_arguments "$@"
folder=${path:-$PWD}
if [[ -z $containers ]]; then
  [[ -x $venv/bin/mistudio ]] || { echo 'Nothing is installed here; for containers: backup.sh --containers'; exit 1; }
  exec mistudio backup "$folder" "${options[@]}"
fi
file=$folder/mistudio-$(date -u +%FT%H%M%S).tar
umask 077
"$root/scripts/containers.sh" compose exec -T backend mistudio backup - "${options[@]}" >"$file.part"
mv "$file.part" "$file"
echo "Written: $file"
