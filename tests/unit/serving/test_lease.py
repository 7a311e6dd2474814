"""The ledger: one holder at a time, until the last heartbeat is too old."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from contracts.lease import LeaseRequest
from fakes.clock import FakeClock
from kit.errors import NotFoundError
from serving.errors import LeaseHeldError
from serving.lease import LeaseLedger

AT = datetime(2030, 1, 1, tzinfo=UTC)
ONE = LeaseRequest(holder="run-1", ttl_seconds=30)
OTHER = LeaseRequest(holder="run-2", ttl_seconds=30)


class Ledger:
    """A ledger on a clock that stands still, and what it counted."""

    def __init__(self) -> None:
        self.clock = FakeClock(1000.0)
        self.counted: Counter[str] = Counter()
        self.leases = LeaseLedger(self.clock, today=self.today, count=self.count)

    def today(self) -> datetime:
        """Return the time of day, which follows the clock."""
        return AT + timedelta(seconds=self.clock.now - 1000)

    def count(self, outcome: str) -> None:
        """Count an outcome."""
        self.counted[outcome] += 1


@pytest.fixture
def ledger() -> Ledger:
    """An empty ledger."""
    return Ledger()


def granted(ledger: Ledger) -> str:
    """Take and grant a lease; return its id."""
    lease = ledger.leases.take(ONE)
    ledger.leases.grant()
    return lease.id


def test_lease_is_draining_until_it_is_granted(ledger: Ledger) -> None:
    """It says since when and until when the GPU is lent."""
    asked = ledger.leases.take(ONE)
    assert (asked.state, asked.granted_at) == ("draining", None)
    ledger.clock.now += 12
    ledger.leases.grant()
    held = ledger.leases.held()
    assert held
    assert (held.id, held.state) == (asked.id, "granted")
    assert held.granted_at == AT + timedelta(seconds=12)
    assert held.expires_at == AT + timedelta(seconds=42)


def test_time_counts_from_the_grant_and_not_while_serving_drains(ledger: Ledger) -> None:
    """A drain of two minutes does not eat a lease of half a minute."""
    ledger.leases.take(ONE)
    ledger.clock.now += 120
    assert ledger.leases.held()
    ledger.leases.grant()
    ledger.clock.now += 29
    assert ledger.leases.held()
    ledger.clock.now += 1
    assert ledger.leases.held() is None
    assert ledger.counted == {"granted": 1, "expired": 1}


def test_second_grant_is_no_heartbeat(ledger: Ledger) -> None:
    """The launcher says it in every step; only the holder keeps a lease alive."""
    granted(ledger)
    ledger.clock.now += 20
    ledger.leases.grant()
    ledger.clock.now += 10
    assert ledger.leases.held() is None
    assert ledger.counted["granted"] == 1


def test_heartbeat_moves_the_end(ledger: Ledger) -> None:
    """As often as it comes, for as long as the run takes."""
    lease = granted(ledger)
    for _ in range(100):
        ledger.clock.now += 29
        assert ledger.leases.renew(lease).id == lease
    ledger.clock.now += 30
    with pytest.raises(NotFoundError, match="expired"):
        ledger.leases.renew(lease)


def test_same_holder_gets_its_own_lease_again(ledger: Ledger) -> None:
    """A trainer that comes back goes on at once, with the time that it asks for."""
    lease = granted(ledger)
    ledger.clock.now += 29
    again = ledger.leases.take(LeaseRequest(holder="run-1", ttl_seconds=5))
    assert (again.id, again.state, again.ttl_seconds) == (lease, "granted", 5)
    ledger.clock.now += 5
    assert ledger.leases.held() is None


def test_other_holder_is_refused_while_it_lasts(ledger: Ledger) -> None:
    """The message names who has it; after the end the other one gets a lease of its own."""
    lease = granted(ledger)
    with pytest.raises(LeaseHeldError, match="run-1") as caught:
        ledger.leases.take(OTHER)
    assert caught.value.status == 409
    ledger.clock.now += 30
    other = ledger.leases.take(OTHER)
    assert (other.holder, other.state) == ("run-2", "draining")
    assert other.id != lease
    assert ledger.counted == {"granted": 1, "refused": 1, "expired": 1}


@pytest.mark.parametrize("state", ["draining", "granted"])
def test_ended_lease_is_gone_at_once(ledger: Ledger, state: str) -> None:
    """Also one that still waits for the drain; ending it twice is not possible."""
    lease = granted(ledger) if state == "granted" else ledger.leases.take(ONE).id
    ledger.leases.end(lease)
    assert ledger.leases.held() is None
    with pytest.raises(NotFoundError):
        ledger.leases.end(lease)
    assert ledger.counted["ended"] == 1


def test_foreign_id_touches_nothing(ledger: Ledger) -> None:
    """Neither a renewal nor an end; the id is cut, since it comes from outside."""
    lease = granted(ledger)
    for call in (ledger.leases.renew, ledger.leases.end):
        with pytest.raises(NotFoundError) as caught:
            call("x" * 500)
        assert len(caught.value.body.message) < 150
    held = ledger.leases.held()
    assert held
    assert held.id == lease


def test_grant_without_a_lease_is_nothing(ledger: Ledger) -> None:
    """The holder may have given up while serving drained."""
    ledger.leases.grant()
    assert ledger.leases.held() is None
    assert not ledger.counted
