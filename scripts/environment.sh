#!/usr/bin/env bash
# Make the Python environments: `scripts/environment.sh light|trainer|serving|engines|all`.
#
#   light    .venv: all of ours and the tools (dev.lock)
#   trainer  LLaMA-Factory and torch, serving: vLLM and torch. Both are large, so they live outside
#            the clone in ${TONESMITH_CACHE:-~/.cache/tonesmith}, keyed by the hash of their locks,
#            and are made once. `scripts/environment.sh path trainer` prints the interpreter.
#
# A torch wheel without CUDA is taken where pip is offered one.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
cache=${TONESMITH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tonesmith}

digest() { cat "$@" | sha256sum | cut -c1-12; }
engine_locks() { echo torch-cpu.lock torch-cuda.lock "services/$1/engine.lock" "services/$1/engine-cuda.lock"; }
engine_folder() { echo "$cache/$1-$(digest $(engine_locks "$1"))"; }
say() { printf '%s\n' "$*" >&2; }

installer() {
  local folder
  folder="$cache/installer-$(digest scripts/installer.lock)"
  if [ ! -x "$folder/bin/uv" ]; then
    scripts/install.sh installer "$folder" >&2
  fi
  echo "$folder/bin/uv"
}

install() { UV=$(installer) scripts/install.sh "$@"; }

make_light() {
  local stamp
  stamp=$(digest dev.lock libs/*/pyproject.toml services/*/pyproject.toml cli/pyproject.toml)
  [ "$(cat .venv/.stamp 2>/dev/null)" = "$stamp" ] && return
  say "light environment: installing into .venv"
  rm -rf .venv && "$python" -m venv .venv
  install packages .venv/bin/python --no-deps --require-hashes -r dev.lock
  install packages .venv/bin/python --no-deps --no-build-isolation \
    $(printf -- '-e %s ' libs/* services/* cli)
  echo "$stamp" > .venv/.stamp
}

make_engine() {
  local name=$1 folder began
  folder=$(engine_folder "$name")
  [ -e "$folder/.complete" ] && return
  began=$SECONDS
  say "$name engine: installing into $folder (about 2 to 4 GB, once)"
  rm -rf "$folder" && "$python" -m venv "$folder"
  install engine "$folder/bin/python" "$name"
  touch "$folder/.complete"
  say "$name engine: ready after $((SECONDS - began)) s"
}

# One installation at a time in this cache: a second clone waits instead of breaking the first.
locked() { mkdir -p "$cache"; exec 9> "$cache/lock"; flock 9; "$@"; }

case ${1:-all} in
  light) locked make_light ;;
  trainer | serving) locked make_engine "$1" ;;
  engines) locked make_engine trainer; make_engine serving ;;
  all) locked make_light; make_engine trainer; make_engine serving ;;
  path) echo "$(engine_folder "$2")/bin/python" ;;
  installer) locked installer ;;
  *) say "usage: $0 light|trainer|serving|engines|all|installer|path ENGINE"; exit 2 ;;
esac
