"""Who hears of an alert, and which alerts say nothing new: in Alertmanager's own words."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from monitoring_tools import (
    MONITORING,
    alerts,
    asked,
    cannot_run,
    load,
    run_tool,
    running,
    wait_for,
)
from tonesmith.stack.ports import any_free

CONFIG = MONITORING / "alertmanager" / "alertmanager.yml"
RECEIVERS = {"critical": "pager", "warning": "chat", "info": "dashboard"}
WIRE = re.compile(r"^  # (webhook_configs: .*)$", re.MULTILINE)
SECONDS = 20.0


def wired(folder: Path, urls: dict[str, str]) -> Path:
    """Return a copy of the configuration with the commented receivers in force, and no waiting."""
    text = WIRE.sub(r"  \1", CONFIG.read_text(encoding="utf-8"))
    for name, url in urls.items():
        (folder / f"{name}_url").write_text(url)
    text = text.replace("/run/alertmanager", str(folder))
    path = folder / "alertmanager.yml"
    path.write_text(re.sub(r"group_wait: \d+s", "group_wait: 1s", text))
    return path


@contextmanager
def alertmanager(config: Path, folder: Path) -> Iterator[str]:
    """Run Alertmanager; yield its address. Skip where its launcher may make no namespace."""
    tried = run_tool("alertmanager", "--version")
    if tried.returncode and ("unshare" in tried.stdout or "mount" in tried.stdout):
        cannot_run(f"install the package prometheus-alertmanager: {tried.stdout.strip()}")
    url = f"http://127.0.0.1:{any_free()}"
    arguments = (
        f"--config.file={config}",
        f"--storage.path={folder / 'storage'}",
        f"--web.listen-address={url.removeprefix('http://')}",
        "--cluster.listen-address=",
    )
    with running("alertmanager", arguments, f"{url}/-/ready", folder / "log"):
        yield url


@contextmanager
def webhooks() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Run a receiver of notifications; yield its address and the (path, alert) it was told."""
    told: list[tuple[str, str]] = []

    class Receiver(BaseHTTPRequestHandler):
        """Writes down which alert came to which path."""

        def do_POST(self) -> None:
            """Take a notification."""
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            told.extend((self.path, alert["labels"]["alertname"]) for alert in body["alerts"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", told
    finally:
        server.shutdown()
        server.server_close()


def alert(name: str, **labels: str) -> dict[str, Any]:
    """Return an alert as Prometheus sends it."""
    severity = alerts()[name]["labels"]["severity"]
    until = datetime.now(UTC) + timedelta(hours=1)
    named = {"alertname": name, "severity": severity, **labels}
    return {"labels": named, "endsAt": until.isoformat()}


def test_as_shipped_nobody_is_called() -> None:
    """No address is known, so a fresh install starts and no delivery fails."""
    receivers = load(CONFIG)["receivers"]
    assert receivers == [{"name": name} for name in RECEIVERS.values()]


def test_addresses_are_read_from_files() -> None:
    """They are secrets: the line that wires a receiver names a file, never an address."""
    lines = WIRE.findall(CONFIG.read_text(encoding="utf-8"))
    assert lines == [
        f"webhook_configs: [{{url_file: /run/alertmanager/{name}_url}}]"
        for name in ("pager", "chat")
    ]


def test_inhibitions_name_alerts_that_exist() -> None:
    """Also those in patterns: each part of one matches an alert at least."""
    for rule in load(CONFIG)["inhibit_rules"]:
        for matcher in (*rule["source_matchers"], *rule["target_matchers"]):
            label, pattern = re.split(r"!?=~?", matcher.replace('"', ""), maxsplit=1)
            if label == "alertname":
                for part in pattern.split("|"):
                    assert any(re.fullmatch(part, name) for name in alerts()), matcher


@pytest.mark.monitoring
def test_alertmanager_accepts_it_as_shipped_and_wired(tmp_path: Path) -> None:
    """Both by its own check."""
    paths = [CONFIG, wired(tmp_path, {"pager": "http://127.0.0.1:1", "chat": "http://127.0.0.1:1"})]
    for path in paths:
        done = run_tool("amtool", "check-config", path)
        assert done.returncode == 0, done.stdout
    assert "3 receivers" in done.stdout


@pytest.mark.monitoring
@pytest.mark.parametrize("name", sorted(alerts()))
def test_alert_goes_where_its_severity_says(name: str) -> None:
    """Every alert of the rules, by Alertmanager's own routing."""
    severity = alerts()[name]["labels"]["severity"]
    labels = (f"alertname={name}", f"severity={severity}", "instance=trainer:8002")
    done = run_tool("amtool", "config", "routes", "test", f"--config.file={CONFIG}", *labels)
    # amtool also remarks on its own options.
    assert [line for line in done.stdout.splitlines() if " " not in line] == [RECEIVERS[severity]]


@pytest.mark.monitoring
def test_alerts_that_say_nothing_new_are_held_back(tmp_path: Path) -> None:
    """A dead target, a lost card, a dead engine, a worse alert of the same run or promise."""
    here = {"instance": "trainer:8002"}
    sent = [
        alert("TargetDown", instance="serving:8010"),
        alert("VllmEngineStuck", instance="serving:8010"),
        alert("GpuLost", uuid="g0", **here),
        alert("GpuIdleWhileTraining", uuid="g0", **here),
        alert("TrainVramBelowBand", uuid="g0", **here),
        alert("TrainVramBelowBand", uuid="g1", **here),
        alert("TrainStalled", run_id="r", **here),
        alert("TrainCheckpointOld", run_id="r", **here),
        alert("TrainCheckpointOld", run_id="other", **here),
        alert("ServingEngineFailed", instance="b"),
        alert("ServingNotReady", instance="b"),
        alert("ChatErrorBudgetBurnFast"),
        alert("ChatErrorBudgetBurnSlow"),
    ]
    with alertmanager(CONFIG, tmp_path) as url:
        asked(f"{url}/api/v2/alerts", sent)
        found = asked(f"{url}/api/v2/alerts")
        wait_for(lambda: held(asked(f"{url}/api/v2/alerts")), SECONDS, "inhibition")
        found = asked(f"{url}/api/v2/alerts")
    assert len(found) == len(sent)
    assert held(found) == [
        "ChatErrorBudgetBurnSlow",
        "GpuIdleWhileTraining g0",
        "ServingNotReady",
        "TrainCheckpointOld r",
        "TrainVramBelowBand g0",
        "VllmEngineStuck",
    ]


def held(found: list[dict[str, Any]]) -> list[str]:
    """Return the alerts that an inhibition holds back."""
    labels = [each["labels"] for each in found if each["status"]["inhibitedBy"]]
    names = [f"{each['alertname']} {each.get('run_id', each.get('uuid', ''))}" for each in labels]
    return sorted(name.strip() for name in names)


@pytest.mark.monitoring
def test_wired_receivers_are_told_and_info_stays_on_the_dashboard(tmp_path: Path) -> None:
    """Critical to the pager, warning to the chat."""
    with webhooks() as (receiver, told):
        config = wired(tmp_path, {"pager": f"{receiver}/pager", "chat": f"{receiver}/chat"})
        with alertmanager(config, tmp_path) as url:
            names = ("TrainFailed", "DatagenBreakerOpen", "TrainLossPlateau")
            asked(f"{url}/api/v2/alerts", [alert(name, instance=name) for name in names])
            wait_for(lambda: len(told) >= 2, SECONDS, "notifications")
    assert sorted(told) == [("/chat", "DatagenBreakerOpen"), ("/pager", "TrainFailed")]
