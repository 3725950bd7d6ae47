#!/usr/bin/env bash
# Builds the documentation's site into .mistudio/site, strictly: a dead link fails. Its packages
# live in an environment of their own, and the site loads nothing from elsewhere.
#
#   docs.sh [--serve]     --serve: at http://127.0.0.1:8001, built again at every change
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"
venv=$state/docs
export PATH="$PATH:$venv/bin"
# shellcheck source=scripts/python_env.sh
source "$root/scripts/python_env.sh"
# shellcheck source=scripts/page.sh
source "$root/scripts/page.sh"
# The major version that Material expects, as one file of npm's package.
mermaid=mermaid@11.17.2
mermaid_sha512=57a2b70bc101744b0f1595d228c25eea9a50384371b87011afd1af1d7e21878ee501b84c443f6a7f8a042bb2e869143150b31af34feab798073bbdda0a578106

make_environment() {
  create_environment "$(find_python)" && install -r "$root/docs/requirements.txt"
}

fetch_mermaid() {
  local folder=$venv/mermaid
  rm -rf "$folder" && mkdir -p "$folder" && cd "$folder" && npm pack --silent "$mermaid" &&
    sha512sum --check <<<"$mermaid_sha512  $(echo ./*.tgz)" &&
    tar -xzf ./*.tgz package/dist/mermaid.min.js && rm ./*.tgz && cd "$root"
}

wanted=$(hash_of "$root/docs/requirements.txt")-$mermaid
if ! is_fresh tools "$wanted"; then
  prepare_installer >>"$log" 2>&1 || true
  step 'Documentation tools' make_environment
  install_node
  step 'Diagrams of the documentation' fetch_mermaid
  mark_fresh tools "$wanted"
fi
cd "$root"
export NO_MKDOCS_2_WARNING=1
[[ ${1:-} == --serve ]] && exec "$venv/bin/mkdocs" serve --dev-addr 127.0.0.1:8001
"$venv/bin/mkdocs" build --quiet --clean
cp "$venv/mermaid/package/dist/mermaid.min.js" "$state/site/assets/javascripts/"
"$python" "$root/backend/documentation/site_check.py" "$state/site"
