"""Log-ins as signed cookies."""

import base64
import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from fakes.clock import FakeClock
from ui.access.accounts import Accounts, hashed
from ui.access.sessions import Sessions, signed, verified
from ui.kept.state import State

KEY = b"k" * 32


@pytest.fixture
def clock() -> FakeClock:
    """Seconds since the epoch."""
    return FakeClock()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A users file with one person."""
    path = tmp_path / "users"
    path.write_text(f"ann:{hashed('a long password', 10)}\n")
    return path


@pytest.fixture
def sessions(tmp_path: Path, file: Path, clock: FakeClock) -> Sessions:
    """Log-ins that last for a hundred seconds."""
    return Sessions(KEY, Accounts(file), State(tmp_path / "state"), 100, clock)


def test_cookie_is_its_person_until_its_time_is_over(sessions: Sessions, clock: FakeClock) -> None:
    """Also after a restart: nothing of it is in memory."""
    cookie = sessions.issue("ann")
    again = Sessions(KEY, sessions.accounts, sessions.state, 100, clock)
    found = again.read(cookie)
    assert found is not None
    assert found.user == "ann"
    clock.now += 100
    assert sessions.read(cookie) is None


def test_every_changed_letter_is_noticed(sessions: Sessions) -> None:
    """Nobody makes a cookie of another's, nor of nothing."""
    cookie = sessions.issue("ann")
    for place in range(len(cookie)):
        letter = "A" if cookie[place] != "A" else "B"
        assert sessions.read(cookie[:place] + letter + cookie[place + 1 :]) is None
    for wrong in ("", "v1", "v1..", "v1.é.x", "x" * 5000, cookie + "0"):
        assert sessions.read(wrong) is None


def test_cookie_of_another_key_is_nobody(sessions: Sessions) -> None:
    """What is inside is believed only with our signature."""
    session = verified(KEY, sessions.issue("ann"))
    assert session is not None
    assert sessions.read(signed(b"x" * 32, session)) is None
    content = json.dumps(asdict(replace(session, user="root"))).encode()
    forged = base64.urlsafe_b64encode(content).decode().rstrip("=")
    assert sessions.read(f"v1.{forged}.{sessions.issue('ann').split('.')[2]}") is None


def test_ended_session_is_over_for_copies_of_its_cookie_too(
    sessions: Sessions, clock: FakeClock
) -> None:
    """Another log-in of the same person goes on; what is over anyway is forgotten."""
    first, second = sessions.issue("ann"), sessions.issue("ann")
    session = sessions.read(first)
    assert session is not None
    sessions.end(session)
    assert sessions.read(first) is None
    found = sessions.read(second)
    assert found is not None
    clock.now += 101
    sessions.end(replace(found, id="other", expires=clock.now + 1))
    assert len(sessions.state.read("SELECT * FROM ended_sessions")) == 1


def test_new_password_and_removal_end_every_session(sessions: Sessions, file: Path) -> None:
    """A stolen cookie is worth nothing after it."""
    cookie = sessions.issue("ann")
    file.write_text(f"ann:{hashed('another password', 10)}\n")
    assert sessions.read(cookie) is None
    cookie = sessions.issue("ann")
    file.write_text(f"bob:{hashed('another password', 10)}\n")
    assert sessions.read(cookie) is None
