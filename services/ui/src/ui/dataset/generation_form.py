"""What is filled in to start a generation, as datagen takes it (pure)."""

import hashlib
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from contracts.dataset import DatasetRequest

# In the order of the form.
FIELDS = (
    "name",
    "styles",
    "per_style",
    "questions",
    "multi_turn_ratio",
    "turns",
    "turns_least",
    "conditioning",
    "eval_ratio",
    "max_attempts",
    "seed",
)
# Shares are written in percent.
PERCENT = frozenset({"multi_turn_ratio", "eval_ratio"})
NUMBERS = frozenset({"per_style", "turns", "turns_least", "max_attempts", "seed"}) | PERCENT
BUDGET = "budget"
MOST_DOLLARS = 1_000_000.0
Complaint = tuple[str, Mapping[str, object]]


class FormError(ValueError):
    """What was filled in cannot be asked for.

    Args:
        complaints: by field, the locale key of what is wrong and the values of its placeholders.
    """

    def __init__(self, complaints: Mapping[str, Complaint]) -> None:
        super().__init__(", ".join(complaints))
        self.complaints = complaints


def filled(values: Mapping[str, Any]) -> tuple[DatasetRequest, float | None]:
    """Return the request and the budget of a form. Raises FormError with all that is wrong."""
    complaints: dict[str, Complaint] = {}
    request, budget = None, None
    try:
        budget = budget_of(values.get(BUDGET))
    except FormError as error:
        complaints |= error.complaints
    try:
        request = request_of(values)
    except FormError as error:
        complaints |= error.complaints
    if request is None or complaints:
        raise FormError(complaints)
    return request, budget


def request_of(values: Mapping[str, Any]) -> DatasetRequest:
    """Return the request that a form asks for. Raises FormError."""
    told: dict[str, Any] = {}
    complaints: dict[str, Complaint] = {}
    for name in FIELDS:
        value = values.get(name)
        if name == "turns_least" and value == 0:  # how an empty field for a number may come
            continue
        if name in NUMBERS and value not in (None, ""):
            value = as_number(value)
            if value is None:
                complaints[name] = ("generate.bad_number", bounds_of(name))
                continue
            value = value / 100 if name in PERCENT else whole(value)
        if value not in (None, ""):
            told[name] = value
    try:
        request = DatasetRequest.model_validate(told)
    except ValidationError as error:
        found = {field_of(one["loc"]): one for one in error.errors()}
        complaints = {name: complaint(name) for name in found} | complaints
    if complaints:
        raise FormError(complaints)
    return request


def budget_of(value: Any) -> float | None:
    """Return the most that a generation may cost, in dollars; None: no limit. Raises FormError."""
    if value in (None, "", 0):
        return None
    dollars = as_number(value)
    if dollars is None or not 0 < dollars <= MOST_DOLLARS:
        raise FormError({BUDGET: ("generate.bad_budget", {})})
    return dollars


def as_number(value: Any) -> float | None:
    """Return what was typed as a number; None where it is none."""
    if isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if abs(number) < 1e15 else None  # neither infinite nor no number at all


def whole(number: float) -> float | int:
    """Return a number without a fraction as an integer; the contract refuses the others."""
    return int(number) if number == int(number) else number


def field_of(place: tuple[int | str, ...]) -> str:
    """Return the field that an error is at; one that is at none is about the turns."""
    return str(place[0]) if place and place[0] in FIELDS else "turns_least"


def complaint(name: str) -> Complaint:
    """Return what is wrong with a field that the contract refuses."""
    if name == "turns_least":
        return "generate.upside_down", {}
    if name in NUMBERS:
        return "generate.bad_number", bounds_of(name)
    return ("generate.bad_name", {}) if name == "name" else ("generate.bad_choice", {})


def bounds_of(name: str) -> dict[str, object]:
    """Return what a number may be, as it is written in the form."""
    rules = DatasetRequest.model_fields["turns" if name == "turns_least" else name].metadata
    low = next((rule.ge for rule in rules if hasattr(rule, "ge")), 0)
    high = next((rule.le for rule in rules if hasattr(rule, "le")), 2**31)
    scale = 100 if name in PERCENT else 1
    return {"low": f"{low * scale:g}", "high": f"{int(high * scale)}"}


def default_of(name: str) -> Any:
    """Return what a field of the form holds at first."""
    value = DatasetRequest.model_fields[name].get_default(call_default_factory=True)
    return round(value * 100) if name in PERCENT else value


def digest_of(request: DatasetRequest) -> str:
    """Return a short name of what is asked for: the same for the same."""
    return hashlib.sha256(request.model_dump_json().encode()).hexdigest()[:24]


def field_at_fault(field: object) -> str:
    """Return the field of the form that a refusal of the service names, or nothing."""
    first = str(field or "").removeprefix("body.").split(".", 1)[0]
    return first if first in FIELDS else ""
