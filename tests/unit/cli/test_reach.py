"""Where the services answer, and in which order that is found out."""

from collections.abc import Callable
from contextlib import closing

import pytest

from client import ServiceDownError
from fakes.docker_engine import FakeDockerEngine
from tonesmith.config import CliSettings
from tonesmith.docker.project import Project, find_project
from tonesmith.reach import Address, Reach, listens
from tonesmith.stack.ports import any_free

USUAL = "http://127.0.0.1:8001"


@pytest.fixture
def find(docker: FakeDockerEngine) -> Callable[[], Project | None]:
    """How the compose project is looked for."""
    return lambda: find_project({"DOCKER_HOST": docker.host}, "mine")


def nobody(_: str) -> bool:
    """Nobody listens anywhere."""
    return False


def never() -> Project | None:
    """Looking for a project would be wrong here."""
    raise AssertionError("looked for containers")


def test_address_of_the_user_wins() -> None:
    """Whether somebody answers there is the user's business."""
    settings = CliSettings(datagen_url="http://elsewhere:9")
    assert Reach(settings, never, nobody).address("datagen_url") == Address(
        "http://elsewhere:9", "http://elsewhere:9"
    )


def test_program_at_the_usual_port_comes_before_containers() -> None:
    """The embedded stack is found without asking an engine."""
    reach = Reach(CliSettings(), never, lambda url: url == USUAL)
    assert reach.address("datagen_url") == Address(USUAL, USUAL)


def test_program_is_looked_for_where_it_is_expected() -> None:
    """Not at the usual port, where somebody else's stack may listen; an address set wins."""
    local = {"datagen_url": "http://127.0.0.1:9001", "ui_url": "http://127.0.0.1:9002"}
    reach = Reach(CliSettings(), never, lambda url: url in local.values(), local)
    assert reach.address("datagen_url").url == local["datagen_url"]
    assert reach.address("ui_url").url == local["ui_url"]
    told = CliSettings(datagen_url=USUAL)
    assert Reach(told, never, lambda _: True, local).address("datagen_url").url == USUAL


def test_containers_are_found_where_nobody_listens_at_the_expected_port(
    docker: FakeDockerEngine, find: Callable[[], Project | None]
) -> None:
    """A port in `.env` is for local processes; containers do not publish it."""
    docker.add("mine", "ui")
    local = {"datagen_url": "http://127.0.0.1:9001"}
    with closing(Reach(CliSettings(), find, nobody, local)) as reach:
        assert reach.address("datagen_url").shown == "datagen:8001 in mine"


def test_running_project_is_reached_by_a_relay(
    docker: FakeDockerEngine, find: Callable[[], Project | None]
) -> None:
    """People read the name inside; the client gets a port of this machine."""
    docker.add("mine", "ui")
    with closing(Reach(CliSettings(), find, nobody)) as reach:
        found = reach.address("serving_control_url")
        assert (found.shown, found.relayed) == ("serving:8010 in mine", True)
        assert listens(found.url)
        assert reach.address("serving_control_url") is found
    assert not listens(found.url)


@pytest.mark.parametrize("state", ["exited", "restarting"])
def test_project_that_does_not_run_is_not_reached(
    docker: FakeDockerEngine, find: Callable[[], Project | None], state: str
) -> None:
    """The usual address stays, where nobody answers; its container is told all the same."""
    docker.add("mine", "ui", state=state)
    with closing(Reach(CliSettings(), find, nobody)) as reach:
        assert reach.address("datagen_url") == Address(USUAL, USUAL)
        found = reach.container("ui")
    assert found
    assert found.state == state


def test_without_an_engine_nothing_changes() -> None:
    """A machine without Docker, or a user who may not use it."""
    environ = {"DOCKER_HOST": "unix:///nowhere/docker.sock"}
    reach = Reach(CliSettings(), lambda: find_project(environ, "mine"), nobody)
    assert reach.address("datagen_url") == Address(USUAL, USUAL)
    assert reach.container("ui") is None


def test_page_is_where_the_containers_publish_it(
    docker: FakeDockerEngine, find: Callable[[], Project | None]
) -> None:
    """At its own port, also where the usual one belongs to somebody else; else by a relay."""
    port = {"IP": "0.0.0.0", "PrivatePort": 7860, "PublicPort": 17860}
    docker.add("mine", "ui", Ports=[port])
    url = "http://127.0.0.1:17860"
    usual = "http://127.0.0.1:7860"
    with closing(Reach(CliSettings(), find, lambda at: at in (url, usual))) as reach:
        assert reach.address("ui_url") == Address(url, url)
    with closing(Reach(CliSettings(), find, nobody)) as reach:
        assert reach.address("ui_url").shown == "127.0.0.1:7860 in mine"


def test_page_of_the_embedded_stack_is_at_its_port() -> None:
    """The setting names it."""
    reach = Reach(CliSettings(ui_port=7), never, lambda _: True)
    assert reach.address("ui_url").url == "http://127.0.0.1:7"


def test_failure_behind_a_relay_names_the_service(
    docker: FakeDockerEngine, find: Callable[[], Project | None]
) -> None:
    """Not the port of this machine, and with the reason from inside."""
    docker.add("mine", "ui")
    with closing(Reach(CliSettings(), find, nobody)) as reach:
        url = reach.address("trainer_url").url
        assert reach.project
        reach.project.forward("trainer:8002").failure = "connection refused"
        told = reach.explained(ServiceDownError(url, "broken"))
        assert str(told) == "nobody answers at trainer:8002 in mine (connection refused)"
        other = ServiceDownError("http://elsewhere", "broken")
        assert reach.explained(other) is other


def test_listening_is_tried() -> None:
    """A free port is one where nobody does."""
    assert not listens(f"http://127.0.0.1:{any_free()}")
    assert not listens("http://name.invalid:1")
