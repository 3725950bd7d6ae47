#!/usr/bin/env bash
# Creates or refreshes the environment beside the Makefile; does nothing when all is up to date.
#
#   bootstrap.sh [--dev] [--demo] [--embedder] [--no-page]
#
# --dev also installs the tools of the tests, --demo the demo's language model (data only),
# --embedder insists on the sentence embedder, --no-page leaves Node and the page alone.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

want_dev=false want_demo=false want_page=true embedder=
for option; do
  case $option in
    --dev) want_dev=true ;;
    --demo) want_demo=true ;;
    --embedder) embedder=insist ;;
    --no-page) want_page=false ;;
    *) sed -n '2,7p' "$0"; exit 2 ;;
  esac
done

exec 9>"$state/setup.lock"
if command -v flock >/dev/null && ! flock -n 9; then
  echo 'Another setup is running; waiting for it.'
  flock 9
fi

source "$root/scripts/python_env.sh"
install_python_packages
install_embedder "$embedder"
$want_dev && install_dev_packages
$want_demo && install_demo_model
if $want_page; then
  source "$root/scripts/page.sh"
  install_node
  build_page
fi
