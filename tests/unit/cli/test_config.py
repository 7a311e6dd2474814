"""Settings of the command line: the environment over `.env`."""

from pathlib import Path

import pytest

from kit.config import SettingsError
from tonesmith.config import CliSettings, dotenv, environment


def test_dotenv_reads_known_variables_only(tmp_path: Path) -> None:
    """Comments, blanks, quotes and `export` are understood; foreign names are left alone."""
    (tmp_path / ".env").write_text(
        "# services\n\nexport DATA_DIR='/data one'\nDATAGEN_PORT = 9001 \n"
        'TEACHER_MODEL="a=b"\nPATH=/evil\nno equals sign\nLOG_LEVEL=DEBUG\n'
    )
    assert dotenv(tmp_path / ".env") == {
        "DATA_DIR": "/data one",
        "DATAGEN_PORT": "9001",
        "TEACHER_MODEL": "a=b",
        "LOG_LEVEL": "DEBUG",
    }


def test_environment_wins_over_dotenv(tmp_path: Path) -> None:
    """What is set for this one call is stronger than the file."""
    (tmp_path / ".env").write_text("BASE_MODEL=file\nUI_PORT=1\n")
    found = environment({"BASE_MODEL": "call"}, tmp_path)
    assert (found["BASE_MODEL"], found["UI_PORT"]) == ("call", "1")


def test_no_dotenv_is_no_error(tmp_path: Path) -> None:
    """The file is optional."""
    assert environment({"A": "b"}, tmp_path) == {"A": "b"}


def test_bad_value_names_the_variable() -> None:
    """A port that is no number is said to be one."""
    with pytest.raises(SettingsError, match="UI_PORT"):
        CliSettings.from_environ({"UI_PORT": "many"})


def test_cache_of_the_engines_is_no_misspelt_setting() -> None:
    """`TONESMITH_CACHE` belongs to scripts/environment.sh, and may be exported."""
    assert CliSettings.from_environ({"TONESMITH_CACHE": "/somewhere"}).cache == Path("/somewhere")


def test_misspelt_own_variable_is_an_error() -> None:
    """A typo does not silently do nothing."""
    with pytest.raises(SettingsError, match="TONESMITH_DATADIR"):
        CliSettings.from_environ({"TONESMITH_DATADIR": "x"})
