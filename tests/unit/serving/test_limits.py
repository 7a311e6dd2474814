"""The file that carries the gate's secrets."""

from pathlib import Path

from serving.engine.limits import Limits


def test_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    """It holds a token and a key; a file of before is replaced, not followed."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("x")
    path = tmp_path / "gate.json"
    path.symlink_to(elsewhere)
    limits = Limits(token="t", api_key="k", control_tokens=["<x>"])
    limits.write(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert Limits.read(path) == limits
    assert elsewhere.read_text() == "x"
