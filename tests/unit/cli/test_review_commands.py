"""Tests of `tonesmith review`, `report-card` and `versions`, against the real datagen."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from contracts.volume import Volume
from datagen.app import create_app
from datagen.config import Settings
from fakes.reviewed import FIRST, publish_first
from fakes.running import running
from repository import ROOT
from tonesmith.app import run

REPLY = "哼，谁要特地帮你啊！早点睡就是了。"
Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Command]:
    """Run a command against a datagen with one dataset; returns exit code and both outputs."""
    publish_first(Volume(tmp_path / "data"))
    settings = Settings(
        data_dir=tmp_path / "data",
        state_dir=tmp_path / "state",
        shipped_dir=ROOT / "services" / "datagen",
        teacher_flaw_rate=0.0,
    )
    monkeypatch.chdir(tmp_path)
    with running(create_app(settings)) as url:
        environ = {"DOCKER_HOST": "unix:///nowhere/docker.sock", "DATAGEN_URL": url}

        def call(*arguments: str) -> tuple[int, str, str]:
            code = run(arguments, environ=environ)
            written = capsys.readouterr()
            return code, written.out, written.err

        yield call


def told(command: Command, *arguments: str) -> Any:
    """Run a command with --json; return what it printed, which must be one document."""
    code, out, err = command(*arguments, "--json")
    assert code == 0, err
    return json.loads(out)


def test_review_from_the_first_look_to_the_next_version(command: Command) -> None:
    """Look, reject by filter, take it back, edit, ask again, publish."""
    page = told(command, "review", "rows", FIRST, "--where", "style=gentle", "--limit", "3")
    assert (page["total"], len(page["rows"])) == (10, 3)
    rejected = told(
        command, "review", "decide", "reject", FIRST, "--where", "style=gentle", "--note", "flat"
    )
    assert (rejected["changed"], rejected["review"]["counts"]["rejected"]) == (10, 10)
    assert told(command, "review", "undo", FIRST)["review"]["counts"]["rejected"] == 0
    assert told(command, "review", "edit", FIRST, "1", "--reply", REPLY)["changed"] == 1
    job = told(command, "review", "regenerate", FIRST, "--where", "rows=2,3")
    assert job["result"] == {"changed": 2, "refused": {}}
    made = told(command, "review", "publish", FIRST, "--name", "better")
    assert made["id"].startswith("better-")
    known = told(command, "versions", FIRST)
    assert [one["id"] for one in known] == [FIRST, made["id"]]
    diff = told(command, "versions", FIRST, "--diff", made["id"])
    assert diff["counts"]["changed"] == 3
    back = told(command, "versions", made["id"], "--rollback", FIRST)
    assert back["lineage"]["parent"] == made["id"]


def test_people_get_tables(command: Command) -> None:
    """Every command says what it did, and what comes next."""
    code, out, err = command("review", "rows", FIRST, "--limit", "2")
    assert code == 0
    assert "43 rows, 43 open" in out
    assert "2 of 43 rows" in out
    code, out, err = command("review", "decide", "accept", FIRST, "--where", "style=tsundere")
    assert "accept: " in out
    code, out, err = command("versions", FIRST)
    assert FIRST in out
    code, out, err = command("report-card", FIRST)
    assert "of 40 rows are clean" in out
    assert "tonesmith review rows" in err


def test_report_card_previews_thresholds_and_explains_a_row(command: Command) -> None:
    """The same figures as the service has, as JSON and as words."""
    card = told(command, "report-card", FIRST)
    assert card["rows"] == 40
    preview = told(command, "report-card", FIRST, "--limit", "shortest=4000")
    assert preview["kept_then"] == 0
    row = next(gate for gate in preview["gates"] if gate["refused"])["examples"][0]["row"]
    found = told(command, "report-card", FIRST, "--row", row, "--limit", "shortest=4000")
    short = next(gate for gate in found["gates"] if gate["reason"] == "too_short")
    assert (short["refuses"], short["limit"]) == (True, 4000)
    assert found["would_be_refused_for"] == "too_short"
    code, out, _ = command("report-card", FIRST, "--row", row)
    assert code == 0
    assert "too_short" in out
    code, out, _ = command("report-card", FIRST, "--limit", "shortest=4000")
    assert "rows are kept" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("review", "rows", FIRST, "--where", "colour=red"), "known are: rows, origin, decision, "),
        (("review", "rows", FIRST, "--where", "limit=5"), "known are: rows, origin, decision, "),
        (("report-card", FIRST, "--limit", "body=1"), "known are: shortest, "),
        (("review", "rows", FIRST, "--where", "style"), "name=value"),
        (("review", "rows", FIRST, "--where", "style=a", "--where", "style=b"), "name=value"),
        (("review", "rows", "none"), "none"),
        (("review", "decide", "burn", FIRST), "action"),
        (("review", "decide", "note", FIRST), "note"),
        (("review", "undo", FIRST), "review"),
        (("report-card", FIRST, "--limit", "echo=7"), "echo"),
        (("report-card", FIRST, "--row", "nobody"), "no row"),
        (("versions", FIRST, "--diff", "none"), "none"),
    ],
)
def test_bad_input_is_exit_code_2_and_names_the_way_out(
    command: Command, arguments: tuple[str, ...], said: str
) -> None:
    """Nothing is decided by it."""
    code, _, err = command(*arguments)
    assert code == 2
    assert said in err
