"""The files that LLaMA-Factory reads: alpaca rows with `history`, and `dataset_info.json`."""

from typing import Any

from contracts.dataset import Conditioning
from contracts.sample import Sample
from contracts.style import Style

TRAIN, EVAL = "train", "eval"
PREFERENCE, PREFERENCE_EVAL = "preference", "preference-eval"
# Names on the left are LLaMA-Factory's, on the right those of our rows.
COLUMNS = {
    "prompt": "instruction",
    "query": "input",
    "response": "output",
    "system": "system",
    "history": "history",
}
PAIR_COLUMNS = {
    "prompt": "instruction",
    "query": "input",
    "chosen": "chosen",
    "rejected": "rejected",
    "system": "system",
    "history": "history",
}
RANKED = frozenset({PREFERENCE, PREFERENCE_EVAL})
WITH_SYSTEM = frozenset({Conditioning.SYSTEM, Conditioning.BOTH})
WITH_PREFIX = frozenset({Conditioning.PREFIX, Conditioning.BOTH})


def alpaca_row(sample: Sample, style: Style, conditioning: Conditioning) -> dict[str, Any]:
    """Return `sample` as an alpaca row; `conditioning` says how the style is named in it.

    With a prefix, the replies of the history carry it too: LLaMA-Factory trains on them, and
    in a chat the model sees its own earlier replies.
    """
    prefix = prefix_of(style) if conditioning in WITH_PREFIX else ""
    return {
        "instruction": sample.question,
        "input": "",
        "output": prefix + sample.reply,
        "system": sample.system if conditioning in WITH_SYSTEM else "",
        "history": [[turn.user, prefix + turn.assistant] for turn in sample.history],
    }


def prefix_of(style: Style) -> str:
    """Return the first line that names the style, in its own language."""
    return f"{getattr(style.names, style.language)}\n"


def dataset_info(files: list[str]) -> dict[str, Any]:
    """Return `dataset_info.json` for the splits in `files`; pairs are marked `ranking`."""
    return {
        name: {
            "file_name": f"{name}.json",
            "formatting": "alpaca",
            **({"ranking": True} if name in RANKED else {}),
            "columns": PAIR_COLUMNS if name in RANKED else COLUMNS,
        }
        for name in files
    }
