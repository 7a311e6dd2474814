#!/usr/bin/env bash
# The default tests on three processes (many of them wait), then linters and types. pytest prints how
# long the tests took.
set -euo pipefail
cd "$(dirname "$0")/.."
.venv/bin/python -m pytest -q -n 3 --dist loadfile "$@"
scripts/lint.sh
