#!/usr/bin/env bash
# Runs the 25 faults natively and ends with "N passed, N failed".   faults.sh [ROUNDS]
# ROUNDS: how often the power is cut (fault 20); 3 by default.
set -uo pipefail
cd "$(dirname "$0")/../backend" || exit 1
unset DATABASE_URL REDIS_URL MISTUDIO_HOME MISTUDIO_PORT
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} TOKENIZERS_PARALLELISM=false FAULT_ROUNDS=${1:-3}
exec python -m pytest -q -m fault -rP --show-capture=no
