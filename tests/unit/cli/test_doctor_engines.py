"""The engines of the embedded stack: what their interpreters say of themselves."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tonesmith.doctor.engines import PROBE, engine
from tonesmith.doctor.programs import run_program

PYTHON = Path(sys.executable)
MODULES = ("llamafactory", "torch")


def test_engine_tells_its_versions() -> None:
    """What the engine's interpreter reports is shown."""
    found = engine(
        "vLLM", PYTHON, MODULES, lambda _: json.dumps({"llamafactory": "1", "torch": "2"})
    )
    assert (found.level, found.detail) == ("ok", "llamafactory 1, torch 2")


def test_engine_without_a_module_is_an_error() -> None:
    """A half-installed environment is not ok."""
    found = engine("vLLM", PYTHON, MODULES, lambda _: json.dumps({"torch": "2"}))
    assert found.level == "error"
    assert "without llamafactory" in found.detail
    assert "make engines" in found.remedy


@pytest.mark.parametrize("python", [None, Path("/nowhere/python")])
def test_engine_without_interpreter_is_an_error(python: Path | None) -> None:
    """A missing setting and a missing file have the same remedy."""
    found = engine("vLLM", python, MODULES, lambda _: "{}")
    assert found.level == "error"
    assert "make engines" in found.remedy


def test_engine_that_breaks_is_an_error() -> None:
    """An interpreter that fails, or prints nonsense, is no crash."""

    def fails(command: list[str]) -> str:
        raise subprocess.CalledProcessError(1, command)

    assert engine("vLLM", PYTHON, MODULES, fails).level == "error"
    assert engine("vLLM", PYTHON, MODULES, lambda _: "nonsense").level == "error"


def test_probe_finds_versions_without_importing() -> None:
    """The probe runs in the engine's own interpreter; what is not there is left out."""
    command = [sys.executable, "-c", PROBE, "yaml", "no_such_module"]
    found = json.loads(run_program(command))
    assert set(found) == {"yaml"}
    assert found["yaml"][0].isdigit()
