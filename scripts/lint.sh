#!/usr/bin/env bash
# Look at style and types; change nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
.venv/bin/ruff check .
.venv/bin/ruff format --check .
.venv/bin/mypy -p contracts -p kit -p client -p tonesmith -p datagen -p trainer -p serving -p ui
.venv/bin/mypy monitoring/grafana/boards monitoring/grafana/generate.py scripts/vllm_metrics.py
