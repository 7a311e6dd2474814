"""What stands behind a teacher: one chat endpoint; `teacher.py` has the real one."""

from typing import Any, NamedTuple, Protocol


class Answer(NamedTuple):
    """An answer's JSON, and what the teacher calls the request."""

    document: dict[str, Any]
    request_id: str = ""


class Endpoint(Protocol):
    """One chat endpoint."""

    model: str

    async def send(self, body: dict[str, Any], request_id: str) -> Answer:
        """Return the answer. Raises CallFailedError, RefusedError, TeacherSetupError."""

    async def close(self) -> None:
        """Close the connections."""
