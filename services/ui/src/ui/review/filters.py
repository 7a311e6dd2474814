"""Which rows a reviewer looks at: what the fields of the sheet say, as a query (pure)."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from contracts.review import ReviewFilter, ReviewQuery
from contracts.sample import RejectReason
from ui.texts import Texts

ROWS = 50
# The fields of the sheet, in the order in which their values come.
FIELDS = ("style", "decision", "origin", "reason", "order", "text")
CHOICES: dict[str, tuple[str, ...]] = {
    "decision": ("open", "accepted", "rejected"),
    "origin": ("accepted", "rejected"),
    "reason": tuple(reason.value for reason in RejectReason),
    "order": ("uncertainty", "number"),
}
EVERYTHING: tuple[str, ...] = ("", "", "", "", "uncertainty", "")
MOST_TEXT = 200


def filter_of(values: Sequence[Any], situation: Any) -> ReviewFilter:
    """Return the filter that the fields say; one that makes no sense says nothing."""
    known = dict(zip(FIELDS, values, strict=True)) | situation_of(situation)
    known.pop("order")
    found: dict[str, Any] = {}
    for name, value in known.items():
        text = str(value or "").strip()[:MOST_TEXT]
        if text and sensible(name, text):
            found[name] = text
    return ReviewFilter.model_validate(found)


def sensible(name: str, value: str) -> bool:
    """Return whether a field may say `value`."""
    try:
        ReviewFilter.model_validate({name: value})
    except ValidationError:
        return False
    return True


def query_of(wanted: ReviewFilter, order: Any, offset: int) -> ReviewQuery:
    """Return one page of the rows that match."""
    known = wanted.model_dump(exclude_none=True)
    by = order if order in CHOICES["order"] else "uncertainty"
    return ReviewQuery.model_validate(known | {"order": by, "offset": offset, "limit": ROWS})


def situation_of(told: Any) -> dict[str, str]:
    """Return area and emotion as the page keeps them, or neither."""
    try:
        found = json.loads(str(told or "{}"))
    except ValueError:
        return {}
    known = found if isinstance(found, dict) else {}
    return {name: str(known[name]) for name in ("area", "emotion") if known.get(name)}


def field_choices(texts: Texts, name: str) -> list[tuple[str, str]]:
    """Return what a field with fixed values offers."""
    listed = [(texts(f"review.{name}.{value}"), value) for value in CHOICES[name]]
    return listed if name == "order" else [(texts("review.every"), ""), *listed]


def style_choices(
    texts: Texts, styles: Sequence[str], names: Mapping[str, str], picked: Any
) -> list[tuple[str, str]]:
    """Return the styles of a dataset by their names; the one that is picked stays."""
    every = list(dict.fromkeys([*styles, *([str(picked)] if picked else [])]))
    return [(texts("review.every"), ""), *((names.get(one, one), one) for one in every if one)]
