"""The dashboards against Grafana's own schema, as its foundation SDK knows it.

The SDK reads what it knows and drops the rest, so a key that is misspelt does not come back. Four
parts it hands through unread, and these have tests of their own: transformations, overrides, links
and options of the list of alerts.
"""

import copy
import json
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

import dashboard_queries

DASHBOARDS = dashboard_queries.dashboards()
BOARDS = pytest.mark.parametrize("board", DASHBOARDS.values(), ids=DASHBOARDS.keys())
# Options of each transformation that we use: @grafana/data, transformers/.
TRANSFORMATIONS = {
    "joinByField": {"byField", "mode"},
    "groupBy": {"fields"},
    "sortBy": {"fields", "sort"},
    "merge": set[str](),
    "organize": {"excludeByName", "indexByName", "renameByName"},
}
# Options of the list of alerts: public/app/plugins/panel/alertlist/types.ts.
ALERT_LIST = {
    "alertName",
    "dashboardAlerts",
    "datasource",
    "groupBy",
    "groupMode",
    "maxItems",
    "sortOrder",
    "stateFilter",
    "viewMode",
    "alertInstanceLabelFilter",
}
LINK = {"title", "url", "targetBlank"}
# What an override may set: standard fields, and those of the kind of panel.
STANDARD = {"unit", "color", "links", "mappings", "thresholds", "decimals", "min", "max"}
CUSTOM = {
    "custom.axisPlacement",
    "custom.cellOptions",
    "custom.fillOpacity",
    "custom.lineStyle",
    "custom.lineWidth",
    "custom.stacking",
    "custom.width",
}


def come_back(board: dict[str, Any]) -> dict[str, Any]:
    """Return a dashboard as the SDK writes what it has read."""
    with warnings.catch_warnings():
        # Classic dashboards are what Grafana 11 to 13 provision; the SDK would have us use v2.
        warnings.simplefilter("ignore", DeprecationWarning)
        from grafana_foundation_sdk.cog.encoder import JSONEncoder
        from grafana_foundation_sdk.cog.plugins import register_default_plugins
        from grafana_foundation_sdk.models.dashboard import Dashboard

        register_default_plugins()
        found: dict[str, Any] = json.loads(json.dumps(Dashboard.from_json(board), cls=JSONEncoder))
    return found


def lost(ours: Any, theirs: Any, path: str = "") -> Iterator[str]:
    """Yield the places at which something of ours is missing or different; more is no loss."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key, value in ours.items():
            # Absent and null are the same to Grafana.
            if value is not None or key in theirs:
                yield from lost(value, theirs.get(key), f"{path}.{key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for index, pair in enumerate(zip(ours, theirs, strict=True)):
            yield from lost(*pair, f"{path}[{index}]")
    elif ours != theirs:
        yield f"{path}: {ours!r} became {theirs!r}"


def of_kind(kind: str) -> dict[str, Any]:
    """Return the dashboard that has a panel of this kind, with that panel first."""
    for board in DASHBOARDS.values():
        found = [panel for panel in board["panels"] if panel["type"] == kind]
        if found:
            return copy.deepcopy(board | {"panels": found})
    raise AssertionError(kind)


@BOARDS
def test_every_key_is_known_to_grafana(board: dict[str, Any]) -> None:
    """Nothing is lost on the way through the SDK."""
    assert not list(lost(board, come_back(board)))


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        ("timeseries", "description"),
        ("timeseries", "fieldConfig.defaults.noValue"),
        ("timeseries", "fieldConfig.defaults.custom.lineWidth"),
        ("timeseries", "options.tooltip.mode"),
        ("timeseries", "targets.0.legendFormat"),
        ("trend", "options.xField"),
        ("stat", "options.colorMode"),
        ("heatmap", "options.yAxis.unit"),
        ("state-timeline", "options.mergeValues"),
        ("bargauge", "options.displayMode"),
        ("table", "options.showHeader"),
    ],
)
def test_misspelt_key_is_found(kind: str, place: str) -> None:
    """The check would notice a typing error in any of these places."""
    board = of_kind(kind)
    node: Any = board["panels"][0]
    *path, last = place.split(".")
    for key in path:
        node = node[int(key)] if isinstance(node, list) else node[key]
    node[f"{last}x"] = node.pop(last)
    assert any(f"{last}x" in place for place in lost(board, come_back(board)))


@pytest.mark.parametrize("part", ["templating", "annotations"])
def test_misspelt_key_of_variable_or_mark_is_found(part: str) -> None:
    """The same for what stands around the panels."""
    board = copy.deepcopy(DASHBOARDS["tonesmith-training"])
    first = board[part]["list"][-1]
    first["enablex"] = True
    assert list(lost(board, come_back(board)))


@BOARDS
def test_transformations_have_known_options(board: dict[str, Any]) -> None:
    """The SDK does not read them."""
    for panel in dashboard_queries.panels(board):
        for step in panel["transformations"]:
            assert set(step) == {"id", "options"}
            assert set(step["options"]) == TRANSFORMATIONS[step["id"]], panel["title"]


@BOARDS
def test_overrides_set_known_fields(board: dict[str, Any]) -> None:
    """`custom.` properties are those that panels of the kind have by default, or known ones."""
    for panel in dashboard_queries.panels(board):
        for override in panel["fieldConfig"]["overrides"]:
            assert override["matcher"]["id"] in ("byName", "byRegexp")
            assert {each["id"] for each in override["properties"]} <= STANDARD | CUSTOM


@BOARDS
def test_links_of_columns_have_known_keys(board: dict[str, Any]) -> None:
    """A link that is misspelt would not be shown."""
    for panel in dashboard_queries.panels(board):
        for override in panel["fieldConfig"]["overrides"]:
            for each in override["properties"]:
                if each["id"] == "links":
                    assert all(set(link) == LINK for link in each["value"])


def test_list_of_alerts_has_known_options() -> None:
    """The SDK has no model of this panel."""
    panel = of_kind("alertlist")["panels"][0]
    assert set(panel["options"]) == ALERT_LIST


@BOARDS
def test_panel_units_rule(board: dict[str, Any]) -> None:
    """Every panel has a unit, and Grafana knows it."""
    from grafana_foundation_sdk.models import units

    known = {value for value in vars(units).values() if isinstance(value, str)}
    for panel in dashboard_queries.panels(board):
        if panel["type"] != "alertlist":
            assert panel["fieldConfig"]["defaults"]["unit"] in known, panel["title"]
        for override in panel["fieldConfig"]["overrides"]:
            for each in override["properties"]:
                assert each["id"] != "unit" or each["value"] in known, panel["title"]
