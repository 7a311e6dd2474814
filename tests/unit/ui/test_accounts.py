"""The users file."""

from pathlib import Path

import pytest

from kit.config import SettingsError
from ui.access.accounts import Accounts, hashed, parsed, parsed_hash

CHEAP = 10


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A users file with one person, whose password is cheap to check."""
    path = tmp_path / "users"
    path.write_text(f"# people\n\nann:{hashed('a long password', CHEAP)}\n")
    return path


def test_person_comes_in_with_the_password_only(file: Path) -> None:
    """A wrong password, an unknown name and an empty one are all nobody."""
    accounts = Accounts(file)
    assert accounts.verify("ann", "a long password")
    for name, password in [("ann", "a long passwore"), ("bob", "a long password"), ("", "")]:
        assert not accounts.verify(name, password)


def test_password_is_not_cut(file: Path) -> None:
    """One that is longer than is hashed is no password, however it begins."""
    file.write_text(f"ann:{hashed('x' * 256, CHEAP)}\n")
    accounts = Accounts(file)
    assert accounts.verify("ann", "x" * 256)
    assert not accounts.verify("ann", "x" * 257)


def test_hash_is_salted_and_reads_back() -> None:
    """Two people with one password have different lines."""
    first, second = hashed("same password", CHEAP), hashed("same password", CHEAP)
    assert str(first) != str(second)
    assert parsed_hash(str(first)).matches("same password")


def test_change_counts_at_once_and_a_broken_file_keeps_the_last_word(file: Path) -> None:
    """A new password changes the stamp; a half-written file locks nobody out, nor in."""
    accounts = Accounts(file)
    before = accounts.stamp("ann")
    file.write_text(f"ann:{hashed('another password', CHEAP)}\n")
    assert accounts.stamp("ann") not in ("", before)
    file.write_text("ann:scrypt$")
    assert accounts.verify("ann", "another password")
    file.write_text(f"bob:{hashed('another password', CHEAP)}\n")
    assert accounts.stamp("ann") == ""


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("ann", "line 1"),
        ("Ann:x", "lower-case"),
        ("ann:plain-password", "scrypt"),
        ("ann:scrypt$10$8$1$!!$!!", "base64"),
        ("ann:scrypt$30$8$1$AAAAAAAAAAAAAAAAAAAAAA==$AA==", "work"),
        ("ann:scrypt$10$8$1$AA==$AA==", "short"),
    ],
)
def test_bad_line_is_named_and_its_hash_is_not_repeated(line: str, said: str) -> None:
    """The message is for a log."""
    with pytest.raises(ValueError, match=said) as caught:
        parsed(line)
    assert "plain-password" not in str(caught.value)


@pytest.mark.parametrize("text", [None, "", "# nobody\n", "ann:x\n"])
def test_service_does_not_start_without_people(tmp_path: Path, text: str | None) -> None:
    """No file, an empty one, and a broken one are all said with the name of the setting."""
    path = tmp_path / "users"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SettingsError, match="UI_USERS_FILE"):
        Accounts(path)
