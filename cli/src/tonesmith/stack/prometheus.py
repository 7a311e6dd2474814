"""Prometheus beside the embedded stack: found where it lies, configured from monitoring/."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tonesmith.stack.ports import LOOPBACK, any_free, is_free
from tonesmith.stack.programs import Places, Program

# What compose mounts too; relative, as the folder `var` is.
SHIPPED = Path("monitoring/prometheus")
PORT = "PROMETHEUS_PORT"
USUAL_PORT = 9090
# Which setting holds the port of a job; serving's launcher shows the engine's own metrics too.
JOB_PORTS = {
    "datagen": "DATAGEN_PORT",
    "trainer": "TRAINER_PORT",
    "serving": "SERVING_CONTROL_PORT",
    "vllm": "SERVING_CONTROL_PORT",
    "ui": "UI_METRICS_PORT",
    "prometheus": PORT,
}
# The same as in compose.yaml. What is not asked for is off: the lifecycle and the admin API, and
# receiving by remote write.
LIMITS = ("--storage.tsdb.retention.time=30d", "--storage.tsdb.retention.size=10GB")
LAST_STARTED = 900  # of supervisord's priorities; who starts last is stopped first
MISSING = "not watched: no Prometheus here; `scripts/prometheus.sh` gets it without root"


@dataclass(frozen=True)
class Watcher:
    """A Prometheus that is ready to run: the program, and where people find it."""

    program: Program
    url: str


def cache_folder(environ: Mapping[str, str]) -> Path | None:
    """Return the folder into which the scripts put programs, or None where there is no home."""
    if named := environ.get("TONESMITH_CACHE"):
        return Path(named)
    if cache := environ.get("XDG_CACHE_HOME"):
        return Path(cache) / "tonesmith"
    return Path(home) / ".cache" / "tonesmith" if (home := environ.get("HOME")) else None


def find_program(environ: Mapping[str, str], *names: str) -> Path | None:
    """Return the first program of these names: on PATH, else in the newest folder of the cache."""
    for name in names:
        if found := shutil.which(name, path=environ.get("PATH", "")):
            return Path(found)
    cache = cache_folder(environ)
    folders = sorted(cache.glob("prometheus-*/usr/bin"), key=version, reverse=True) if cache else []
    paths = (folder / name for folder in folders for name in names)
    return next((path for path in paths if path.is_file()), None)


def version(folder: Path) -> tuple[int, ...]:
    """Return the version in `prometheus-<version>/usr/bin`, to compare: 3.10 is above 3.5."""
    parts = folder.parents[1].name.removeprefix("prometheus-").split(".")
    return tuple(int(part) for part in parts if part.isdigit())


def embedded_config(
    shipped: Mapping[str, Any],
    ports: Mapping[str, int],
    *,
    rules: Path,
    targets: Path,
    alertmanager: str | None = None,
) -> dict[str, Any]:
    """Return Prometheus' configuration for local processes, from the one for containers.

    Args:
        shipped: monitoring/prometheus/prometheus.yml.
        ports: the port of each setting, Prometheus' own included.
        rules: the folder of the rules.
        targets: the folder whose `<job>/*.yml` name more hosts.
        alertmanager: host and port of an Alertmanager; without one there is no such job.
    """
    addresses = {job: f"{LOOPBACK}:{ports[port]}" for job, port in JOB_PORTS.items()}
    if alertmanager:
        addresses["alertmanager"] = alertmanager
    jobs = [
        local_job(job, addresses.get(job["job_name"]), targets)
        for job in shipped["scrape_configs"]
        if alertmanager or job["job_name"] != "alertmanager"
    ]
    found = dict(shipped) | {"rule_files": [str(rules / "*.yml")], "scrape_configs": jobs}
    found.pop("alerting", None)
    if alertmanager:
        found["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]}
    return found


def local_job(job: Mapping[str, Any], address: str | None, targets: Path) -> dict[str, Any]:
    """Return a job whose target is `address` (None: it has no fixed one), files by full path."""
    found = dict(job)
    found.pop("static_configs", None)
    if address:
        found["static_configs"] = [{"targets": [address]}]
    if "file_sd_configs" in found:
        found["file_sd_configs"] = [{"files": [str(targets / job["job_name"] / "*.yml")]}]
    return found


def prometheus_argv(program: Path, config: Path, storage: Path, port: int) -> list[str]:
    """Return the command line: on this machine only, with bounded storage."""
    return [
        str(program),
        f"--config.file={config}",
        f"--storage.tsdb.path={storage}",
        f"--web.listen-address={LOOPBACK}:{port}",
        *LIMITS,
    ]


def prepare_watcher(
    environ: Mapping[str, str], places: Places, ports: Mapping[str, int], shipped: Path = SHIPPED
) -> Watcher | None:
    """Write the configuration of a Prometheus; return it, or None where there is none.

    Args:
        environ: where programs are looked for, and the wanted port; a taken one is replaced.
        places: the stack's folders; series and further targets lie under its root.
        ports: of the services.
        shipped: the folder of prometheus.yml and the rules.
    """
    program = find_program(environ, "prometheus")
    if not program or not (shipped / "prometheus.yml").is_file():
        return None
    port = int(environ.get(PORT) or USUAL_PORT)
    port = port if is_free(port) else any_free()
    root = places.root.absolute()
    (root / "targets" / "gpu").mkdir(parents=True, exist_ok=True)
    config = embedded_config(
        yaml.safe_load((shipped / "prometheus.yml").read_text(encoding="utf-8")),
        {**ports, PORT: port},
        rules=shipped.absolute() / "rules",
        targets=root / "targets",
    )
    places.embedded.mkdir(parents=True, exist_ok=True)
    path = config_path(places)
    path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    argv = prometheus_argv(program, path.absolute(), root / "prometheus", port)
    return Watcher(
        Program("prometheus", argv, LAST_STARTED, optional=True), f"http://{LOOPBACK}:{port}"
    )


def shown_on_the_page(environ: Mapping[str, str], watcher: Watcher | None) -> dict[str, str]:
    """Return `environ` with the address of Prometheus for the page, unless it names one."""
    found = {"UI_PROMETHEUS_URL": watcher.url} if watcher else {}
    return found | dict(environ)


def config_path(places: Places) -> Path:
    """Return the configuration file of a stack's Prometheus."""
    return places.embedded / "prometheus.yml"


def url_in(config: Path) -> str | None:
    """Return the address of the Prometheus that a configuration is for, or None without one."""
    if not config.is_file():
        return None
    jobs = yaml.safe_load(config.read_text(encoding="utf-8"))["scrape_configs"]
    own = next(job for job in jobs if job["job_name"] == "prometheus")
    return f"http://{own['static_configs'][0]['targets'][0]}"
