"""The lease of the GPU: taken before a run, kept by a heartbeat, given back in every ending.

While the launcher is away the run goes on: serving has no engine then. Once it is back it knows no
lease, so the next heartbeat asks again, and serving lets go of the engine that it may have started.
If it has lent the GPU to somebody else meanwhile, the run is told (`lost`): it saves, and fails.
See docs/adr/0010.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from contracts.lease import Lease
from trainer.errors import NoLeaseError
from trainer.launcher import Launcher, LauncherError

logger = logging.getLogger(__name__)
POLL_SECONDS = 0.2  # how soon a wish to cancel is seen
ASK_SECONDS = 0.5
HEARTBEATS = 3  # in the life of a lease: two may be missed
END_SECONDS = 5.0
# A run that is cancelled while it waits must not wait for a launcher that does not answer.
WAITING_END_SECONDS = 0.5
DRAINING = "serving still ends its open requests"


@dataclass(frozen=True)
class Terms:
    """How a run comes to the GPU.

    Args:
        url: of serving's control port.
        token: the API token, where there is one.
        ttl_seconds: how long the launcher waits for a heartbeat.
        wait_seconds: how long to wait for the GPU.
    """

    url: str
    token: str | None
    ttl_seconds: float
    wait_seconds: float


class Hold:
    """One run's hold on the GPU.

    Args:
        terms: what to ask for.
        launcher: whom to ask.
        holder: id of the run.
    """

    def __init__(self, terms: Terms, launcher: Launcher, holder: str) -> None:
        self.terms = terms
        self.launcher = launcher
        self.holder = holder
        self.lease: Lease | None = None
        self.lost = ""  # why the GPU is ours no more
        self.obstacle = "nobody has answered"

    @property
    def granted(self) -> bool:
        """Whether the engine may start."""
        return self.lease is not None and self.lease.state == "granted"

    async def wait(self, cancelled: Callable[[], bool]) -> None:
        """Wait until the GPU is ours, or the run is cancelled. Raises NoLeaseError."""
        asking = asyncio.ensure_future(self.ask())
        clock = asyncio.get_running_loop().time
        deadline = clock() + self.terms.wait_seconds
        try:
            while not (await asyncio.wait({asking}, timeout=POLL_SECONDS))[0]:
                if cancelled():
                    return
                if clock() > deadline:
                    raise no_lease(f"{self.obstacle} (asked for {self.terms.wait_seconds:.0f} s)")
            await asking
        finally:
            await stop(asking)

    async def ask(self) -> None:
        """Ask until the GPU is ours. Raises NoLeaseError where asking again is no use."""
        while not self.granted:
            try:
                self.lease = await self.take()
                self.obstacle = DRAINING
            except LauncherError as error:
                self.obstacle = str(error)
                if not (error.passing or error.status == 409):
                    raise no_lease(self.obstacle) from error
            if not self.granted:
                await asyncio.sleep(ASK_SECONDS)

    async def take(self) -> Lease:
        """Ask for the GPU once. Raises LauncherError."""
        return await self.launcher.take(self.holder, self.terms.ttl_seconds)

    async def beat(self) -> None:
        """Renew the lease again and again, until it is lost."""
        while not self.lost:
            await asyncio.sleep(self.terms.ttl_seconds / HEARTBEATS)
            try:
                await self.renew()
            except LauncherError as error:
                if not error.passing:
                    self.lost = str(error)
                facts = {"run": self.holder, "reason": str(error), "lost": bool(self.lost)}
                logger.warning("no heartbeat", extra=facts)

    async def renew(self) -> None:
        """Send a heartbeat; ask anew where the lease is forgotten. Raises LauncherError."""
        assert self.lease
        try:
            self.lease = await self.launcher.renew(self.lease.id)
        except LauncherError as error:
            if error.status != 404:
                raise
            logger.warning("lease forgotten: asking again", extra={"run": self.holder})
            self.lease = await self.take()

    async def give_back(self) -> None:
        """End the lease; where the launcher does not hear it, the lease expires by itself."""
        seconds = END_SECONDS if self.granted else WAITING_END_SECONDS
        try:
            async with asyncio.timeout(seconds):
                # A question that was cut short may have been heard.
                lease = self.lease or await self.launcher.held()
                if lease.holder == self.holder:
                    await self.launcher.end(lease.id)
        except (LauncherError, TimeoutError) as error:
            logger.info("no lease to give back", extra={"run": self.holder, "reason": str(error)})


@asynccontextmanager
async def held(terms: Terms, holder: str, cancelled: Callable[[], bool]) -> AsyncIterator[Hold]:
    """Hold the GPU for a run: wait for it, keep it in the background, give it back.

    Yields a hold that is not granted where the run was cancelled meanwhile. Raises NoLeaseError.
    """
    async with Launcher(terms.url, terms.token) as launcher:
        hold = Hold(terms, launcher, holder)
        beating: asyncio.Future[None] | None = None
        try:
            await hold.wait(cancelled)
            if hold.granted:
                beating = asyncio.ensure_future(hold.beat())
            yield hold
        finally:
            if beating:
                await stop(beating)
            await hold.give_back()


async def stop(task: "asyncio.Future[None]") -> None:
    """Cancel a task of ours and wait until it has ended."""
    task.cancel()
    await asyncio.wait({task})


def no_lease(reason: str) -> NoLeaseError:
    """Return the error of a run that does not get the GPU."""
    return NoLeaseError(
        f"serving does not lend the GPU: {reason}",
        hint="see that serving runs, SERVING_CONTROL_URL names its control port and API_TOKEN_FILE "
        "its token; where both fit side by side, set TRAINER_EXCLUSIVE=0",
    )
