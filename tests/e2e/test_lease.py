"""One GPU, two tenants: the real vLLM gives way to the real LLaMA-Factory, and comes back."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from fastapi.testclient import TestClient

from contracts.artefact import ServingStatus
from contracts.job import JobState
from contracts.lease import Lease
from fakes.published import write_current
from fakes.serving_process import ServingProcess, until
from fakes.trainer_app import follow
from fakes.training import DATASET, expect_whole_run, publish_rows
from repository import ROOT
from trainer.app import create_app
from trainer.config import Settings

pytestmark = pytest.mark.engines
BASES = ROOT / "services/trainer/bases"
START_SECONDS = 500  # about 20 on an idle machine with two cores
BACK_SECONDS = 90
GRANT_SECONDS = 60
HEADERS = {"Authorization": "Bearer lease-token"}


def interpreter(name: str) -> Path:
    """Return the interpreter of an engine's environment."""
    found = os.environ.get(name)
    assert found, f"{name} names an engine's environment (make engines)"
    return Path(found).absolute()


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServingProcess]:
    """A launcher with the real engine on the starter, and a token on its control port."""
    folder = tmp_path_factory.mktemp("lease")
    token = folder / "token"
    token.write_text("lease-token")
    engine = interpreter("SERVING_ENGINE_PYTHON")
    made = ServingProcess(folder, engine, BASES, API_TOKEN_FILE=str(token))
    write_current(made.volume, 0, {})
    made.start()
    try:
        made.ready(START_SECONDS)
        yield made
    finally:
        if made.process and made.process.poll() is None:
            made.stop()


def take(serving: ServingProcess, holder: str, ttl_seconds: float) -> Lease:
    """Ask for the GPU and return the lease once it is granted."""
    url = f"{serving.control_url}/lease"
    wish = {"holder": holder, "ttl_seconds": ttl_seconds}
    asked = httpx.post(url, json=wish, headers=HEADERS)
    assert asked.status_code == 202, asked.text
    assert asked.json()["state"] == "draining"

    def granted() -> Lease | None:
        lease = Lease.model_validate_json(httpx.get(url).content)
        return lease if lease.state == "granted" else None

    return until(granted, GRANT_SECONDS, serving.log_tail)


def engine_processes(serving: ServingProcess) -> list[psutil.Process]:
    """Return every process below the launcher."""
    assert serving.process
    return psutil.Process(serving.process.pid).children(recursive=True)


def back(status: ServingStatus) -> bool:
    """Whether it serves and nobody holds a lease."""
    return status.state == "ready" and status.lease is None


def test_no_process_is_left_while_lent_and_the_same_is_served_afterwards(
    serving: ServingProcess,
) -> None:
    """The port says that a run has the GPU; the launcher stays healthy, and not ready."""
    before = serving.chat("base").json()["choices"][0]["message"]["content"]
    assert httpx.post(f"{serving.control_url}/lease", json={"holder": "r"}).status_code == 401
    began = time.monotonic()
    lease = take(serving, "run-1", 30)
    granted_after = time.monotonic() - began
    assert not engine_processes(serving)
    refused = serving.chat("base")
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "training")
    assert int(refused.headers["retry-after"]) > 0
    assert httpx.get(f"{serving.control_url}/health").status_code == 200
    ready = httpx.get(f"{serving.control_url}/ready")
    assert (ready.status_code, ready.json()["reasons"]) == (503, ["lent to run-1"])
    assert serving.status().state == "lent"

    began = time.monotonic()
    gone = httpx.delete(f"{serving.control_url}/lease/{lease.id}", headers=HEADERS)
    assert gone.status_code == 204
    serving.wait(back, BACK_SECONDS)
    seconds = {"granted after": granted_after, "ready after": time.monotonic() - began}
    (serving.state_dir / "lease.json").write_text(json.dumps(seconds))
    assert serving.chat("base").json()["choices"][0]["message"]["content"] == before


def test_lease_without_heartbeat_gives_the_gpu_back(serving: ServingProcess) -> None:
    """A trainer that died costs one life of its lease and one start."""
    lease = take(serving, "run-2", 2)
    serving.wait(back, BACK_SECONDS)
    late = httpx.put(f"{serving.control_url}/lease/{lease.id}", headers=HEADERS)
    assert late.status_code == 404
    assert serving.chat("base").status_code == 200


def test_run_takes_the_gpu_and_its_model_is_served_afterwards(serving: ServingProcess) -> None:
    """Nothing is served while LLaMA-Factory trains, exports and compares; then the new model is."""
    settings = Settings(
        data_dir=serving.volume.root,
        state_dir=serving.state_dir / "trainer",
        models_dir=BASES,
        engine_python=interpreter("TRAINER_ENGINE_PYTHON"),
        api_token_file=Path(serving.env["API_TOKEN_FILE"]),
        serving_control_url=serving.control_url,
        exclusive=True,
        lease_ttl_seconds=6,
        reserve_bytes=0,
        reply_tokens=12,
    )
    publish_rows(serving.volume)
    seen = []
    app = create_app(settings, {"PATH": os.environ["PATH"]})
    with TestClient(app, headers=HEADERS) as client:
        body = {"dataset_id": DATASET, "overrides": {"max_steps": 6, "save_steps": 3}}
        run = client.post("/runs", json=body).json()["id"]
        while (job := client.get(f"/runs/jobs/{run}").json())["state"] in ("queued", "running"):
            status = serving.status()
            seen.append((job["progress"]["stage"], status.state, len(engine_processes(serving))))
            time.sleep(0.2)
        assert job["state"] == JobState.DONE, job["error"]
        expect_whole_run(serving.volume, run)
        # The two questions are asked one after the other: at the edges they may not agree.
        working = [each for each in seen if each[0] in ("train", "export")]
        assert len(working) > 3
        assert set(working[1:-1]) <= {("train", "lent", 0), ("export", "lent", 0)}
        assert "waiting for the GPU" in {stage for stage, _, _ in seen}
        promotion = client.post(f"/models/{run}/promote").json()["id"]
        assert follow(client, f"/promotions/jobs/{promotion}").state is JobState.DONE
    status = serving.wait(lambda status: back(status) and bool(status.aliases), BACK_SECONDS)
    assert status.errors == {}
    assert serving.chat("tonesmith").status_code == 200
