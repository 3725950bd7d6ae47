#!/usr/bin/env bash
# Lints the OpenAPI document by Redocly's rules and ours (redocly.yaml); needs no server, no network.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"
export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
(cd "$root/backend" && mistudio openapi "$folder/openapi.json" >/dev/null)
cd "$root/frontend" && npx --no-install redocly lint --config "$root/redocly.yaml" "$folder/openapi.json"
