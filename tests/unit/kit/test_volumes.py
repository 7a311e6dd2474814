"""Tests of what a stack of containers needs before its services start."""

import os
from pathlib import Path

import pytest

from kit.volumes import KEY_MODE, KEYS, VolumeError, given, main, require_writable, seed_keys


def test_keys_are_random_and_stay(tmp_path: Path) -> None:
    """Keys that group 0 may read; a second start changes nothing."""
    assert seed_keys(tmp_path, tmp_path / "none") == [*KEYS]
    keys = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert len(set(keys.values())) == len(KEYS)
    assert all(len(key) >= 40 for key in keys.values())
    assert (tmp_path / "api_token").stat().st_mode & 0o777 == KEY_MODE
    assert seed_keys(tmp_path, tmp_path / "none") == []
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == keys


def test_operators_key_wins_and_may_change(tmp_path: Path) -> None:
    """A file with a content is the key; an empty one stands for none."""
    operator, keys = tmp_path / "operator", tmp_path / "keys"
    operator.mkdir()
    keys.mkdir()
    (operator / "api_token").write_text("")
    (operator / "serving_api_key").write_text("mine\n")
    assert seed_keys(keys, operator) == [*KEYS]
    assert (keys / "serving_api_key").read_text() == "mine"
    (operator / "serving_api_key").write_text("yours\n")
    assert seed_keys(keys, operator) == ["serving_api_key"]
    assert (keys / "serving_api_key").read_text() == "yours"


def test_secret_that_is_no_text_names_the_way_out(tmp_path: Path) -> None:
    """A secret that cannot be read stops the stack instead of opening it."""
    (tmp_path / "api_token").write_bytes(b"\xff\xfe")
    with pytest.raises(VolumeError) as caught:
        given("api_token", tmp_path)
    assert caught.value.body.field == "api_token"
    assert "0444" in str(caught.value.body.hint)


def test_volume_that_cannot_be_written_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message names the folder, the uid and the command."""
    with pytest.raises(VolumeError, match="cannot be written"):
        require_writable(tmp_path / "missing")
    assert main([str(tmp_path / "missing"), str(tmp_path)]) == 1
    assert f"chown -R {os.getuid()}:0" in capsys.readouterr().err


def test_main_prepares_both_and_prints_no_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The log says that keys are new, not what they are."""
    assert main([str(tmp_path), str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "api_token" in told
    assert (tmp_path / "api_token").read_text() not in told
    assert {path.name for path in tmp_path.iterdir()} == {*KEYS}
