#!/usr/bin/env bash
# Stops everything; what `make down` does, for systems without make. Running jobs save themselves.
set -euo pipefail
mistudio=$(cd "$(dirname "$0")/.." && pwd)/.venv/bin/mistudio
[[ -x $mistudio ]] || { echo 'Nothing is installed here yet.'; exit 0; }
exec "$mistudio" down "$@"
