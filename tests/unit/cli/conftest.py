"""Call the command line in process, against the fake services."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fakes.docker_engine import FakeDockerEngine, docker_engine
from fakes.tonesmith_services import FakeServices
from tonesmith.app import run


@dataclass(frozen=True)
class Called:
    """How a command ended and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


Call = Callable[..., Called]
# A test never meets the engine of the machine that it runs on.
NO_ENGINE = {"DOCKER_HOST": "unix:///nowhere/docker.sock"}


@pytest.fixture
def fake() -> FakeServices:
    """The services behind the command line."""
    return FakeServices()


@pytest.fixture
def docker(tmp_path: Path) -> Iterator[FakeDockerEngine]:
    """A Docker Engine; who shall meet it gets its `host` as DOCKER_HOST."""
    with docker_engine(tmp_path) as found:
        yield found


@pytest.fixture
def call(
    fake: FakeServices,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Call:
    """Run a command in an empty folder, without an engine; keywords are environment variables."""
    monkeypatch.chdir(tmp_path)

    def run_command(*arguments: str, **environ: str) -> Called:
        code = run(arguments, environ=NO_ENGINE | environ, transport=fake.transport)
        written = capsys.readouterr()
        return Called(code, written.out, written.err)

    return run_command
