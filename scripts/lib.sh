# Shared by the scripts here: places, calm output, errors with the end of the log and a hint.
# shellcheck shell=bash
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$root/.venv
state=$root/.mistudio
log=$state/setup.log
mkdir -p "$state"
export PATH="$venv/bin:$PATH"
# What install_jetson.sh puts outside of the checkout, and uninstall.sh takes away.
# shellcheck disable=SC2034  # read by the scripts that source this file
unit=/etc/systemd/system/mistudio.service swap_file=/var/lib/mistudio.swap
as_root() { if ((EUID)); then sudo "$@"; else "$@"; fi; }

if [[ -t 1 ]]; then green=$'\e[32m' red=$'\e[31m' dim=$'\e[2m' plain=$'\e[0m'; else green='' red='' dim='' plain=''; fi

# step TEXT COMMAND…: one line with the time it took; everything else goes to the log.
# The command runs in this shell and `set -e` does not reach into it: chain its parts with &&.
step() {
  local text=$1 began=$SECONDS
  shift
  [[ -t 1 ]] && printf '%s… %s%s\r' "$dim" "$text" "$plain"
  printf '\n=== %s (%s)\n' "$text" "$(date '+%F %T')" >>"$log"
  if "$@" >>"$log" 2>&1 </dev/null; then
    printf '%s✓%s %s %s(%d s)%s\n' "$green" "$plain" "$text" "$dim" $((SECONDS - began)) "$plain"
    return
  fi
  printf '%s✗ %s failed.%s The log ends with:\n\n' "$red" "$text" "$plain"
  tail -n 15 "$log" | sed 's/^/    /'
  printf '\n%s\nFull log: %s\n' "$(hint)" "$log"
  exit 1
}

# What a newcomer can do about the usual causes, read off the log.
hint() {
  local last
  last=$(tail -n 60 "$log")
  case $last in
    *"No space left"*) echo 'The disk is full: about 4 GB are needed here.' ;;
    *ensurepip*) echo 'Python lacks its venv module. On Debian or Ubuntu: sudo apt install python3-venv' ;;
    *'Temporary failure in name resolution'* | *'Could not resolve'* | *'error sending request'* | *ENOTFOUND* | *EAI_AGAIN*)
      echo 'The package index was not reachable. Check the network (or the proxy) and run the same command again; it continues where it stopped.' ;;
    *EACCES* | *'Permission denied'*) echo "Some files here belong to another user: check with  ls -l $root" ;;
    *) echo 'Run the same command again; when it fails the same way, the log tells why.' ;;
  esac
}

# hash_of PATH…: one number for the contents of files and folders.
hash_of() {
  local existing=() path
  for path; do [[ -e $path ]] && existing+=("$path"); done
  find "${existing[@]}" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-24
}

# A system Node that is new enough, or the one in the virtual environment.
has_node() {
  command -v node >/dev/null && command -v npm >/dev/null || return 1
  local version major rest minor
  version=$(node --version 2>/dev/null) || return 1
  major=${version#v} && major=${major%%.*}
  rest=${version#*.} && minor=${rest%%.*}
  ((major > 20 || (major == 20 && minor >= 19)))
}

give_up() { # give_up TEXT…: why it cannot go on
  printf '%s\n' "$*" >&2
  exit 1
}

# The lines of a script's head that begin with its name.
usage() {
  sed -n "s|^#   \($(basename "$0")\)|Usage: \1|p" "$0" >&2
  exit 2
}

# split_arguments OPTION… -- ARGUMENT…: --containers, at most one path, and the options that a script knows
# shellcheck disable=SC2034  # read by the scripts that source this file
split_arguments() {
  containers='' path='' options=()
  local known=' ' argument
  while [[ $1 != -- ]]; do known+="$1 " && shift; done
  shift
  for argument; do
    case $argument in
      --containers) containers=yes ;;
      -*) if [[ $known == *" $argument "* ]]; then options+=("$argument"); else usage; fi ;;
      '') usage ;;
      *) if [[ -n $path ]]; then usage; else path=$argument; fi ;;
    esac
  done
}

# write_unit USER HOME: the systemd unit of this checkout. systemd reads a percent sign as the start of a name.
write_unit() {
  local text
  text=$(<"$root/deploy/mistudio.service")
  text=${text//@USER@/"$1"} text=${text//@FOLDER@/"${root//%/%%}"} text=${text//@HOME@/"${2//%/%%}"}
  printf '%s\n' "$text"
}

# The service is this checkout's; another checkout on the same machine may have made it.
owns_unit() { [[ -r $unit ]] && grep -qxF "WorkingDirectory=${root//%/%%}" "$unit"; }

# A service that install_jetson.sh made of this checkout says where its data lies.
use_home_of_service() {
  if [[ -z ${MISTUDIO_HOME:-} ]] && owns_unit; then
    MISTUDIO_HOME=$(sed -n 's/^Environment="MISTUDIO_HOME=\(.*\)"$/\1/p' "$unit")
    MISTUDIO_HOME=${MISTUDIO_HOME//%%/%}
    export MISTUDIO_HOME
  fi
}

# take_down stops what runs here, bring_back starts it again the way it ran.
take_down() {
  was_running=''
  if owns_unit && systemctl is-active --quiet mistudio.service 2>/dev/null; then
    was_running=service
    as_root systemctl stop mistudio.service
  elif mistudio status >/dev/null 2>&1; then
    was_running=yes
  fi
  mistudio down
}
bring_back() {
  case $was_running in
    service) as_root systemctl start mistudio.service ;;
    yes) mistudio up ;;
  esac
}
