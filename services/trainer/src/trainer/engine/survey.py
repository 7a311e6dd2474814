"""Count the tokens of every training row, exactly as LLaMA-Factory encodes them for the run.

It uses LLaMA-Factory's own loader, template and processors, with packing off and no cutoff, so that
one survey serves every batching and every cutoff. It is kept under a key of what it depends on:
importing LLaMA-Factory alone takes six seconds, and a run asks what its advice asked before.
"""

import contextlib
import hashlib
import json
import logging
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from trainer.engine import stand_in
from trainer.engine.files import write_atomic

logger = logging.getLogger("trainer.engine")
VERSION = 1
UNCUT = 1 << 20  # no row is so long; a cutoff larger than the model's positions warns, no more
IGNORED = -100  # LLaMA-Factory's IGNORE_INDEX: a token that is read and not learned
# What changes the ids of a row, beside its text and the tokenizer.
ENCODING = (
    "stage",
    "template",
    "enable_thinking",
    "mask_history",
    "train_on_prompt",
    "default_system",
    "pref_loss",
)
TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt")
QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}


def survey(
    arguments: dict[str, Any], info: dict[str, Any] | None, cache: Path | None
) -> dict[str, Any]:
    """Return the lengths of the training rows: the `lengths` of the fit's answer, and `refused`.

    Args:
        arguments: LLaMA-Factory's arguments of the run.
        info: the document `dataset_info.json`, where `dataset_dir` does not hold it yet.
        cache: folder that keeps surveys by their key; None: count each time.

    Raises:
        ValueError: no row can be trained on, or a file is missing.
    """
    described = info or described_by(arguments)
    kept = cache / f"{key(arguments, described)}.json" if cache else None
    if kept and kept.is_file():
        found: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
        return found
    made = summary(*counted(arguments, described))
    if kept:
        kept.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(kept, made)
    return made


def described_by(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the dataset folder's own description. Raises ValueError where there is none."""
    path = Path(arguments["dataset_dir"]) / "dataset_info.json"
    if not path.is_file():
        raise ValueError(f"dataset_dir has no {path.name}")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def data_files(arguments: dict[str, Any], described: dict[str, Any]) -> list[Path]:
    """Return the files of the training rows. Raises ValueError that names a missing one."""
    names = [part.strip() for part in str(arguments["dataset"]).split(",")]
    folder = Path(arguments["dataset_dir"])
    found = []
    for name in names:
        if name not in described:
            raise ValueError(f"dataset_info.json describes no {name!r}")
        path = folder / described[name]["file_name"]
        if not path.is_file():
            raise ValueError(f"the rows of {name!r} are missing: {path.name}")
        found.append(path)
    return found


def key(arguments: dict[str, Any], described: dict[str, Any]) -> str:
    """Return the key of a survey: the SHA-256 of all that its figures depend on."""
    base = Path(arguments["model_name_or_path"])
    digest = hashlib.sha256()
    used = {name: arguments.get(name) for name in ENCODING}
    names = str(arguments["dataset"]).split(",")
    shown = [{**described[each.strip()], "file_name": ""} for each in names]
    digest.update(json.dumps([VERSION, used, shown], sort_keys=True, default=str).encode())
    tokenizer = [base / name for name in TOKENIZER if (base / name).is_file()]
    for path in [*data_files(arguments, described), *tokenizer]:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def counted(arguments: dict[str, Any], described: dict[str, Any]) -> tuple[list[int], int, int]:
    """Return the length of each encoded row, the tokens that are learned, and the rows read."""
    stand_in.register()
    with contextlib.redirect_stdout(sys.stderr), tempfile.TemporaryDirectory() as folder:
        # LLaMA-Factory prints the first row; our standard output is the answer.
        absolute = {
            name: {**entry, "file_name": str(Path(arguments["dataset_dir"], entry["file_name"]))}
            for name, entry in described.items()
        }
        write_atomic(Path(folder) / "dataset_info.json", absolute)
        return encoded(arguments, Path(folder))


def encoded(arguments: dict[str, Any], folder: Path) -> tuple[list[int], int, int]:
    """Encode the rows that `folder` describes by LLaMA-Factory; return as `counted` does."""
    from llamafactory.data import get_template_and_fix_tokenizer
    from llamafactory.data.loader import _get_merged_dataset, _get_preprocessed_dataset
    from llamafactory.hparams import get_train_args
    from llamafactory.model import load_tokenizer

    # `predict_with_generate` and the like do not matter here; only what encodes a row is kept.
    kept = {name: arguments[name] for name in (*ENCODING, "dataset") if name in arguments}
    stage = "rm" if arguments.get("stage") == "dpo" else arguments.get("stage", "sft")
    model, data, training, _, _ = get_train_args(
        {
            **kept,
            "model_name_or_path": arguments["model_name_or_path"],
            "dataset_dir": str(folder),
            "output_dir": str(folder / "out"),
            "do_train": True,
            "overwrite_cache": True,
            "cutoff_len": UNCUT,
            "packing": False,
            "finetuning_type": "lora",
            "report_to": "none",
        }
    )
    module = load_tokenizer(model)
    template = get_template_and_fix_tokenizer(module["tokenizer"], data)
    rows = _get_merged_dataset(data.dataset, model, data, training, stage)
    made = _get_preprocessed_dataset(rows, data, training, stage, template, **module)
    return row_lengths(made), learned(made), len(rows)


def row_lengths(made: Any) -> list[int]:
    """Return the tokens of each row; of a pair, the longer side, to which both are padded."""
    sides = [name for name in made.column_names if name.endswith("input_ids")]
    columns = [[len(ids) for ids in made[name]] for name in sides]
    return [max(row) for row in zip(*columns, strict=True)]


def learned(made: Any) -> int:
    """Return how many tokens are learned; of plain texts every one."""
    sides = [name for name in made.column_names if name.endswith("labels")]
    if not sides:
        return sum(row_lengths(made))
    return sum(label != IGNORED for name in sides for row in made[name] for label in row)


def summary(lengths: list[int], answer_tokens: int, read: int) -> dict[str, Any]:
    """Return the figures of a list of row lengths. Raises ValueError where it is empty."""
    if not lengths:
        raise ValueError(f"none of {read} rows can be trained on")
    ordered = sorted(lengths)
    last = len(ordered) - 1
    return {
        "rows": len(ordered),
        "mean": round(sum(ordered) / len(ordered), 2),
        **{name: ordered[round(share * last)] for name, share in QUANTILES.items()},
        "max": ordered[-1],
        "histogram": sorted([length, rows] for length, rows in Counter(ordered).items()),
        "answer_tokens": answer_tokens,
        "refused": read - len(ordered),
    }
