#!/usr/bin/env bash
# Short jobs with a random fault every 20 s; nothing may grow.   soak.sh [MINUTES]
set -uo pipefail
cd "$(dirname "$0")/../backend" || exit 1
unset DATABASE_URL REDIS_URL MISTUDIO_HOME MISTUDIO_PORT
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} TOKENIZERS_PARALLELISM=false SOAK_MINUTES=${1:-10}
exec python -m pytest -q -s tests/faults/test_soak.py
