"""The NVIDIA card, its driver and the engine's runtime, and what each profile makes of it."""

from pathlib import Path

import pytest

from tonesmith.docker.compose import Profile
from tonesmith.doctor.nvidia import Hardware, hardware, is_card, nvidia

CARD = Hardware(card=True)
DRIVEN = Hardware(card=True, driver="NVIDIA H200, 580.95.05")


def no_program(command: list[str]) -> str:
    """A machine without nvidia-smi."""
    raise FileNotFoundError(command[0])


@pytest.mark.parametrize(
    ("info", "found"),
    [
        ({"Runtimes": {"runc": {}, "nvidia": {}}}, DRIVEN),
        ({"DiscoveredDevices": [{"Source": "cdi", "ID": "nvidia.com/gpu=0"}]}, DRIVEN),
        ({}, Hardware(driver="x", hook=True)),
        ({"Runtimes": {"nvidia": {}}}, Hardware()),  # an engine on another machine
    ],
)
def test_each_way_to_a_gpu_is_fine(info: dict[str, object], found: Hardware) -> None:
    """A runtime, CDI devices, or the toolkit's hook."""
    assert nvidia(info, Profile.GPU, found).level == "ok"


@pytest.mark.parametrize(
    ("found", "cpu", "gpu"),
    [(Hardware(), "ok", "error"), (CARD, "warning", "error"), (DRIVEN, "warning", "error")],
)
def test_missing_runtime_weighs_by_profile(found: Hardware, cpu: str, gpu: str) -> None:
    """Without a card the cpu profile is all there is; a card that lies idle is worth a word."""
    info = {"Runtimes": {"runc": {}}}
    assert nvidia(info, Profile.CPU, found).level == cpu
    told = nvidia(info, Profile.GPU, found)
    assert told.level == gpu
    assert "no NVIDIA runtime" in told.detail
    assert "nvidia-ctk runtime configure" in told.remedy


def test_driver_comes_before_the_toolkit() -> None:
    """A card without one needs both."""
    assert nvidia({}, Profile.GPU, CARD).remedy.startswith("install NVIDIA's driver")
    assert nvidia({}, Profile.GPU, DRIVEN).remedy.startswith("install the NVIDIA Container")


def test_devices_of_another_engine_are_none() -> None:
    """Only NVIDIA's count."""
    info = {"DiscoveredDevices": [{"Source": "cdi", "ID": "vendor.com/nic=0"}]}
    assert nvidia(info, Profile.GPU, Hardware()).level == "error"


def test_machine_is_looked_at(tmp_path: Path) -> None:
    """Cards by the bus, the driver by its program."""
    for name, vendor, kind in (("a", "0x8086", "0x030000"), ("b", "0x10de", "0x030200")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "vendor").write_text(f"{vendor}\n")
        (tmp_path / name / "class").write_text(f"{kind}\n")
    assert not is_card(tmp_path / "a")
    assert is_card(tmp_path / "b")
    assert not is_card(tmp_path / "none")
    found = hardware(lambda _: "NVIDIA H200, 580.95.05\nNVIDIA H200, 580.95.05\n", tmp_path)
    assert found.card
    assert found.driver == "NVIDIA H200, 580.95.05; NVIDIA H200, 580.95.05"
    bare = hardware(no_program, tmp_path / "none")
    assert (bare.card, bare.driver) == (False, "")
