"""The lease: what may be asked, and how it travels in serving's status."""

import pytest
from pydantic import ValidationError

from contracts.artefact import ServingStatus
from contracts.identity import now
from contracts.lease import Lease, LeaseRequest


@pytest.mark.parametrize("ttl", [0, 0.5, 601, -1])
def test_heartbeat_is_neither_a_storm_nor_an_age(ttl: float) -> None:
    """A second at least, ten minutes at most: a dead holder must not keep the chat away."""
    with pytest.raises(ValidationError, match="ttl_seconds"):
        LeaseRequest(holder="r-1", ttl_seconds=ttl)


def test_holder_is_a_name() -> None:
    """It is shown to people and logged, so it is no free text."""
    with pytest.raises(ValidationError, match="holder"):
        LeaseRequest(holder="<b>me</b>")


def test_status_carries_the_lease_over_http() -> None:
    """Who asks serving how it is learns who has the GPU; without a lease there is none."""
    lease = Lease(id="l", holder="r-1", state="granted", expires_at=now(), ttl_seconds=30)
    sent = ServingStatus(state="lent", lease=lease)
    assert ServingStatus.model_validate_json(sent.model_dump_json()) == sent
    assert ServingStatus(state="ready").lease is None
