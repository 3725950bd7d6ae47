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
unit=/etc/systemd/system/mistudio.service
made=("$venv" "$state" "$root/frontend/node_modules" "$root/frontend/dist")
[[ -e $unit ]] && made+=("$unit")

size() { du -sh "$1" 2>/dev/null | cut -f1; }
echo 'This removes:'
for path in "${made[@]}"; do [[ -e $path ]] && printf '  %8s  %s\n' "$(size "$path")" "$path"; done
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
[[ -x $venv/bin/mistudio ]] && "$venv/bin/mistudio" down
if [[ -e $unit ]]; then systemctl disable --now mistudio.service && rm -f "$unit" && systemctl daemon-reload; fi
rm -rf -- "${made[@]}"
[[ -n $keep ]] || rm -rf -- "$home"
echo 'Removed.'
