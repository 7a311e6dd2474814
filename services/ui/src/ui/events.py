"""How the page's own events are wired."""

from typing import Any


def private() -> dict[str, Any]:
    """Return the options of an event that only the page itself fires."""
    return {"api_visibility": "private", "show_progress": "hidden"}


# Of an event that needs no place in the queue and whose values nobody has to prepare.
QUICK: dict[str, Any] = {"queue": False, "preprocess": False, **private()}
