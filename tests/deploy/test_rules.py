"""The alert rules: each says what to do, is tested on both sides, and passes promtool."""

import re

import pytest

from monitoring_tools import MONITORING, RULES, alerts, load, rule_files, run_tool

TESTS = sorted((MONITORING / "prometheus" / "tests").glob("*.yml"))
SEVERITIES = {"critical", "warning", "info"}
UNITS = {"s": 1, "m": 60, "h": 3600}
SCRAPE_SECONDS = 15
# What dashboards read too; they may rely on the names.
RECORDED = {
    "gpu:memory_used:ratio",
    "serving:ttft_slow:ratio_rate5m",
    "serving:ttft_slow:ratio_rate1h",
    "ui:chat_errors:ratio_rate5m",
    "ui:chat_errors:ratio_rate30m",
    "ui:chat_errors:ratio_rate1h",
    "ui:chat_errors:ratio_rate6h",
}
# A sentence that can be followed names a program, a setting or a place to look.
CONCRETE = re.compile(
    r"`[^`]+`|\b[A-Z]+(_[A-Z]+)+\b|dashboard|checkpoint|card|host|job|space|reset|epochs"
)


def seconds(duration: str) -> int:
    """Return a duration such as 1m30s in seconds."""
    return sum(int(count) * UNITS[unit] for count, unit in re.findall(r"(\d+)([smh])", duration))


def checks() -> list[tuple[str, bool]]:
    """Return for each check of the tests the alert and whether it must fire."""
    groups = [group for path in TESTS for group in load(path)["tests"]]
    found = [check for group in groups for check in group["alert_rule_test"]]
    return [(check["alertname"], bool(check["exp_alerts"])) for check in found]


@pytest.mark.parametrize("name", sorted(alerts()))
def test_alert_is_tested_firing_and_quiet(name: str) -> None:
    """A rule that was never seen firing may be misspelt; one never seen quiet may always fire."""
    assert {fires for alert, fires in checks() if alert == name} == {True, False}


@pytest.mark.parametrize("name", sorted(alerts()))
def test_alert_says_how_bad_it_is_and_what_to_do(name: str) -> None:
    """Severity decides who hears of it; the runbook is one sentence that can be followed."""
    rule = alerts()[name]
    assert set(rule["labels"]) == {"severity"}
    assert rule["labels"]["severity"] in SEVERITIES
    assert set(rule["annotations"]) == {"summary", "runbook"}
    runbook = rule["annotations"]["runbook"]
    assert runbook.endswith(".")
    assert CONCRETE.search(runbook)


@pytest.mark.parametrize("name", sorted(alerts()))
def test_alert_waits_for_two_scrapes_or_says_why_not(name: str) -> None:
    """One bad scrape wakes nobody; an exception carries the comment `# at once: ...`."""
    rule = alerts()[name]
    text = "".join(path.read_text(encoding="utf-8") for path in rule_files())
    block = text.split(f"- alert: {name}")[1].split("- alert:")[0]
    assert (seconds(rule.get("for", "")) >= 2 * SCRAPE_SECONDS) != ("# at once: " in block)


def test_tests_name_alerts_that_exist() -> None:
    """promtool finds nothing wrong in a quiet alert of a name that nobody has."""
    assert {name for name, _ in checks()} == set(alerts())


def test_recordings_are_those_that_dashboards_read() -> None:
    """All in one file."""
    groups = load(RULES / "recordings.yml")["groups"]
    assert {rule["record"] for group in groups for rule in group["rules"]} == RECORDED


def test_killed_target_is_told_within_two_minutes() -> None:
    """Up to a scrape until it is seen, up to an evaluation each to become pending and to fire."""
    scraped = load(MONITORING / "prometheus" / "prometheus.yml")["global"]
    rounds = seconds(scraped["scrape_interval"]) + 2 * seconds(scraped["evaluation_interval"])
    assert seconds(alerts()["TargetDown"]["for"]) + rounds < 120


@pytest.mark.monitoring
def test_rules_pass_the_linter() -> None:
    """Syntax, templates, duplicates."""
    done = run_tool("promtool", "check", "rules", "--lint=all", "--lint-fatal", *rule_files())
    assert done.returncode == 0, done.stdout


@pytest.mark.monitoring
@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_rules_behave(path: str) -> None:
    """Every alert fires, keeps quiet in a near miss, and changes at its boundary."""
    done = run_tool("promtool", "test", "rules", path)
    assert done.returncode == 0, done.stdout
