"""The real Prometheus on the embedded configuration: it sees everybody, and misses who dies.

.venv/bin/pytest -m monitoring tests/e2e/test_target_down.py
"""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from monitoring_tools import MONITORING, asked, running, tool, wait_for
from tonesmith.stack.ports import USUAL, any_free
from tonesmith.stack.programs import Places
from tonesmith.stack.prometheus import JOB_PORTS, prepare_watcher

pytestmark = pytest.mark.monitoring

# Of the promise; a scrape, two evaluations and the alert's own minute take 75 to 105.
TOLD_WITHIN_SECONDS = 120.0
SEEN_WITHIN_SECONDS = 60.0


class Exporter(BaseHTTPRequestHandler):
    """Answers every scrape with one series."""

    def do_GET(self) -> None:
        """Answer with the content type that Prometheus 3 insists on."""
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(b"stand_in_up 1\n")

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


@dataclass(frozen=True)
class Watching:
    """A running Prometheus, and the stand-ins that it scrapes by their port's setting."""

    url: str
    services: dict[str, ThreadingHTTPServer]

    def health(self) -> dict[str, str]:
        """Return what Prometheus thinks of the target of each job."""
        found = asked(f"{self.url}/api/v1/targets")["data"]["activeTargets"]
        return {target["labels"]["job"]: target["health"] for target in found}

    def alerts(self) -> list[dict[str, Any]]:
        """Return the labels of what fires."""
        found = asked(f"{self.url}/api/v1/alerts")["data"]["alerts"]
        return [alert["labels"] for alert in found if alert["state"] == "firing"]


def exporter() -> ThreadingHTTPServer:
    """Start a stand-in for a service on a free port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Exporter)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def end(server: ThreadingHTTPServer) -> None:
    """Stop a stand-in; its port refuses connections afterwards."""
    server.shutdown()
    server.server_close()


@contextmanager
def watching(folder: Path) -> Iterator[Watching]:
    """Run stand-ins for all services and a GPU host, and a Prometheus that scrapes them."""
    with ExitStack() as stack:
        services = {name: exporter() for name in {*JOB_PORTS.values()} - {"PROMETHEUS_PORT"}}
        services["gpu host"] = exporter()
        for server in services.values():
            stack.callback(end, server)
        places = Places(folder / "var")
        hosts = folder / "var" / "targets" / "gpu"
        hosts.mkdir(parents=True)
        hosts.joinpath("a.yml").write_text(f"- targets: ['127.0.0.1:{port(services['gpu host'])}']")
        environ = {"PATH": str(Path(tool("prometheus")).parent), "PROMETHEUS_PORT": str(any_free())}
        ports = USUAL | {name: port(server) for name, server in services.items()}
        watcher = prepare_watcher(environ, places, ports, MONITORING / "prometheus")
        assert watcher
        argv = watcher.program.command[1:]
        stack.enter_context(running("prometheus", argv, f"{watcher.url}/-/ready", folder / "log"))
        yield Watching(watcher.url, services)


def port(server: ThreadingHTTPServer) -> int:
    """Return where a stand-in listens."""
    return server.server_port


def test_dead_service_is_told_within_two_minutes(tmp_path: Path) -> None:
    """All targets are up and nothing fires; the trainer dies; that, and only that, is told."""
    with watching(tmp_path) as seen:
        everybody = {*JOB_PORTS, "gpu"}
        wait_for(
            lambda: seen.health() == dict.fromkeys(everybody, "up"), SEEN_WITHIN_SECONDS, "targets"
        )
        groups = asked(f"{seen.url}/api/v1/rules")["data"]["groups"]
        assert not [rule for group in groups for rule in group["rules"] if "lastError" in rule]
        assert seen.alerts() == []
        end(seen.services.pop("TRAINER_PORT"))
        began = time.monotonic()
        wait_for(seen.alerts, TOLD_WITHIN_SECONDS, "TargetDown")
        assert time.monotonic() - began > 60  # a short break is no alert
        (alert,) = seen.alerts()
        assert (alert["alertname"], alert["job"]) == ("TargetDown", "trainer")
