"""The stack, watched: the real Prometheus and Alertmanager, and Grafana where its image is."""

import os
import subprocess
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

import compose_file
from compose_file import WATCHERS
from fakes.compose_project import ComposeProject, free_port, until
from repository import ROOT

pytestmark = pytest.mark.container
JOBS = {"datagen", "trainer", "serving", "vllm", "ui", "prometheus", "alertmanager"}
SCRAPED_SECONDS = 90
PULL_SECONDS = 300
DASHBOARDS = ROOT / "monitoring/grafana/dashboards"


@pytest.fixture(scope="module")
def watched(stack: ComposeProject) -> Iterator[ComposeProject]:
    """The stack with Prometheus and Alertmanager, made from Debian's packages if need be."""
    subprocess.run([ROOT / "scripts/offline-monitoring-images"], check=True, env=os.environ)
    images = {
        f"STACK_{name.upper()}_IMAGE": image(name).partition("@")[0]
        for name in ("prometheus", "alertmanager")
    }
    stack.settings = images | {f"{name.upper()}_PORT": str(free_port()) for name in WATCHERS}
    stack.compose("up", "--detach", "--no-build", "--wait", "prometheus", "alertmanager")
    yield stack
    stack.compose("rm", "--stop", "--force", *WATCHERS)
    stack.settings = {}


def image(name: str) -> str:
    """Return the image that compose names."""
    return str(compose_file.containers()[name]["image"])


def url(stack: ComposeProject, name: str) -> str:
    """Return where one of the watchers is published."""
    return f"http://127.0.0.1:{stack.settings[f'{name.upper()}_PORT']}"


def ask(stack: ComposeProject, path: str) -> Any:
    """Return what Prometheus answers."""
    answer = httpx.get(f"{url(stack, 'prometheus')}/api/v1/{path}").raise_for_status()
    return answer.json()["data"]


def test_every_target_is_scraped(watched: ComposeProject) -> None:
    """Each service, vLLM behind its launcher, and what watches them."""

    def scraped() -> dict[str, str]:
        targets = ask(watched, "targets?state=active")["activeTargets"]
        return {target["labels"]["job"]: target["health"] for target in targets}

    until(lambda: "unknown" not in scraped().values(), SCRAPED_SECONDS)
    assert scraped() == dict.fromkeys(JOBS, "up")


def test_rules_are_loaded_and_alertmanager_is_known(watched: ComposeProject) -> None:
    """Every rule file, without an error; nothing critical burns on a healthy stack."""
    groups = ask(watched, "rules")["groups"]
    assert {group["file"].rpartition("/")[2] for group in groups} == {
        path.name for path in (ROOT / "monitoring/prometheus/rules").glob("*.yml")
    }
    assert not [rule for group in groups for rule in group["rules"] if rule.get("lastError")]
    assert len(ask(watched, "alertmanagers")["activeAlertmanagers"]) == 1
    firing = [
        alert["labels"]
        for alert in ask(watched, "alerts")["alerts"]
        if alert["state"] == "firing" and alert["labels"]["severity"] == "critical"
    ]
    assert firing == []


def test_metrics_are_on_no_published_port_of_ours(watched: ComposeProject) -> None:
    """The page's port knows no such path."""
    assert httpx.get(f"{watched.url}/metrics").status_code == 404


def test_watchers_may_do_little(watched: ComposeProject) -> None:
    """As the services: read-only root, no capability, nobody's user; Prometheus takes no orders."""
    for name in ("prometheus", "alertmanager"):
        attributes = watched.container(name).attrs
        assert attributes["HostConfig"]["ReadonlyRootfs"] is True
        assert attributes["HostConfig"]["CapDrop"] == ["ALL"]
        assert attributes["Config"]["User"] not in ("", "0", "root")
    assert httpx.post(f"{url(watched, 'prometheus')}/-/quit").status_code == 403


@pytest.fixture(scope="module")
def grafana(watched: ComposeProject) -> httpx.Client:
    """Grafana, with the password that `init` made; skipped where no registry gives its image."""
    pulled = subprocess.run(
        ["docker", "pull", "--quiet", image("grafana")],
        capture_output=True,
        timeout=PULL_SECONDS,
        check=False,
    )
    if pulled.returncode:
        pytest.skip(f"no registry gives {image('grafana')}, and Debian has no package of it")
    watched.compose("up", "--detach", "--no-build", "grafana")
    password = watched.run("ui", "cat", "/run/keys/grafana_password").strip()
    client = httpx.Client(base_url=url(watched, "grafana"), auth=("admin", password))
    until(lambda: client.get("/api/health").is_success, SCRAPED_SECONDS)
    return client


def test_grafana_has_every_dashboard(grafana: httpx.Client) -> None:
    """And the datasource that they name, which answers; admin/admin does not open it."""
    found = {one["uid"] for one in grafana.get("/api/search?type=dash-db").json()}
    assert found == {f"tonesmith-{path.stem}" for path in DASHBOARDS.glob("*.json")}
    answer = grafana.get("/api/datasources/uid/prometheus/health").json()
    assert answer["status"] == "OK"
    refused = httpx.get(f"{grafana.base_url}/api/search", auth=("admin", "admin"))
    assert refused.status_code == 401
