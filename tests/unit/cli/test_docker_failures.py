"""What to do where the engine cannot be reached."""

import errno

import pytest

from tonesmith.docker.failures import remedy, root_cause


def test_forbidden_socket_names_the_group() -> None:
    """The usual mistake after an installation."""
    assert "usermod -aG docker" in remedy(PermissionError(errno.EACCES, "denied"))


def test_engine_that_is_not_installed_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the command there is probably no engine at all."""
    monkeypatch.setenv("PATH", "/nowhere")
    assert "install Docker Engine" in remedy(FileNotFoundError())


def test_cause_is_what_was_wrapped_first() -> None:
    """The SDK wraps, and so does what it uses; chained by `from`, or only by being in between."""
    cause, between, outer = PermissionError(errno.EACCES, "denied"), OSError(), RuntimeError()
    between.__context__ = cause
    outer.__cause__ = between
    assert root_cause(outer) is cause
    assert root_cause(cause) is cause
