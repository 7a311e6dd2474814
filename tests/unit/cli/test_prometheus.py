"""The Prometheus of the embedded stack: where it is found, and what it is told to do."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from repository import ROOT
from tonesmith.stack.ports import USUAL
from tonesmith.stack.programs import Places
from tonesmith.stack.prometheus import (
    LIMITS,
    config_path,
    embedded_config,
    find_program,
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
    assert (tmp_path / "var" / "targets" / "gpu").is_dir()
    page = {"UI_PROMETHEUS_URL": watcher.url}
    assert shown_on_the_page({}, watcher) == page
    assert shown_on_the_page({"UI_PROMETHEUS_URL": "http://other"}, watcher) != page
    assert shown_on_the_page({}, None) == {}


@pytest.mark.parametrize("shipped_folder", [SHIPPED, Path("/nowhere")])
def test_without_program_or_configuration_there_is_none(
    tmp_path: Path, shipped_folder: Path
) -> None:
    """Nothing is written then."""
    places = Places(tmp_path / "var")
    environ = {} if shipped_folder == SHIPPED else {"PATH": str(program(tmp_path / "bin").parent)}
    assert prepare_watcher(environ, places, USUAL, shipped_folder) is None
    assert url_in(config_path(places)) is None
