"""What the embedded stack needs of this machine, each with its remedy."""

from pathlib import Path

from tonesmith.doctor import machine


def test_old_python_is_an_error() -> None:
    """The version that is needed is named."""
    assert machine.python_version((3, 10, 9)).level == "error"
    assert machine.python_version((3, 11, 0)).level == "ok"


def test_base_model_needs_all_its_files(tmp_path: Path) -> None:
    """The missing files are named."""
    found = machine.base_model(tmp_path)
    assert found.level == "error"
    assert "model.safetensors" in found.detail
    for name in ("config.json", "model.safetensors", "tokenizer.json"):
        (tmp_path / name).touch()
    assert machine.base_model(tmp_path).level == "ok"


def test_data_folder_is_tried_by_writing(tmp_path: Path) -> None:
    """A folder that does not exist yet is fine where its parent can be written; a file is not."""
    assert machine.data_folder(tmp_path / "a" / "b").level == "ok"
    assert list(tmp_path.iterdir()) == []
    found = machine.data_folder(Path("/proc/tonesmith"))
    assert (found.level, "DATA_DIR" in found.remedy) == ("error", True)


def test_little_memory_is_a_warning() -> None:
    """The demo might still fit."""
    assert machine.memory(4 << 30).level == "warning"
    assert machine.memory(9 << 30).level == "ok"


def test_taken_port_names_its_variable() -> None:
    """The remedy is the setting."""
    found = machine.port("UI_PORT", 7860, free=lambda _: False)
    assert (found.level, "UI_PORT" in found.remedy) == ("warning", True)
