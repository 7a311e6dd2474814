"""How each service is: asked all at once, each within a short time, whatever the others do."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import httpx
from pydantic import Field, ValidationError

from contracts.model import Recorded
from ui.drain import Drain
from ui.upstream.backend import Backend

# For everything together: a service that is slower than this is as good as down to a reader.
LIMIT_SECONDS = 1.8
# Reasons come from elsewhere: enough of them to act upon.
REASONS_SHOWN = 4
REASON_LENGTH = 240
State = Literal["ok", "not_ready", "down"]
Service = Literal["ui", "datagen", "trainer", "serving", "prometheus", "grafana"]
# Why one is down; `strange`: it answers, and not as ours do.
Cause = Literal["", "connect", "timeout", "strange"]


class Readiness(Recorded):
    """What `GET /ready` of our services answers."""

    ready: bool
    reasons: list[str] = Field(default=[])


@dataclass(frozen=True)
class Health:
    """How one service is: `reasons` while it is not ready, `cause` and `url` if it is down."""

    service: Service
    state: State
    reasons: tuple[str, ...] = ()
    cause: Cause = ""
    url: str = ""
    status: int = 0


@dataclass(frozen=True)
class Target:
    """Whom to ask; `ours` answers why it is not ready, a stranger only with its status."""

    service: Service
    url: str
    path: str
    ours: bool = True


async def health_of_all(backend: Backend, drain: Drain) -> tuple[Health, ...]:
    """Return how every service is, the page first; never raises, and never takes long."""
    asked = await asyncio.gather(*(health(backend.http, target) for target in targets(backend)))
    reasons = tuple(drain.reasons())
    return (Health("ui", "not_ready" if reasons else "ok", reasons), *asked)


def targets(backend: Backend) -> Sequence[Target]:
    """Return whom to ask; Prometheus and Grafana only where their address is known."""
    settings = backend.settings
    found = [
        Target("datagen", settings.datagen_url, "/ready"),
        Target("trainer", settings.trainer_url, "/ready"),
        Target("serving", settings.serving_control_url, "/ready"),
        Target("prometheus", settings.prometheus_inner, "/-/ready", ours=False),
        Target("grafana", settings.grafana_inner, "/api/health", ours=False),
    ]
    return [target for target in found if target.url]


async def health(http: httpx.AsyncClient, target: Target) -> Health:
    """Ask one service. Failures are no errors of the page, and are not counted as such."""
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            response = await http.get(target.url + target.path, timeout=LIMIT_SECONDS)
    except (TimeoutError, httpx.TimeoutException):
        return Health(target.service, "down", cause="timeout", url=target.url)
    except (httpx.HTTPError, httpx.InvalidURL):
        return Health(target.service, "down", cause="connect", url=target.url)
    return answered(target, response)


def answered(target: Target, response: httpx.Response) -> Health:
    """Return what an answer means."""
    strange = Health(
        target.service, "down", cause="strange", url=target.url, status=response.status_code
    )
    if not target.ours:
        return Health(target.service, "ok") if response.is_success else strange
    try:
        said = Readiness.model_validate_json(response.content)
    except ValidationError:
        return strange
    reasons = tuple(reason[:REASON_LENGTH] for reason in said.reasons[:REASONS_SHOWN])
    return Health(target.service, "ok" if said.ready else "not_ready", reasons)
