"""Prometheus beside the embedded stack: found where it lies, configured from monitoring/."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tonesmith.errors import CommandError
from tonesmith.stack.ports import LOOPBACK, any_free, is_free, port_of
from tonesmith.stack.programs import Places, Program

# What compose mounts too; relative, as the folder `var` is.
SHIPPED = Path("monitoring/prometheus")
PORT = "PROMETHEUS_PORT"
USUAL_PORT = 9090
# Settings of the page: where people find Prometheus, and where the page's server does.
LINKS, API = "UI_PROMETHEUS_URL", "UI_PROMETHEUS_API"
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
NO_PAGES = "(API only: Debian's build has no pages)"
MISSING = "not watched: no Prometheus here; `scripts/prometheus.sh` gets it without root"


@dataclass(frozen=True)
class Watcher:
    """A Prometheus that is ready to run.

    Args:
        program: of the stack.
        url: where it answers.
        pages: whether it has pages for people, or an API only.
    """

    program: Program
    url: str
    pages: bool = True

    @property
    def shown(self) -> str:
        """Its address, for people."""
        return self.url if self.pages else f"{self.url} {NO_PAGES}"


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


def own_port(environ: Mapping[str, str], ports: Mapping[str, int], *, movable: bool) -> int:
    """Return a free port for Prometheus that none of `ports` is.

    Args:
        environ: may name one.
        ports: of the services.
        movable: one that is named but not free is replaced, as the usual one always is.

    Raises:
        SettingsError: what is named is no port.
        CommandError: it is not free.
    """
    port = port_of(environ, PORT, USUAL_PORT)
    owner = next((name for name, number in ports.items() if number == port), None)
    if not owner and is_free(port):
        return port
    if environ.get(PORT) and not movable:
        said = f"{PORT}: port {port} is " + (f"also {owner}" if owner else "in use")
        raise CommandError(said, field=PORT, hint=f"set {PORT} to another port, or not at all")
    return next(port for port in iter(any_free, None) if port not in ports.values())


def prepare_watcher(
    environ: Mapping[str, str],
    places: Places,
    ports: Mapping[str, int],
    shipped: Path = SHIPPED,
    *,
    movable: bool = False,
) -> Watcher | None:
    """Write the configuration of a Prometheus; return it, or None where there is none.

    Args:
        environ: where programs are looked for, and the wanted port.
        places: the stack's folders; series and further targets lie under its root.
        ports: of the services.
        shipped: the folder of prometheus.yml and the rules.
        movable: a wanted port that is taken is replaced.

    Raises:
        SettingsError, CommandError: the wanted port cannot be had.
    """
    port = own_port(environ, ports, movable=movable)
    program = find_program(environ, "prometheus")
    if not program or not (shipped / "prometheus.yml").is_file():
        return None
    write_config(places, {**ports, PORT: port}, shipped)
    storage = places.root.absolute() / "prometheus"
    argv = prometheus_argv(program, config_path(places).absolute(), storage, port)
    return Watcher(
        Program("prometheus", argv, LAST_STARTED, optional=True),
        f"http://{LOOPBACK}:{port}",
        pages=not cached(program, environ),
    )


def write_config(places: Places, ports: Mapping[str, int], shipped: Path) -> None:
    """Write the configuration, and make the folders in which it looks for further targets."""
    targets = places.root.absolute() / "targets"
    config = embedded_config(
        yaml.safe_load((shipped / "prometheus.yml").read_text(encoding="utf-8")),
        ports,
        rules=shipped.absolute() / "rules",
        targets=targets,
    )
    make_target_folders(config, targets)
    places.embedded.mkdir(parents=True, exist_ok=True)
    config_path(places).write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")


def cached(program: Path, environ: Mapping[str, str]) -> bool:
    """Return whether scripts/prometheus.sh got a program: Debian's build, which has no pages."""
    cache = cache_folder(environ)
    return cache is not None and program.is_relative_to(cache)


def make_target_folders(config: Mapping[str, Any], targets: Path) -> None:
    """Make the folder of each job that reads files: Prometheus complains of one that is missing."""
    for job in config["scrape_configs"]:
        if "file_sd_configs" in job:
            (targets / job["job_name"]).mkdir(parents=True, exist_ok=True)


def shown_on_the_page(environ: Mapping[str, str], watcher: Watcher | None) -> dict[str, str]:
    """Return `environ` with the address of Prometheus for the page, unless it names one.

    Without pages it is asked for health and alerts only: links would lead nowhere.
    """
    if not watcher or environ.get(LINKS) or environ.get(API):
        return dict(environ)
    return dict(environ) | {LINKS if watcher.pages else API: watcher.url}


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
