"""serving's launcher as the trainer sees it: the four calls about the lease of the GPU."""

from typing import Self

import httpx
from pydantic import ValidationError

from contracts.errors import ErrorResponse
from contracts.lease import Lease, LeaseRequest

CALL_SECONDS = 5.0
QUOTED = 200  # how much of an unexpected answer is quoted
# A connection for each call: one kept open may be closed by the other side in the moment in which
# a heartbeat is sent on it.
LIMITS = httpx.Limits(max_keepalive_connections=0)


class LauncherError(Exception):
    """The launcher does not answer, or refuses.

    Args:
        reason: one sentence.
        status: of its answer; 0 where there was none.
    """

    def __init__(self, reason: str, *, status: int = 0) -> None:
        super().__init__(reason)
        self.status = status

    @property
    def passing(self) -> bool:
        """Whether the same question may have another answer soon."""
        return self.status == 0 or self.status >= 500


class Launcher:
    """Client of serving's control port; use it in `async with`.

    Args:
        url: of the control port.
        token: the API token, where there is one.
        transport: how requests are sent; a test's application instead of the network.

    Every method raises LauncherError where the launcher does not answer, or refuses.
    """

    def __init__(
        self, url: str, token: str | None, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.http = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            transport=transport,
            limits=LIMITS,
            timeout=CALL_SECONDS,
            # A proxy from the environment must not come between neighbours.
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.http.aclose()

    async def take(self, holder: str, ttl_seconds: float) -> Lease:
        """Ask for the GPU; again by the same holder, this renews."""
        wish = LeaseRequest(holder=holder, ttl_seconds=ttl_seconds)
        return lease_in(await self.send("POST", "/lease", wish))

    async def held(self) -> Lease:
        """Return the lease that somebody holds."""
        return lease_in(await self.send("GET", "/lease"))

    async def renew(self, lease_id: str) -> Lease:
        """Send a heartbeat."""
        return lease_in(await self.send("PUT", f"/lease/{lease_id}"))

    async def end(self, lease_id: str) -> None:
        """Give the GPU back."""
        await self.send("DELETE", f"/lease/{lease_id}")

    async def send(
        self, method: str, path: str, wish: LeaseRequest | None = None
    ) -> httpx.Response:
        """Send a request and return its good answer."""
        body = wish.model_dump(mode="json") if wish else None
        try:
            answer = await self.http.request(method, path, json=body)
        except httpx.RequestError as error:
            raise LauncherError(f"{type(error).__name__} {error}".strip()) from error
        if answer.is_error:
            raise LauncherError(message_in(answer), status=answer.status_code)
        return answer


def lease_in(answer: httpx.Response) -> Lease:
    """Return the lease in an answer. Raises LauncherError."""
    try:
        return Lease.model_validate_json(answer.content)
    except ValidationError as error:
        raise LauncherError(f"unexpected answer: {answer.text[:QUOTED]}", status=502) from error


def message_in(answer: httpx.Response) -> str:
    """Return the sentence in an error's answer, or its beginning."""
    try:
        return ErrorResponse.model_validate_json(answer.content).error.message
    except ValidationError:
        return f"{answer.status_code} {answer.text[:QUOTED]}"
