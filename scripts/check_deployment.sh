#!/usr/bin/env bash
# What is deployed, judged without starting it: scripts, Dockerfiles, compose files, nginx, Prometheus,
# the systemd unit, GitHub's workflows. A tool that this machine lacks is named and passed over; in CI none is.
set -uo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"
set +e
cd "$root" || exit 1
failed=0 missing=()
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

judge() { # judge TOOL COMMAND…
  local tool=$1
  shift
  if ! command -v "$tool" >/dev/null; then
    missing+=("$tool")
    return
  fi
  "$@" || failed=1
}
compose_files_are_whole() {
  local other
  sed 's/PASSWORD=$/PASSWORD=judged/' .env.example >"$scratch/env"
  docker compose version >/dev/null 2>&1 || { missing+=('docker compose'); return; }
  for other in '' docker-compose.*.yml; do
    docker compose --env-file "$scratch/env" -f docker-compose.yml ${other:+-f "$other"} \
      --profile monitoring --profile flower config --quiet || return 1
  done
}
nginx_files_are_whole() {
  local file
  # Its own folder is another than the container's; nothing else is changed for the judging.
  for file in nginx.conf page.conf; do
    sed -e "s|/etc/nginx/server.conf|$root/nginx/server.conf|" -e "s|include mime.types|include /etc/nginx/mime.types|" \
      "nginx/$file" >"$scratch/$file"
    nginx -t -q -c "$scratch/$file" || return 1
  done
}
unit_is_whole() {
  write_unit "$(id -un)" "$scratch" >"$scratch/mistudio.service"
  systemd-analyze verify "$scratch/mistudio.service"
}
judge shellcheck shellcheck --external-sources --severity=warning scripts/*.sh
judge hadolint hadolint backend/Dockerfile frontend/Dockerfile
judge docker compose_files_are_whole
judge nginx nginx_files_are_whole
judge promtool promtool check config --syntax-only monitoring/prometheus/prometheus.yml
judge promtool promtool check rules monitoring/prometheus/rules.yml
judge systemd-analyze unit_is_whole
judge actionlint actionlint -no-color
if ((${#missing[@]})); then
  printf 'Not judged, for want of: %s\n' "$(printf '%s\n' "${missing[@]}" | sort -u | paste -sd' ')"
  [[ ${CI:-} != true ]] || failed=1
fi
exit "$failed"
