#!/usr/bin/env bash
# Install hash-pinned packages: on a machine (scripts/environment.sh) and into images (Dockerfiles).
#
#   scripts/install.sh installer DIR            an environment with uv and the builder of our wheels
#   scripts/install.sh packages PYTHON ARG...   `uv pip install ARG...` for that interpreter
#   scripts/install.sh engine PYTHON NAME       torch and the engine of the service NAME
#   scripts/install.sh service DIR NAME         what the service NAME needs, and a way to /opt/app
#
# Where packages come from is this machine's business: pip's settings are handed on to uv, which
# reads none of them, and no address is written here. UV names uv's own path.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}

# A private CA, an index and wheels may reach an image's build as files; empty ones mean none.
[ ! -s "${BUILD_CA:-}" ] || export PIP_CERT=$BUILD_CA SSL_CERT_FILE=$BUILD_CA
[ ! -s "${BUILD_PIP_CONF:-}" ] || export PIP_CONFIG_FILE=$BUILD_PIP_CONF
[ -z "${PIP_CERT:-}" ] || export SSL_CERT_FILE=${SSL_CERT_FILE:-$PIP_CERT}

# Of the pip beside uv; a GPU image's Python, where that one cannot start, brings its own. (`pip
# config get` does not see the file that PIP_CONFIG_FILE names.)
pip_setting() {
  local each
  for each in "$(dirname "$UV")/python" "$python"; do
    "$each" -m pip config list 2> /dev/null | sed -n "s/^global\.$1='\(.*\)'\$/\1/p" && return
  done
  true
}

# Bytecode is compiled now, or the first start of each engine takes 10 s longer (and in an image,
# whose root is read-only, each start).
packages() {
  local interpreter=$1 index extra links
  shift
  index=${PIP_INDEX_URL:-$(pip_setting index-url)}
  extra=${PIP_EXTRA_INDEX_URL:-}
  links=${PIP_FIND_LINKS:-}
  "$UV" pip install --quiet --compile-bytecode --python "$interpreter" \
    ${index:+--default-index "$index"} ${extra:+--index "$extra"} ${links:+--find-links "$links"} "$@"
}

# The wheel without CUDA saves gigabytes; where none is offered, the ordinary one needs CUDA's
# libraries, also on a machine without a GPU.
engine() {
  local interpreter=$1 name=$2
  packages "$interpreter" --no-deps --require-hashes -r torch-cpu.lock 2> /dev/null ||
    packages "$interpreter" --no-deps --require-hashes -r torch-cuda.lock -r "services/$name/engine-cuda.lock"
  packages "$interpreter" --no-deps --require-hashes -r "services/$name/engine.lock"
}

# Ours lie apart from what they need, in /opt/app, so that a change of ours is a small layer.
service() {
  local folder=$1 name=$2
  "$python" -m venv --without-pip "$folder"
  echo /opt/app > "$(echo "$folder"/lib/python3*/site-packages)/tonesmith.pth"
  packages "$folder/bin/python" --no-deps --require-hashes -r "services/$name/service.lock"
}

installer() {
  "$python" -m venv "$1"
  "$1/bin/pip" install --quiet --disable-pip-version-check --require-hashes --no-deps -r scripts/installer.lock
}

"$@"
