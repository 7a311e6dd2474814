"""The door to the Docker Engine: what it tells, and why it does not answer."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.docker_engine import FakeDockerEngine
from tonesmith.docker.engine import Engine, connect
from tonesmith.docker.failures import EngineError


@pytest.fixture
def engine(docker: FakeDockerEngine) -> Iterator[Engine]:
    with connect({"DOCKER_HOST": docker.host}) as found:
        yield found


def test_containers_of_a_project_are_told_with_health_and_ports(
    docker: FakeDockerEngine, engine: Engine
) -> None:
    """Those of other projects are left out; a stopped one has no health."""
    port = {"IP": "127.0.0.1", "PrivatePort": 7860, "PublicPort": 17860}
    docker.add("mine", "ui", Ports=[port, {"PrivatePort": 9}])
    docker.add("mine", "trainer", state="exited")
    docker.add("other", "ui")
    page, trainer = engine.containers("mine")
    assert (page.running, page.health, page.ports) == (
        True,
        "healthy",
        {7860: ("127.0.0.1", 17860)},
    )
    assert (trainer.running, trainer.health, trainer.project) == (False, None, "mine")
    assert len(engine.containers()) == 3


def test_images_are_asked_for_here_and_at_the_registry(
    docker: FakeDockerEngine, engine: Engine
) -> None:
    """A registry that refuses, and one that is not reached, give nothing."""
    docker.images, docker.registry = {"python:3.11"}, {"vllm:1"}
    assert (engine.has_image("python:3.11"), engine.has_image("vllm:1")) == (True, False)
    assert (engine.offered("vllm:1"), engine.offered("python:3.11")) == (True, False)


def test_volumes_of_a_project_are_listed(docker: FakeDockerEngine, engine: Engine) -> None:
    """By label, which compose sets."""
    docker.volumes = ["mine_data", "other_data"]
    assert engine.volumes("mine") == ["mine_data"]
    assert engine.volumes() == ["mine_data", "other_data"]


def test_output_of_a_program_is_returned_or_its_failure_told(
    docker: FakeDockerEngine, engine: Engine
) -> None:
    """What it wrote to standard error is the reason."""
    docker.add("mine", "ui")
    assert engine.output("mine-ui-1", ["echo", "hello"]) == "hello\n"
    with pytest.raises(EngineError, match="cat failed in the container: .*No such file"):
        engine.output("mine-ui-1", ["cat", "/nowhere/key"])


def test_throw_away_container_can_do_nothing_and_is_removed(
    docker: FakeDockerEngine, engine: Engine
) -> None:
    """No network, no capabilities, nothing to write but the volume; gone afterwards."""
    docker.prints["10001:0"] = "hello"
    assert engine.run("image", ["sh", "-c", "x"], user="10001:0", volumes=["v"]) == "hello"
    (made,) = docker.created
    host = made["HostConfig"]
    assert (host["NetworkMode"], host["CapDrop"], host["ReadonlyRootfs"]) == ("none", ["ALL"], True)
    assert [(mount["Source"], mount["Target"]) for mount in host["Mounts"]] == [("v", "/v/v")]
    assert made["removed"]


def test_refusal_of_the_engine_is_told_in_its_words(engine: Engine) -> None:
    """A container that has stopped meanwhile."""
    with pytest.raises(EngineError, match="container gone is not running"):
        engine.attach("gone", ["true"])


def test_missing_socket_names_the_address_and_the_way_out(tmp_path: Path) -> None:
    """The address is the one that was tried."""
    host = f"unix://{tmp_path}/none.sock"
    with pytest.raises(EngineError, match=f"no Docker Engine at {host}") as raised:
        connect({"DOCKER_HOST": host})
    assert "DOCKER_HOST" in (raised.value.body.hint or "")


def test_closed_port_is_no_engine() -> None:
    """An engine over TCP that is not there is told in the same way."""
    with pytest.raises(EngineError, match="no Docker Engine at tcp://127.0.0.1:1"):
        connect({"DOCKER_HOST": "tcp://127.0.0.1:1"})


def test_engine_behind_ssh_is_forwarded_by_hand() -> None:
    """The SDK would need another package; ssh itself can do it."""
    with pytest.raises(EngineError) as raised:
        connect({"DOCKER_HOST": "ssh://me@there"})
    assert "ssh -nNT -L" in (raised.value.body.hint or "")
    assert "me@there" in (raised.value.body.hint or "")


def test_current_context_is_followed_like_the_docker_command_does(
    docker: FakeDockerEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Docker Desktop is such a context; DOCKER_HOST would win."""
    name = "desktop"
    digest = hashlib.sha256(name.encode()).hexdigest()
    meta = tmp_path / "config" / "contexts" / "meta" / digest / "meta.json"
    meta.parent.mkdir(parents=True)
    endpoints = {"docker": {"Host": docker.host, "SkipTLSVerify": False}}
    meta.write_text(json.dumps({"Name": name, "Metadata": {}, "Endpoints": endpoints}))
    (tmp_path / "config" / "config.json").write_text(json.dumps({"currentContext": name}))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "config"))
    with connect({}) as engine:
        assert engine.host == docker.host
