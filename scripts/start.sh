#!/usr/bin/env bash
# Installs what is missing and starts everything; what `make up` does, for systems without make.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
"$here/bootstrap.sh"
exec "$here/../.venv/bin/mistudio" up "$@"
