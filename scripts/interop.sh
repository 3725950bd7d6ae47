#!/usr/bin/env bash
# Compares exports and imports with SAELens itself, in an environment of its own (about 3 GB).
# SAELens is never a dependency of the product; INTEROP_PYTHON names an environment that has it.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"
saelens=sae-lens==6.54.12
torch=$(grep -E '^torch==' "$root/backend/requirements.txt")

make_environment() {
  rm -rf "$state/interop" && python3 -m venv "$state/interop" &&
    "$state/interop/bin/pip" install --disable-pip-version-check --progress-bar off "$torch" "$saelens"
}

python=${INTEROP_PYTHON:-$state/interop/bin/python}
if ! "$python" -c 'import sae_lens' 2>/dev/null; then
  [[ -z ${INTEROP_PYTHON:-} ]] || { echo "$INTEROP_PYTHON has no sae_lens."; exit 1; }
  step 'SAELens in its own environment' make_environment
fi
cd "$root/backend"
PYTHONPATH=$root/backend exec "$python" -W ignore -m interop.saelens_check
