"""The Prometheus of the embedded stack: where it is found, and what it is told to do."""

import socket
from pathlib import Path
from typing import Any

import pytest
import yaml

from kit.config import SettingsError
from repository import ROOT
from tonesmith.errors import CommandError
from tonesmith.stack.ports import USUAL
from tonesmith.stack.programs import Places
from tonesmith.stack.prometheus import (
    LIMITS,
    config_path,
    embedded_config,
    find_program,
    own_port,
    prepare_watcher,
    shown_on_the_page,
    url_in,
)

SHIPPED = ROOT / "monitoring" / "prometheus"
PORTS = {**USUAL, "PROMETHEUS_PORT": 25090}


def shipped() -> dict[str, Any]:
    """Return the configuration that compose mounts."""
    loaded: dict[str, Any] = yaml.safe_load((SHIPPED / "prometheus.yml").read_text("utf-8"))
    return loaded


def derived(alertmanager: str | None = None) -> dict[str, Any]:
    """Return the embedded configuration."""
    return embedded_config(
        shipped(),
        PORTS,
        rules=Path("/repository/rules"),
        targets=Path("/stack/targets"),
        alertmanager=alertmanager,
    )


def program(folder: Path, name: str = "prometheus") -> Path:
    """Make a program."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o700)
    return path


def test_targets_are_the_embedded_ports() -> None:
    """Every fixed target is on this machine; hosts with GPUs alone come from files."""
    targets = {
        job["job_name"]: job.get("static_configs", [{"targets": []}])[0]["targets"]
        for job in derived()["scrape_configs"]
    }
    assert targets == {
        "datagen": ["127.0.0.1:8001"],
        "trainer": ["127.0.0.1:8002"],
        "serving": ["127.0.0.1:8010"],
        "vllm": ["127.0.0.1:8010"],
        "ui": ["127.0.0.1:7861"],
        "gpu": [],
        "prometheus": ["127.0.0.1:25090"],
    }


def test_files_are_named_by_their_full_path() -> None:
    """The configuration lies elsewhere than the rules."""
    found = derived()
    assert found["rule_files"] == ["/repository/rules/*.yml"]
    gpu = next(job for job in found["scrape_configs"] if job["job_name"] == "gpu")
    assert gpu["file_sd_configs"] == [{"files": ["/stack/targets/gpu/*.yml"]}]


def test_everything_else_is_as_in_containers() -> None:
    """Intervals, limits and paths are not said twice."""
    containers, found = shipped(), derived()
    assert found["global"] == containers["global"]
    paths = {job["job_name"]: job.get("metrics_path") for job in containers["scrape_configs"]}
    assert paths.pop("alertmanager") is None
    assert {job["job_name"]: job.get("metrics_path") for job in found["scrape_configs"]} == paths


def test_alertmanager_is_asked_only_where_one_runs() -> None:
    """Without one there is no such job, so AlertmanagerDown has nothing to say."""
    assert "alerting" not in derived()
    found = derived("127.0.0.1:25093")
    assert found["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] == [
        "127.0.0.1:25093"
    ]
    assert found["scrape_configs"][-1]["job_name"] == "alertmanager"


def test_path_comes_before_the_cache_and_the_newest_version_first(tmp_path: Path) -> None:
    """3.10 is newer than 3.5; a cache may be named, or lie under the home folder."""
    cache = tmp_path / ".cache" / "tonesmith"
    program(cache / "prometheus-3.5.3" / "usr" / "bin")
    newest = program(cache / "prometheus-3.10.0" / "usr" / "bin")
    assert find_program({"HOME": str(tmp_path)}, "prometheus") == newest
    assert find_program({"TONESMITH_CACHE": str(cache)}, "prometheus") == newest
    assert find_program({"XDG_CACHE_HOME": str(cache.parent)}, "prometheus") == newest
    on_path = program(tmp_path / "bin")
    environ = {"HOME": str(tmp_path), "PATH": str(on_path.parent)}
    assert find_program(environ, "prometheus") == on_path
    assert find_program(environ, "alertmanager", "prometheus-alertmanager") is None
    assert find_program({}, "prometheus") is None


def test_watcher_is_ready_to_run(tmp_path: Path) -> None:
    """Loopback only, bounded storage, folders for further targets; nobody depends on it."""
    found = program(tmp_path / "bin")
    places = Places(tmp_path / "var")
    watcher = prepare_watcher({"PATH": str(found.parent)}, places, USUAL, SHIPPED)
    assert watcher
    assert watcher.program.optional
    argv = list(watcher.program.command)
    assert argv[0] == str(found)
    assert f"--storage.tsdb.path={tmp_path / 'var' / 'prometheus'}" in argv
    assert f"--web.listen-address={watcher.url.removeprefix('http://')}" in argv
    assert set(LIMITS) <= set(argv)
    assert not [word for word in argv if "enable" in word]
    assert url_in(config_path(places)) == watcher.url
    folders = {path.name for path in (tmp_path / "var" / "targets").iterdir()}
    assert folders == {"datagen", "trainer", "serving", "vllm", "ui", "gpu"}
    assert watcher.shown == watcher.url
    page = {"UI_PROMETHEUS_URL": watcher.url}
    assert shown_on_the_page({}, watcher) == page
    assert shown_on_the_page({"UI_PROMETHEUS_URL": "http://other"}, watcher) != page
    assert shown_on_the_page({}, None) == {}


def test_build_of_the_cache_is_asked_but_not_linked(tmp_path: Path) -> None:
    """Debian's has an API and no pages."""
    program(tmp_path / "prometheus-3.5.3" / "usr" / "bin")
    environ = {"TONESMITH_CACHE": str(tmp_path)}
    watcher = prepare_watcher(environ, Places(tmp_path / "var"), USUAL, SHIPPED)
    assert watcher
    assert watcher.shown == f"{watcher.url} (API only: Debian's build has no pages)"
    assert shown_on_the_page({}, watcher) == {"UI_PROMETHEUS_API": watcher.url}
    other = {"UI_PROMETHEUS_URL": "http://other"}
    assert shown_on_the_page(other, watcher) == other


@pytest.mark.parametrize("told", ["abc", "99999"])
def test_port_that_is_none_is_named(tmp_path: Path, told: str) -> None:
    """Whether or not there is a Prometheus to use it."""
    with pytest.raises(SettingsError, match="PROMETHEUS_PORT"):
        prepare_watcher({"PROMETHEUS_PORT": told}, Places(tmp_path), USUAL, SHIPPED)


def test_port_of_somebody_else_is_refused_where_it_was_asked_for() -> None:
    """The usual one moves instead; so does one that is asked for in the demo."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        taken = listener.getsockname()[1]
        environ = {"PROMETHEUS_PORT": str(taken)}
        with pytest.raises(CommandError, match=f"PROMETHEUS_PORT: port {taken} is in use"):
            own_port(environ, USUAL, movable=False)
        assert own_port(environ, USUAL, movable=True) != taken


def test_port_of_a_service_is_refused_where_it_was_asked_for() -> None:
    """Before anybody listens there."""
    ports = USUAL | {"UI_PORT": 9090}
    with pytest.raises(CommandError, match="PROMETHEUS_PORT: port 9090 is also UI_PORT"):
        own_port({"PROMETHEUS_PORT": "9090"}, ports, movable=False)
    assert own_port({}, ports, movable=False) != 9090


@pytest.mark.parametrize("shipped_folder", [SHIPPED, Path("/nowhere")])
def test_without_program_or_configuration_there_is_none(
    tmp_path: Path, shipped_folder: Path
) -> None:
    """Nothing is written then."""
    places = Places(tmp_path / "var")
    environ = {} if shipped_folder == SHIPPED else {"PATH": str(program(tmp_path / "bin").parent)}
    assert prepare_watcher(environ, places, USUAL, shipped_folder) is None
    assert url_in(config_path(places)) is None
