"""The form of a generation."""

from typing import Any

import pytest

from contracts.dataset import Conditioning
from ui.dataset.generation_form import (
    BUDGET,
    FIELDS,
    FormError,
    bounds_of,
    budget_of,
    default_of,
    digest_of,
    field_at_fault,
    request_of,
)

FIRST = {name: default_of(name) for name in FIELDS}


def test_form_asks_at_first_for_what_the_service_takes_by_default() -> None:
    """Shares are written in percent; an empty field, or a zero that stands for it, is left out."""
    request = request_of(FIRST | {"turns_least": 0, "per_style": 50.0})
    assert request.per_style == 50
    assert (request.multi_turn_ratio, request.eval_ratio) == (0.2, 0.05)
    assert request.turns_least is None
    assert request.conditioning is Conditioning.SYSTEM
    assert digest_of(request) == digest_of(request_of({"per_style": "50"}))
    assert digest_of(request) != digest_of(request_of({"seed": 8}))


@pytest.mark.parametrize(
    ("told", "field", "key"),
    [
        ({"per_style": 0}, "per_style", "generate.bad_number"),
        ({"per_style": "many"}, "per_style", "generate.bad_number"),
        ({"per_style": 2.5}, "per_style", "generate.bad_number"),
        ({"eval_ratio": 51}, "eval_ratio", "generate.bad_number"),
        ({"seed": float("nan")}, "seed", "generate.bad_number"),
        ({"seed": True}, "seed", "generate.bad_number"),
        ({"name": "My data"}, "name", "generate.bad_name"),
        ({"styles": ["../x"]}, "styles", "generate.bad_choice"),
        ({"conditioning": "loud"}, "conditioning", "generate.bad_choice"),
        ({"turns": 2, "turns_least": 3}, "turns_least", "generate.upside_down"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(told: dict[str, Any], field: str, key: str) -> None:
    """Before anybody is asked."""
    with pytest.raises(FormError) as caught:
        request_of(FIRST | told)
    assert {name: found[0] for name, found in caught.value.complaints.items()} == {field: key}


def test_everything_that_is_wrong_is_said_at_once() -> None:
    """Nobody corrects one field after the other."""
    with pytest.raises(FormError) as caught:
        request_of(FIRST | {"per_style": -1, "name": "!", "max_attempts": "x"})
    assert set(caught.value.complaints) == {"per_style", "name", "max_attempts"}


def test_bounds_are_said_as_they_are_written() -> None:
    """In percent, and as a person writes a number."""
    assert bounds_of("per_style") == {"low": "1", "high": "100000"}
    assert bounds_of("multi_turn_ratio") == {"low": "0", "high": "100"}
    assert bounds_of("turns_least") == {"low": "1", "high": "6"}


def test_budget_is_an_amount_or_nothing() -> None:
    """None is no limit."""
    assert [budget_of(value) for value in (None, "", 0, "2.5", 3)] == [None, None, None, 2.5, 3]
    for wrong in (-1, "much", 1e9):
        with pytest.raises(FormError) as caught:
            budget_of(wrong)
        assert set(caught.value.complaints) == {BUDGET}


@pytest.mark.parametrize(
    ("named", "field"),
    [
        ("styles", "styles"),
        ("body.per_style", "per_style"),
        ("styles.2", "styles"),
        ("dataset_id", ""),
        (None, ""),
    ],
)
def test_refusal_is_said_at_the_field_that_it_names(named: str | None, field: str) -> None:
    """If the form has it."""
    assert field_at_fault(named) == field
