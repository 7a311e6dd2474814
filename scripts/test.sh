#!/usr/bin/env bash
# The default tests, then linters and types. Prints how long the tests took.
set -euo pipefail
cd "$(dirname "$0")/.."
.venv/bin/python -m pytest -q "$@"
scripts/lint.sh
