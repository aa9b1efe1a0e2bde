#!/usr/bin/env bash
# exactly_once_test.sh can fail: a tiny load, and then every kind of damage it looks for, each of which it must notice.
set -euo pipefail
export EVENTS=${EVENTS:-0} SEED=${SEED:-1} MUTATE=1
exec bash "$(dirname "${BASH_SOURCE[0]}")/exactly_once_test.sh"
