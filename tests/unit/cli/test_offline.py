"""Bad files: a clear error, exit code 2, nothing sent and nothing written."""

import json
from pathlib import Path

import pytest

from fakes.tonesmith_services import STYLE_CARD, FakeServices

from .conftest import Call

BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"


def card(**changes: object) -> str:
    """Return a card with changes; JSON is YAML too."""
    return json.dumps(STYLE_CARD | changes)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (card(colour="red"), "colour"),
        (card(temperature="hot"), "temperature"),
        (card(system_prompt="x" * 50_000), "system_prompt"),
        (BOMB, "alias"),
        (card(id="../../etc"), "id"),
        ("id: [", "line"),
        ("", "card"),
    ],
)
def test_bad_card_is_refused(
    call: Call, fake: FakeServices, tmp_path: Path, content: str, told: str
) -> None:
    """The message names the file and the field; no service is asked."""
    path = tmp_path / "bad.yaml"
    path.write_text(content)
    called = call("styles", "put", str(path))
    assert called.code == 2
    message = called.err.splitlines()[0]
    assert "bad.yaml" in message
    assert told in message
    assert fake.requests == []


def test_missing_card_is_refused(call: Call) -> None:
    """A file that is not there is bad input, not a crash."""
    assert call("styles", "put", "nowhere.yaml").code == 2


@pytest.mark.parametrize(
    "content", [b"", b'[{"user": "a", "assi', b'[{"user": "\xff\xfe"}]', b"42"]
)
def test_bad_data_file_is_refused(call: Call, tmp_path: Path, content: bytes) -> None:
    """Empty, truncated, not UTF-8, no list: exit code 2 and no data folder."""
    (tmp_path / "rows.json").write_bytes(content)
    called = call("import", "rows.json", "--json")
    assert called.code == 2
    assert "rows.json" in called.json["error"]["message"]
    assert not (tmp_path / "var").exists()


def test_rows_are_kept_or_explained(call: Call, fake: FakeServices, tmp_path: Path) -> None:
    """The sum is the number of rows; the dataset lies under DATA_DIR; no service is asked."""
    rows = [
        {
            "user": "今天好累，怎么办？",
            "assistant": "哼，先睡觉啦！才不是担心你呢。",
            "style": "傲娇",
        },
        {"user": "今天好累，怎么办？", "assistant": "Sleep.", "style": "nobody"},
    ]
    (tmp_path / "rows.json").write_text(json.dumps(rows, ensure_ascii=False))
    called = call("import", "rows.json", "--json", DATA_DIR=str(tmp_path / "data"))
    assert called.code == 0
    assert called.json["accepted"] + sum(called.json["rejected"].values()) == 2
    folder = tmp_path / "data" / "datasets" / called.json["dataset_id"]
    assert (folder / "manifest.json").is_file()
    assert fake.requests == []


def test_file_without_a_good_row_is_bad_input(call: Call, tmp_path: Path) -> None:
    """The counts are shown, the exit code tells that there is no dataset, nothing is written."""
    rows = [{"user": "a", "assistant": "b", "style": "nobody"}]
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    called = call("import", "rows.json", "--json")
    assert called.code == 2
    assert called.json == {"dataset_id": None, "accepted": 0, "rejected": {"unknown_style": 1}}
    assert not (tmp_path / "data").exists()
    assert "no row could be kept" in called.err
