"""The four images: built from the tree alone, small, without tools."""

import json

import pytest

from compose_file import SERVICES, WATCHERS
from fakes.compose_project import ComposeProject

pytestmark = pytest.mark.container
NAMES = [service.name for service in SERVICES]
MEGABYTE = 1_000_000
LIMITS = {"datagen": 600, "ui": 700}
# Run by root inside the image: what is left of the build.
REMAINS = """
import json, os, shutil
tools = filter(shutil.which, ("gcc", "g++", "cc", "clang", "make", "cmake", "uv"))
places = ("/root/.cache", "/build", "/opt/tools", "/var/lib/apt/lists", "/tmp", "/wheelhouse")
full = [place for place in places if os.path.isdir(place) and os.listdir(place)]
print(json.dumps([*tools, *full]))
"""


@pytest.mark.parametrize("service", NAMES)
def test_image_is_small(project: ComposeProject, figures: dict[str, object], service: str) -> None:
    """Those without an engine stay below their limits; the others are shown."""
    size = project.image(service).attrs["Size"] / MEGABYTE
    sizes = figures.setdefault("image_megabytes", {})
    assert isinstance(sizes, dict)
    sizes[service] = round(size)
    assert size < LIMITS.get(service, 8000)


@pytest.mark.parametrize("service", NAMES)
def test_image_holds_nothing_of_its_build(project: ComposeProject, service: str) -> None:
    """No compiler, no package manager's cache, no sources."""
    found = project.engine.containers.run(
        project.image(service).id,
        ["python3", "-c", REMAINS],
        user="0:0",
        network_mode="none",
        remove=True,
    )
    assert json.loads(found) == []


@pytest.mark.parametrize("service", NAMES)
def test_image_says_who_it_is_and_runs_unprivileged(project: ComposeProject, service: str) -> None:
    """By itself too, without compose: user, health check, labels."""
    config = project.image(service).attrs["Config"]
    (user,) = (one.user for one in SERVICES if one.name == service)
    assert config["User"] == user
    assert config["Healthcheck"]["Test"]
    assert config["Labels"]["org.opencontainers.image.title"] == f"Tonesmith {service}"


def test_gpu_profile_is_valid(project: ComposeProject) -> None:
    """It replaces both engines by their variants, on any machine."""
    engines = {"init", "fetch", "datagen", "trainer-gpu", "serving-gpu", "ui"}
    listed = project.compose("--profile", "gpu", "config", "--services").split()
    assert set(listed) == engines | set(WATCHERS)
    alone = project.compose("--profile", "gpu-alone", "config", "--services").split()
    assert set(alone) == engines
    project.compose("--profile", "gpu", "config", "--quiet")
