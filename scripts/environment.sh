#!/usr/bin/env bash
# Make the Python environments: `scripts/environment.sh light|trainer|serving|engines|all`.
#
#   light    .venv: all of ours and the tools (dev.lock)
#   trainer  LLaMA-Factory and torch, serving: vLLM and torch. Both are large, so they live outside
#            the clone in ${TONESMITH_CACHE:-~/.cache/tonesmith}, keyed by the hash of their locks,
#            and are made once. `scripts/environment.sh path trainer` prints the interpreter.
#
# Where packages come from is this machine's business: pip's settings are handed on to uv, no
# address is written here. A torch wheel without CUDA is taken where pip is offered one.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
cache=${TONESMITH_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tonesmith}

digest() { cat "$@" | sha256sum | cut -c1-12; }
engine_locks() { echo torch-cpu.lock torch-cuda.lock "services/$1/engine.lock" "services/$1/engine-cuda.lock"; }
engine_folder() { echo "$cache/$1-$(digest $(engine_locks "$1"))"; }
say() { printf '%s\n' "$*" >&2; }

# uv reads none of pip's settings: translate the ones that say where packages come from. Bytecode is
# compiled now, or the first start of each engine takes 10 s longer.
uv_install() {
  local index links
  index=${PIP_INDEX_URL:-$("$python" -m pip config get global.index-url 2>/dev/null || true)}
  links=${PIP_FIND_LINKS:-}
  [ -z "${PIP_CERT:-}" ] || export SSL_CERT_FILE=${SSL_CERT_FILE:-$PIP_CERT}
  "$(installer)" pip install --quiet --compile-bytecode ${index:+--default-index "$index"} \
    ${PIP_EXTRA_INDEX_URL:+--index "$PIP_EXTRA_INDEX_URL"} ${links:+--find-links "$links"} "$@"
}

installer() {
  local folder
  folder="$cache/installer-$(digest scripts/installer.lock)"
  if [ ! -x "$folder/bin/uv" ]; then
    "$python" -m venv "$folder" >&2
    "$folder/bin/pip" install --quiet --require-hashes --no-deps -r scripts/installer.lock >&2
  fi
  echo "$folder/bin/uv"
}

make_light() {
  local stamp
  stamp=$(digest dev.lock libs/*/pyproject.toml services/*/pyproject.toml cli/pyproject.toml)
  [ "$(cat .venv/.stamp 2>/dev/null)" = "$stamp" ] && return
  say "light environment: installing into .venv"
  rm -rf .venv && "$python" -m venv .venv
  uv_install --python .venv/bin/python --no-deps --require-hashes -r dev.lock
  uv_install --python .venv/bin/python --no-deps --no-build-isolation \
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
  # The wheel without CUDA saves gigabytes; where none is offered, the ordinary one needs CUDA's
  # libraries, also on a machine without a GPU.
  uv_install --python "$folder/bin/python" --no-deps --require-hashes -r torch-cpu.lock 2>/dev/null ||
    uv_install --python "$folder/bin/python" --no-deps --require-hashes \
      -r torch-cuda.lock -r "services/$name/engine-cuda.lock"
  uv_install --python "$folder/bin/python" --no-deps --require-hashes -r "services/$name/engine.lock"
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
