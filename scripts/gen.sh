#!/usr/bin/env bash
# Writes the page's types from the API's OpenAPI document, and the pages of docs/reference that come
# from the code; needs no servers.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"
document=$(mktemp)
trap 'rm -f "$document"' EXIT
(cd "$root/backend" && mistudio openapi "$document" >/dev/null)
(cd "$root/backend" && python -m documentation.write)
cd "$root/frontend" && OPENAPI_FILE=$document npm run --silent gen
