"""`compose.yaml` by our own rules: least rights, one published port, nothing unexplained."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import compose_file
from compose_file import BY_VARIANT, ONE_SHOT, SERVICES, WATCHERS, Service
from datagen.config import Settings
from repository import ROOT

ALL = sorted(compose_file.containers())
GPU = [name for name in ALL if name.endswith("-gpu")]
LONG_RUNNING = [name for name in ALL if name not in ONE_SHOT]
OURS = [name for name in ALL if name not in WATCHERS]
MEBIBYTE = 1 << 20
UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
# What each container mounts.
WRITABLE = {
    "init": {"/data", "/run/keys"},
    "fetch": {"/models"},
    "datagen": {"/data", "/state"},
    "trainer": {"/data", "/state", "/models"},
    "serving": {"/home/vllm/.cache"},
    "ui": {"/state"},
    "prometheus": {"/prometheus"},
    "alertmanager": {"/alertmanager"},
    "grafana": {"/var/lib/grafana"},
}
READABLE = {
    "init": set[str](),
    "fetch": set[str](),
    "datagen": {"/run/keys"},
    "trainer": {"/run/keys"},
    "serving": {"/data", "/models", "/run/keys"},
    "ui": {"/run/keys"},
    "prometheus": {"/etc/prometheus"},
    "alertmanager": {"/etc/alertmanager"},
    "grafana": {"/etc/grafana/provisioning", "/etc/grafana/dashboards", "/run/keys"},
}
# What belongs to the host, and what undoes the hardening.
FORBIDDEN_KEYS = {"cap_add", "privileged", "devices", "userns_mode", "cgroup_parent", "extends"}


def container(name: str) -> dict[str, Any]:
    """Return one service of compose."""
    return compose_file.containers()[name]


def size(value: str) -> int:
    """Return the bytes of a size such as `12g`."""
    number, unit = re.fullmatch(r"(\d+)([kmg])b?", value.lower()).groups()
    return int(number) * UNITS[unit]


def seconds(value: str) -> int:
    """Return the seconds of a duration such as `1m15s`."""
    minutes, rest = re.fullmatch(r"(?:(\d+)m)?(?:(\d+)s)?", value).groups()
    return int(minutes or 0) * 60 + int(rest or 0)


def networks(name: str) -> set[str]:
    """Return the networks that a container is on."""
    return set(container(name).get("networks", {}))


def test_file_fits_the_compose_specification() -> None:
    """Every key is known, by the schema that ships with the checker: no network needed."""
    checker = Path(sys.executable).parent / "check-jsonschema"
    command = [checker, "--builtin-schema", "vendor.compose-spec", compose_file.PATH]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_containers_are_the_services_of_the_table() -> None:
    """Folder, image, compose service and table have the same names."""
    assert {*ONE_SHOT, *BY_VARIANT, *WATCHERS} == set(ALL)
    folders = {path.parent.name for path in ROOT.glob("services/*/Dockerfile")}
    assert folders == {service.name for service in SERVICES}


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_ports_are_those_of_the_readme(service: Service) -> None:
    """And of the addresses that the services are told."""
    readme = (ROOT / "services" / service.name / "README.md").read_text(encoding="utf-8")
    assert {str(service.port), str(service.health_port)} <= set(re.findall(r"\b\d{4}\b", readme))
    told = container("ui")["environment"]
    if service.name != "ui":
        assert told[f"{service.name.upper()}_URL"] == f"http://{service.name}:{service.port}"


@pytest.mark.parametrize("name", ALL)
def test_container_has_no_more_rights_than_it_needs(name: str) -> None:
    """Not root, no capability, nothing gained later, an init process, a bound on processes."""
    found = container(name)
    assert "user" not in found, "the image says who it runs as"
    assert found["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in found["security_opt"]
    assert found["init"] is True
    assert 0 < found["pids_limit"] <= 8192
    assert not FORBIDDEN_KEYS & found.keys()
    assert not {found.get(key) for key in ("pid", "ipc", "network_mode")} & {"host"}


@pytest.mark.parametrize("name", ALL)
def test_root_file_system_is_read_only(name: str) -> None:
    """But on a GPU: the toolkit's hook writes there."""
    found = container(name)
    assert found["read_only"] is (not name.endswith("-gpu"))
    assert all(entry.startswith(("/scratch:size=", "/tmp:size=")) for entry in found["tmpfs"])


@pytest.mark.parametrize("name", ALL)
def test_container_cannot_eat_the_machine(name: str) -> None:
    """Its memory has a limit, its log rotates."""
    found = container(name)
    assert size(str(found["mem_limit"])) >= 64 * MEBIBYTE
    options = found["logging"]["options"]
    assert size(options["max-size"]) <= 100 * MEBIBYTE
    assert 1 <= int(options["max-file"]) <= 10


@pytest.mark.parametrize("name", ALL)
def test_mounts_are_ours(name: str) -> None:
    """Named volumes only: no socket of Docker, no folder of the host but our own settings."""
    for source, can_write in compose_file.mounts(container(name)).values():
        settings = source.startswith("./monitoring/") and not can_write
        assert settings or source in compose_file.document()["volumes"], source
    assert "docker.sock" not in compose_file.text()


@pytest.mark.parametrize("name", ALL)
def test_volumes_can_be_written_by_their_owner_only(name: str) -> None:
    """serving only reads data and bases, ui has no data, only the one-shot writes keys."""
    mounts = compose_file.mounts(container(name))
    writable = {target for target, (_, can_write) in mounts.items() if can_write}
    service = BY_VARIANT[name].name if name in BY_VARIANT else name
    assert writable == WRITABLE[service]
    assert set(mounts) - writable == READABLE[service]


@pytest.mark.parametrize("name", sorted(BY_VARIANT))
def test_container_is_watched_and_stopped_in_order(name: str) -> None:
    """A health check that waits for a start, time for an orderly end; what is asked: the image."""
    found, service = container(name), BY_VARIANT[name]
    check = found["healthcheck"]
    assert "test" not in check
    assert {"interval", "timeout", "retries", "start_period"} <= check.keys()
    assert "start_interval" not in check, "engines before 25 refuse it"
    assert seconds(found["stop_grace_period"]) >= service.grace_seconds
    assert found["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", OURS)
def test_image_has_a_name_and_a_tag(name: str) -> None:
    """The tag says the variant, and is never the one that moves by itself."""
    image, _, tag = str(container(name)["image"]).rpartition(":")
    service = BY_VARIANT[name].name if name in BY_VARIANT else ONE_SHOT[name]
    assert image == f"tonesmith/{service}"
    assert tag == ("dev-gpu" if name in (*GPU, "fetch") else "dev")


def test_only_the_page_is_published_and_only_on_this_machine() -> None:
    """By default on the loopback address; what watches the stack never anywhere else."""
    published = {name: ports for name in ALL if (ports := container(name).get("ports"))}
    pages = {"ui": 7860} | WATCHERS
    assert published == {name: [f"127.0.0.1:{port}:{port}"] for name, port in pages.items()}
    for name in WATCHERS:
        assert re.search(rf'"127\.0\.0\.1:\${{{name.upper()}_PORT', compose_file.text())


@pytest.mark.parametrize("name", WATCHERS)
def test_what_watches_is_the_official_image_by_its_digest(name: str) -> None:
    """It is part of the stack unless the profile says `-alone`, and keeps what it has seen."""
    found = container(name)
    assert re.fullmatch(rf"(prom|grafana)/{name}:v?[\d.]+@sha256:[0-9a-f]{{64}}", found["image"])
    assert found["profiles"] == ["cpu", "gpu", "monitoring"]
    assert found["restart"] == "unless-stopped"
    assert WRITABLE[name]


def test_prometheus_takes_no_orders() -> None:
    """No way to reload, stop or delete over HTTP; old data goes by age and by size."""
    flags = container("prometheus")["command"]
    assert not [flag for flag in flags if "--web.enable" in flag]
    assert "--storage.tsdb.retention.time=30d" in flags
    assert any(flag.startswith("--storage.tsdb.retention.size=") for flag in flags)


def test_grafana_has_no_known_password() -> None:
    """It is the operator's, or a random one; nobody else signs up, nothing is sent home."""
    environment = container("grafana")["environment"]
    assert environment["GF_SECURITY_ADMIN_PASSWORD__FILE"] == "/run/keys/grafana_password"
    assert "grafana_password" in container("init")["secrets"]
    assert environment["GF_USERS_ALLOW_SIGN_UP"] == "false"
    assert environment["GF_ANALYTICS_REPORTING_ENABLED"] == "false"


def test_only_datagen_and_alertmanager_reach_the_outside() -> None:
    """Teacher and pagers are outside (and the hub of models, once); the others have no way out."""
    found = compose_file.document()["networks"]
    assert found["backend"]["internal"] is True
    options = found["edge"]["driver_opts"]
    assert options["com.docker.network.bridge.enable_ip_masquerade"] == "false"
    for name in LONG_RUNNING:
        way_out = networks(name) - {"backend", "edge"}
        outside = name in ("datagen", "alertmanager")
        assert way_out == ({"egress"} if outside else set()), name
        assert ("edge" in networks(name)) is (name == "ui" or name in WATCHERS)
    assert container("init")["network_mode"] == "none"
    assert networks("fetch") == {"egress"}


@pytest.mark.parametrize("name", GPU)
def test_gpu_variant_takes_the_place_of_the_service(name: str) -> None:
    """It has the service's name on the network, a device, and a profile of its own."""
    found, service = container(name), BY_VARIANT[name].name
    assert service in found["networks"]["backend"]["aliases"]
    (device,) = found["deploy"]["resources"]["reservations"]["devices"]
    assert device["capabilities"] == ["gpu"]
    assert found["profiles"] == ["gpu", "gpu-alone"]
    assert container(service)["profiles"] == ["cpu", "cpu-alone"]


def test_a_bare_up_is_the_cpu_stack() -> None:
    """The committed `.env` chooses the profile."""
    assert compose_file.assigned(".env")["COMPOSE_PROFILES"] == "cpu"


def test_every_variable_is_explained() -> None:
    """What compose reads is in `.env.example`, what `.env` sets too, and nothing there is idle."""
    example = compose_file.assigned(".env.example")
    assert set(compose_file.assigned(".env")) <= set(example)
    assert compose_file.variables() <= set(example)
    stack = {name for name in example if name.startswith("STACK_")}
    assert stack <= compose_file.variables()


def test_every_setting_of_the_teacher_reaches_datagen() -> None:
    """What an operator may say of the teacher on a bare machine can be said in containers too."""
    fields = [name for name in Settings.model_fields if name.startswith("teacher")]
    wanted = {Settings.variable(name) for name in (*fields, "budget_dollars")}
    assert wanted - {"DATAGEN_TEACHER_FLAW_RATE"} <= set(container("datagen")["environment"])


def test_defaults_in_the_example_are_those_of_compose() -> None:
    """A `STACK_` line shows what compose takes when nobody sets it, or nothing."""
    pattern = re.compile(r"\$\{(STACK_\w+):?-([^}]*)\}")
    example = compose_file.assigned(".env.example")
    wrong = [
        f"{name}={example.get(name)}, compose takes {default}"
        for name, default in pattern.findall(compose_file.text())
        if example.get(name) not in ("", default)
    ]
    assert not wrong
