"""How each service is."""

import time

import httpx
import pytest
from prometheus_client import CollectorRegistry

from fakes.clock import FakeClock
from fakes.stack import HELD, Stack
from fakes.watched import alert
from ui.config import UiSettings
from ui.drain import Drain
from ui.metrics import UiMetrics
from ui.upstream.backend import Backend
from ui.watch.alarms import alarms
from ui.watch.health import LIMIT_SECONDS, Health, Target, answered, health_of_all

TRAINER = Target("trainer", "http://trainer", "/ready")
GRAFANA = Target("grafana", "http://grafana", "/api/health", ours=False)
# Promised: whatever hangs, the tab has its answer.
PROMISED_SECONDS = 2.0


async def found(backend: Backend) -> dict[str, Health]:
    """Return the health of all services by their name."""
    return {health.service: health for health in await health_of_all(backend, Drain(5))}


async def test_all_is_well(backend: Backend) -> None:
    """Every service answers; Grafana is left out, as nobody said where it is."""
    states = {name: health.state for name, health in (await found(backend)).items()}
    assert list(states) == ["ui", "datagen", "trainer", "serving", "prometheus"]
    assert set(states.values()) == {"ok"}


async def test_service_says_why_it_is_not_ready(backend: Backend, stack: Stack) -> None:
    """Its reasons come along, not too many of them and not too long ones."""
    stack.reasons = {"trainer": ["no base", "x" * 999, *"abcdef"]}
    stack.holder = "r-1"
    health = await found(backend)
    assert health["trainer"].state == health["serving"].state == "not_ready"
    assert health["trainer"].reasons[0] == "no base"
    assert sum(len(reason) for reason in health["trainer"].reasons) < 999
    assert health["serving"].reasons == ("lent to r-1",)


async def test_slow_service_delays_nobody(backend: Backend, stack: Stack) -> None:
    """All are asked at once, and who takes too long is taken for down."""
    stack.slow = HELD
    assert LIMIT_SECONDS < PROMISED_SECONDS
    started = time.monotonic()
    health = await found(backend)
    assert time.monotonic() - started < 30.0  # a busy machine may take its time, but no hour
    assert (health["datagen"].state, health["datagen"].cause) == ("down", "timeout")
    assert health["trainer"].state == "ok"


async def test_services_that_are_gone_are_no_failures_of_the_page(stack: Stack) -> None:
    """They are shown, and `ui_upstream_errors_total` stays as it is."""
    registry = CollectorRegistry()
    gone = dict.fromkeys(stack.urls, "http://127.0.0.1:9") | {
        "UI_GRAFANA_URL": "http://127.0.0.1:9"
    }
    backend = Backend(UiSettings.from_environ(gone), UiMetrics(registry))
    health = await found(backend)
    assert {each.cause for name, each in health.items() if name != "ui"} == {"connect"}
    counted = [
        sample.value
        for family in registry.collect()
        if family.name == "ui_upstream_errors"
        for sample in family.samples
        if sample.name.endswith("_total")  # not when it began, which apps leave out
    ]
    assert counted
    assert not any(counted)
    await backend.close()


async def test_page_that_ends_says_so(backend: Backend) -> None:
    """Its own state needs no call."""
    drain = Drain(0, (clock := FakeClock()), clock.sleep)
    await drain.finish()
    page, *_ = await health_of_all(backend, drain)
    assert (page.state, page.reasons) == ("not_ready", ("draining",))


@pytest.mark.parametrize(
    ("target", "response", "state", "cause"),
    [
        (TRAINER, httpx.Response(200, json={"ready": True}), "ok", ""),
        (TRAINER, httpx.Response(503, json={"ready": False, "reasons": ["x"]}), "not_ready", ""),
        (TRAINER, httpx.Response(200, text="<html>hello"), "down", "strange"),
        (TRAINER, httpx.Response(404, json={"detail": "Not Found"}), "down", "strange"),
        (TRAINER, httpx.Response(503, json={"ready": False, "reasons": 3}), "down", "strange"),
        (GRAFANA, httpx.Response(200, text="anything"), "ok", ""),
        (GRAFANA, httpx.Response(502), "down", "strange"),
    ],
)
def test_answer_is_taken_for_what_it_is(
    target: Target, response: httpx.Response, state: str, cause: str
) -> None:
    """Another program on the port is not taken for ours."""
    health = answered(target, response)
    assert (health.state, health.cause) == (state, cause)


async def test_alerts_come_worst_first(backend: Backend, stack: Stack) -> None:
    """Those that fire only; one without a known severity is a warning."""
    stack.alerts = [
        alert("B", "info"),
        alert("C", "warning", instance="b"),
        alert("C", "warning", instance="a"),
        alert("A", "odd"),
        alert("D", "critical", state="pending"),
        alert("E", "critical"),
    ]
    raised = await alarms(backend.http, stack.urls["UI_PROMETHEUS_API"])
    assert raised.known
    assert [(each.severity, each.name, each.place) for each in raised.firing] == [
        ("critical", "E", ""),
        ("warning", "A", ""),
        ("warning", "C", "a"),
        ("warning", "C", "b"),
        ("info", "B", ""),
    ]


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json={"status": "error", "data": {"alerts": []}}),
        httpx.Response(200, json={"status": "success", "data": {"alerts": [{"labels": 3}]}}),
        httpx.Response(500, text="no"),
    ],
)
async def test_nonsense_is_no_alert(response: httpx.Response) -> None:
    """What cannot be read is not known; nothing is shown as well that is not."""
    transport = httpx.MockTransport(lambda _: response)
    async with httpx.AsyncClient(transport=transport) as http:
        assert not (await alarms(http, "http://prometheus")).known
        assert not (await alarms(http, "")).known
