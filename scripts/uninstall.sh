#!/usr/bin/env bash
# Lists what an installation from this checkout has made, and removes it after a yes.
#
#   uninstall.sh [--keep-data] [--yes]
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"
keep='' sure=''
for argument; do
  case $argument in
    --keep-data) keep=yes ;;
    --yes) sure=yes ;;
    *) echo 'Usage: uninstall.sh [--keep-data] [--yes]'; exit 2 ;;
  esac
done
home=${MISTUDIO_HOME:-${XDG_DATA_HOME:-$HOME/.local/share}/mistudio}
made=("$venv" "$state" "$root/frontend/node_modules" "$root/frontend/dist")
outside=()
for path in "$unit" "$swap_file"; do [[ -e $path ]] && outside+=("$path"); done

size() { du -sh "$1" 2>/dev/null | cut -f1; }
echo 'This removes:'
for path in "${made[@]}" "${outside[@]}"; do [[ -e $path ]] && printf '  %8s  %s\n' "$(size "$path")" "$path"; done
if [[ -n $keep ]]; then
  echo "It keeps your data in $home."
else
  [[ -e $home ]] && printf '  %8s  %s   (database, models, datasets, dictionaries: all your data)\n' "$(size "$home")" "$home"
fi
echo "The checkout itself stays: $root"
if [[ -z $sure ]]; then
  read -r -p 'Type yes to go on: ' answer
  [[ $answer == yes ]] || { echo 'Nothing was removed.'; exit 1; }
fi
if [[ -e $unit ]]; then
  as_root systemctl disable --now mistudio.service
  as_root rm -f "$unit"
  as_root systemctl daemon-reload
fi
if [[ -e $swap_file ]]; then
  as_root swapoff "$swap_file" 2>/dev/null || true
  as_root sed -i "\|^$swap_file |d" /etc/fstab
  as_root rm -f "$swap_file"
fi
[[ -x $venv/bin/mistudio ]] && "$venv/bin/mistudio" down
rm -rf -- "${made[@]}"
[[ -n $keep ]] || rm -rf -- "$home"
echo 'Removed.'
