"""Tables and lists: constructors of the panels whose rows people read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from boards.fields import PLAIN, Field, Step, override, thresholds, words
from boards.panels import DATASOURCE, panel

Json = dict[str, Any]
# What Prometheus adds to each row and nobody reads.
HIDDEN = ("Time", "__name__", "job")


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Args:
        source: the label, or `Value #A` for the value of the first query.
        title: what stands above it.
        unit: of its values; `string` for labels.
        steps: colours of its text from each value on.
        words: texts for exact values.
        link: where a click leads; may name `${__value.text}`.
        width: in pixels; shared evenly where None.
    """

    source: str
    title: str
    unit: str = "string"
    steps: tuple[Step, ...] = PLAIN
    words: tuple[tuple[str, str, str], ...] = ()
    link: str = ""
    width: int | None = None

    def look(self) -> Json:
        """Return the override of this column."""
        known: Json = {"unit": self.unit}
        if self.steps != PLAIN or self.words:
            known["thresholds"] = thresholds(self.steps)
            known["mappings"] = words(self.words)
            known["custom__cellOptions"] = {"type": "color-text"}
        if self.link:
            title = f"Open by {self.title.lower()}"
            known["links"] = [{"title": title, "url": self.link, "targetBlank": False}]
        if self.width:
            known["custom__width"] = self.width
        return override(self.title, **known)


def table(title: str, about: str, field: Field, columns: Sequence[Column], *queries: Json) -> Json:
    """Return a table: the rows of all queries, merged by their labels, in the order of `columns`.

    Args:
        title: a few words.
        about: what it means and when to worry.
        field: the look of what no column describes.
        columns: what is shown; other labels are hidden.
        queries: made by `boards.queries.rows`.
    """
    options = {
        "cellHeight": "sm",
        "footer": {"show": False, "reducer": ["sum"], "countRows": False, "fields": ""},
        "showHeader": True,
        "frameIndex": 0,
        "sortBy": [],
    }
    custom = {"align": "left", "cellOptions": {"type": "auto"}, "inspect": False, "minWidth": 70}
    looks = [column.look() for column in columns]
    made = panel(
        "table", title, about, field, queries, options=options, custom=custom, overrides=looks
    )
    return made | {"transformations": shape(columns, len(queries))}


def shape(columns: Sequence[Column], queries: int) -> list[Json]:
    """Return the steps from answers to rows: merge, hide, order, rename."""
    # With one query Grafana calls its value `Value`, without a letter.
    names = {
        "Value" if queries == 1 and column.source == "Value #A" else column.source: column.title
        for column in columns
    }
    letters = [f"Value #{chr(ord('A') + index)}" for index in range(queries)]
    values = ["Value"] if queries == 1 else letters
    hidden = [name for name in (*HIDDEN, *values) if name not in names]
    options = {
        "excludeByName": dict.fromkeys(hidden, True),
        "indexByName": {name: index for index, name in enumerate(names)},
        "renameByName": names,
    }
    return [{"id": "merge", "options": {}}, {"id": "organize", "options": options}]


def alert_list(title: str, about: str, states: Mapping[str, bool]) -> Json:
    """Return the list of Prometheus' alerts with a link to each rule."""
    options = {
        "alertName": "",
        "dashboardAlerts": False,
        "datasource": "Prometheus",
        "groupBy": [],
        "groupMode": "default",
        "maxItems": 20,
        "sortOrder": 3,
        "stateFilter": dict(states),
        "viewMode": "list",
        "alertInstanceLabelFilter": "",
    }
    return {
        "type": "alertlist",
        "title": title,
        "description": about,
        "datasource": DATASOURCE,
        "targets": [],
        "options": options,
        "fieldConfig": {"defaults": {"noValue": "no alert"}, "overrides": []},
        "transformations": [],
        "links": [],
    }
