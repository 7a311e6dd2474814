"""The Dockerfiles by a linter and by our own rules: pinned, hashed, unprivileged, no secret."""

import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from compose_file import SERVICES
from repository import ROOT, files

DOCKERFILES = [ROOT / "services" / service.name / "Dockerfile" for service in SERVICES]
USERS = {ROOT / "services" / service.name / "Dockerfile": service.user for service in SERVICES}
PORTS = {
    ROOT / "services" / service.name / "Dockerfile": service.health_port for service in SERVICES
}
TARGETS = {"cpu", "gpu"}
SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL", re.IGNORECASE)
BIND = re.compile(r"--mount=type=bind,source=([^,\s]+)")
INSTALL = re.compile(r"\bpip3? install\b|\buv pip (?:install|sync)\b")
# The engine's built-in frontend is old: these need a newer one, which would be pulled.
NEWER_SYNTAX = re.compile(r"^# *syntax=|<<-?['\"]?EOF|COPY.*--(?:parents|exclude)", re.MULTILINE)


@dataclass(frozen=True)
class Instruction:
    """One instruction, its continuation lines joined."""

    word: str
    rest: str


def name(path: Path) -> str:
    """Return the path of a file as it is named in a failure."""
    return path.relative_to(ROOT).as_posix()


def instructions(path: Path) -> list[Instruction]:
    """Return the instructions of a Dockerfile in their order, comments left out."""
    lines = path.read_text(encoding="utf-8").splitlines()
    source = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    joined = source.replace("\\\n", " ")
    return [
        Instruction(word.upper(), rest.strip())
        for word, _, rest in (line.strip().partition(" ") for line in joined.splitlines())
        if word
    ]


def of(path: Path, *words: str) -> list[Instruction]:
    """Return the instructions that begin with one of `words`."""
    return [found for found in instructions(path) if found.word in words]


@pytest.mark.parametrize("path", DOCKERFILES, ids=name)
def test_linter_finds_nothing(path: Path) -> None:
    """hadolint, with the exceptions of `.hadolint.yaml`."""
    linter = Path(sys.executable).parent / "hadolint"
    command = [linter, "--config", ROOT / ".hadolint.yaml", "--failure-threshold", "info", path]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_exception_of_the_linter_has_a_reason() -> None:
    """A rule that is switched off says why, on its own line."""
    path = ROOT / ".hadolint.yaml"
    ignored = yaml.safe_load(path.read_text(encoding="utf-8"))["ignored"]
    for rule in ignored:
        assert re.search(rf"- {rule} +# \S.{{15,}}", path.read_text(encoding="utf-8")), rule


@pytest.mark.parametrize("path", DOCKERFILES, ids=name)
def test_base_image_is_an_argument(path: Path) -> None:
    """A closed network names its own; the default has a version, and never the one that moves."""
    arguments = {
        found.rest.partition("=")[0]: found.rest.partition("=")[2] for found in of(path, "ARG")
    }
    stages = {found.rest.lower().rpartition(" as ")[2] for found in of(path, "FROM")}
    for found in of(path, "FROM"):
        image = found.rest.split()[0]
        if image.lower() in stages:
            continue
        variable = re.fullmatch(r"\$\{?(\w+)\}?", image)
        assert variable, f"FROM {image}"
        default = arguments[variable[1]]
        assert default.rpartition("/")[2].partition(":")[2] not in ("", "latest"), default


def stages(path: Path) -> dict[str, list[Instruction]]:
    """Return the instructions of each stage that becomes an image, by its target."""
    found: dict[str, list[Instruction]] = {}
    for line in instructions(path):
        if line.word == "FROM":
            current = found.setdefault(line.rest.rpartition(" AS ")[2], [])
        elif found:
            current.append(line)
    return {target: lines for target, lines in found.items() if target in TARGETS}


@pytest.mark.parametrize("path", DOCKERFILES, ids=name)
def test_every_image_ends_unprivileged(path: Path) -> None:
    """The only USER of each target is the service's."""
    found = stages(path)
    assert "cpu" in found
    for lines in found.values():
        users = [line.rest for line in lines if line.word == "USER"]
        assert users == [USERS[path]]


@pytest.mark.parametrize("path", DOCKERFILES, ids=name)
def test_every_image_is_asked_for_its_health(path: Path) -> None:
    """On the port of the table, without a shell or curl."""
    for lines in stages(path).values():
        (check,) = [line.rest for line in lines if line.word == "HEALTHCHECK"]
        assert f"http://127.0.0.1:{PORTS[path]}/health" in check
        assert 'CMD ["python", "-m", "kit.probe"' in check


@pytest.mark.parametrize("path", DOCKERFILES, ids=name)
def test_no_secret_is_an_argument_or_a_variable(path: Path) -> None:
    """Both stay in the image for everybody to read."""
    variables = [
        word.partition("=")[0] for line in of(path, "ARG", "ENV") for word in line.rest.split()
    ]
    assert variables
    assert not [variable for variable in variables if SECRET.search(variable)]


@pytest.mark.parametrize("path", DOCKERFILES, ids=name)
def test_installs_are_hash_pinned(path: Path) -> None:
    """Of strangers by hash; of ours without dependencies and without fetching a build tool."""
    for found in of(path, "RUN"):
        for command in re.split(r"&&|;", found.rest):
            if INSTALL.search(command):
                strict = "--require-hashes" in command
                ours = "--no-deps" in command and "--no-build-isolation" in command
                assert strict or ours, command


@pytest.mark.parametrize("path", DOCKERFILES, ids=name)
def test_fresh_clone_has_all_that_is_copied(path: Path) -> None:
    """Also the folders that are empty, or ignored, but for one file."""
    wanted = {source for line in of(path, "RUN") for source in BIND.findall(line.rest)}
    for line in of(path, "COPY"):
        *sources, _ = [word for word in line.rest.split() if not word.startswith("--chmod")]
        if not sources[0].startswith("--from"):
            wanted |= set(sources)
    present = {name(found) for found in files()}
    assert wanted
    missing = [
        one for one in wanted if not any(f"{found}/".startswith(f"{one}/") for found in present)
    ]
    assert not missing


@pytest.mark.parametrize("path", DOCKERFILES, ids=name)
def test_syntax_is_that_of_an_old_engine(path: Path) -> None:
    """No frontend is pulled: the one inside Docker Engine 20.10 builds every image."""
    assert not NEWER_SYNTAX.findall(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", DOCKERFILES, ids=name)
def test_service_is_started_without_a_shell(path: Path) -> None:
    """So that it gets the signal itself."""
    starts = of(path, "CMD", "ENTRYPOINT")
    assert starts
    assert all(found.rest.startswith("[") for found in starts)


def test_build_sees_only_what_is_named() -> None:
    """`.dockerignore` refuses everything first: no `.env`, no key and no data gets into a layer."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] in ("*", "**")
    allowed = {rule[1:].strip("/").split("/")[0] for rule in rules if rule.startswith("!")}
    assert allowed.isdisjoint({".env", ".git", "secrets", "var", "tests", "*", "**"})


@pytest.mark.parametrize("service", [service.name for service in SERVICES])
def test_data_files_of_a_package_come_into_its_build(service: str) -> None:
    """What a wheel of ours takes along is let through by `.dockerignore`, or no image is built."""
    folder = ROOT / "services" / service
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    allowed = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for name in wheel.get("force-include", {}):
        assert f"!services/{service}/{name}" in allowed
