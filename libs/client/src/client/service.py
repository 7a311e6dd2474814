"""One service behind HTTP: sends requests, validates answers, translates failures, once."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit

import httpx
from pydantic import TypeAdapter, ValidationError

from client.errors import ServiceDownError, ServiceError, error_body
from contracts.model import Recorded

Answer = TypeVar("Answer")
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
# A service answers its own intents at once; long work is a job.
TIMEOUT_SECONDS = 30.0


class Readiness(Recorded):
    """What a service that is not ready answers at `/ready`."""

    reasons: list[str]


class Service:
    """A connection to one service; close it, or use it in `with`.

    Args:
        url: address without a path, such as `http://127.0.0.1:8001`.
        token: bearer token, where the service wants one.
        transport: how requests travel; the real network by default.
        timeout: seconds that one request may take.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        transport: httpx.BaseTransport | None = None,
        timeout: float = TIMEOUT_SECONDS,
    ) -> None:
        self.url = url.rstrip("/")
        self._http = httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            transport=transport,
            timeout=timeout,
            # A proxy of the environment never knows the way to our own machine.
            trust_env=urlsplit(self.url).hostname not in LOOPBACK,
        )

    def get(self, path: str, answer: type[Answer], **query: object) -> Answer:
        """Return what is at `path`. Raises ServiceError, ServiceDownError."""
        return self.send("GET", path, answer, params=given(query))

    def post(
        self, path: str, answer: type[Answer], body: object = None, *, key: str | None = None
    ) -> Answer:
        """Post `body` as JSON; the same idempotency `key` again starts nothing new."""
        headers = {"Idempotency-Key": key} if key else {}
        return self.send("POST", path, answer, json=body, headers=headers)

    def send(self, method: str, path: str, answer: type[Answer], **options: Any) -> Answer:
        """Send one request and return its validated answer."""
        with self.translated():
            response = self._http.request(method, path, **options)
        raise_for(response)
        return TypeAdapter(answer).validate_json(response.content)

    def text(self, path: str) -> str:
        """Return the text at `path`."""
        with self.translated():
            response = self._http.get(path)
        raise_for(response)
        return response.text

    def events(
        self, method: str, path: str, *, quiet_seconds: float, body: object = None
    ) -> Iterator[str]:
        """Yield the `data` of each server-sent event.

        Args:
            quiet_seconds: how long the stream may say nothing before it counts as broken.

        Raises:
            ServiceError: the service refused.
            ServiceDownError: nobody answers, or the stream broke.
        """
        timeout = httpx.Timeout(TIMEOUT_SECONDS, read=quiet_seconds)
        with (
            self.translated(),
            self._http.stream(method, path, json=body, timeout=timeout) as response,
        ):
            raise_for(response)
            for line in response.iter_lines():
                if line.startswith("data:"):
                    yield line.removeprefix("data:").strip()

    def download(self, path: str, to: Path, *, quiet_seconds: float, **query: object) -> int:
        """Write the content at `path` to the file `to`, piece by piece, and return its bytes.

        It grows beside `to` and gets that name once it is whole; a rest is removed.

        Args:
            quiet_seconds: how long the service may say nothing before it counts as broken.

        Raises:
            ServiceError: the service refused.
            ServiceDownError: nobody answers, or the stream broke.
            OSError: the file cannot be written.
        """
        part = to.with_name(f"{to.name}.part")
        timeout = httpx.Timeout(TIMEOUT_SECONDS, read=quiet_seconds)
        try:
            with (
                self.translated(),
                self._http.stream("GET", path, params=given(query), timeout=timeout) as response,
                part.open("wb") as file,
            ):
                raise_for(response)
                size = sum(file.write(piece) for piece in response.iter_bytes())
                os.fsync(file.fileno())
            part.replace(to)
        finally:
            part.unlink(missing_ok=True)
        return size

    def alive(self, path: str = "/health") -> bool:
        """Return whether the service answers at `path` without an error."""
        try:
            with self.translated():
                return self._http.get(path, timeout=5.0).is_success
        except ServiceDownError:
            return False

    def readiness(self) -> list[str]:
        """Return the reasons why the service is not ready; none means that it is."""
        with self.translated():
            response = self._http.get("/ready")
        if response.is_success:
            return []
        try:
            return Readiness.model_validate_json(response.content).reasons
        except ValidationError:
            return [error_body(response.status_code, response.content).message]

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turn what httpx raises on the way into ServiceDownError."""
        try:
            yield
        except httpx.TransportError as error:
            raise ServiceDownError(self.url, str(error) or type(error).__name__) from error

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def raise_for(response: httpx.Response) -> None:
    """Read the error in a response, also of a stream, and raise it as ServiceError."""
    if response.is_error:
        status = response.status_code
        raise ServiceError(status, error_body(status, response.read()))


def given(query: Mapping[str, object]) -> dict[str, Any]:
    """Return the query without what was left open."""
    return {name: value for name, value in query.items() if value is not None}


Clock = Callable[[], float]
Sleep = Callable[[float], None]
