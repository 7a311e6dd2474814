"""Ids of what the services make: `<name>-<YYYYMMDD>-<6 hex>`, file safe, readable in a log."""

import secrets
from datetime import UTC, datetime


def now() -> datetime:
    """Return the time, in UTC, with its zone."""
    return datetime.now(UTC)


def new_id(name: str, *, at: datetime | None = None, suffix: str | None = None) -> str:
    """Return a new id that starts with `name` (cut to 40 characters)."""
    return f"{name[:40]}-{(at or now()):%Y%m%d}-{suffix or secrets.token_hex(3)}"
