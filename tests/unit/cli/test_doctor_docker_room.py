"""Disk and memory of the engine's machine."""

from pathlib import Path

import pytest

from tonesmith.docker.compose import Profile
from tonesmith.doctor import docker_room
from tonesmith.doctor.docker_room import docker_disk, docker_memory


def test_disk_is_measured_where_the_engine_keeps_its_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To build takes more than to run what is built."""
    monkeypatch.setitem(docker_room.BUILD_BYTES, Profile.GPU, 1 << 60)
    info = {"DockerRootDir": str(tmp_path)}
    assert docker_disk(info, Profile.CPU, built=True).level == "ok"
    assert docker_disk(info, Profile.GPU, built=True).level == "ok"
    found = docker_disk(info, Profile.GPU, built=False)
    assert found.level == "error"
    assert "build and run the gpu profile" in found.remedy


@pytest.mark.parametrize("visible", [True, False])
def test_disk_of_another_machine_is_not_judged(tmp_path: Path, visible: bool) -> None:
    """A remote engine's, or one in Docker Desktop's virtual machine."""
    root = tmp_path / "none" if visible else tmp_path
    found = docker_disk({"DockerRootDir": str(root)}, Profile.CPU, built=False, visible=visible)
    assert (found.level, "not looked at" in found.detail) == ("ok", True)


@pytest.mark.parametrize(
    ("total", "profile", "shared", "level"),
    [
        (8 << 30, Profile.CPU, 3 << 30, "ok"),
        (4 << 30, Profile.CPU, 3 << 30, "warning"),
        (8 << 30, Profile.GPU, 3 << 30, "warning"),
        (8 << 30, Profile.CPU, 12 << 30, "warning"),
    ],
)
def test_memory_covers_the_engines_and_what_they_share(
    total: int, profile: Profile, shared: int, level: str
) -> None:
    """Shared memory is a part of the memory, whatever `shm_size` promises."""
    found = docker_memory({"MemTotal": total}, profile, shared)
    assert found.level == level
    assert found.level == "ok" or "more memory" in found.remedy
