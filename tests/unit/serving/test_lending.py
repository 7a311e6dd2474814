"""The launcher lends the GPU, whatever it was about to do, and takes it back."""

import asyncio
import time
from pathlib import Path

import httpx
import psutil
import pytest
from prometheus_client import generate_latest

from contracts.lease import Lease, LeaseRequest
from fakes.launched import POLL, Served
from fakes.published import publish_adapter, tiny_base, write_current
from fakes.serving_process import fake_engine
from kit.errors import UnavailableError
from serving.bases import Base
from serving.errors import LeaseHeldError

WISH = LeaseRequest(holder="run-1", ttl_seconds=30)


async def lent(served: Served, wish: LeaseRequest = WISH) -> Lease:
    """Ask for the GPU and return the lease once it is granted."""
    await served.launcher.lend_to(wish)
    async with asyncio.timeout(60):
        while True:
            lease = served.launcher.leases.held()
            assert lease
            if lease.state == "granted":
                return lease
            await asyncio.sleep(POLL)


def engine_processes() -> list[psutil.Process]:
    """Return every process below this one."""
    return psutil.Process().children(recursive=True)


async def test_engine_is_gone_while_lent_and_serves_the_same_afterwards(
    served: Served, base: Base
) -> None:
    """Not ready, 503 on the port, no process; then the newest document, adapters included."""
    publish_adapter(served.volume, base.path, "m1")
    publish_adapter(served.volume, base.path, "m2")
    write_current(served.volume, 1, {1: "m1"}, alias=1)
    served.launcher.start()
    await served.ready()
    asked = await served.launcher.lend_to(WISH)
    assert asked.state == "draining"
    assert served.launcher.reasons() == ["lent to run-1"]
    lease = await lent(served)
    assert lease.id == asked.id
    assert not engine_processes()
    status = served.launcher.status
    assert (status.state, status.lease, status.loaded) == ("lent", lease, [])
    answer = await served.chat("tonesmith")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "training")

    write_current(served.volume, 2, {1: "m1", 2: "m2"}, alias=2)
    await asyncio.sleep(5 * POLL)
    assert served.launcher.status.state == "lent"
    served.launcher.leases.end(lease.id)
    status = await served.ready()
    assert (status.aliases, status.lease) == ({"tonesmith": "tonesmith.v2"}, None)
    assert (await served.chat("tonesmith")).json()["model"] == "tonesmith.v2"
    text = generate_latest(served.registry).decode()
    assert 'serving_leases_total{outcome="granted"} 1.0' in text
    assert 'serving_leases_total{outcome="ended"} 1.0' in text
    assert 'serving_state{state="lent"} 0.0' in text


async def test_open_stream_ends_whole_before_the_grant(tmp_path: Path, models_dir: Path) -> None:
    """New requests get 503 meanwhile, and the lease says that serving drains."""
    (hold := tmp_path / "hold").touch()
    engine = fake_engine(tmp_path, FAKE_VLLM_HOLD=str(hold))
    async with Served(tmp_path, models_dir, engine) as served:
        write_current(served.volume, 1, {})
        served.launcher.start()
        await served.ready()
        body = {"model": "base", "stream": True, "max_tokens": 16}
        body |= {"messages": [{"role": "user", "content": "a long message"}]}
        open_stream = asyncio.create_task(served.client.post("/v1/chat/completions", json=body))
        assert served.launcher.sync
        while not (await served.launcher.sync.backend.state())["inflight"]:
            pass
        assert (await served.launcher.lend_to(WISH)).state == "draining"
        await served.wait(lambda status: status.state == "draining")
        while (refused := await served.chat("base")).status_code == 200:
            pass
        assert refused.json()["error"]["code"] == "draining"
        assert not open_stream.done()
        hold.unlink()
        await lent(served)
        assert open_stream.done()
        assert open_stream.result().text.strip().endswith("[DONE]")


async def test_engine_that_still_starts_is_stopped_at_once(
    tmp_path: Path, models_dir: Path
) -> None:
    """Nobody waits for its answer, so it gets no time to drain."""
    async with Served(
        tmp_path, models_dir, fake_engine(tmp_path, FAKE_VLLM_START_SECONDS="600")
    ) as served:
        write_current(served.volume, 1, {})
        served.launcher.start()
        await served.wait(lambda status: status.state == "starting")
        began = time.monotonic()
        await lent(served)
        assert time.monotonic() - began < 30
        assert not engine_processes()


async def test_gpu_is_lent_at_once_where_nothing_is_served(served: Served) -> None:
    """Without a model the first answer is the grant; afterwards it waits for a model again."""
    served.launcher.start()
    await asyncio.sleep(3 * POLL)
    lease = await served.launcher.lend_to(WISH)
    assert lease.state == "granted"
    assert (await served.chat("base")).status_code == 503
    write_current(served.volume, 1, {})
    await asyncio.sleep(5 * POLL)
    assert served.launcher.status.state == "lent"
    served.volume.current_path.unlink()
    served.launcher.leases.end(lease.id)
    await served.wait(lambda status: status.state == "waiting")
    write_current(served.volume, 1, {})
    await served.ready()


async def test_failed_engine_is_tried_at_once_after_the_lease(
    tmp_path: Path, models_dir: Path
) -> None:
    """A lease ends the pause between two tries, and its own reason is shown meanwhile."""
    engine = fake_engine(tmp_path, FAKE_VLLM_FAIL="no memory")
    async with Served(tmp_path, models_dir, engine) as served:
        write_current(served.volume, 1, {})
        served.launcher.start()
        await served.wait(lambda status: status.state == "failed")
        served.launcher.not_before += 1000
        lease = await served.launcher.lend_to(WISH)
        assert lease.state == "granted"
        assert served.launcher.status.errors == {}
        fake_engine(tmp_path)
        served.launcher.leases.end(lease.id)
        await served.ready()


async def test_lease_without_heartbeat_gives_the_gpu_back(tmp_path: Path, models_dir: Path) -> None:
    """A dead trainer costs the chat one lease, no more; a heartbeat keeps the GPU lent."""
    ahead = [0.0]
    engine = fake_engine(tmp_path)
    async with Served(
        tmp_path, models_dir, engine, clock=lambda: time.monotonic() + ahead[0]
    ) as served:
        write_current(served.volume, 1, {})
        served.launcher.start()
        await served.ready()
        lease = await lent(served)
        for _ in range(3):
            ahead[0] += 20
            served.launcher.leases.renew(lease.id)
            await asyncio.sleep(3 * POLL)
            assert served.launcher.status.state == "lent"
        ahead[0] += 30
        assert served.launcher.status.lease is None
        await served.ready()
        assert (await served.chat("base")).status_code == 200


async def test_lease_that_ends_while_serving_drains_brings_the_engine_back(
    served: Served,
) -> None:
    """The drain is finished, and the engine starts again without a grant."""
    write_current(served.volume, 1, {})
    served.launcher.start()
    await served.ready()
    lease = await served.launcher.lend_to(WISH)
    await served.wait(lambda status: status.state != "ready")
    served.launcher.leases.end(lease.id)
    await served.ready()
    text = generate_latest(served.registry).decode()
    assert 'serving_leases_total{outcome="granted"} 0.0' in text


async def test_next_run_takes_over_without_a_start_in_between(served: Served) -> None:
    """The other holder is refused while the lease lasts, and granted at once after its end."""
    write_current(served.volume, 1, {})
    served.launcher.start()
    await served.ready()
    lease = await lent(served)
    other = LeaseRequest(holder="run-2")
    with pytest.raises(LeaseHeldError, match="run-1"):
        await served.launcher.lend_to(other)
    served.launcher.leases.end(lease.id)
    assert (await served.launcher.lend_to(other)).state == "granted"
    assert served.launcher.reasons() == ["lent to run-2"]


async def test_base_that_changes_meanwhile_is_served_afterwards(
    served: Served, models_dir: Path
) -> None:
    """The lease comes first, also before a change of the base."""
    write_current(served.volume, 1, {})
    served.launcher.start()
    await served.ready()
    tiny_base(models_dir / "other")
    write_current(served.volume, 2, {}, base="other")
    lease = await lent(served)
    assert not engine_processes()
    served.launcher.leases.end(lease.id)
    await served.wait(lambda status: status.base == "other" and status.state == "ready")


async def test_stopped_launcher_lends_nothing_and_frees_the_port(served: Served) -> None:
    """While it shuts down nobody can ask, and nobody answers on the engine's port."""
    served.launcher.start()
    await lent(served)
    await served.launcher.drain()
    with pytest.raises(UnavailableError):
        await served.launcher.lend_to(WISH)
    with pytest.raises(httpx.ConnectError):
        await served.chat("base")
