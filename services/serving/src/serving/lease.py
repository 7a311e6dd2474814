"""The ledger of the GPU's lease: who has it, until when. Pure, but for its clocks.

Nothing here touches the engine: the launcher asks what is held, and says when it has let go.
See docs/adr/0010.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from contracts.identity import new_id, now
from contracts.lease import Lease, LeaseRequest
from kit.errors import NotFoundError
from serving.errors import LeaseHeldError

logger = logging.getLogger(__name__)


class LeaseLedger:
    """At most one lease at a time.

    A lease lasts `ttl_seconds` from its newest heartbeat or from its grant, whichever is later. It
    does not expire while serving drains: that takes as long as it takes.

    Args:
        clock: seconds that only grow; they decide.
        today: the time of day; it is only shown.
        count: called with `granted`, `refused`, `ended` or `expired`.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        *,
        today: Callable[[], datetime] = now,
        count: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.clock = clock
        self.today = today
        self.count = count
        self._lease: Lease | None = None
        self._deadline = 0.0

    def held(self) -> Lease | None:
        """Return the lease, or None; one without a heartbeat in time ends here."""
        lease = self._lease
        if lease and lease.state == "granted" and self.clock() >= self._deadline:
            self._close(lease, "expired")
        return self._lease

    def take(self, request: LeaseRequest) -> Lease:
        """Return a new lease, or the holder's own, renewed.

        Raises LeaseHeldError where somebody else has it.
        """
        lease = self.held()
        if lease and lease.holder != request.holder:
            self.count("refused")
            raise LeaseHeldError(
                f"the GPU is lent to {lease.holder}",
                field="holder",
                hint="wait until that run has ended, or cancel it",
            )
        if not lease:
            facts = {"holder": request.holder, "ttl_seconds": request.ttl_seconds}
            logger.info("lease asked for", extra=facts)
            lease = Lease(
                id=new_id("lease"),
                holder=request.holder,
                state="draining",
                expires_at=self.today(),
                ttl_seconds=request.ttl_seconds,
            )
        return self._extend(lease, request.ttl_seconds)

    def renew(self, lease_id: str) -> Lease:
        """Return the lease with a later end. Raises NotFoundError: it is unknown or over."""
        lease = self._known(lease_id)
        return self._extend(lease, lease.ttl_seconds)

    def end(self, lease_id: str) -> None:
        """Forget the lease. Raises NotFoundError: it is unknown or over."""
        self._close(self._known(lease_id), "ended")

    def grant(self) -> None:
        """Note that the engine is gone, and count the lease's time from now."""
        lease = self.held()
        if lease and lease.state == "draining":
            granted = {"state": "granted", "granted_at": self.today()}
            self._extend(lease.model_copy(update=granted), lease.ttl_seconds)
            self.count("granted")
            logger.info("lease granted", extra={"holder": lease.holder})

    def _known(self, lease_id: str) -> Lease:
        lease = self.held()
        if not lease or lease.id != lease_id:
            raise NotFoundError(
                f"there is no lease {lease_id[:80]!r}: it ended or expired", field="id"
            )
        return lease

    def _extend(self, lease: Lease, seconds: float) -> Lease:
        self._deadline = self.clock() + seconds
        expires_at = self.today() + timedelta(seconds=seconds)
        changes = {"expires_at": expires_at, "ttl_seconds": seconds}
        self._lease = lease.model_copy(update=changes)
        return self._lease

    def _close(self, lease: Lease, outcome: str) -> None:
        self._lease = None
        self.count(outcome)
        logger.info("lease over", extra={"holder": lease.holder, "outcome": outcome})
