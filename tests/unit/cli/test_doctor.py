"""Findings about the machine, each with its remedy."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tonesmith import doctor
from tonesmith.config import CliSettings

from .conftest import Call

PYTHON = Path(sys.executable)
MODULES = ("llamafactory", "torch")


def test_engine_tells_its_versions() -> None:
    """What the engine's interpreter reports is shown."""
    found = doctor.engine(
        "vLLM", PYTHON, MODULES, lambda _: json.dumps({"llamafactory": "1", "torch": "2"})
    )
    assert (found.level, found.detail) == ("ok", "llamafactory 1, torch 2")


def test_engine_without_a_module_is_an_error() -> None:
    """A half-installed environment is not ok."""
    found = doctor.engine("vLLM", PYTHON, MODULES, lambda _: json.dumps({"torch": "2"}))
    assert found.level == "error"
    assert "without llamafactory" in found.detail
    assert "make engines" in found.remedy


@pytest.mark.parametrize("python", [None, Path("/nowhere/python")])
def test_engine_without_interpreter_is_an_error(python: Path | None) -> None:
    """A missing setting and a missing file have the same remedy."""
    found = doctor.engine("vLLM", python, MODULES, lambda _: "{}")
    assert found.level == "error"
    assert "make engines" in found.remedy


def test_engine_that_breaks_is_an_error() -> None:
    """An interpreter that fails, or prints nonsense, is no crash."""

    def fails(command: list[str]) -> str:
        raise subprocess.CalledProcessError(1, command)

    assert doctor.engine("vLLM", PYTHON, MODULES, fails).level == "error"
    assert doctor.engine("vLLM", PYTHON, MODULES, lambda _: "nonsense").level == "error"


def test_probe_finds_versions_without_importing() -> None:
    """The probe runs in the engine's own interpreter; what is not there is left out."""
    command = [sys.executable, "-c", doctor.PROBE, "yaml", "no_such_module"]
    found = json.loads(doctor.run_program(command))
    assert set(found) == {"yaml"}
    assert found["yaml"][0].isdigit()


def test_old_python_is_an_error() -> None:
    """The version that is needed is named."""
    assert doctor.python_version((3, 10, 9)).level == "error"
    assert doctor.python_version((3, 11, 0)).level == "ok"


def test_base_model_needs_all_its_files(tmp_path: Path) -> None:
    """The missing files are named."""
    found = doctor.base_model(tmp_path)
    assert found.level == "error"
    assert "model.safetensors" in found.detail
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (tmp_path / name).touch()
    assert doctor.base_model(tmp_path).level == "ok"


def test_data_folder_is_tried_by_writing(tmp_path: Path) -> None:
    """A folder that does not exist yet is fine where its parent can be written; a file is not."""
    assert doctor.data_folder(tmp_path / "a" / "b").level == "ok"
    assert list(tmp_path.iterdir()) == []
    found = doctor.data_folder(Path("/proc/tonesmith"))
    assert (found.level, "DATA_DIR" in found.remedy) == ("error", True)


def test_little_memory_is_a_warning() -> None:
    """The demo might still fit."""
    assert doctor.memory(4 << 30).level == "warning"
    assert doctor.memory(9 << 30).level == "ok"


def test_taken_port_names_its_variable() -> None:
    """The remedy is the setting."""
    found = doctor.port("UI_PORT", 7860, free=lambda _: False)
    assert (found.level, "UI_PORT" in found.remedy) == ("warning", True)


def test_exit_code_tells_whether_the_machine_is_ready(call: Call) -> None:
    """No engines: exit code 1, and every finding in the document has its fields."""
    called = call("doctor", "--json")
    assert called.code == 1
    assert called.json["healthy"] is False
    for finding in called.json["findings"]:
        assert set(finding) == {"name", "level", "detail", "remedy"}
        assert finding["level"] == "ok" or finding["remedy"]


def test_everything_is_looked_at() -> None:
    """Interpreter, engines, base, folders, room, memory, ports, browser."""
    names = [found.name for found in doctor.examine(CliSettings(), {}, run=lambda _: "{}")]
    assert names[:7] == [
        "python",
        "LLaMA-Factory",
        "vLLM",
        "base model",
        "data folder",
        "disk",
        "memory",
    ]
    assert len([name for name in names if name.startswith("port ")]) == 5
    assert names[-1] == "chromium"
