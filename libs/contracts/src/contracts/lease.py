"""The lease of the GPU: a training run holds it, serving's launcher lends it and takes it back."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from contracts.model import Authored, Name, Recorded

TTL_SECONDS = 30.0
LONGEST_TTL_SECONDS = 600.0  # a dead holder must not keep the chat away for longer


class LeaseRequest(Authored):
    """Body of `POST /lease`: who wants the GPU, and how long one heartbeat lasts."""

    holder: Name = Field(description="id of the run that wants it")
    ttl_seconds: float = Field(default=TTL_SECONDS, ge=1, le=LONGEST_TTL_SECONDS)


class Lease(Recorded):
    """Who has the GPU instead of serving.

    `draining`: the engine still ends its open requests. `granted`: the engine is gone, the GPU is
    the holder's until `expires_at`; each heartbeat moves that. A draining lease does not expire.
    """

    id: str
    holder: Name
    state: Literal["draining", "granted"]
    granted_at: datetime | None = None
    expires_at: datetime
    ttl_seconds: float
