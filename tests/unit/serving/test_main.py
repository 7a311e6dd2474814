"""The process: signals, exit codes and misspelt settings."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest

from fakes.published import write_current
from fakes.serving_process import ServingProcess, fake_engine, until


def test_misspelt_setting_ends_with_2(tmp_path: Path) -> None:
    """The variable is named before anything starts."""
    paths = os.pathsep.join(sys.path)
    env = {"PYTHONPATH": paths, "SERVING_PROT": "1"}
    made = subprocess.run([sys.executable, "-m", "serving"], env=env, capture_output=True)
    assert made.returncode == 2
    assert b"SERVING_PROT" in made.stderr


@pytest.mark.parametrize("content", [None, " \n"])
def test_token_that_did_not_arrive_ends_with_2(tmp_path: Path, content: str | None) -> None:
    """Without its secret the control port must not be open; the file is named."""
    secret = tmp_path / "api_token"
    if content is not None:
        secret.write_text(content)
    env = {"PYTHONPATH": os.pathsep.join(sys.path), "API_TOKEN_FILE": str(secret)}
    made = subprocess.run([sys.executable, "-m", "serving"], env=env, capture_output=True)
    assert made.returncode == 2
    assert b"api_token" in made.stderr
    assert b"Traceback" not in made.stderr


def test_open_streams_end_whole_when_told_to_stop(tmp_path: Path, models_dir: Path) -> None:
    """SIGTERM: not ready, new requests 503 with Retry-After, streams complete, exit code 0."""
    (hold := tmp_path / "hold").touch()
    engine = fake_engine(tmp_path, FAKE_VLLM_HOLD=str(hold))
    serving = ServingProcess(tmp_path, engine, models_dir, SERVING_SHUTDOWN_SECONDS="120")
    write_current(serving.volume, 1, {})
    serving.start()
    serving.ready()
    ends: list[str] = []

    def stream() -> None:
        answer = serving.chat("base", "a long message", stream=True, max_tokens=12)
        ends.append(answer.text.strip()[-6:])

    clients = [threading.Thread(target=stream) for _ in range(3)]
    for client in clients:
        client.start()
    state = f"{serving.url}/internal/inflight"
    until(lambda: httpx.get(state, headers=serving.token()).json()["inflight"].get("base") == 3, 60)
    assert serving.process
    serving.process.send_signal(signal.SIGTERM)
    serving.wait(lambda status: status.state == "draining", 60)
    # The engine hears of it a moment after the launcher has said so.
    refused = until(lambda: refusal(serving), 60)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert httpx.get(f"{serving.control_url}/ready").status_code == 503
    assert ends == []
    hold.unlink()
    for client in clients:
        client.join()
    assert ends == ["[DONE]"] * 3
    assert serving.process.wait(60) == 0


def refusal(serving: ServingProcess) -> httpx.Response | None:
    """Ask for a reply; return the answer where it is no reply."""
    answer = serving.chat("base")
    return None if answer.status_code == 200 else answer
