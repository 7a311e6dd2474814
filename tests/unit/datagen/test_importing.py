"""Tests of imports: every row kept or explained."""

import json
import random
from pathlib import Path

import pytest

from contracts.dataset import Conditioning, ImportRequest, ImportResult
from contracts.durable import digest_differences
from contracts.style import Style
from contracts.volume import Volume
from datagen.importing import import_file
from datagen.journals import read_rejected, read_samples
from datagen.metrics import Metrics
from kit.errors import InvalidInputError

REPLY = "哼，谁要特地帮你啊！先去喝杯水，再把事情写下来啦。"
Rows = list[dict[str, object]]


def row(number: int = 0, **values: object) -> dict[str, object]:
    """Return a good row, with other values where given."""
    words = "".join(random.Random(number).sample("春眠不觉晓处闻啼鸟夜来风雨声花落知多少", 12))
    return {
        "user": f"{words}，怎么办？",
        "assistant": f"{number}，{REPLY}",
        "style": "傲娇",
    } | values


def imported(folder: Path, rows: object, **options: object) -> ImportResult:
    """Import `rows`."""
    content = json.dumps(rows).encode()
    return import_file(folder, content, ImportRequest.model_validate(options))


def test_good_rows_become_a_published_dataset(tmp_path: Path) -> None:
    """No service runs; the manifest, the digests and the training files agree."""
    result = imported(tmp_path, [row(n) for n in range(20)], name="mine", eval_ratio=0.1)
    assert (result.accepted, result.rejected) == (20, {})
    assert result.dataset_id is not None
    assert result.dataset_id.startswith("mine-")
    volume = Volume(tmp_path)
    folder = volume.dataset(result.dataset_id)
    manifest = volume.dataset_manifest(result.dataset_id)
    assert manifest.rows == {"train": 18, "eval": 2}
    assert manifest.source == "imported"
    assert [version.style.id for version in manifest.styles] == ["tsundere"]
    assert digest_differences(folder, manifest.files) == []
    train = json.loads((folder / "train.json").read_text())
    assert train[0]["system"] == manifest.styles[0].style.system_prompt
    assert set(json.loads((folder / "dataset_info.json").read_text())) == {"train", "eval"}


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"style": "波斯猫"}, "unknown_style"),
        ({"style": ""}, "unknown_style"),
        ({"assistant": "啦"}, "too_short"),
        ({"assistant": "哼啦，" * 1500 + "！"}, "too_long"),
        ({"assistant": "猫：" + str(row(1)["user"])}, "echo"),
        ({"assistant": "I did not do this for you, obviously!"}, "wrong_language"),
        ({"assistant": "作为一个人工智能，我没有猫。"}, "assistant_voice"),
        ({"assistant": REPLY + "<|im_end|>"}, "control_token"),
        ({"assistant": REPLY + "</think>"}, "control_token"),
        ({"user": "<|im_start|>system"}, "control_token"),
        ({"history": [["<think>", "x"]]}, "control_token"),
        ({"assistant": REPLY + "\ufffd"}, "broken_text"),
        ({"assistant": REPLY + chr(0xD800)}, "broken_text"),
        ({"assistant": "哼，先去喝杯水，"}, "broken_text"),
        ({"assistant": None}, "malformed"),
        (row(0), "duplicate"),
        (row(0, assistant=f"0，{REPLY}呀"), "near_duplicate"),
    ],
)
def test_bad_row_is_refused_with_its_reason(
    tmp_path: Path, values: dict[str, object], reason: str
) -> None:
    """One reason each; the sum is the number of rows, and the row is kept for a look."""
    result = imported(tmp_path, [row(0), row(1, **values)])
    assert (result.accepted, result.rejected) == (1, {reason: 1})
    assert result.dataset_id is not None
    folder = Volume(tmp_path).dataset(result.dataset_id)
    (refused,) = read_rejected(folder)
    assert refused.slot == "row/000001"
    assert refused.reason.value == reason


@pytest.mark.parametrize("name", ["傲娇", "tsundere", "Tsundere", " TSUNDERE "])
def test_style_is_known_by_id_and_by_either_name(tmp_path: Path, name: str) -> None:
    """People call a style what they like."""
    assert imported(tmp_path, [row(0, style=name)]).accepted == 1


def test_alpaca_without_style_is_known_by_its_system_prompt(
    tmp_path: Path, tsundere: Style
) -> None:
    """Our own training files can be imported again, whatever their conditioning."""
    for conditioning in (Conditioning.SYSTEM, Conditioning.BOTH):
        first = imported(
            tmp_path, [row(n, history=[["a", "答"]]) for n in range(5)], conditioning=conditioning
        )
        assert first.dataset_id is not None
        folder = Volume(tmp_path).dataset(first.dataset_id)
        again = import_file(tmp_path, (folder / "train.json").read_bytes(), ImportRequest())
        assert again.dataset_id is not None
        assert again.rejected == {}
        rows = list(read_samples(Volume(tmp_path).dataset(again.dataset_id)))
        assert {entry.system for entry in rows} == {tsundere.system_prompt}
        assert all(not entry.reply.startswith("傲娇") for entry in rows)
        assert rows[0].history[0].assistant == "答"


def test_thinking_block_is_removed(tmp_path: Path) -> None:
    """What a reasoning model thought is no reply."""
    result = imported(tmp_path, [row(0, assistant=f"<think>\n嗯\n</think>\n{REPLY}")])
    assert result.dataset_id is not None
    (kept,) = read_samples(Volume(tmp_path).dataset(result.dataset_id))
    assert kept.reply == REPLY


def test_nothing_is_published_when_no_row_is_good(tmp_path: Path) -> None:
    """The counts say why; there is no dataset."""
    result = imported(tmp_path, [row(0, style="x"), 3])
    assert result == ImportResult(
        dataset_id=None, accepted=0, rejected={"malformed": 1, "unknown_style": 1}
    )
    assert not (tmp_path / "datasets").exists()


@pytest.mark.parametrize("content", [b"", b"[{", b"\xff\xfe", b"{}x", b"[]"])
def test_unreadable_file_leaves_nothing_behind(tmp_path: Path, content: bytes) -> None:
    """An error, and an untouched data folder."""
    with pytest.raises(InvalidInputError):
        import_file(tmp_path, content, ImportRequest())
    assert list(tmp_path.iterdir()) == []


def test_full_disk_leaves_nothing_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The staging folder is removed and the error names the way out."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("datagen.publish.write_json", full)
    with pytest.raises(Exception, match="full") as caught:
        imported(tmp_path, [row(0)])
    assert caught.value.body.code == "storage_full"  # type: ignore[attr-defined]
    assert list((tmp_path / "datasets").iterdir()) == []


def test_rows_are_counted_in_the_metrics(tmp_path: Path) -> None:
    """Inside a service the counts are series too."""
    metrics = Metrics()
    content = json.dumps([row(0), row(1, style="x")]).encode()
    import_file(tmp_path, content, ImportRequest(), metrics=metrics)
    labels = {"outcome": "rejected", "reason": "unknown_style"}
    value = metrics.registry.get_sample_value("datagen_imported_rows_total", labels)
    assert value == 1


def test_import_masks_personal_data_and_says_so(tmp_path: Path) -> None:
    """The row stays, its sentence too; the number is gone from every file."""
    rows = [{"user": "怎么找你？", "assistant": "哼，打13800138000啦！", "style": "tsundere"}]
    import_file(tmp_path, json.dumps(rows).encode(), ImportRequest())
    written = "".join(
        path.read_text(encoding="utf-8") for path in tmp_path.rglob("*.json*") if path.is_file()
    )
    assert "13800138000" not in written
    assert "某个电话号码" in written
    assert '"masked":["phone"]' in written


def test_import_answers_a_crisis_safely(tmp_path: Path) -> None:
    """However sharp the reply was, what is kept is a safe one, and two such rows both stay."""
    rows = [
        {"user": f"我不想活了{n}", "assistant": "哼，随便你啦！", "style": "tsundere"}
        for n in "一二"
    ]
    result = import_file(tmp_path, json.dumps(rows).encode(), ImportRequest())
    assert result.accepted == 2
    written = next(tmp_path.rglob("samples.jsonl")).read_text(encoding="utf-8")
    assert "随便你" not in written
    assert written.count('"safety":"suicide"') == 2
