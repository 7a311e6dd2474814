#!/usr/bin/env bash
# The container tests. Where no Docker Engine answers, one is installed, started, and stopped again.
# What pip was told on this machine (wheels, an index, a private CA) reaches the builds too.
set -euo pipefail
cd "$(dirname "$0")/.."

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
stop_engine() { as_root kill "$(cat /var/run/docker.pid)"; }

docker version > /dev/null 2>&1 || trap stop_engine EXIT
scripts/docker-engine.sh
scripts/offline-base-images

for folder in ${PIP_FIND_LINKS:-}; do
  find "$folder" -maxdepth 1 -name 'torch-*+cpu-*.whl' -exec cp -n {} wheelhouse/ \; 2> /dev/null || true
done
index=${PIP_INDEX_URL:-$(.venv/bin/python -m pip config get global.index-url 2> /dev/null || true)}
if [ -n "$index" ] && [ -z "${STACK_BUILD_PIP_CONF:-}" ]; then
  export STACK_BUILD_PIP_CONF=$PWD/var/pip.conf
  mkdir -p var && printf '[global]\nindex-url = %s\n' "$index" > var/pip.conf
fi
export STACK_BUILD_CA=${STACK_BUILD_CA:-${PIP_CERT:-}}

.venv/bin/python -m pytest tests -m container "$@"
