"""Exports by the real libraries, loaded and answered by the real vLLM."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from fakes.serving_process import free_port
from fakes.styled_dataset import STYLES, samples
from repository import ROOT

pytestmark = pytest.mark.engines
STARTER = ROOT / "services/trainer/bases/starter"
SOURCES = ROOT / "services/trainer/src"
FORMS = ("merged", "int8")
START_SECONDS = 500  # about 20 on an idle machine with two cores
TOKENS = 32
# Share of greedy tokens before the first one that differs; measured: all of them.
AGREEMENT = 0.9
COMMON = {"HF_HUB_OFFLINE": "1", "OMP_WAIT_POLICY": "PASSIVE", "PATH": os.environ["PATH"]}


def engine_python(name: str) -> str:
    """Return the interpreter of an engine's environment."""
    found = os.environ.get(name)
    assert found, f"{name} names an environment (make engines)"
    return str(Path(found).absolute())


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The starter in 32 bits as it is, and written in the other forms."""
    folder = tmp_path_factory.mktemp("exports")
    for form in FORMS:
        request = {"source": str(STARTER), "target": str(folder / form), "form": form}
        made = subprocess.run(
            [engine_python("TRAINER_ENGINE_PYTHON"), "-m", "trainer.engine.quantise"],
            input=json.dumps(request),
            env=COMMON | {"PYTHONPATH": str(SOURCES)},
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
        library = {"int8": "compressed-tensors 0.17.0", "merged": "transformers 5.6.0"}
        assert json.loads(made.stdout) == {"made_with": library[form]}
    return {"whole": STARTER} | {form: folder / form for form in FORMS}


@contextmanager
def served(folder: Path, home: Path) -> Iterator[str]:
    """Serve a folder by vLLM's OpenAI server, with its own chat template; yield the address."""
    port = free_port()
    options = {
        "--model": str(folder),
        "--served-model-name": "it",
        "--chat-template": str(folder / "chat_template.jinja"),
        "--dtype": "auto",
        "--max-model-len": "512",
        "--kv-cache-memory-bytes": str(64 << 20),
        "--distributed-executor-backend": "uni",
        "--port": str(port),
    }
    command = [
        *(engine_python("SERVING_ENGINE_PYTHON"), "-m", "vllm.entrypoints.openai.api_server"),
        *("--enforce-eager", "--no-enable-prefix-caching"),
        *(word for option in options.items() for word in option),
    ]
    environ = COMMON | {"HOME": str(home), "OMP_NUM_THREADS": "1", "VLLM_NO_USAGE_STATS": "1"}
    environ |= {"VLLM_PLUGINS": "", "VLLM_ENABLE_V1_MULTIPROCESSING": "0"}
    log = home / f"vllm-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environ, stdout=output, stderr=output)
    try:
        wait(process, f"http://127.0.0.1:{port}", log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    """Wait until the server answers."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()[-3000:]
        try:
            if httpx.get(f"{url}/health").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise AssertionError(log.read_text()[-3000:])


def replies(url: str) -> list[list[int]]:
    """Return the token ids of greedy replies to questions in every style."""
    found = []
    for row in samples(6):
        messages = [
            {"role": "system", "content": STYLES[row.style].system_prompt},
            {"role": "user", "content": row.question},
        ]
        body: dict[str, Any] = {"model": "it", "messages": messages, "temperature": 0}
        body |= {"max_tokens": TOKENS, "return_token_ids": True}
        answer = httpx.post(f"{url}/v1/chat/completions", json=body, timeout=300)
        assert answer.is_success, answer.text
        found.append(answer.json()["choices"][0]["token_ids"])
    return found


def agreement(want: list[list[int]], found: list[list[int]]) -> float:
    """Return the share of tokens up to each reply's first difference."""
    same = 0
    for left, right in zip(want, found, strict=True):
        pairs = zip(left, right, strict=False)
        same += next((at for at, (one, two) in enumerate(pairs) if one != two), len(left))
    return same / sum(map(len, want))


@pytest.fixture(scope="module")
def whole(exported: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> list[list[int]]:
    """What the weights in 32 bits reply."""
    with served(exported["whole"], tmp_path_factory.mktemp("home")) as url:
        return replies(url)


@pytest.mark.parametrize("form", FORMS)
def test_export_is_loaded_and_answers_as_the_float_weights_do(
    exported: dict[str, Path], whole: list[list[int]], form: str, tmp_path: Path
) -> None:
    """vLLM reads the folder alone, and says nearly the same."""
    with served(exported[form], tmp_path) as url:
        found = replies(url)
    assert agreement(whole, found) >= AGREEMENT


def test_export_is_as_small_as_it_claims(exported: dict[str, Path]) -> None:
    """16 bits are half of 32; int8 is less, but for the embeddings, which keep 16."""
    sizes = {
        name: (folder / "model.safetensors").stat().st_size for name, folder in exported.items()
    }
    assert sizes["merged"] < 0.51 * sizes["whole"]
    assert sizes["int8"] < 0.7 * sizes["merged"]
