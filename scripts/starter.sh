#!/usr/bin/env bash
# Build the starter base model from its seed: corpus, tokenizer, three LLaMA-Factory runs.
# It takes about an hour on 2 cores and replaces services/trainer/bases/starter at the end.
# Run again after a break, it goes on with the first step that was not finished.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
out=${1:-services/trainer/bases/starter}
work=${STARTER_WORK:-var/starter}
light=${PYTHON:-.venv/bin/python}
engine=${TRAINER_ENGINE_PYTHON:-$(scripts/environment.sh path trainer)}
recipes=services/trainer/recipes
export HF_HUB_OFFLINE=1 DISABLE_VERSION_CHECK=1 PYTHONHASHSEED=0 PYTHONUNBUFFERED=1
# Waiting threads give up their core: spinning ones steal it from whatever else runs here.
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-PASSIVE}

step() {  # NAME FOLDER COMMAND...: run a command that fills FOLDER, once
  local name=$1 folder=$2 began=$SECONDS
  shift 2
  if [ -e "$folder/.complete" ]; then printf '%-8s done before\n' "$name"; return; fi
  rm -rf "$folder"
  "$@" > "$work/$name.log" 2>&1 || { tail -n 20 "$work/$name.log" >&2; return 1; }
  touch "$folder/.complete"
  printf '%-8s %5d s\n' "$name" "$((SECONDS - began))"
}
in_datagen() { PYTHONPATH=libs/contracts/src:services/datagen/src "$light" "$@"; }
in_engine() { PYTHONPATH=$root/services/trainer/src${PYTHONPATH:+:$PYTHONPATH} "$engine" -m trainer.engine.starter "$@"; }

mkdir -p "$work"
step corpus "$work/corpus" in_datagen -m datagen.corpus "$work/corpus"
step blank "$work/blank" in_engine blank "$work/corpus" "$work/blank"
step read "$work/read" in_engine train "$recipes/starter.yaml" texts "$work/corpus" "$work/blank" "$work/read"
step answer "$work/answer" in_engine train "$recipes/starter-chat.yaml" chats "$work/corpus" "$work/read" "$work/answer"
step settle "$work/settle" in_engine train "$recipes/starter-settle.yaml" scenes "$work/corpus" "$work/answer" "$work/settle"
in_engine publish "$work" "$work/corpus" "$recipes" "$out"
printf 'starter  written to %s after %d s\n' "$out" "$SECONDS"
