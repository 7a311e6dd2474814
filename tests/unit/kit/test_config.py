"""Tests of settings from an environment."""

from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import Field, ValidationError

from kit.config import Settings, SettingsError, read_secret


class Demo(Settings):
    """Settings of a service called demo."""

    prefix: ClassVar[str] = "DEMO_"
    shared: ClassVar[frozenset[str]] = frozenset({"data_dir", "trainer_url"})

    port: int = Field(default=7000, ge=1, le=65535)
    data_dir: Path = Path("var/data")
    trainer_url: str = "http://127.0.0.1:8002"


def test_defaults_hold_when_nothing_is_set() -> None:
    """An empty environment is a valid one, and other programs' variables are theirs."""
    settings = Demo.from_environ({"HOME": "/root", "PORT": "1", "DEMOLITION": "x"})
    assert (settings.port, settings.data_dir) == (7000, Path("var/data"))


def test_own_names_carry_the_prefix_and_shared_ones_do_not() -> None:
    """DEMO_PORT and DATA_DIR."""
    settings = Demo.from_environ({"DEMO_PORT": "8123", "DATA_DIR": "/data"})
    assert (settings.port, settings.data_dir) == (8123, Path("/data"))


def test_empty_value_counts_as_unset() -> None:
    """Compose files hand on variables that nobody set."""
    assert Demo.from_environ({"DEMO_PORT": ""}).port == 7000


def test_misspelt_variable_is_an_error_with_the_known_ones() -> None:
    """A typo does not silently run on a default."""
    with pytest.raises(SettingsError, match=r"DEMO_PROT.*DATA_DIR, DEMO_PORT"):
        Demo.from_environ({"DEMO_PROT": "1"})


@pytest.mark.parametrize("value", ["many", "0", "70000", "1.5"])
def test_bad_value_names_the_variable(value: str) -> None:
    """The variable as it is spelt in the environment, not the field."""
    with pytest.raises(SettingsError, match="^DEMO_PORT: "):
        Demo.from_environ({"DEMO_PORT": value})


def test_address_of_a_service_is_no_misspelt_setting() -> None:
    """TRAINER_URL starts with the trainer's prefix, but belongs to whoever calls it."""

    class Trainer(Settings):
        prefix: ClassVar[str] = "TRAINER_"
        port: int = 8002

    assert Trainer.from_environ({"TRAINER_URL": "http://trainer:8002"}).port == 8002


def test_settings_do_not_change() -> None:
    """They are read once, at the start."""
    settings = Demo()
    with pytest.raises(ValidationError, match="frozen"):
        settings.port = 1  # type: ignore[misc]


def test_secret_is_read_without_its_newline(tmp_path: Path) -> None:
    """Editors end files with one."""
    (tmp_path / "token").write_text("hunter2\n")
    assert read_secret(tmp_path / "token") == "hunter2"
    assert read_secret(None) is None


@pytest.mark.parametrize("content", ["", "\n", "  "])
def test_empty_secret_is_an_error(tmp_path: Path, content: str) -> None:
    """A service must not start open because its secret did not arrive."""
    (tmp_path / "token").write_text(content)
    with pytest.raises(SettingsError, match="token.*empty"):
        read_secret(tmp_path / "token")


def test_missing_secret_is_an_error(tmp_path: Path) -> None:
    """Neither must it start open because the file is not there; the message says what to do."""
    with pytest.raises(SettingsError, match="token: .*No such file.*0444"):
        read_secret(tmp_path / "token")
