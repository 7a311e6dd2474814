"""The frame of a dashboard: identity, variables, links, events of runs."""

from collections.abc import Sequence
from typing import Any

from boards.layout import Row, place
from boards.panels import DATASOURCE

Json = dict[str, Any]
TAG = "tonesmith"
SCHEMA = 39  # loads in Grafana 11 to 13; nothing migrates down
ALL = {"text": ["All"], "value": ["$__all"]}


def dashboard(
    name: str,
    title: str,
    about: str,
    variables: Sequence[Json],
    rows: Sequence[Row],
    *,
    events: Sequence[Json] = (),
    since: str = "now-6h",
) -> Json:
    """Return the document of one dashboard.

    Args:
        name: the end of its uid, which links name.
        title: without the product's name, which is the folder's.
        about: whom it helps with what.
        variables: beside the data source; made by `jobs`, `choice`, `newest`.
        rows: what it shows.
        events: annotations, made by `run_events`.
        since: the beginning of the time that is shown at first.
    """
    return {
        "id": None,
        "uid": f"{TAG}-{name}",
        "title": title,
        "description": about,
        "tags": [TAG],
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "timezone": "browser",
        "refresh": "30s",
        "time": {"from": since, "to": "now"},
        "timepicker": {"refresh_intervals": ["15s", "30s", "1m", "5m", "15m"]},
        "templating": {"list": [datasource(), *variables]},
        "annotations": {"list": list(events)},
        "links": [to_the_others()],
        "panels": place(rows),
    }


def to_the_others() -> Json:
    """Return the links to all our dashboards, which keep variables and time."""
    return {
        "type": "dashboards",
        "title": "Tonesmith",
        "tooltip": "The other dashboards, with the same choices and the same time",
        "icon": "external link",
        "tags": [TAG],
        "url": "",
        "asDropdown": False,
        "includeVars": True,
        "keepTime": True,
        "targetBlank": False,
    }


def datasource() -> Json:
    """Return the variable that names the data source: ours, unless another is chosen."""
    return {
        "type": "datasource",
        "name": "datasource",
        "label": "Data source",
        "query": "prometheus",
        "regex": "",
        "current": {"text": "Prometheus", "value": "prometheus"},
        "hide": 0,
        "includeAll": False,
        "multi": False,
        "refresh": 1,
        "skipUrlSync": False,
        "options": [],
    }


def choice(name: str, label: str, query: str) -> Json:
    """Return a variable of which several values, or all, can be chosen."""
    return variable(name, label, query) | {
        "multi": True,
        "includeAll": True,
        "allValue": ".+",
        "current": ALL,
    }


def variable(name: str, label: str, query: str) -> Json:
    """Return a variable whose values are asked for whenever the time range changes."""
    return {
        "type": "query",
        "name": name,
        "label": label,
        "datasource": DATASOURCE,
        "query": {"query": query, "refId": f"variable-{name}"},
        "definition": query,
        "regex": "",
        "refresh": 2,
        "sort": 1,
        "hide": 0,
        "multi": False,
        "includeAll": False,
        "skipUrlSync": False,
        "options": [],
    }


def newest(name: str, label: str, expr: str) -> Json:
    """Return a variable whose values are sorted by the query, so that the first is the default.

    Args:
        name: also the label of the series that holds the value.
        label: what stands beside it.
        expr: a query whose result is sorted, newest first.
    """
    regex = f'/{name}="([^"]+)"/'
    return variable(name, label, f"query_result({expr})") | {"regex": regex, "sort": 0}


def jobs(pattern: str) -> list[Json]:
    """Return the variables job and instance; `pattern` says which jobs the dashboard is about."""
    known = f'up{{job=~"{pattern}"}}'
    chosen = f'up{{job=~"{pattern}", job=~"$job"}}'
    return [
        choice("job", "Job", f"label_values({known}, job)"),
        choice("instance", "Instance", f"label_values({chosen}, instance)"),
    ]


def run_events(chosen: str) -> list[Json]:
    """Return what happens to runs, as marks on every curve.

    Args:
        chosen: the matchers of the runs, such as `run_id=~"$run_id"`.
    """

    def moment(metric: str) -> str:
        return f"{metric}{{{chosen}}} * 1000"

    # The loss of the best evaluation has no time of its own: it is new where it changes.
    best = f"changes(train_best_eval_loss{{{chosen}}}[$__rate_interval]) > 0"
    return [
        event("Start", "blue", moment("train_start_timestamp_seconds")),
        event("End", "purple", moment("train_end_timestamp_seconds")),
        event("Checkpoint", "green", moment("train_last_checkpoint_timestamp_seconds")),
        event("Best", "yellow", best, value_is_time=False),
    ]


def event(name: str, color: str, expr: str, *, value_is_time: bool = True) -> Json:
    """Return one kind of mark; `value_is_time`: the value is the moment in Unix milliseconds."""
    return {
        "name": name,
        "datasource": DATASOURCE,
        "enable": True,
        "hide": False,
        "iconColor": color,
        "expr": expr,
        "step": "30s",
        "titleFormat": f"{name}: {{{{run_id}}}}",
        "textFormat": "",
        "tagKeys": "run_id",
        "useValueForTime": value_is_time,
    }
