"""The lease over HTTP: what the trainer relies on, held by the real launcher and by its fake."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.errors import ErrorResponse
from contracts.lease import Lease
from fakes.launcher import FakeLauncher
from fakes.serving_process import free_port
from serving.app import create_app
from serving.config import ServingSettings

TOKEN = "control-token"
WISH = {"holder": "run-1", "ttl_seconds": 30}


@pytest.fixture(params=["real", "fake"])
async def control(
    request: pytest.FixtureRequest, settings: ServingSettings, tmp_path: Path
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a launcher that serves nothing yet, with the token that it wants."""
    secret = tmp_path / "token"
    secret.write_text(TOKEN + "\n")
    app: Any = FakeLauncher(TOKEN).app
    if request.param == "real":
        changes = {"api_token_file": secret, "port": free_port()}
        app = create_app(settings.model_copy(update=changes), environ={})
    headers = {"Authorization": f"Bearer {TOKEN}"}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://control", headers=headers
    ) as client:
        yield client
        if request.param == "real":
            await app.state.launcher.drain()


def code(answer: httpx.Response) -> str:
    """Return the code of an error."""
    return ErrorResponse.model_validate_json(answer.content).error.code


async def test_lease_is_taken_shown_renewed_and_ended(control: httpx.AsyncClient) -> None:
    """The life of a lease where no engine runs: granted with the first or the second answer."""
    taken = await control.post("/lease", json=WISH)
    assert taken.status_code == 202
    lease = Lease.model_validate_json(taken.content)
    assert (lease.holder, lease.ttl_seconds) == ("run-1", 30)
    shown = Lease.model_validate_json((await control.get("/lease")).content)
    assert (shown.id, shown.state) == (lease.id, "granted")
    assert shown.granted_at
    again = Lease.model_validate_json((await control.post("/lease", json=WISH)).content)
    assert (again.id, again.state) == (lease.id, "granted")
    renewed = await control.put(f"/lease/{lease.id}")
    assert Lease.model_validate_json(renewed.content).id == lease.id
    assert (await control.delete(f"/lease/{lease.id}")).status_code == 204


async def test_other_holder_gets_409_with_the_name(control: httpx.AsyncClient) -> None:
    """Whoever waits learns for whom."""
    await control.post("/lease", json=WISH)
    refused = await control.post("/lease", json=WISH | {"holder": "run-2"})
    assert (refused.status_code, code(refused)) == (409, "lease_held")
    assert "run-1" in refused.json()["error"]["message"]


async def test_unknown_lease_is_404(control: httpx.AsyncClient) -> None:
    """Nothing to show, to renew or to end; a foreign id ends nobody's lease."""
    for method, path in (("GET", "/lease"), ("PUT", "/lease/x"), ("DELETE", "/lease/x")):
        answer = await control.request(method, path)
        assert (answer.status_code, code(answer)) == (404, "not_found")
    await control.post("/lease", json=WISH)
    assert (await control.delete("/lease/x")).status_code == 404
    assert (await control.get("/lease")).status_code == 200


async def test_change_without_the_token_is_refused(control: httpx.AsyncClient) -> None:
    """Whoever may only look can neither take the GPU nor give it back."""
    lease = (await control.post("/lease", json=WISH)).json()["id"]
    control.headers["Authorization"] = "Bearer wrong"
    for method, path in (
        ("POST", "/lease"),
        ("PUT", f"/lease/{lease}"),
        ("DELETE", f"/lease/{lease}"),
    ):
        answer = await control.request(method, path, json=WISH)
        assert (answer.status_code, code(answer)) == (401, "unauthorized")
    assert (await control.get("/lease")).status_code == 200
