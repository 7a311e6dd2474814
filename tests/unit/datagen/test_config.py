"""Tests of the settings and of where the shipped data files are found."""

from pathlib import Path

import pytest

from datagen.config import Settings, shipped_folder
from kit.config import SettingsError


def test_defaults_need_no_environment() -> None:
    """An empty environment gives the embedded teacher."""
    settings = Settings.from_environ({})
    assert settings.port == 8001
    assert settings.teacher_base_url is None


def test_shared_names_have_no_prefix(tmp_path: Path) -> None:
    """The teacher and the volume are named alike for all services."""
    settings = Settings.from_environ(
        {"DATA_DIR": str(tmp_path), "TEACHER_BASE_URL": "https://t/v1", "DATAGEN_PORT": "9"}
    )
    assert (settings.data_dir, settings.teacher_base_url) == (tmp_path, "https://t/v1")
    assert settings.port == 9


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATAGEN_PROT", "1"),
        ("DATAGEN_PORT", "x"),
        ("TEACHER_BASE_URL", "file:///etc/passwd"),
        ("DATAGEN_TEACHER_CONCURRENCY", "0"),
        ("DATAGEN_TEACHER_FLAW_RATE", "2"),
    ],
)
def test_bad_variable_is_named(name: str, value: str) -> None:
    """A misspelt or impossible variable stops the service with its name."""
    with pytest.raises(SettingsError, match=name):
        Settings.from_environ({name: value})


def test_shipped_folder_is_the_source_tree_or_the_setting(tmp_path: Path, shipped: Path) -> None:
    """From a checkout the folder beside `src`; the setting wins."""
    assert shipped_folder(Settings()) == shipped
    assert shipped_folder(Settings(shipped_dir=tmp_path)) == tmp_path
