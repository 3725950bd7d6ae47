#!/usr/bin/env bash
# Installs the page's packages when their lock file has changed.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"
# shellcheck source=scripts/page.sh
source "$root/scripts/page.sh"
install_node
install_page_packages
