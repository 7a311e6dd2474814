"""What Prometheus scrapes agrees with what runs where."""

import re
from typing import Any

import pytest

import compose_file
from monitoring_tools import MONITORING, RULES, load, run_tool
from tonesmith.stack.prometheus import JOB_PORTS, LIMITS

CONFIG = MONITORING / "prometheus" / "prometheus.yml"
PORTS = {service.name: service.port for service in compose_file.SERVICES}
# The launcher's control port shows its own series and the engine's; the page has a second port.
PORTS |= {"serving": 8010, "vllm": 8010, "ui": 7861, **compose_file.WATCHERS}
WHERE = {"vllm": "serving", "prometheus": "localhost"}
LIMITED = ("sample_limit", "label_limit", "label_name_length_limit", "label_value_length_limit")
JOBS = {"datagen", "trainer", "serving", "vllm", "ui", "gpu", "prometheus", "alertmanager"}


def jobs() -> dict[str, dict[str, Any]]:
    """Return the jobs by name."""
    return {job["job_name"]: job for job in load(CONFIG)["scrape_configs"]}


def test_every_service_is_a_job_of_its_own_name() -> None:
    """The engine, GPU hosts and the watchers too; the embedded stack has the same ones."""
    assert set(jobs()) == JOBS
    assert set(JOB_PORTS) == JOBS - {"gpu", "alertmanager"}


@pytest.mark.parametrize("name", sorted(JOBS - {"gpu"}))
def test_target_is_the_container_of_that_name(name: str) -> None:
    """On the port that everybody else knows."""
    host = WHERE.get(name, name)
    assert jobs()[name]["static_configs"] == [{"targets": [f"{host}:{PORTS[name]}"]}]
    assert host == "localhost" or host in compose_file.containers()


def test_gpu_hosts_come_from_files_only() -> None:
    """There is none until somebody names one."""
    assert "static_configs" not in jobs()["gpu"]


@pytest.mark.parametrize("name", sorted(JOBS - {"prometheus", "alertmanager"}))
def test_further_hosts_are_added_by_a_file(name: str) -> None:
    """Without a restart, and without the engine's socket."""
    assert jobs()[name]["file_sd_configs"] == [{"files": [f"targets/{name}/*.yml"]}]


def test_engine_is_scraped_through_the_launcher() -> None:
    """It answers while there is no engine, so that a fresh install alerts nobody."""
    assert jobs()["vllm"]["metrics_path"] == "/engine/metrics"


def test_limits_keep_a_service_that_goes_astray_small() -> None:
    """Samples and labels are bounded; a scrape ends before the next."""
    scraped = load(CONFIG)["global"]
    assert all(scraped[limit] > 0 for limit in LIMITED)
    assert (scraped["scrape_interval"], scraped["scrape_timeout"]) == ("15s", "10s")


def test_rules_ask_for_jobs_that_exist() -> None:
    """A misspelt job in a rule is never down."""
    text = "".join(path.read_text(encoding="utf-8") for path in RULES.glob("*.yml"))
    named = {job for found in re.findall(r'job=~?"([^"]+)"', text) for job in found.split("|")}
    assert named <= JOBS


def test_storage_is_bounded_alike_in_containers_and_embedded() -> None:
    """Thirty days or ten gigabytes; no lifecycle, no admin API, no remote write."""
    command = compose_file.containers()["prometheus"]["command"]
    assert set(LIMITS) <= set(command)
    assert not [word for word in command if word.startswith("--web.enable")]


def test_alerts_go_to_alertmanager() -> None:
    """The one that is scraped."""
    managers = load(CONFIG)["alerting"]["alertmanagers"]
    assert managers == [{"static_configs": [{"targets": ["alertmanager:9093"]}]}]


@pytest.mark.monitoring
def test_prometheus_accepts_it() -> None:
    """With its rules."""
    done = run_tool("promtool", "check", "config", CONFIG)
    assert done.returncode == 0, done.stdout
