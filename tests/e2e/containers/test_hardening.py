"""What each container may do: as Docker tells it, and as it is found inside."""

import json
from typing import Any

import pytest

from compose_file import SERVICES, Service
from fakes.compose_project import ComposeProject
from fakes.teacher_container import PORT, TeacherContainer

pytestmark = pytest.mark.container
NAMES = [service.name for service in SERVICES]
CONTAINERS = ["init", *NAMES]
GIBIBYTE = 1 << 30
WRITABLE = {
    "datagen": {"/data", "/state", "/scratch"},
    "trainer": {"/data", "/state", "/models", "/scratch"},
    "serving": {"/home/vllm/.cache", "/scratch"},
    "ui": {"/state", "/scratch"},
}
# Run in each container: who it is, what it may do, where it can write.
SELF_PORTRAIT = """
import json, os, tempfile
fields = dict(line.split(":", 1) for line in open("/proc/1/status").read().splitlines())
def writable(folder):
    try:
        tempfile.TemporaryFile(dir=folder).close()
        return True
    except OSError:
        return False
places = ("/", "/etc", "/usr/bin", "/tmp", "/opt/app", "/opt/venv", "/opt/engine", "/data",
          "/state", "/models", "/run/keys", "/run/secrets", "/home/vllm/.cache", "/scratch")
print(json.dumps({
    "user": f"{os.getuid()}:{os.getgid()}",
    "capabilities": [int(fields[name], 16) for name in ("CapEff", "CapPrm", "CapInh", "CapBnd")],
    "no_new_privileges": fields["NoNewPrivs"].strip(),
    "seccomp": fields["Seccomp"].strip(),
    "writable": [place for place in places if os.path.isdir(place) and writable(place)],
    "docker_socket": os.path.exists("/var/run/docker.sock"),
}))
"""
CONNECT = """
import socket, sys
try:
    socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=3).close()
    print("connected")
except OSError as error:
    print(type(error).__name__)
"""


def host_config(stack: ComposeProject, name: str) -> dict[str, Any]:
    """Return what Docker was told about a container."""
    config: dict[str, Any] = stack.container(name).attrs["HostConfig"]
    return config


@pytest.mark.parametrize("name", CONTAINERS)
def test_docker_was_told_to_allow_little(stack: ComposeProject, name: str) -> None:
    """Read-only root, no capability, nothing gained later, an init process, bounds."""
    config = host_config(stack, name)
    assert config["ReadonlyRootfs"] is True
    assert config["Privileged"] is False
    assert not config["CapAdd"]
    assert config["CapDrop"] == ["ALL"]
    assert config["SecurityOpt"] == ["no-new-privileges:true"]
    assert config["Init"] is True
    assert 0 < config["PidsLimit"] <= 8192
    assert 0 < config["Memory"] <= 16 * GIBIBYTE
    assert config["LogConfig"]["Config"] == {"max-size": "10m", "max-file": "3"}
    assert config["IpcMode"] != "host"
    assert not config["Devices"]


@pytest.mark.parametrize("name", CONTAINERS)
def test_container_runs_as_its_user(stack: ComposeProject, name: str) -> None:
    """None is root."""
    users = {service.name: service.user for service in SERVICES}
    user = stack.container(name).attrs["Config"]["User"]
    assert user == users.get(name, "10001:0")


@pytest.mark.parametrize("name", CONTAINERS)
def test_mounts_are_volumes_and_files_of_secrets(stack: ComposeProject, name: str) -> None:
    """serving only reads the data, ui has none, and nobody has Docker's socket."""
    mounts = {mount["Destination"]: mount for mount in stack.container(name).attrs["Mounts"]}
    folders = {place for place, mount in mounts.items() if mount["Type"] == "bind"}
    assert all(place.startswith("/run/secrets/") for place in folders)
    assert not [one for one in mounts.values() if "docker.sock" in one.get("Source", "")]
    if name == "serving":
        assert not mounts["/data"]["RW"]
    assert ("/data" in mounts) is (name != "ui")
    assert mounts["/run/keys"]["RW"] is (name == "init")


@pytest.mark.parametrize("service", SERVICES, ids=NAMES)
def test_container_can_do_little(stack: ComposeProject, service: Service) -> None:
    """Asked from inside: its user, no capability left, writing fails but in its own places."""
    found = json.loads(stack.run(service.name, "python3", "-c", SELF_PORTRAIT))
    assert found["user"] == service.user
    assert found["capabilities"] == [0, 0, 0, 0]
    assert found["no_new_privileges"] == "1"
    assert found["seccomp"] == "2"
    assert set(found["writable"]) == WRITABLE[service.name]
    assert not found["docker_socket"]


def test_only_the_page_is_published_and_only_on_loopback(stack: ComposeProject) -> None:
    """As Docker has bound it."""
    for name in CONTAINERS:
        bound = {
            (one["HostIp"], one["HostPort"])
            for bindings in (host_config(stack, name)["PortBindings"] or {}).values()
            for one in bindings
        }
        assert bound == ({("127.0.0.1", str(stack.port))} if name == "ui" else set()), name


@pytest.mark.parametrize("service", NAMES)
def test_only_datagen_gets_out(
    stack: ComposeProject, teacher: TeacherContainer, service: str
) -> None:
    """A TCP connection to somebody on the way out."""
    target = (teacher.address, str(PORT))
    answer = stack.run(service, "python3", "-c", CONNECT, *target).strip()
    assert (answer == "connected") is (service == "datagen"), answer


def test_networks_are_what_they_are_called(stack: ComposeProject) -> None:
    """The services' own has no way out, the page's masquerades nothing."""
    backend = stack.engine.networks.get(f"{stack.name}_backend")
    assert backend.attrs["Internal"] is True
    edge = stack.engine.networks.get(f"{stack.name}_edge")
    assert edge.attrs["Options"]["com.docker.network.bridge.enable_ip_masquerade"] == "false"
    for name in NAMES:
        networks = stack.container(name).attrs["NetworkSettings"]["Networks"]
        joined = {network.removeprefix(f"{stack.name}_") for network in networks}
        extra = {"datagen": {"egress"}, "ui": {"edge"}}
        assert joined == {"backend"} | extra.get(name, set())
