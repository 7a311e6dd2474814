"""Waiting until serving follows."""

from collections.abc import Iterator

import httpx
import pytest

from client import LauncherClient
from contracts.artefact import ServingStatus
from fakes.tonesmith_services import STATUS, FakeServices
from tonesmith.served import NotServedError, status_of, wait_for_serving


@pytest.fixture
def launcher(fake: FakeServices) -> Iterator[LauncherClient]:
    with LauncherClient("http://127.0.0.1:8010", transport=fake.transport) as client:
        yield client


def loaded(status: ServingStatus) -> bool:
    """Return whether the first version is loaded."""
    return "tonesmith.v1" in status.loaded


def test_wait_ends_when_the_state_is_reached(fake: FakeServices, launcher: LauncherClient) -> None:
    """Each status on the way is shown."""
    answers = iter([STATUS | {"loaded": [], "state": "starting"}, STATUS])
    fake.answers["GET /status"] = lambda _: httpx.Response(200, json=next(answers))
    seen: list[str] = []
    status = wait_for_serving(
        launcher, loaded, "tonesmith.v1", seconds=9, tick=lambda now: seen.append(now.state)
    )
    assert status.state == "ready"
    assert seen == ["starting"]


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({"errors": {"tonesmith.v1": "other weights"}}, "other weights"),
        ({"errors": {"engine": "no memory"}}, "no memory"),
        ({"state": "failed"}, "failed"),
    ],
)
def test_refusal_ends_the_wait(
    fake: FakeServices, launcher: LauncherClient, told: dict[str, object], reason: str
) -> None:
    """Serving's own reason is in the message."""
    fake.answers["GET /status"] = lambda _: httpx.Response(200, json=STATUS | {"loaded": []} | told)
    with pytest.raises(NotServedError, match=reason):
        wait_for_serving(launcher, loaded, "tonesmith.v1", seconds=9)


def test_patience_ends(fake: FakeServices, launcher: LauncherClient) -> None:
    """A serving that never gets there is given up; what it was doing is told."""
    fake.answers["GET /status"] = lambda _: httpx.Response(200, json=STATUS | {"loaded": []})
    with pytest.raises(NotServedError, match="serving is ready and has not loaded"):
        wait_for_serving(launcher, loaded, "tonesmith.v1", seconds=-1)


def test_launcher_that_does_not_answer_is_starting(
    fake: FakeServices, launcher: LauncherClient
) -> None:
    """The launcher may come up later than the one who waits for it."""
    fake.down.add(8010)
    assert status_of(launcher).state == "starting"
