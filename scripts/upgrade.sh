#!/usr/bin/env bash
# Upgrades this checkout: backup, new code, packages, tables, start. A failure names the backup.
#
#   upgrade.sh [FOLDER_FOR_THE_BACKUP] [--no-pull]
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"
folder=$state/backups pull=yes
for argument; do
  case $argument in
    --no-pull) pull='' ;;
    *) folder=$argument ;;
  esac
done
mkdir -p "$folder" && chmod 700 "$folder"
was_running=''
if mistudio status >/dev/null 2>&1; then was_running=yes; fi
mistudio down
mistudio backup "$folder"
# shellcheck disable=SC2012  # names hold dates: the last is the newest
newest=$(ls "$folder"/mistudio-*.tar | tail -n 1)
trap 'echo "The upgrade failed. What was there is in the backup: scripts/restore.sh $newest --replace"' ERR
[[ -z $pull ]] || git -C "$root" pull --ff-only
"$root/scripts/bootstrap.sh"
mistudio migrate
[[ -z $was_running ]] || mistudio up
echo "Upgraded. The backup from before: $newest"
