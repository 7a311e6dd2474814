"""Alerts that Prometheus has raised, the worst first."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import httpx
from pydantic import Field, ValidationError

from contracts.model import Recorded
from ui.watch.health import LIMIT_SECONDS

SEVERITIES = ("critical", "warning", "info")
# What tells two alerts of one name apart, in this order.
PLACES = ("instance", "job", "uuid", "run_id", "model")


class Alert(Recorded):
    """One alert as Prometheus' API lists it."""

    labels: dict[str, str] = Field(default={})
    annotations: dict[str, str] = Field(default={})
    state: str = ""

    @property
    def name(self) -> str:
        """The rule that raised it."""
        return self.labels.get("alertname", "")

    @property
    def severity(self) -> str:
        """One of SEVERITIES; what names none of them is a warning."""
        named = self.labels.get("severity", "")
        return named if named in SEVERITIES else "warning"

    @property
    def place(self) -> str:
        """What it is about."""
        return " · ".join(self.labels[name] for name in PLACES if self.labels.get(name))


class AlertList(Recorded):
    """What the page reads of `GET /api/v1/alerts`."""

    class Data(Recorded):
        """The alerts."""

        alerts: list[Alert]

    status: Literal["success"]
    data: Data


@dataclass(frozen=True)
class Alarms:
    """Alerts that fire; `known` is False where nobody could be asked."""

    known: bool = False
    firing: tuple[Alert, ...] = ()


async def alarms(http: httpx.AsyncClient, url: str) -> Alarms:
    """Ask Prometheus at `url`, if there is one; never raises, and never takes long."""
    if not url:
        return Alarms()
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            response = await http.get(f"{url}/api/v1/alerts", timeout=LIMIT_SECONDS)
        found = AlertList.model_validate_json(response.content)
    except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, ValidationError):
        return Alarms()
    return Alarms(known=True, firing=worst_first(found.data.alerts))


def worst_first(alerts: Sequence[Alert]) -> tuple[Alert, ...]:
    """Return those that fire, by severity, then by name and place."""
    firing = [alert for alert in alerts if alert.state == "firing"]
    return tuple(
        sorted(firing, key=lambda each: (SEVERITIES.index(each.severity), each.name, each.place))
    )
