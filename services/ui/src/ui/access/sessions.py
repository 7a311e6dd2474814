"""Log-ins as signed cookies: who, since when, and a stamp that a new password changes.

The server remembers only the sessions that were ended before their time, until that time is over.
"""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from ui.access.accounts import Accounts
from ui.kept.state import State

VERSION = "v1"
# Longer than any cookie of ours.
LONGEST = 1024


@dataclass(frozen=True)
class Session:
    """One log-in; `expires` is in seconds since the epoch."""

    user: str
    id: str
    expires: float
    stamp: str


class Sessions:
    """Issues, reads and ends log-ins.

    Args:
        key: signs the cookies; whoever has it can be anybody.
        accounts: who may log in.
        state: remembers what was ended.
        lifetime: seconds after which one has to log in again.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        key: bytes,
        accounts: Accounts,
        state: State,
        lifetime: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.key = key
        self.accounts = accounts
        self.state = state
        self.lifetime = lifetime
        self.clock = clock

    def issue(self, user: str) -> str:
        """Return the cookie of a new log-in."""
        expires = self.clock() + self.lifetime
        session = Session(user, secrets.token_hex(16), expires, self.accounts.stamp(user))
        return signed(self.key, session)

    def read(self, cookie: str) -> Session | None:
        """Return the log-in of a cookie; None: not ours, over, ended, or of an old password."""
        session = verified(self.key, cookie)
        if session is None or session.expires <= self.clock():
            return None
        stamp = self.accounts.stamp(session.user)
        if not stamp or not hmac.compare_digest(stamp, session.stamp):
            return None
        return None if self._ended(session) else session

    def end(self, session: Session) -> None:
        """End a log-in for good, also for who has copied its cookie."""
        with self.state.write() as database:
            database.execute("DELETE FROM ended_sessions WHERE expires < ?", (self.clock(),))
            database.execute(
                "INSERT OR IGNORE INTO ended_sessions (id, expires) VALUES (?, ?)",
                (session.id, session.expires),
            )

    def _ended(self, session: Session) -> bool:
        return bool(self.state.read("SELECT 1 FROM ended_sessions WHERE id = ?", (session.id,)))


def signature(key: bytes, payload: str) -> str:
    """Return what shows that `payload` is ours."""
    return hmac.new(key, f"{VERSION}.{payload}".encode(), hashlib.sha256).hexdigest()


def signed(key: bytes, session: Session) -> str:
    """Return a session as a cookie's value."""
    content = json.dumps(asdict(session), separators=(",", ":")).encode()
    payload = base64.urlsafe_b64encode(content).decode().rstrip("=")
    return f"{VERSION}.{payload}.{signature(key, payload)}"


def verified(key: bytes, cookie: str) -> Session | None:
    """Return the session of a cookie that this key has signed, else None."""
    parts = cookie[:LONGEST].split(".")
    if len(parts) != 3 or parts[0] != VERSION or not cookie.isascii():
        return None
    if not hmac.compare_digest(signature(key, parts[1]), parts[2]):
        return None
    try:
        padded = parts[1] + "=" * (-len(parts[1]) % 4)
        return Session(**json.loads(base64.urlsafe_b64decode(padded)))
    except (ValueError, TypeError, binascii.Error):
        return None
