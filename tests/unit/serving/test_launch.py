"""The launcher with a fake engine as a real process: waiting, starting, failing, swapping."""

import asyncio
import json
from pathlib import Path

import httpx
from prometheus_client import generate_latest

from fakes.gated_engine import golden_prompt
from fakes.launched import POLL, Served
from fakes.published import publish_adapter, tiny_base, write_current
from fakes.serving_process import fake_engine
from serving.bases import Base


async def test_journey_of_a_model_from_nothing_to_a_new_base(
    served: Served, models_dir: Path, base: Base
) -> None:
    """Waits, serves the base, takes an adapter, survives a broken document, changes the base."""
    served.launcher.start()
    await asyncio.sleep(3 * POLL)
    assert served.launcher.status.state == "waiting"
    assert served.launcher.reasons() == ["waiting"]

    publish_adapter(served.volume, base.path, "m1", golden=[golden_prompt()])
    write_current(served.volume, 1, {1: "m1"}, alias=1)
    status = await served.ready()
    assert (status.base, status.aliases) == ("starter", {"tonesmith": "tonesmith.v1"})
    assert (await served.chat("tonesmith")).json()["model"] == "tonesmith.v1"
    secret = served.settings.state_dir / "gate.json"
    assert secret.stat().st_mode & 0o077 == 0

    served.volume.current_path.write_text('{"schema_version": 99}')
    status = await served.wait(lambda status: "current.json" in status.errors)
    assert status.state == "ready"
    assert (await served.chat("base")).status_code == 200

    tiny_base(models_dir / "other")
    write_current(served.volume, 2, {}, base="other")
    status = await served.wait(lambda status: status.base == "other" and status.state == "ready")
    assert (status.generation, status.loaded, status.aliases) == (2, [], {})
    await served.launcher.drain()
    assert served.launcher.child is None
    assert not secret.exists()


async def test_killed_engine_is_started_again_and_serves_the_same(
    served: Served, base: Base
) -> None:
    """The reason is shown; the adapter comes back; counts and state are in the metrics."""
    publish_adapter(served.volume, base.path, "m1")
    write_current(served.volume, 1, {1: "m1"}, alias=1)
    served.launcher.start()
    before = await served.ready()
    assert served.launcher.child
    await served.launcher.child.kill()
    await served.wait(lambda status: "code -9" in status.errors.get("engine", ""))
    after = await served.ready()
    assert (after.errors, after.loaded, after.aliases) == ({}, before.loaded, before.aliases)
    await served.chat("tonesmith")
    asked = 'serving_requests_total{model="tonesmith",status="200"}'
    async with asyncio.timeout(60):  # the launcher fetches the counts from the gate
        while asked not in (text := generate_latest(served.registry).decode()):  # noqa: ASYNC110
            await asyncio.sleep(POLL)
    assert f"{asked} 1.0" in text
    assert 'serving_state{state="ready"} 1.0' in text
    assert "serving_engine_starts_total 2.0" in text


async def test_hung_engine_is_killed_and_started_again(served: Served) -> None:
    """It runs but does not answer: not ready at once, and after the limit a new start."""
    write_current(served.volume, 1, {})
    served.launcher.start()
    await served.ready()
    assert served.launcher.child
    assert served.launcher.sync
    hung = served.launcher.child
    served.launcher.sync.backend.client.timeout = httpx.Timeout(0.05)
    hung.process.send_signal(19)  # SIGSTOP
    await served.wait(lambda status: "does not answer" in status.errors.get("engine", ""))
    await served.wait(lambda status: "did not answer" in status.errors.get("engine", ""))
    await served.ready()
    assert hung.exited
    assert served.launcher.child is not hung


async def test_key_that_cannot_be_read_is_told_and_tried_again(
    tmp_path: Path, models_dir: Path
) -> None:
    """The launcher goes on: the engine starts as soon as the key is there."""
    key = tmp_path / "key"
    async with Served(tmp_path, models_dir, fake_engine(tmp_path)) as served:
        served.launcher.settings = served.settings.model_copy(update={"api_key_file": key})
        write_current(served.volume, 1, {})
        served.launcher.start()
        status = await served.wait(lambda status: status.state == "failed")
        assert str(key) in status.errors["engine"]
        key.write_text("a-key")
        await served.ready()


async def test_start_fails_with_the_engines_own_words(tmp_path: Path, models_dir: Path) -> None:
    """A base that is not there, an engine that ends at once, and none at all are explained."""
    words = "ValueError: no room for the cache"
    engine = fake_engine(tmp_path, FAKE_VLLM_FAIL=json.dumps(words))
    async with Served(tmp_path, models_dir, engine) as served:
        write_current(served.volume, 1, {}, base="missing")
        served.launcher.start()
        status = await served.wait(lambda status: status.state == "failed")
        assert "'missing'" in status.errors["engine"]
        write_current(served.volume, 2, {})
        await served.wait(lambda status: words in status.errors.get("engine", ""))
        engine.unlink()
        status = await served.wait(lambda status: "No such file" in status.errors.get("engine", ""))
    assert served.launcher.reasons() == [status.errors["engine"]]
