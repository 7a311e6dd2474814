"""The files that the engine writes and the service reads."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from repository import ROOT
from trainer.engine import parent, stand_in
from trainer.engine.files import RunFiles, read_json, write_atomic


def test_rewinding_forgets_what_will_be_made_again(tmp_path: Path) -> None:
    """After a resume each step is in the log once, and a torn line is gone."""
    files = RunFiles(tmp_path)
    for step in (0, 4, 8, 12):
        files.event("log", step, {"loss": 1.0})
    with files.events.open("a") as file:
        file.write('{"step": 13, "ki')
    files.rewind(8)
    files.event("log", 9, {})
    steps = [json.loads(line)["step"] for line in files.events.read_text().splitlines()]
    assert steps == [0, 4, 8, 9]
    RunFiles(tmp_path / "none").rewind(3)


def test_half_written_document_reads_as_none(tmp_path: Path) -> None:
    """A reader never takes half a document for a whole one."""
    assert read_json(tmp_path / "nothing") is None
    (tmp_path / "half").write_text('{"a": ')
    assert read_json(tmp_path / "half") is None
    write_atomic(tmp_path / "whole", {"傲": 1})
    assert read_json(tmp_path / "whole") == {"傲": 1}


def test_ending_carries_the_error(tmp_path: Path) -> None:
    """The service learns why from the document, not from the log."""
    files = RunFiles(tmp_path)
    files.finished("failed", "non_finite_loss", "training diverged", "lower the rate")
    outcome = read_json(files.outcome)
    assert outcome["state"] == "failed"
    assert outcome["error"]["hint"] == "lower the rate"
    files.finished("done", best_step=8, metrics={"rouge": 0.5})
    outcome = read_json(files.outcome)
    assert (outcome["error"], outcome["stop"], outcome["best_step"]) == (None, None, 8)
    assert outcome["metrics"] == {"rouge": 0.5}


def test_each_process_has_a_file_of_its_own(tmp_path: Path) -> None:
    """Processes that train together share all other files."""
    first, third = RunFiles(tmp_path), RunFiles(tmp_path, 2)
    assert (first.rank.name, third.rank.name) == ("rank-0.json", "rank-2.json")
    assert first.outcome == third.outcome


def test_events_are_read_back_without_a_torn_line(tmp_path: Path) -> None:
    """An engine that goes on learns from them why the one before stopped."""
    files = RunFiles(tmp_path)
    assert files.known_events() == []
    files.event("stop", 8, {"saved_steps": 4.0}, "flat: no fall")
    with files.events.open("a") as file:
        file.write('{"step": 13, "ki')
    assert [event["kind"] for event in files.known_events()] == ["stop"]


def test_stand_in_looks_installed_and_spares_the_real_one() -> None:
    """transformers asks for the spec; a module that exists is left alone."""
    stand_in.register("surely_not_installed")
    assert importlib.import_module("surely_not_installed").__spec__ is not None
    assert importlib.util.find_spec("surely_not_installed") is not None
    before = sys.modules["json"]
    stand_in.register("json")
    assert sys.modules["json"] is before
    del sys.modules["surely_not_installed"]


def test_engine_whose_service_is_gone_does_not_start() -> None:
    """A service that died in between leaves no engine behind."""
    parent.die_with_parent({})
    code = (
        "from trainer.engine.parent import die_with_parent, OrphanError\n"
        "try: die_with_parent()\n"
        "except OrphanError: raise SystemExit(7)\n"
    )
    environ = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "services/trainer/src"),
        "TONESMITH_PARENT": "1",
    }
    assert subprocess.run([sys.executable, "-c", code], env=environ, check=False).returncode == 7


@pytest.mark.parametrize(
    ("failpoint", "arrivals", "code"),
    [("", 5, 0), ("other", 5, 0), ("here", 1, -9), ("here@3", 2, 0), ("here@3", 3, -9)],
)
def test_failpoint_kills_at_the_arrival_that_is_asked_for(
    failpoint: str, arrivals: int, code: int
) -> None:
    """A test that asks for a kill gets it there, and nobody else does."""
    program = (
        f"from trainer.engine.failpoint import reach\nfor _ in range({arrivals}): reach('here')"
    )
    environ = {"PYTHONPATH": str(ROOT / "services/trainer/src"), "FAILPOINT": failpoint}
    done = subprocess.run([sys.executable, "-c", program], env=environ, check=False)
    assert done.returncode == code
