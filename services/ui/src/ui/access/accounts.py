"""Who may log in: a file with one line for each person, `name:hash`, and never a password.

A hash is `scrypt$<log2 of n>$<r>$<p>$<salt>$<digest>`, the last two in base64; lines that are empty
or begin with `#` say nothing. `python -m ui.users add NAME` writes it (`users.py`). A change counts
from the next log-in on, without a restart.
"""

import base64
import binascii
import hashlib
import hmac
import logging
import secrets
from dataclasses import dataclass
from pathlib import Path

from contracts.model import check_name
from kit.config import SettingsError

logger = logging.getLogger(__name__)
# OWASP's Password Storage Cheat Sheet names n=2^15, r=8, p=3 among its least: 32 MiB for each try.
LOG2_N, BLOCK, PARALLEL = 15, 8, 3
SALT_BYTES = 16
DIGEST_BYTES = 32
# What a file may ask for: a typo in it must not take all memory.
LOG2_N_RANGE = range(10, 19)
# Longer than any password; hashing more is work for whoever sends it.
PASSWORD_LENGTH = 256


@dataclass(frozen=True)
class Hash:
    """A password's hash, with what it takes to compute it again."""

    log2_n: int
    block: int
    parallel: int
    salt: bytes
    digest: bytes

    def __str__(self) -> str:
        """Return it as it stands in the file."""
        texts = (base64.b64encode(part).decode() for part in (self.salt, self.digest))
        return "$".join(["scrypt", *map(str, (self.log2_n, self.block, self.parallel)), *texts])

    def matches(self, password: str) -> bool:
        """Return whether `password` has this hash, in a time that does not tell how nearly."""
        digest = scrypt(password, self.salt, self.log2_n, self.block, self.parallel)
        return hmac.compare_digest(digest, self.digest)


def scrypt(password: str, salt: bytes, log2_n: int, block: int, parallel: int) -> bytes:
    """Return the digest of a password."""
    cost = 2**log2_n
    memory = 128 * block * (cost + parallel + 2) + (1 << 20)
    return hashlib.scrypt(
        password.encode(),
        salt=salt,
        n=cost,
        r=block,
        p=parallel,
        maxmem=memory,
        dklen=DIGEST_BYTES,
    )


def hashed(password: str, log2_n: int = LOG2_N) -> Hash:
    """Return a new hash of a password."""
    salt = secrets.token_bytes(SALT_BYTES)
    return Hash(log2_n, BLOCK, PARALLEL, salt, scrypt(password, salt, log2_n, BLOCK, PARALLEL))


def parsed_hash(text: str) -> Hash:
    """Return a hash as it stands in the file. Raises ValueError, which never repeats it."""
    kind, *parts = text.split("$")
    if kind != "scrypt" or len(parts) != 5:
        raise ValueError(
            "should be scrypt$n$r$p$salt$digest, as `python -m ui.users add` writes it"
        )
    try:
        log2_n, block, parallel = (int(part) for part in parts[:3])
        salt, digest = (base64.b64decode(part, validate=True) for part in parts[3:])
    except (ValueError, binascii.Error) as error:
        raise ValueError("has a part that is no number, or no base64") from error
    if log2_n not in LOG2_N_RANGE or not 1 <= block <= 16 or not 1 <= parallel <= 8:
        raise ValueError("asks for too little or too much work")
    if len(salt) < SALT_BYTES or len(digest) != DIGEST_BYTES:
        raise ValueError("has a salt or a digest that is too short")
    return Hash(log2_n, block, parallel, salt, digest)


def parsed(text: str) -> dict[str, Hash]:
    """Return the people of a users file. Raises ValueError with the line at fault."""
    found: dict[str, Hash] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, colon, rest = line.strip().partition(":")
        try:
            check_name(name)
            if not colon or name in found:
                raise ValueError("should be name:hash, each name once")
            found[name] = parsed_hash(rest)
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from error
    return found


class Accounts:
    """The people of a users file, read again when the file has changed.

    Args:
        path: the file. Raises SettingsError where it cannot be used, or names nobody.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: object = None
        self._people: dict[str, Hash] = {}
        # An unknown name takes as long as a wrong password.
        self._nobody = Hash(LOG2_N, BLOCK, PARALLEL, bytes(SALT_BYTES), bytes(DIGEST_BYTES))
        try:
            self._people = self._read()
        except (OSError, ValueError) as error:
            raise SettingsError(f"UI_USERS_FILE: {path}: {reason(error)}") from error
        if not self._people:
            raise SettingsError(
                f"UI_USERS_FILE: {path} names nobody; add a person: python -m ui.users add NAME"
            )

    def verify(self, name: str, password: str) -> bool:
        """Return whether this is a person with that password; it takes a good part of a second."""
        known = self.people().get(name)
        matches = (known or self._nobody).matches(password[:PASSWORD_LENGTH])
        return matches and known is not None and len(password) <= PASSWORD_LENGTH

    def stamp(self, name: str) -> str:
        """Return what changes with a person's password; empty: there is no such person."""
        known = self.people().get(name)
        return hashlib.sha256(str(known).encode()).hexdigest()[:16] if known else ""

    def people(self) -> dict[str, Hash]:
        """Return the people of the file as it is now; while it is broken, as it was."""
        try:
            if self._sight() != self._seen:
                self._people = self._read()
        except (OSError, ValueError) as error:
            # The last word is kept: an editor may be half way through.
            logger.error("the users file cannot be read", extra={"reason": reason(error)})
        return self._people

    def _sight(self) -> object:
        found = self.path.stat()
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _read(self) -> dict[str, Hash]:
        self._seen = self._sight()
        return parsed(self.path.read_text(encoding="utf-8"))


def reason(error: OSError | ValueError) -> str:
    """Return what is wrong with a file, without its content."""
    return str(error.strerror if isinstance(error, OSError) else error)
