#!/usr/bin/env bash
# Lists what an installation from this checkout has made, and removes it after a yes.
#
#   uninstall.sh [--containers] [--keep-data] [--yes]
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"
split_arguments --keep-data --yes -- "$@"
[[ -z $path ]] || usage
given() { [[ " ${options[*]} " == *" $1 "* ]]; }
agree() {
  given --yes && return
  local answer=''
  read -r -p 'Type yes to go on: ' answer || true
  [[ $answer == yes ]] || give_up 'Nothing was removed.'
}

if [[ -n $containers ]]; then
  compose() { "$root/scripts/containers.sh" compose --profile monitoring --profile flower "$@"; }
  [[ -e $root/.env ]] || give_up 'There are no containers of this checkout: it has no .env.'
  echo 'This removes the containers of this checkout and the images built for them:'
  images=()
  for image in $(compose config --images | grep '^mistudio-' | sort -u); do
    if docker image inspect "$image" >/dev/null 2>&1; then images+=("$image") && echo "  $image"; fi
  done
  if given --keep-data; then
    echo 'It keeps your data in its volumes, and .env, which has the password of the database.'
  else
    echo 'and all your data (database, models, datasets, dictionaries), with .env. Volumes:'
    compose config --volumes | sed 's/^/  /'
  fi
  agree
  given --keep-data || volumes=--volumes
  compose down --remove-orphans ${volumes:-}
  ((${#images[@]} == 0)) || docker image rm "${images[@]}" >/dev/null
  given --keep-data || rm -f "$root/.env"
  echo 'Removed.'
  exit
fi

use_home_of_service
home=${MISTUDIO_HOME:-$HOME/.local/share/mistudio}
made=("$venv" "$state" "$root/frontend/node_modules" "$root/frontend/dist")
outside=() data=()
if [[ -e $unit ]] && ! owns_unit; then
  echo "$unit is the service of another checkout: it stays, and $swap_file too."
  unit='' swap_file=''
fi
for path in "$unit" "$swap_file"; do [[ -e $path ]] && outside+=("$path"); done
# The folder itself may have been somebody's before: what else lies there stays.
for name in data postgres valkey logs run restoring restoring.tar; do
  [[ -e $home/$name ]] && data+=("$home/$name")
done

size() { du -sh "$1" 2>/dev/null | cut -f1; }
list() { for path; do [[ ! -e $path ]] || printf '  %8s  %s\n' "$(size "$path")" "$path"; done; }
echo 'This removes:'
list "${made[@]}" "${outside[@]}"
if given --keep-data; then
  echo "It keeps your data in $home."
else
  list "${data[@]}"
  ((${#data[@]} == 0)) || echo "  $home holds all your data: database, models, datasets, dictionaries."
fi
echo "The checkout itself stays: $root"
agree
if [[ -e $unit ]]; then
  as_root systemctl disable --now mistudio.service
  as_root rm -f "$unit"
  as_root systemctl daemon-reload
fi
if [[ -e $swap_file ]]; then
  as_root swapoff "$swap_file" 2>/dev/null || true
  ! grep -qs "^$swap_file " /etc/fstab || as_root sed -i "\|^$swap_file |d" /etc/fstab
  as_root rm -f "$swap_file"
fi
if [[ -x $venv/bin/mistudio ]]; then MISTUDIO_HOME=$home "$venv/bin/mistudio" down; fi
rm -rf -- "${made[@]}"
if ! given --keep-data; then
  ((${#data[@]} == 0)) || rm -rf -- "${data[@]}"
  rmdir "$home" 2>/dev/null || true
fi
echo 'Removed.'
