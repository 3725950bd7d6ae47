#!/usr/bin/env bash
# Upgrades this checkout: backup, new code, packages or images, tables, start. A failure names the backup.
#
#   upgrade.sh [--containers] [FOLDER_FOR_THE_BACKUP] [--no-pull]
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"
split_arguments --no-pull -- "$@"
folder=${path:-$state/backups}
[[ -n $containers || -x $venv/bin/mistudio ]] || give_up 'Nothing is installed here; for containers: upgrade.sh --containers'
if [[ -z $path ]]; then mkdir -p "$folder" && chmod 700 "$folder"; fi
# Told before anything is stopped.
if [[ -z ${options[*]} ]]; then
  git -C "$root" fetch --quiet && git -C "$root" merge-base --is-ancestor HEAD '@{upstream}' ||
    give_up 'New code cannot simply follow what is here (git pull --ff-only would fail). Nothing was changed.'
fi
if [[ -z $containers ]]; then
  use_home_of_service
  take_down
fi
if ! "$root/scripts/backup.sh" ${containers:+--containers} "$folder"; then
  [[ -n $containers ]] || bring_back
  give_up 'Nothing was upgraded.'
fi
# shellcheck disable=SC2012  # names hold dates: the last is the newest
newest=$(ls "$folder"/mistudio-*.tar | tail -n 1)
if [[ -z ${options[*]} ]] && ! git -C "$root" merge --ff-only '@{upstream}'; then
  [[ -n $containers ]] || bring_back
  give_up 'The new code was refused (the reason is above). Nothing was upgraded.'
fi
trap 'echo "The upgrade failed. What was there is in the backup: scripts/restore.sh ${containers:+--containers }$newest --replace"' ERR
if [[ -n $containers ]]; then
  "$root/scripts/containers.sh" up
else
  "$root/scripts/bootstrap.sh"
  mistudio migrate
  bring_back
fi
echo "Upgraded. The backup from before: $newest"
