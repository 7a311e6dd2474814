"""How values look: units, colours at thresholds, words for numbers and for absence."""

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
Step = tuple[float | None, str]
PLAIN: tuple[Step, ...] = ((None, "text"),)
GREEN: tuple[Step, ...] = ((None, "green"),)
# Any at all is bad: lost cards, errors.
NONE_ALLOWED: tuple[Step, ...] = ((None, "green"), (1, "red"))
FEW_ALLOWED: tuple[Step, ...] = ((None, "green"), (1, "yellow"))


@dataclass(frozen=True)
class Field:
    """The look of a panel's values.

    Args:
        unit: Grafana's id of the unit, such as `bytes` or `percentunit`.
        absent: what is shown where there are no data; never blank.
        steps: from which value on which colour holds; the first value is None.
        words: texts and colours for exact values.
        low, high: ends of the scale.
        decimals: digits behind the point; Grafana chooses where None.
    """

    unit: str
    absent: str
    steps: tuple[Step, ...] = PLAIN
    words: tuple[tuple[str, str, str], ...] = ()
    low: float | None = None
    high: float | None = None
    decimals: int | None = None

    def defaults(self) -> Json:
        """Return `fieldConfig.defaults`."""
        known: Json = {
            "unit": self.unit,
            "noValue": self.absent,
            "mappings": [*words(self.words), nothing(self.absent)],
            "thresholds": thresholds(self.steps),
        }
        limits = {"min": self.low, "max": self.high, "decimals": self.decimals}
        return known | {key: value for key, value in limits.items() if value is not None}


def thresholds(steps: tuple[Step, ...]) -> Json:
    """Return the colours from each value on."""
    found = [{"color": color, "value": value} for value, color in steps]
    return {"mode": "absolute", "steps": found}


def words(table: tuple[tuple[str, str, str], ...]) -> list[Json]:
    """Return the mapping of exact values (as text) to a word and its colour."""
    if not table:
        return []
    options = {
        value: {"color": color, "index": index, "text": text}
        for index, (value, text, color) in enumerate(table)
    }
    return [{"type": "value", "options": options}]


def nothing(text: str) -> Json:
    """Return the mapping of what is no number, as a ratio at no traffic, to a text."""
    result = {"color": "text", "index": 99, "text": text}
    return {"type": "special", "options": {"match": "null+nan", "result": result}}


def override(name: str, **properties: Any) -> Json:
    """Return another look for the series or column `name`; `__` in a property stands for a dot."""
    return {
        "matcher": {"id": "byName", "options": name},
        "properties": [
            {"id": key.replace("__", "."), "value": value} for key, value in properties.items()
        ],
    }


def by_regex(pattern: str, **properties: Any) -> Json:
    """Return another look for the series whose names match `pattern`."""
    return override(pattern, **properties) | {
        "matcher": {"id": "byRegexp", "options": f"/{pattern}/"}
    }


def line(name: str, color: str) -> Json:
    """Return the look of a limit: a dashed line without filling."""
    return override(
        name,
        color={"mode": "fixed", "fixedColor": color},
        custom__lineStyle={"fill": "dash", "dash": [8, 6]},
        custom__fillOpacity=0,
        custom__lineWidth=1,
    )


def colored(name: str, color: str) -> Json:
    """Return a fixed colour for one series: red means the same on every dashboard."""
    return override(name, color={"mode": "fixed", "fixedColor": color})
