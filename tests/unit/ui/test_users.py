"""The command that edits the users file."""

import io
from pathlib import Path

import pytest

from ui.access.accounts import Accounts
from ui.users import main

PASSWORD = "correct horse"


def call(path: Path, *arguments: str, given: str = PASSWORD) -> int:
    """Run the command with a password on its standard input."""
    return main(["--file", str(path), *arguments], {}, io.StringIO(given + "\n"))


def test_added_person_may_log_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file is made for its owner only, and no output has the password."""
    path = tmp_path / "keys" / "users"
    assert call(path, "add", "ann") == 0
    assert path.stat().st_mode & 0o777 == 0o600
    assert Accounts(path).verify("ann", PASSWORD)
    assert PASSWORD not in capsys.readouterr().out + path.read_text()


def test_new_password_replaces_and_all_else_stays(tmp_path: Path) -> None:
    """Remarks, other people and the file's mode are left alone."""
    path = tmp_path / "users"
    call(path, "add", "ann")
    path.write_text("# our people\n" + path.read_text())
    path.chmod(0o640)
    call(path, "add", "bob")
    kept = [line for line in path.read_text().splitlines() if not line.startswith("ann:")]
    assert call(path, "add", "ann", given="another password") == 0
    lines = path.read_text().splitlines()
    assert [line for line in lines if not line.startswith("ann:")] == kept
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_removed_person_is_gone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The list shows who is left."""
    path = tmp_path / "users"
    call(path, "add", "ann")
    call(path, "add", "bob")
    assert call(path, "remove", "ann") == 0
    capsys.readouterr()
    assert call(path, "list") == 0
    assert capsys.readouterr().out == "bob\n"


@pytest.mark.parametrize(
    ("arguments", "given", "said"),
    [
        (["add", "Ann"], PASSWORD, "lower-case"),
        (["add", "ann"], "short", "10 to 256"),
        (["add", "ann"], "", "10 to 256"),
        (["remove", "bob"], "", "bob is not in users"),
        (["list"], "", "No such file"),
    ],
)
def test_mistake_changes_nothing(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    given: str,
    said: str,
) -> None:
    """It ends with status 2 and the reason."""
    assert call(tmp_path / "users", *arguments, given=given) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "users").exists()


def test_file_comes_from_the_environment(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where it is named nowhere, the message says how."""
    path = tmp_path / "users"
    told = {"UI_USERS_FILE": str(path)}
    assert main(["add", "ann"], told, io.StringIO(PASSWORD + "\n")) == 0
    assert path.exists()
    assert main(["list"], {}, io.StringIO()) == 2
    assert "UI_USERS_FILE" in capsys.readouterr().err
