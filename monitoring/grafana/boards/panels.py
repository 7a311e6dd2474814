"""Constructors of panels: what every panel of a kind has in common stands here once."""

from collections.abc import Sequence
from typing import Any

from boards.fields import Field

Json = dict[str, Any]
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
REDUCE = {"calcs": ["lastNotNull"], "fields": "", "values": False}
LEGEND = {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []}
TABLE_LEGEND = LEGEND | {"displayMode": "table", "calcs": ["lastNotNull", "max"]}
TOOLTIP = {"mode": "multi", "sort": "desc"}
AXIS = {"axisPlacement": "auto", "axisLabel": "", "axisColorMode": "text"}
CURVE: Json = AXIS | {
    "drawStyle": "line",
    "lineInterpolation": "linear",
    "lineWidth": 2,
    "fillOpacity": 8,
    "gradientMode": "none",
    "showPoints": "auto",
    "pointSize": 4,
    "spanNulls": False,
    "stacking": {"group": "A", "mode": "none"},
    "thresholdsStyle": {"mode": "off"},
    "scaleDistribution": {"type": "linear"},
}


def panel(
    kind: str,
    title: str,
    about: str,
    field: Field,
    queries: Sequence[Json],
    *,
    options: Json,
    custom: Json | None = None,
    color: str = "thresholds",
    overrides: Sequence[Json] = (),
) -> Json:
    """Return a panel without place and id, which the layout gives.

    Args:
        kind: Grafana's id of the visualisation.
        title: a few words.
        about: what it means and when to worry, in one or two sentences.
        field: the look of its values.
        queries: made by `boards.queries`; they are named A, B, C and so on.
        options: of the visualisation.
        custom: options of the visualisation that belong to each field.
        color: where colours come from: `thresholds`, or `palette-classic` for one by series.
        overrides: other looks for single series.
    """
    defaults = field.defaults() | {"color": {"mode": color}, "custom": custom or {}}
    return {
        "type": kind,
        "title": title,
        "description": about,
        "datasource": DATASOURCE,
        "targets": [named(query, index) for index, query in enumerate(queries)],
        "options": options,
        "fieldConfig": {"defaults": defaults, "overrides": list(overrides)},
        "transformations": [],
        "links": [],
    }


def named(query: Json, index: int) -> Json:
    """Return the query with its letter and its data source."""
    return query | {"refId": chr(ord("A") + index), "datasource": DATASOURCE}


def stat(title: str, about: str, field: Field, *queries: Json, fill: bool = False) -> Json:
    """Return big numbers, one for each series; `fill` colours the whole tile."""
    spark = any(query["range"] for query in queries)
    options = {
        "colorMode": "background" if fill else "value",
        "graphMode": "area" if spark else "none",
        "justifyMode": "center",
        "orientation": "auto",
        "textMode": "auto",
        "wideLayout": True,
        "showPercentChange": False,
        "reduceOptions": REDUCE,
    }
    return panel("stat", title, about, field, queries, options=options)


def timeseries(
    title: str,
    about: str,
    field: Field,
    *queries: Json,
    overrides: Sequence[Json] = (),
    stacked: bool = False,
    log: bool = False,
    table: bool = False,
) -> Json:
    """Return curves over time.

    Args:
        stacked: pile the series up: for parts of a whole.
        log: a logarithmic scale: for what spans orders of magnitude.
        table: show newest and largest value of each series under the curves.
    """
    custom = dict(CURVE)
    if stacked:
        custom |= {"stacking": {"group": "A", "mode": "normal"}, "fillOpacity": 30, "lineWidth": 1}
    if log:
        custom["scaleDistribution"] = {"type": "log", "log": 10}
    options = {"legend": TABLE_LEGEND if table else LEGEND, "tooltip": TOOLTIP}
    return panel(
        "timeseries",
        title,
        about,
        field,
        queries,
        options=options,
        custom=custom,
        color="palette-classic",
        overrides=overrides,
    )


def trend(title: str, about: str, field: Field, x: Json, *curves: Json) -> Json:
    """Return curves over another number than time, which is what the query `x` yields.

    After a resume the number goes back, and the panel wants it rising without repetition: so rows
    are joined by time, grouped by the number (the newest value of each wins) and sorted by it.
    """
    number, names = x["legendFormat"], [curve["legendFormat"] for curve in curves]
    made = panel(
        "trend",
        title,
        about,
        field,
        [x, *curves],
        options={"legend": LEGEND, "tooltip": TOOLTIP, "xField": number},
        custom=CURVE | {"showPoints": "never", "spanNulls": True},
        color="palette-classic",
        overrides=[],
    )
    return made | {"transformations": by_number(number, names)}


def by_number(number: str, names: Sequence[str]) -> list[Json]:
    """Return the steps from curves over time to curves over `number`."""
    keys: Json = {number: {"operation": "groupby", "aggregations": []}}
    newest = {"operation": "aggregate", "aggregations": ["lastNotNull"]}
    renamed = {f"{name} (lastNotNull)": name for name in names}
    order: Json = {"excludeByName": {}, "indexByName": {}, "renameByName": renamed}
    return [
        {"id": "joinByField", "options": {"byField": "Time", "mode": "outer"}},
        {"id": "groupBy", "options": {"fields": keys | dict.fromkeys(names, newest)}},
        {"id": "sortBy", "options": {"fields": {}, "sort": [{"field": number, "desc": False}]}},
        {"id": "organize", "options": order},
    ]


def heatmap(title: str, about: str, field: Field, query: Json) -> Json:
    """Return the buckets of a histogram over time; `field` holds for the values of the axis."""
    scale = {"mode": "scheme", "scheme": "Oranges", "fill": "dark-orange", "scale": "exponential"}
    options = {
        "calculate": False,
        "cellGap": 1,
        "color": scale | {"exponent": 0.5, "steps": 64, "reverse": False},
        "exemplars": {"color": "rgba(255,0,255,0.7)"},
        "filterValues": {"le": 1e-9},
        "legend": {"show": True},
        "rowsFrame": {"layout": "auto"},
        "showValue": "never",
        "tooltip": {"mode": "single", "yHistogram": True, "showColorScale": True},
        "yAxis": {"axisPlacement": "left", "reverse": False, "unit": field.unit},
    }
    custom = {"scaleDistribution": {"type": "linear"}}
    return panel("heatmap", title, about, field, [query], options=options, custom=custom)


def bar_gauge(title: str, about: str, field: Field, *queries: Json) -> Json:
    """Return one bar for each series, coloured by the thresholds."""
    options = {
        "displayMode": "basic",
        "valueMode": "color",
        "namePlacement": "auto",
        "showUnfilled": True,
        "sizing": "auto",
        "minVizWidth": 8,
        "minVizHeight": 16,
        "maxVizHeight": 48,
        "orientation": "horizontal",
        "legend": LEGEND | {"showLegend": False},
        "reduceOptions": REDUCE,
    }
    return panel("bargauge", title, about, field, queries, options=options)


def state_timeline(title: str, about: str, field: Field, *queries: Json) -> Json:
    """Return one band for each series, whose colour is its state."""
    options = {
        "alignValue": "left",
        "legend": LEGEND,
        "mergeValues": True,
        "rowHeight": 0.85,
        "showValue": "never",
        "tooltip": {"mode": "single", "sort": "none"},
    }
    custom = {"fillOpacity": 80, "lineWidth": 0, "spanNulls": False}
    return panel("state-timeline", title, about, field, queries, options=options, custom=custom)
