"""The rows that a run reads: the dataset's own files, or ones written for it.

Written into the run's folder are: a part of the training rows, preference pairs (the blocks that
training puts into every turn are missing in their earlier turns, see `with_blocks`), and single
replies for KTO, which are the pairs taken apart.
"""

import hashlib
import json
import math
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contracts.durable import write_atomic
from contracts.run import RunRequest
from trainer.engine.templates import EMPTY_BLOCK
from trainer.preferences import PREFERENCE_STAGES
from trainer.presets import HYBRID, preset_of

if TYPE_CHECKING:  # the folder itself uses this module
    from trainer.runfolder import Ingredients, RunFolder

Rows = list[dict[str, Any]]
# Names on the left are LLaMA-Factory's (llamafactory/data/parser.py), on the right datagen's.
ROW = {"prompt": "instruction", "query": "input", "system": "system", "history": "history"}
REPLY = ROW | {"response": "output"}
PAIR = ROW | {"chosen": "chosen", "rejected": "rejected"}
JUDGED = REPLY | {"kto_tag": "kto_tag"}
THOUGHT = EMPTY_BLOCK.encode().decode("unicode_escape")


def write_rows(given: "Ingredients", folder: "RunFolder", request: RunRequest) -> dict[str, Any]:
    """Write the files of rows that the dataset has not, and return `dataset_info.json`.

    Its entries: `train`; `eval` where rows are held out; `measure`, the held-out chats that every
    stage is measured on. The same for the same request, so a run that starts again finds the same.

    Args:
        given: what the request names; its dataset was checked by `preferences.check`.
        folder: of the run.
        request: `data_fraction` is read.
    """
    source = folder.volume.dataset(given.dataset.id).resolve()
    stage = given.recipe.arguments.stage
    if stage in PREFERENCE_STAGES:
        blocks = preset_of(given.base).name == HYBRID.name
        info = write_pairs(source, folder.path, stage, request.data_fraction, blocks=blocks)
    else:
        info = write_chats(source, folder.path, request.data_fraction)
    if (source / "eval.json").is_file():
        info["measure"] = entry(source / "eval.json", REPLY)
    return info


def write_chats(source: Path, folder: Path, fraction: float) -> dict[str, Any]:
    """Return the description of chats; a part of the training rows is written into `folder`."""
    train = source / "train.json"
    if fraction < 1:
        train = write(folder / "train.json", part(read(train), fraction, source.name))
    info = {"train": entry(train, REPLY)}
    if (source / "eval.json").is_file():
        info["eval"] = entry(source / "eval.json", REPLY)
    return info


def write_pairs(
    source: Path, folder: Path, stage: str, fraction: float, *, blocks: bool
) -> dict[str, Any]:
    """Write the pairs (or for KTO their replies one by one), and return their description."""
    info = {}
    for split, name in (("train", "preference"), ("eval", "preference-eval")):
        if not (source / f"{name}.json").is_file():
            continue
        rows = read(source / f"{name}.json")
        if split == "train":
            rows = part(rows, fraction, source.name)
        rows = [with_blocks(row) for row in rows] if blocks else rows
        if stage == "kto":
            info[split] = entry(write(folder / f"{split}.json", judged(rows)), JUDGED)
        else:
            info[split] = entry(write(folder / f"{split}.json", rows), PAIR, ranking=True)
    return info


def with_blocks(row: dict[str, Any]) -> dict[str, Any]:
    """Return a pair with the empty thinking block in its earlier replies.

    Chats are encoded turn by turn, each with the block; pairs are not
    (`ReasoningTemplate.encode_oneturn` in llamafactory/data/template.py adds it to the last only).
    """
    return row | {"history": [[asked, THOUGHT + said] for asked, said in row["history"]]}


def judged(pairs: Rows) -> Rows:
    """Return each pair as two rows, of which one is liked.

    They are shuffled (the same every time): KTO compares a row with the reply of the row before
    it, which must be none of the same question.
    """
    rows = [
        {key: pair[key] for key in ROW.values()} | {"output": pair[name], "kto_tag": liked}
        for pair in pairs
        for name, liked in (("chosen", True), ("rejected", False))
    ]
    return sorted(rows, key=lambda row: order(row, "kto"))


def part(rows: Rows, fraction: float, seed: str) -> Rows:
    """Return a share of the rows, rounded up for each style, in their given order.

    Nested: a smaller share of one dataset is inside every larger one, whatever the run's own seed
    is, so that runs on 25, 50 and 100 % can be compared.

    Args:
        rows: of one file.
        fraction: above 0, at most 1.
        seed: the dataset's id.
    """
    styles: dict[str, list[int]] = defaultdict(list)
    for number, row in enumerate(rows):
        styles[style_of(row)].append(number)
    kept: set[int] = set()
    for numbers in styles.values():
        numbers.sort(key=lambda number: order(rows[number], seed))
        kept.update(numbers[: math.ceil(len(numbers) * fraction)])
    return [row for number, row in enumerate(rows) if number in kept]


def style_of(row: dict[str, Any]) -> str:
    """Return what tells the styles apart: the system prompt, or else the reply's first line.

    Without a system prompt (conditioning `prefix`) that line names the style.
    """
    if row["system"]:
        return str(row["system"])
    first, found, _ = str(row.get("output") or row.get("chosen")).partition("\n")
    return first if found else ""


def order(row: dict[str, Any], seed: str) -> str:
    """Return what shuffles rows: the same on every machine for one seed."""
    text = json.dumps(row, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(f"{seed}\n{text}".encode()).hexdigest()


def entry(path: Path, columns: dict[str, str], *, ranking: bool = False) -> dict[str, Any]:
    """Return a file's entry in `dataset_info.json`, by absolute path."""
    marks = {"ranking": True} if ranking else {}
    return {"file_name": str(path), "formatting": "alpaca", **marks, "columns": columns}


def read(path: Path) -> Rows:
    """Return the rows of a published file, whose digest was compared before."""
    found: Rows = json.loads(path.read_text(encoding="utf-8"))
    return found


def write(path: Path, rows: Rows) -> Path:
    """Write rows durably and return their path."""
    write_atomic(path, json.dumps(rows, ensure_ascii=False, indent=1).encode())
    return path
