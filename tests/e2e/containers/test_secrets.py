"""No secret is where it can be read: the teacher's key is a word that occurs nowhere else."""

import json

import httpx
import pytest

from compose_file import SERVICES
from contracts.dataset import DatasetRequest
from contracts.job import JobState
from fakes.compose_project import ComposeProject
from fakes.saved_image import words_in
from fakes.teacher_container import TeacherContainer

pytestmark = pytest.mark.container
NAMES = [service.name for service in SERVICES]
METRICS = [
    ("datagen", 8001, "/metrics"),
    ("trainer", 8002, "/metrics"),
    ("serving", 8010, "/metrics"),
    ("serving", 8010, "/engine/metrics"),
    ("ui", 7861, "/metrics"),
]
# What the processes of a container were started with, as far as they can see each other.
PROCESSES = """
import pathlib, sys
for name in ("environ", "cmdline"):
    for path in pathlib.Path("/proc").glob(f"[0-9]*/{name}"):
        try:
            sys.stdout.write(path.read_bytes().decode(errors="replace").replace(chr(0), chr(10)))
        except OSError:
            pass
"""
# Names the files below some folders that hold a word, which is given backwards.
SEARCH = """
import os, pathlib, sys
word = sys.argv[1].encode()[::-1]
for folder in sys.argv[2:]:
    for path in pathlib.Path(folder).rglob("*"):
        try:
            if path.is_file() and word in path.read_bytes():
                print(path)
        except OSError:
            pass
"""


@pytest.fixture(scope="module")
def spoken(taught: ComposeProject) -> ComposeProject:
    """The stack after a generation with the teacher outside."""
    with taught.datagen() as datagen:
        request = DatasetRequest(name="taught", styles=["gentle"], per_style=5)
        job = datagen.dataset_jobs.wait(datagen.generate(request).id)
    assert job.state is JobState.DONE, job.error
    return taught


@pytest.fixture(scope="module")
def keys(spoken: ComposeProject, canary: str) -> dict[str, str]:
    """Every secret of the stack, by its name."""
    return {
        "teacher key": canary,
        "API token": spoken.token,
        "serving key": spoken.serving_key,
    }


def test_teacher_gets_its_key(
    spoken: ComposeProject, teacher: TeacherContainer, canary: str
) -> None:
    """Each call carries it: the search below looks for something that is really used."""
    assert set(teacher.received()["keys"]) == {f"Bearer {canary}"}


@pytest.mark.parametrize("service", NAMES)
def test_no_layer_of_an_image_holds_the_key(
    project: ComposeProject, canary: str, service: str
) -> None:
    """It lay in the tree when they were built; the start command, looked for alike, is found."""
    word, command = canary.encode(), f'"python","-m","{service}"'.encode()
    found = words_in(project.image(service), [word, command, b"def create_app("])
    assert not found.pop(word)
    assert all(found.values())


def test_no_description_holds_a_secret(spoken: ComposeProject, keys: dict[str, str]) -> None:
    """What `docker inspect` shows to everybody who may ask: containers, images, volumes."""
    shown = [container.attrs for container in spoken.containers()]
    shown += [spoken.image(name).attrs for name in NAMES]
    shown += [spoken.image(name).history() for name in NAMES]
    shown += [volume.attrs for volume in spoken.engine.volumes.list()]
    expect_absent(keys, json.dumps(shown), "docker inspect")


@pytest.mark.parametrize("service", NAMES)
def test_no_process_was_started_with_a_secret(
    spoken: ComposeProject, keys: dict[str, str], service: str
) -> None:
    """Neither in a variable nor on a command line."""
    text = spoken.run(service, "python3", "-c", PROCESSES)
    assert "PATH=" in text
    assert service in text
    expect_absent(keys, text, f"/proc of {service}")


@pytest.mark.parametrize("service", ["init", *NAMES])
def test_no_log_holds_a_secret(spoken: ComposeProject, keys: dict[str, str], service: str) -> None:
    """From the first line on, vLLM's own included."""
    text = spoken.logs(service)
    assert text
    expect_absent(keys, text, f"log of {service}")


@pytest.mark.parametrize(("service", "port", "path"), METRICS)
def test_no_metric_holds_a_secret(
    spoken: ComposeProject, keys: dict[str, str], service: str, port: int, path: str
) -> None:
    """Metrics are read without a token."""
    text = httpx.get(f"{spoken.address(service, port)}{path}", trust_env=False).text
    assert "# HELP" in text
    expect_absent(keys, text, f"{service}{path}")


@pytest.mark.parametrize(
    ("service", "folders"),
    [
        ("datagen", ["/data", "/state", "/scratch"]),
        ("trainer", ["/data", "/state", "/models", "/scratch"]),
        ("ui", ["/scratch"]),
    ],
)
def test_no_file_holds_a_secret(
    spoken: ComposeProject, keys: dict[str, str], service: str, folders: list[str]
) -> None:
    """What the services write: volumes, job tables, scratch."""
    for name, key in keys.items():
        # Backwards, so that the search does not find itself.
        found = spoken.run(service, "python3", "-c", SEARCH, key[::-1], *folders)
        assert not found, name
    assert spoken.run(service, "python3", "-c", SEARCH, keys["API token"][::-1], "/run/keys")


def test_gate_alone_holds_the_key_of_serving(spoken: ComposeProject, keys: dict[str, str]) -> None:
    """In memory only, for its own user only; the cache, which is a volume, has none."""
    found = spoken.run("serving", "python3", "-c", SEARCH, keys["serving key"][::-1], "/scratch")
    (path,) = found.split()
    assert spoken.run("serving", "stat", "-c", "%a", path).strip() == "600"
    for key in keys.values():
        assert not spoken.run("serving", "python3", "-c", SEARCH, key[::-1], "/home/vllm/.cache")


def expect_absent(keys: dict[str, str], text: str, place: str) -> None:
    """Assert that none of the secrets is in a text, without showing it."""
    assert not [name for name, key in keys.items() if key in text], place
