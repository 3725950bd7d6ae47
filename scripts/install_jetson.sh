#!/usr/bin/env bash
# Installs MechInterp Studio on a Jetson (or any Linux with systemd) and starts it with the machine.
#
#   install_jetson.sh [--swap GIGABYTES] [--no-service]
#
# JetPack's build of PyTorch is taken from the package index that PIP_EXTRA_INDEX_URL names (NVIDIA's
# page for your JetPack has its address); without one the processor's build is installed.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"
swap='' service=yes
while (($#)); do
  case $1 in
    --swap) swap=${2:-} && [[ $swap =~ ^[1-9][0-9]*$ ]] && shift || usage ;;
    --no-service) service='' ;;
    *) usage ;;
  esac
  shift
done
[[ -z ${SUDO_USER:-} || $SUDO_USER == root ]] ||
  give_up "Run it as $SUDO_USER, without sudo: it asks for what needs root, and the rest must not belong to root."
if [[ -n $service && -e $unit ]] && ! owns_unit; then
  give_up "The service $(basename "$unit") of this machine belongs to another checkout ($(sed -n 's/^WorkingDirectory=//p' "$unit")):
run scripts/uninstall.sh --keep-data there first, or give --no-service here."
fi

if [[ -e /etc/nv_tegra_release ]]; then
  head -n 1 /etc/nv_tegra_release
  export TORCH_BACKEND=${TORCH_BACKEND:-index}
else
  echo 'This is no Jetson: installing as on any Linux.'
fi
memory=$(awk '/MemTotal/ {printf "%d", $2 / 1e6}' /proc/meminfo)
swapped=$(awk '/SwapTotal/ {printf "%d", $2 / 1e6}' /proc/meminfo)
echo "Memory ${memory} GB, swap ${swapped} GB."
if [[ -z $swap ]] && ((memory < 12 && swapped < 4)); then
  echo 'Hint: with less than 4 GB of swap a large model may not load. Add some: install_jetson.sh --swap 8'
fi
if [[ -n $swap ]]; then
  if [[ ! -e $swap_file ]]; then
    as_root rm -f "$swap_file.part" # of an attempt that was interrupted
    as_root fallocate -l "${swap}G" "$swap_file.part"
    as_root chmod 600 "$swap_file.part"
    as_root mkswap "$swap_file.part" >/dev/null
    as_root mv "$swap_file.part" "$swap_file"
  fi
  grep -qs "^$swap_file " /etc/fstab || echo "$swap_file none swap sw 0 0" | as_root tee -a /etc/fstab >/dev/null
  grep -qs "^$swap_file " /proc/swaps || as_root swapon "$swap_file"
fi

"$root/scripts/bootstrap.sh"
[[ -n $service ]] || { echo 'Installed. Start it with: make up'; exit 0; }
[[ -d /run/systemd/system ]] || { echo 'There is no systemd here. Start it with: make up'; exit 0; }
user=$(id -un)
home=${MISTUDIO_HOME:-$HOME/.local/share/mistudio}
mkdir -p "$home" && chmod 700 "$home"
write_unit "$user" "$home" | as_root tee "$unit" >/dev/null
as_root systemctl daemon-reload
as_root systemctl enable --now mistudio.service
echo 'Started, and from now on with the machine. The page: http://127.0.0.1:8000 (systemctl status mistudio)'
