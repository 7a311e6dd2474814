"""Every query of the dashboards, and how Grafana would put it to a Prometheus.

`queries()` lists those of panels, variables and annotations; `run(query, base_url, at)` answers one
from any Prometheus, a prepared or a living one.
"""

import json
import re
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from promql import filled
from repository import ROOT

FOLDER = ROOT / "monitoring" / "grafana" / "dashboards"
LABEL_VALUES = re.compile(r"label_values\((?P<selector>.*), (?P<label>\w+)\)", re.DOTALL)
QUERY_RESULT = re.compile(r"query_result\((?P<expr>.*)\)", re.DOTALL)
EVERYTHING = ".+"
HISTORY = 3600.0  # seconds that a curve shows here
STEP = 30.0


@dataclass(frozen=True)
class Query:
    """One query of a dashboard.

    Args:
        dashboard: the uid.
        place: which panel, variable or annotation it is of, and its letter.
        expr: as in the file, with variables and macros.
        curve: asked for over time, rather than for its newest value.
        label: of a variable that lists the values of a label.
        legend: what names a series; may hold `{{label}}`.
    """

    dashboard: str
    place: str
    expr: str
    curve: bool = False
    label: str = ""
    legend: str = ""

    def __str__(self) -> str:
        return f"{self.dashboard}: {self.place}"


@dataclass(frozen=True)
class Series:
    """One answer: labels, and (Unix time, value) pairs."""

    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...] = field(default=())


def dashboards() -> dict[str, dict[str, Any]]:
    """Return the committed dashboards by uid."""
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))]
    return {document["uid"]: document for document in found}


def panels(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the panels of a dashboard without the titles of rows."""
    return [panel for panel in document["panels"] if panel["type"] != "row"]


def queries() -> list[Query]:
    """Return every query of every dashboard."""
    return [query for document in dashboards().values() for query in of_document(document)]


def of_document(document: Mapping[str, Any]) -> Iterator[Query]:
    """Yield the queries of one dashboard."""
    uid = document["uid"]
    for panel in panels(document):
        for target in panel["targets"]:
            place = f"{panel['title']} {target['refId']}"
            yield Query(uid, place, target["expr"], target["range"], "", target["legendFormat"])
    for event in document["annotations"]["list"]:
        yield Query(uid, f"annotation {event['name']}", event["expr"], curve=True)
    for variable in document["templating"]["list"]:
        if variable["type"] == "query":
            yield of_variable(uid, variable)


def of_variable(uid: str, variable: Mapping[str, Any]) -> Query:
    """Return the query of a variable."""
    asked, place = variable["query"]["query"], f"variable {variable['name']}"
    if values := LABEL_VALUES.fullmatch(asked):
        return Query(uid, place, values["selector"], label=values["label"])
    result = QUERY_RESULT.fullmatch(asked)
    assert result, asked
    return Query(uid, place, result["expr"])


@cache
def choices(uid: str, base_url: str, at: float) -> Mapping[str, str]:
    """Return what the variables of a dashboard stand for when it is opened.

    Everything where several can be chosen, else the first value that the query yields; nothing
    where it yields none.
    """
    found: dict[str, str] = {}
    for variable in dashboards()[uid]["templating"]["list"]:
        if variable["type"] != "query":
            continue
        found[variable["name"]] = EVERYTHING
        if not variable["multi"]:
            answer = ask(of_variable(uid, variable), base_url, at, found)
            found[variable["name"]] = answer[0].labels[variable["name"]] if answer else ""
    return found


def run(query: Query, base_url: str, at: float) -> list[Series]:
    """Return what a Prometheus answers, with every variable at its default.

    Args:
        query: one of `queries()`.
        base_url: of the Prometheus.
        at: the newest moment to show, in Unix time.

    Raises:
        urllib.error.HTTPError: the query is refused.
    """
    return ask(query, base_url, at, choices(query.dashboard, base_url, at))


def ask(query: Query, base_url: str, at: float, chosen: Mapping[str, str]) -> list[Series]:
    """Return what a Prometheus answers where the variables have the values `chosen`."""
    expr = filled(query.expr, chosen)
    if query.label:
        window = {"match[]": expr, "start": at - HISTORY, "end": at}
        values = get(base_url, f"/api/v1/label/{query.label}/values", window)
        return [Series({query.label: value}, ((at, 1.0),)) for value in values]
    if query.curve:
        window = {"query": expr, "start": at - HISTORY, "end": at, "step": STEP}
        answer = get(base_url, "/api/v1/query_range", window)["result"]
        return [series(each["metric"], each["values"]) for each in answer]
    answer = get(base_url, "/api/v1/query", {"query": expr, "time": at})["result"]
    return [series(each["metric"], [each["value"]]) for each in answer]


def series(labels: Mapping[str, str], points: list[tuple[float, str]]) -> Series:
    """Return an answer of Prometheus, whose values are texts."""
    return Series(labels, tuple((moment, float(value)) for moment, value in points))


def get(base_url: str, path: str, values: Mapping[str, object]) -> Any:
    """Return the data of an answer."""
    url = f"{base_url}{path}?{urllib.parse.urlencode(values)}"
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.load(answer)["data"]
