"""The dashboards by the rules of Grafana's dashboard-linter and our own; no Grafana is needed.

Tests named `..._rule` are rules of the official linter, under its names.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest

import dashboard_queries
from dashboard_queries import EVERYTHING, panels
from metric_names import recordings
from promql import Selector, filled, selectors

DASHBOARDS = dashboard_queries.dashboards()
BOARDS = pytest.mark.parametrize("board", DASHBOARDS.values(), ids=DASHBOARDS.keys())
REF = {"type": "prometheus", "uid": "${datasource}"}
# Series without the labels of a target, each with its reason.
UNSCOPED = {"ALERTS": "an alert has the labels of its expression"} | {
    name: "summed over all targets" for name in recordings() if not name.startswith("gpu:")
}


def exprs(board: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield title and query of every panel's targets, as Grafana would send them."""
    names = [variable["name"] for variable in board["templating"]["list"]]
    values = dict.fromkeys(names, EVERYTHING)
    for panel in panels(board):
        for target in panel["targets"]:
            yield panel["title"], filled(target["expr"], values)


def used(board: dict[str, Any]) -> Iterator[tuple[str, Selector]]:
    """Yield title and selector of every use of a metric."""
    for title, expr in exprs(board):
        for selector in selectors(expr):
            yield title, selector


def variable(board: dict[str, Any], name: str) -> dict[str, Any]:
    """Return one variable."""
    found: dict[str, Any] = next(
        each for each in board["templating"]["list"] if each["name"] == name
    )
    return found


@BOARDS
def test_schema_loads_in_grafana_11_to_13(board: dict[str, Any]) -> None:
    """Grafana gives ids; nothing migrates down; `__inputs` break under provisioning."""
    assert board["schemaVersion"] == 39
    assert board["id"] is None
    assert "__inputs" not in board


@BOARDS
def test_uneditable_dashboard_rule(board: dict[str, Any]) -> None:
    """What is clicked together would be lost at the next start."""
    assert board["editable"] is False


@BOARDS
def test_template_datasource_rule(board: dict[str, Any]) -> None:
    """The data source is a variable with the linter's names, ours at first."""
    found = variable(board, "datasource")
    assert (found["type"], found["query"], found["label"]) == (
        "datasource",
        "prometheus",
        "Data source",
    )
    assert found["current"]["value"] == "prometheus"


@BOARDS
@pytest.mark.parametrize("name", ["job", "instance"])
def test_template_job_and_instance_rules(board: dict[str, Any], name: str) -> None:
    """Both can be narrowed; all is the default and matches only what has the label."""
    found = variable(board, name)
    assert (found["type"], found["label"]) == ("query", name.capitalize())
    assert found["datasource"] == REF
    assert found["multi"]
    assert found["includeAll"]
    assert found["allValue"] == ".+"


@BOARDS
def test_template_on_time_change_reload_rule(board: dict[str, Any]) -> None:
    """A run of last week can be chosen once last week is shown."""
    asked = [each for each in board["templating"]["list"] if each["type"] == "query"]
    assert all(each["refresh"] == 2 for each in asked)


@BOARDS
def test_template_label_promql_rule(board: dict[str, Any]) -> None:
    """What variables ask is PromQL, and every variable but job and instance narrows something."""
    text = " ".join(target["expr"] for panel in panels(board) for target in panel["targets"])
    for each in board["templating"]["list"]:
        if each["type"] == "query":
            query = dashboard_queries.of_variable(board["uid"], each)
            values = {each["name"]: EVERYTHING for each in board["templating"]["list"]}
            assert selectors(filled(query.expr, values))
            assert f"${each['name']}" in text, each["name"]


@BOARDS
def test_panel_datasource_rule(board: dict[str, Any]) -> None:
    """Every panel, query and mark follows the variable."""
    for panel in panels(board):
        assert panel["datasource"] == REF
        assert all(target["datasource"] == REF for target in panel["targets"])
    assert all(event["datasource"] == REF for event in board["annotations"]["list"])


@BOARDS
def test_panel_title_description_rule(board: dict[str, Any]) -> None:
    """A description says what is meant and when to worry: at least a sentence."""
    for panel in panels(board):
        assert panel["title"]
        text = panel["description"]
        assert text.endswith((".", "!", "?")), panel["title"]
        assert text.count(". ") < 4, panel["title"]
        assert len(text) >= 10, panel["title"]


@BOARDS
def test_panel_no_targets_rule(board: dict[str, Any]) -> None:
    """Only the list of alerts asks nothing by itself."""
    silent = {panel["type"] for panel in panels(board) if not panel["targets"]}
    assert silent <= {"alertlist"}


@BOARDS
def test_absence_is_never_blank(board: dict[str, Any]) -> None:
    """A panel without data says what that means."""
    for panel in panels(board):
        assert panel["fieldConfig"]["defaults"]["noValue"], panel["title"]


@BOARDS
def test_table_says_in_a_row_that_it_is_empty(board: dict[str, Any]) -> None:
    """A table would show its head alone."""
    for panel in panels(board):
        if panel["type"] == "table":
            first = panel["targets"][0]["expr"]
            assert "or label_replace(0 * absent(" in first, panel["title"]


@BOARDS
def test_target_promql_rule(board: dict[str, Any]) -> None:
    """Every query parses, and names at least one metric or a constant."""
    for title, expr in exprs(board):
        assert selectors(expr) or expr.startswith("vector("), title


@BOARDS
@pytest.mark.parametrize("label", ["job", "instance"])
def test_target_job_and_instance_rules(board: dict[str, Any], label: str) -> None:
    """Every selector follows both variables, but for what has no target."""
    for title, selector in used(board):
        if selector.metric not in UNSCOPED:
            assert selector.matchers.get(label) == f"=~{EVERYTHING}", (title, selector.metric)


@BOARDS
def test_target_rate_interval_rule(board: dict[str, Any]) -> None:
    """Rates fit the zoom; an increase may also be that of all that is shown."""
    for panel in panels(board):
        for target in panel["targets"]:
            for function, window in re.findall(r"\b(\w+)\([^()]*\[([^]]+)\]", target["expr"]):
                allowed = {"$__rate_interval"}
                if function == "increase":
                    allowed |= {"$__range"}
                assert window in allowed, (panel["title"], target["expr"])


@BOARDS
def test_target_counter_agg_rule(board: dict[str, Any]) -> None:
    """A counter means nothing by itself: it begins at 0 with each start."""
    for title, selector in used(board):
        if selector.metric.endswith(("_total", "_bucket", "_sum", "_count")):
            assert selector.function in ("rate", "increase"), (title, selector.metric)


@BOARDS
def test_every_variable_that_is_used_is_defined(board: dict[str, Any]) -> None:
    """Grafana would send the name of another as it stands."""
    defined = {each["name"] for each in board["templating"]["list"]}
    for panel in panels(board):
        for target in panel["targets"]:
            found = set(re.findall(r"\$\{?(\w+)", target["expr"]))
            assert {name for name in found if not name.startswith("__")} <= defined


def test_target_band_is_the_trainers() -> None:
    """No dashboard knows 90 and 95 % by itself: the trainer's setting is asked for."""
    for uid in ("tonesmith-overview", "tonesmith-training"):
        asked = " ".join(expr for _, expr in exprs(DASHBOARDS[uid]))
        assert 'bound="low"' in asked
        assert 'bound="high"' in asked
