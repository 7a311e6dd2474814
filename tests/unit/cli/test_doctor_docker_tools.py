"""The engine and the plugins of the `docker` command."""

import subprocess

import pytest

from tonesmith.docker.failures import EngineError
from tonesmith.doctor.docker_tools import (
    buildx_plugin,
    compose_plugin,
    engine_found,
    engine_missing,
)


def fails(command: list[str]) -> str:
    """A program that is not there."""
    raise FileNotFoundError(2, "No such file", command[0])


def refuses(command: list[str]) -> str:
    """A docker command without the plugin."""
    raise subprocess.CalledProcessError(1, command)


@pytest.mark.parametrize(
    ("api", "level"), [("1.41", "ok"), ("1.51", "ok"), ("1.40", "error"), ("2.0", "ok")]
)
def test_engine_has_to_be_new_enough(api: str, level: str) -> None:
    """Docker Engine 20.10 is the oldest."""
    assert engine_found({"Version": "x", "ApiVersion": api}).level == level


def test_engine_that_does_not_answer_has_a_remedy() -> None:
    """The engine's own hint, where there is one."""
    found = engine_missing(EngineError("no Docker Engine at x", hint="start it"))
    assert (found.level, found.remedy) == ("error", "start it")
    assert engine_missing(EngineError("refused")).remedy


@pytest.mark.parametrize(
    ("version", "level"),
    [("2.26.1-4", "ok"), ("v2.20.0", "ok"), ("5.0.1", "ok"), ("2.19.9", "error"), ("", "error")],
)
def test_compose_has_to_be_new_enough(version: str, level: str) -> None:
    """2.20 is the oldest; its way of writing a version differs by distribution."""
    found = compose_plugin(lambda _: f"{version}\n")
    assert found.level == level
    assert found.level == "ok" or "install the plugin" in found.remedy


@pytest.mark.parametrize("run", [fails, refuses])
def test_missing_plugins_name_their_packages(run: object) -> None:
    """Without compose nothing starts; without buildx what is built still does."""
    assert callable(run)
    compose, buildx = compose_plugin(run), buildx_plugin(run)
    assert (compose.level, buildx.level) == ("error", "warning")
    assert "docker-compose-plugin" in compose.remedy
    assert "docker-buildx-plugin" in buildx.remedy


def test_version_of_buildx_is_told() -> None:
    """It prints its repository first."""
    assert buildx_plugin(lambda _: "github.com/docker/buildx 0.13.1 x").detail == "0.13.1"
