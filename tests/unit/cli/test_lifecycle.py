"""`tonesmith up --docker`, `down` and `logs`: what compose is asked to do."""

import io
from dataclasses import dataclass
from pathlib import Path

import pytest

from fakes.docker_command import FakeDockerCommand
from fakes.docker_engine import FakeDockerEngine
from tonesmith.docker.compose import profile_of
from tonesmith.doctor.nvidia import Hardware

from .conftest import Call, Called

GRAFANA = {"IP": "127.0.0.1", "PrivatePort": 3000, "PublicPort": 3100, "Type": "tcp"}
BOTH = "--profile cpu --profile gpu"


@dataclass
class Place:
    """The project's folder, with an engine and a docker command."""

    folder: Path
    docker: FakeDockerEngine
    command: FakeDockerCommand
    calling: Call

    def call(self, *arguments: str, **environ: str) -> Called:
        """Run a command."""
        found = {"DOCKER_HOST": self.docker.host, "PATH": self.command.path}
        return self.calling(*arguments, **(found | environ))

    @property
    def last(self) -> str:
        """The last call of docker, without the folder."""
        return self.command.calls[-1].partition(": ")[2]


@pytest.fixture
def place(
    call: Call, docker: FakeDockerEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Place:
    (tmp_path / "compose.yaml").touch()
    (tmp_path / "bin").mkdir()
    command = FakeDockerCommand(tmp_path / "bin")
    monkeypatch.setenv("PATH", command.path)
    # Whatever this machine has: here it has no GPU.
    monkeypatch.setattr("tonesmith.doctor.containers.hardware", lambda _: Hardware())
    return Place(tmp_path, docker, command, call)


def test_up_starts_waits_and_tells_where_everything_is(place: Place) -> None:
    """The page by its published port, the others by the commands."""
    port = {"IP": "127.0.0.1", "PrivatePort": 7860, "PublicPort": 17860}
    place.docker.add("tonesmith", "ui", Ports=[port])
    called = place.call("up", "--docker")
    assert called.code == 0
    assert place.last == "compose --project-name tonesmith up --detach --wait"
    assert "http://127.0.0.1:17860" in called.err
    assert "tonesmith status" in called.err


def test_profile_project_and_build_are_handed_on(place: Place) -> None:
    """Also from a folder below; the next step names the project."""
    place.docker.info["Runtimes"] = {"nvidia": {}}
    called = place.call("up", "--docker", "--profile", "gpu", "--build", "--project", "mine")
    assert place.last == ("compose --project-name mine --profile gpu up --detach --wait --build")
    assert "TONESMITH_PROJECT=mine tonesmith status" in called.err


def test_compose_file_is_found_from_below(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose runs in the folder of its file, so that it reads the right `.env`."""
    below = place.folder / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert place.call("up", "--docker").code == 0
    assert place.command.calls[-1].startswith(f"{place.folder}: ")


@pytest.mark.parametrize(
    ("arguments", "environ", "words"),
    [
        ((), {"DOCKER_HOST": "unix:///nowhere/docker.sock"}, "no Docker Engine at"),
        (("--profile", "gpu"), {}, "no NVIDIA runtime"),
    ],
)
def test_obstacle_is_told_as_the_doctor_does(
    place: Place, arguments: tuple[str, ...], environ: dict[str, str], words: str
) -> None:
    """Nothing is started."""
    called = place.call("up", "--docker", *arguments, **environ)
    assert called.code == 1
    assert words in called.err
    assert not [call for call in place.command.calls if " up " in call]


def test_folder_without_a_compose_file_is_named(place: Place) -> None:
    """The clone is where it lies."""
    (place.folder / "compose.yaml").unlink()
    called = place.call("up", "--docker")
    assert (called.code, "no compose.yaml here" in called.err) == (1, True)


def test_failure_of_compose_points_at_the_logs(place: Place) -> None:
    """What compose itself said stands above."""
    place.command.fails(17)
    called = place.call("up", "--docker")
    assert called.code == 1
    assert "exit code 17" in called.err
    assert "tonesmith logs" in called.err


@pytest.mark.parametrize("option", [("--build",), ("--profile", "cpu"), ("--project", "x")])
def test_options_of_containers_need_docker(place: Place, option: tuple[str, ...]) -> None:
    """Silently ignored options surprise."""
    called = place.call("up", *option)
    assert (called.code, "add --docker" in called.err) == (2, True)


def test_down_stops_the_containers_of_every_profile(place: Place) -> None:
    """Whichever was started; the volumes stay."""
    place.docker.add("tonesmith", "trainer-gpu", state="exited")
    assert place.call("down").code == 0
    assert place.last == f"compose --project-name tonesmith {BOTH} down"


def test_down_of_an_unknown_project_says_so(place: Place) -> None:
    """A misspelt name does not look like a success; a known one is stopped."""
    called = place.call("down", "--project", "nope")
    assert (called.code, "no containers of project 'nope'" in called.err) == (2, True)
    place.docker.add("mine", "ui")
    assert place.call("down", "--project", "mine").code == 0
    assert place.last == f"compose --project-name mine {BOTH} down"


def test_down_without_containers_does_nothing(place: Place) -> None:
    """Not even with an engine that is not there."""
    assert "nothing runs" in place.call("down").err
    place.docker.volumes = ["tonesmith_data"]
    assert "nothing runs" in place.call("down").err
    assert "nothing runs" in place.call("down", DOCKER_HOST="unix:///nowhere/docker.sock").err
    assert place.command.calls == []


def test_volumes_are_deleted_only_after_a_yes(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also those that outlived their containers; the question names the project."""
    place.docker.volumes = ["tonesmith_data"]
    for answer in ("", "\n", "n\n"):
        monkeypatch.setattr("sys.stdin", io.StringIO(answer))
        called = place.call("down", "--volumes")
        assert (called.code, "volumes of tonesmith" in called.err) == (1, True)
    assert place.command.calls == []
    assert place.call("down", "--volumes", "--yes").code == 0
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert place.call("down", "--volumes").code == 0
    assert len(place.command.calls) == 2
    assert place.last == f"compose --project-name tonesmith {BOTH} down --volumes"


def test_logs_are_those_of_the_containers(place: Place) -> None:
    """Every profile's; a service is found whatever its variant is called."""
    place.docker.add("tonesmith", "trainer-gpu")
    assert place.call("logs").code == 0
    assert place.last == f"compose --project-name tonesmith {BOTH} logs --tail 100"
    assert place.call("logs", "trainer", "--follow", "--tail", "5").code == 0
    assert place.last.endswith("logs --tail 5 --follow trainer-gpu")
    called = place.call("logs", "nothing")
    assert (called.code, "there are: trainer-gpu" in called.err) == (2, True)
    place.command.fails(3)
    assert place.call("logs").code == 3


def test_logs_of_processes_are_shown_where_no_containers_are(place: Place) -> None:
    """The end of each file, with the name in front; one that is not there is named."""
    assert place.call("logs").code == 1
    folder = place.folder / "var" / "log"
    folder.mkdir(parents=True)
    (folder / "datagen.log").write_text("one\ntwo [x]\n")
    (folder / "ui.log").write_text("three\n")
    assert place.call("logs", "--tail", "1").out.splitlines() == [
        "datagen     | two [x]",
        "ui          | three",
    ]
    assert place.call("logs", "ui").out == "ui          | three\n"
    assert place.call("logs", "trainer").code == 2


def test_profile_that_nobody_knows_is_refused(place: Place) -> None:
    """Compose would start datagen and ui, and call that a success."""
    called = place.call("up", "--docker", COMPOSE_PROFILES="cup")
    assert called.code == 2
    assert "COMPOSE_PROFILES" in called.err
    assert "'cup'" in called.err
    assert not [line for line in place.command.calls if " up " in line]


@pytest.mark.parametrize(
    ("named", "runs"), [("", "cpu"), ("cpu-alone", "cpu"), ("gpu-alone", "gpu")]
)
def test_stack_alone_is_of_the_same_variant(named: str, runs: str) -> None:
    """`-alone` leaves out what watches, nothing else."""
    assert profile_of({"COMPOSE_PROFILES": named}) == runs


def test_up_says_where_the_watchers_are(place: Place) -> None:
    """Where they run."""
    place.docker.add("tonesmith", "ui")
    place.docker.add("tonesmith", "grafana", Ports=[GRAFANA])
    said = place.call("up", "--docker").err
    assert "grafana      http://127.0.0.1:3100" in said
    assert "prometheus" not in said
