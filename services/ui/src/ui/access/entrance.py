"""Who is let in, as the settings say: the door, and the routes of the log-in where it is ours."""

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import APIRouter

from kit.config import SettingsError, read_secret
from ui.access.accounts import Accounts
from ui.access.doors import Door, HeaderDoor, OpenDoor, SessionDoor
from ui.access.login import Login
from ui.access.networks import networks
from ui.access.sessions import Sessions
from ui.config import UiSettings
from ui.kept.state import KEY_BYTES, State

DAY_SECONDS = 86_400
KEY_FILE = "session.key"


@dataclass(frozen=True)
class Entrance:
    """The door, and what is in front of it."""

    door: Door
    routes: APIRouter | None = None


def entrance(
    settings: UiSettings, state: State, failed: Callable[[str], None] = lambda _: None
) -> Entrance:
    """Return who is let in; `failed` is told of log-ins that were refused.

    Raises SettingsError where a file that it takes cannot be used.
    """
    proxies = networks(settings.trusted_proxies)
    if settings.auth == "none":
        return Entrance(OpenDoor())
    if settings.auth == "header":
        return Entrance(HeaderDoor(settings.auth_header, proxies))
    assert settings.users_file is not None
    accounts = Accounts(settings.users_file)
    lifetime = settings.session_days * DAY_SECONDS
    sessions = Sessions(session_key(settings, state), accounts, state, lifetime)
    # Browsers keep one jar for all ports of a host.
    door = SessionDoor(sessions, f"tonesmith_{settings.port}")
    return Entrance(door, Login(door, proxies, settings.root_path, failed).router())


def session_key(settings: UiSettings, state: State) -> bytes:
    """Return what signs cookies: the operator's key, else our own. Raises SettingsError."""
    given = read_secret(settings.session_key_file)
    if given is None:
        return state.secret(KEY_FILE)
    if len(given.encode()) < KEY_BYTES:
        raise SettingsError(f"UI_SESSION_KEY_FILE: the key is shorter than {KEY_BYTES} bytes")
    return given.encode()
