#!/usr/bin/env bash
# The container installation: makes .env with secrets of its own at the first start, then docker compose.
#
#   containers.sh up [SERVICE…]     build, start, wait until the page answers
#   containers.sh down              stop; data stays in its volumes
#   containers.sh compose …         docker compose with the files that fit this machine
#
# MISTUDIO_MACHINE=jetson takes the Jetson's file elsewhere, too.
set -euo pipefail
case ${1:-} in
  up | down | compose) ;;
  *) echo 'Usage: containers.sh up [SERVICE…] | down | compose …' >&2; exit 2 ;;
esac
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"

if docker compose version >/dev/null 2>&1; then compose=(docker compose); else compose=(docker-compose); fi
command -v "${compose[0]}" >/dev/null || { echo 'Docker Compose is not installed.'; exit 1; }

secret() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
if [[ ! -e .env ]]; then
  project=${COMPOSE_PROJECT_NAME:-$(sed -n 's/^COMPOSE_PROJECT_NAME=//p' .env.example)}
  if docker volume inspect "${project}_postgres_data" >/dev/null 2>&1; then
    echo "There is no .env here, but a database of before (volume ${project}_postgres_data) that wants the password in it." >&2
    echo 'Bring that .env back; to start anew instead, without your data:' >&2
    echo "  docker volume rm ${project}_postgres_data ${project}_redis_data ${project}_data" >&2
    exit 1
  fi
  (umask 077 && sed -e "s/^POSTGRES_PASSWORD=$/&$(secret)/" -e "s/^REDIS_PASSWORD=$/&$(secret)/" \
    -e "s/^GRAFANA_PASSWORD=$/&$(secret)/" .env.example >.env)
  echo 'Made .env with secrets of its own.'
fi

files=(-f docker-compose.yml)
if [[ -e /etc/nv_tegra_release || ${MISTUDIO_MACHINE:-} == jetson ]]; then
  files+=(-f docker-compose.jetson.yml)
elif command -v nvidia-smi >/dev/null && docker info 2>/dev/null | grep -qi 'runtimes.*nvidia'; then
  files+=(-f docker-compose.gpu.yml)
fi
if [[ -e nginx/certificates/fullchain.pem ]]; then files+=(-f docker-compose.https.yml); fi

case ${1:-} in
  up)
    shift
    "${compose[@]}" "${files[@]}" up --detach --build --wait "$@"
    port=$(sed -n 's/^MISTUDIO_HTTP_PORT=//p' .env)
    echo "MechInterp Studio runs at http://localhost${port:+:$port}"
    ;;
  down) "${compose[@]}" "${files[@]}" down ;;
  compose) shift && exec "${compose[@]}" "${files[@]}" "$@" ;;
esac
