"""Tests of the rows that a run reads."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from contracts.run import RunRequest
from contracts.volume import Volume
from fakes.paired_dataset import pairs, publish_pairs
from fakes.training import DATASET, publish_rows, write_base
from repository import ROOT
from trainer.bases import Base
from trainer.engine.templates import HYBRID
from trainer.recipe import Shelf
from trainer.rows import part, write_rows
from trainer.runfolder import Ingredients, RunFolder

SHELF = Shelf(ROOT / "services/trainer/recipes")


def written(
    root: Path, recipe: str, *, fraction: float = 1.0, hybrid: bool = False, paired: bool = True
) -> tuple[dict[str, Any], Path]:
    """Write the rows of a run; return `dataset_info.json` and the run's folder."""
    volume = Volume(root / "data")
    dataset = publish_pairs(volume) if paired else publish_rows(volume)
    write_base(root / "bases/starter")
    if hybrid:
        template = HYBRID.read_text(encoding="utf-8")
        (root / "bases/starter/chat_template.jinja").write_text(template, encoding="utf-8")
    base = Base("starter", root / "bases/starter")
    request = RunRequest(dataset_id=DATASET, recipe=recipe, data_fraction=fraction)
    folder = RunFolder(volume, "run")
    folder.path.mkdir(parents=True)
    given = Ingredients(request, SHELF.get(recipe), base, dataset)
    return write_rows(given, folder, request), folder.path


def rows_of(entry: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows that an entry of `dataset_info.json` names."""
    found: list[dict[str, Any]] = json.loads(Path(entry["file_name"]).read_text(encoding="utf-8"))
    return found


def test_chats_are_read_where_the_dataset_has_them(tmp_path: Path) -> None:
    """The whole of a dataset is not copied; both splits are named by absolute path."""
    info, folder = written(tmp_path, "lora", paired=False)
    assert set(info) == {"train", "eval", "measure"}
    assert not list(folder.glob("*.json"))
    for entry in info.values():
        assert Path(entry["file_name"]).is_absolute()
        assert len(rows_of(entry)) in (8, 48)


def test_part_of_the_rows_is_even_over_the_styles(tmp_path: Path) -> None:
    """A quarter of the rows is a quarter of each style, in the given order."""
    info, folder = written(tmp_path, "lora", fraction=0.25)
    kept, every = rows_of(info["train"]), rows_of(info["eval"])
    assert Path(info["train"]["file_name"]).parent == folder
    assert Counter(row["system"] for row in kept) == {"你说话傲娇。": 6, "你说话温柔。": 6}
    assert info["eval"] == info["measure"]
    assert len(every) == 8


def test_smaller_part_is_inside_every_larger_one() -> None:
    """Runs on 25, 50 and 100 % add rows and change none."""
    rows = pairs(40)
    parts = [part(rows, fraction, "data-1") for fraction in (0.25, 0.5, 1.0)]
    for small, large in zip(parts, parts[1:], strict=False):
        assert all(row in large for row in small)
        assert small == [row for row in large if row in small]
    assert parts[-1] == rows
    assert part(rows, 0.5, "data-2") != parts[1]


def test_styles_without_system_prompt_are_told_apart_by_the_first_line() -> None:
    """With conditioning `prefix` the reply names the style."""
    rows = [
        {"system": "", "output": f"{name}\n{n}", "instruction": str(n)}
        for name in ("傲娇", "温柔")
        for n in range(10)
    ]
    kept = part(rows, 0.3, "data")
    assert Counter(row["output"].split("\n")[0] for row in kept) == {"傲娇": 3, "温柔": 3}


def test_pairs_are_described_as_ranking(tmp_path: Path) -> None:
    """DPO reads chosen and rejected; the measured rows stay the held-out chats."""
    info, folder = written(tmp_path, "dpo")
    assert info["train"]["ranking"] is True
    assert info["train"]["columns"]["chosen"] == "chosen"
    assert rows_of(info["train"]) == pairs(12)
    assert len(rows_of(info["eval"])) == 4
    assert set(rows_of(info["measure"])[0]) >= {"output"}


def test_kto_takes_the_pairs_apart(tmp_path: Path) -> None:
    """Each pair is a liked row and a disliked one, and neighbours answer different questions."""
    info, _ = written(tmp_path, "kto")
    rows = rows_of(info["train"])
    assert info["train"]["columns"]["kto_tag"] == "kto_tag"
    assert Counter(row["kto_tag"] for row in rows) == {True: 12, False: 12}
    liked = {(row["instruction"], row["output"]) for row in rows if row["kto_tag"]}
    assert liked == {(row["instruction"], row["chosen"]) for row in pairs(12)}
    same = [
        one["instruction"] == two["instruction"] for one, two in zip(rows, rows[1:], strict=False)
    ]
    assert sum(same) <= 2


@pytest.mark.parametrize(
    ("hybrid", "said"), [(False, "早。"), (True, "<think>\n\n</think>\n\n早。")]
)
def test_pairs_of_a_hybrid_base_carry_the_block_in_every_turn(
    tmp_path: Path, hybrid: bool, said: str
) -> None:
    """LLaMA-Factory puts it into the last turn of a pair only; serving puts it into each."""
    info, _ = written(tmp_path, "dpo", hybrid=hybrid)
    histories = [row["history"] for row in rows_of(info["train"]) if row["history"]]
    assert histories
    assert all(history == [["早安", said]] for history in histories)


def test_rows_come_out_the_same_when_written_again(tmp_path: Path) -> None:
    """A run that starts again reads the same rows in the same order."""
    first, folder = written(tmp_path / "one", "kto", fraction=0.5)
    second, other = written(tmp_path / "two", "kto", fraction=0.5)
    assert rows_of(first["train"]) == rows_of(second["train"])
    assert folder != other
