"""`tonesmith doctor` as a whole: what stands in the way comes first, and decides the exit code."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fakes.docker_command import FakeDockerCommand
from fakes.docker_engine import FakeDockerEngine
from tonesmith.doctor.finding import Finding, tolerated, verdict, worst_first
from tonesmith.doctor.nvidia import Hardware

from .conftest import Call, Called

ERROR = Finding(name="b", level="error", detail="broken", remedy="mend it")
WARNING = Finding(name="c", level="warning", detail="odd", remedy="look")
FINE = Finding(name="a", level="ok", detail="fine")
Doctor = Callable[..., Called]


@pytest.fixture
def doctor(
    call: Call, docker: FakeDockerEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Doctor:
    """Run the command in the project's folder, with an engine and a docker command."""
    docker.images = {f"tonesmith/{name}:dev" for name in ("datagen", "trainer", "ui")}
    (tmp_path / "compose.yaml").touch()
    (tmp_path / "bin").mkdir()
    command = FakeDockerCommand(tmp_path / "bin")
    monkeypatch.setenv("PATH", command.path)
    # Whatever this machine has: here it has no GPU.
    monkeypatch.setattr("tonesmith.doctor.containers.hardware", lambda _: Hardware())

    def run(*arguments: str, **environ: str) -> Called:
        found = {
            "DOCKER_HOST": docker.host,
            "PATH": command.path,
            "HF_ENDPOINT": "http://127.0.0.1:1",
        }
        return call("doctor", *arguments, **(found | environ))

    return run


def test_worst_comes_first_and_the_order_stays() -> None:
    """Errors, warnings, the rest."""
    other = FINE.model_copy(update={"name": "d"})
    assert worst_first([FINE, WARNING, other, ERROR]) == [ERROR, WARNING, FINE, other]


def test_verdict_is_the_worst_with_its_remedy() -> None:
    """One sentence; where all is well it says so."""
    assert verdict([FINE, WARNING, ERROR]) == "error: b: broken; mend it"
    assert verdict([FINE, WARNING]) == "ready, but c: odd; look"
    assert "nothing stands in the way" in verdict([FINE])
    assert tolerated(ERROR).level == "warning"
    assert tolerated(FINE) == FINE


def test_exit_code_tells_whether_the_machine_is_ready(call: Call) -> None:
    """No engines: exit code 1, and every finding in the document has its fields."""
    called = call("doctor", "--json")
    assert called.code == 1
    assert called.json["healthy"] is False
    for finding in called.json["findings"]:
        assert set(finding) == {"name", "level", "detail", "remedy"}
        assert finding["level"] == "ok" or finding["remedy"]


def test_missing_docker_is_a_warning_unless_it_is_asked_for(call: Call) -> None:
    """The embedded stack does without; with --docker it is the first line."""
    found = {item["name"]: item["level"] for item in call("doctor", "--json").json["findings"]}
    assert found["Docker Engine"] == "warning"
    called = call("doctor", "--docker")
    assert called.code == 1
    assert called.out.startswith("error: Docker Engine: no Docker Engine at unix:///nowhere")


def test_foreign_profile_is_a_warning_unless_containers_are_asked_for(call: Call) -> None:
    """COMPOSE_PROFILES may be meant for another project: the embedded stack does without it."""
    findings = call("doctor", "--json", COMPOSE_PROFILES="cup").json["findings"]
    levels = {item["name"]: item["level"] for item in findings}
    assert levels["COMPOSE_PROFILES"] == "warning"
    called = call("doctor", "--docker", COMPOSE_PROFILES="cup")
    assert called.code == 1
    assert called.out.startswith("error: COMPOSE_PROFILES: there is no profile 'cup'")


def test_gpu_profile_without_the_runtime_says_so_in_the_first_line(doctor: Doctor) -> None:
    """Problem and remedy, whatever else is wrong."""
    called = doctor("--profile", "gpu")
    assert called.code == 1
    first = called.out.splitlines()[0]
    assert first.startswith("error: NVIDIA: no NVIDIA runtime")
    assert "nvidia-ctk runtime configure" in first


def test_healthy_machine_may_start_containers(doctor: Doctor) -> None:
    """The hub is missing, which the starter does not need."""
    called = doctor("--docker", "--json")
    assert called.code == 0
    levels = {item["name"]: item["level"] for item in called.json["findings"]}
    assert levels.pop("model hub") == "ok"
    assert set(levels.values()) == {"ok"}
    assert set(levels) == {
        "Docker Engine",
        "NVIDIA",
        "compose",
        "published port 17860",
        "buildx",
        "Docker disk",
        "Docker memory",
        "volumes",
        "images",
    }
    assert "tonesmith up --docker" in doctor("--docker").err


def test_images_to_start_from_matter_until_ours_are_built(
    doctor: Doctor, docker: FakeDockerEngine
) -> None:
    """Without ours, and without a registry, nothing can be built."""
    docker.images = set()
    names = [item["name"] for item in doctor("--docker", "--json").json["findings"]]
    assert names[0] == "base images"


def test_foreign_folder_is_an_obstacle(
    doctor: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without our compose file nothing can be said about images and ports."""
    (tmp_path / "compose.yaml").unlink()
    called = doctor("--docker")
    assert called.code == 1
    assert "compose file: no compose.yaml here" in called.out.splitlines()[0]


def test_foreign_compose_file_is_left_alone(doctor: Doctor, tmp_path: Path) -> None:
    """Another project's stack is not ours to judge."""
    (tmp_path / "bin" / "config.json").write_text('{"services": {"web": {}}}')
    assert "is not Tonesmith's" in doctor("--docker").out.splitlines()[0]
