"""A dataset of two styles with preference pairs, as datagen publishes it."""

import json
from typing import Any

from contracts.dataset import Conditioning, Counts, DatasetManifest
from contracts.durable import tree_digests
from contracts.identity import now
from contracts.style import Style, StyleVersion
from contracts.volume import Volume
from fakes.training import COLUMNS, DATASET, STYLE

GENTLE = STYLE | {
    "id": "gentle",
    "names": {"zh": "温柔", "en": "Gentle"},
    "system_prompt": "你说话温柔。",
}
STYLES = (STYLE, GENTLE)
PAIR_COLUMNS = {
    **{key: name for key, name in COLUMNS.items() if key != "response"},
    "chosen": "chosen",
    "rejected": "rejected",
}


def chats(count: int) -> list[dict[str, Any]]:
    """Return rows of both styles in turn; every third has a history."""
    return [
        {
            "instruction": f"第{number}天，我还是有点累。",
            "input": "",
            "output": f"{('哼，才不管你', '别急，慢慢来')[number % 2]}，累了{number}天就去睡。",
            "system": STYLES[number % 2]["system_prompt"],
            "history": [["早安", "早。"]] if number % 3 == 0 else [],
        }
        for number in range(count)
    ]


def pairs(count: int) -> list[dict[str, Any]]:
    """Return a pair for each of so many chats."""
    return [
        {key: row[key] for key in ("instruction", "input", "system", "history")}
        | {"chosen": row["output"], "rejected": f"别的话，第{number}句。", "match": "nearest"}
        for number, row in enumerate(chats(count))
    ]


def publish_pairs(volume: Volume) -> DatasetManifest:
    """Publish 48 rows to train on and 8 held out, with 12 and 4 pairs."""
    target = volume.dataset(DATASET)
    folder = volume.staging(target)
    every, ranked = chats(56), pairs(16)
    files = {
        "train": every[:48],
        "eval": every[48:],
        "preference": ranked[:12],
        "preference-eval": ranked[12:],
    }
    info: dict[str, Any] = {}
    for name, rows in files.items():
        (folder / f"{name}.json").write_text(json.dumps(rows, ensure_ascii=False), "utf-8")
        marks = {"ranking": True} if "preference" in name else {}
        columns = PAIR_COLUMNS if marks else COLUMNS
        info[name] = {"file_name": f"{name}.json", "columns": columns, **marks}
    (folder / "dataset_info.json").write_text(json.dumps(info), encoding="utf-8")
    manifest = DatasetManifest(
        id=DATASET,
        created_at=now(),
        source="generated",
        status="complete",
        conditioning=Conditioning.SYSTEM,
        styles=[StyleVersion(version=1, style=Style.model_validate(each)) for each in STYLES],
        counts=Counts(accepted=56),
        rows={name: len(rows) for name, rows in files.items()},
        files=tree_digests(folder),
    )
    volume.publish(target, manifest)
    return manifest
