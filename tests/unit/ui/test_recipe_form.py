"""The recipe as a form and as YAML."""

from typing import Any

import pytest

from contracts.advice import Advice
from contracts.run import Overrides, RunRequest
from fakes.page_stack_train import RECIPES
from fakes.train_state import ADVICE
from ui.texts import texts_in
from ui.training.recipe_form import (
    FIELDS,
    advised,
    checked,
    document,
    faults_html,
    field_info,
    form_values,
    parsed,
    yaml_of,
)
from ui.upstream.trainer_calls import RecipeChoice

ZH, EN = texts_in("zh"), texts_in("en")
FILLED: dict[str, Any] = {
    "dataset_id": "styled-20261122-77ab01",
    "base_model": "starter",
    "recipe": "lora",
    "num_train_epochs": "3",
    "learning_rate": "2e-4",
    "batching": "packed",
    "name": "tonesmith",
    "data_fraction": "1",
    "priority": "0",
    "choose_by": "eval_loss",
    "stop_when_flat": True,
    "publish": False,
}


def test_form_has_a_field_for_all_that_a_request_can_say() -> None:
    """With words for each, in both languages."""
    known = set(RunRequest.model_fields) - {"overrides"} | set(Overrides.model_fields)
    assert known == set(FIELDS)
    for texts in (ZH, EN):
        assert all(texts(f"recipe.{name}") and texts(f"recipe.{name}_info") for name in FIELDS)


def test_form_and_yaml_are_the_same_request() -> None:
    """There and back again; what is empty is left out, a number is a number."""
    given = document(FILLED)
    assert given["overrides"] == {
        "num_train_epochs": 3,
        "learning_rate": 2e-4,
        "batching": "packed",
    }
    again, fault = parsed(yaml_of(given))
    assert fault is None
    assert again == given
    found = checked(given)
    assert isinstance(found.request, RunRequest)
    assert not found.request.publish
    values = form_values(given)
    assert document(values) == given
    assert values["num_train_epochs"] == "3"
    assert values["max_steps"] == ""


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"lora_rank": "1000"}, "lora_rank", "must be 256 or less"),
        ({"learning_rate": "0"}, "learning_rate", "must be more than 0"),
        ({"learning_rate": "fast"}, "learning_rate", "must be a number"),
        ({"max_steps": "1.5"}, "max_steps", "must be a whole number"),
        ({"name": "My Model"}, "name", "lower-case"),
        ({"dataset_id": ""}, "dataset_id", "is missing"),
        ({"batching": "heaps"}, "batching", "must be one of"),
    ],
)
def test_bad_value_names_its_field(change: dict[str, Any], field: str, said: str) -> None:
    """In words of both languages, and under the field itself."""
    found = checked(document(FILLED | change))
    assert found.request is None
    assert [fault.field for fault in found.faults] == [field]
    page = faults_html(EN, found.faults)
    assert EN(f"recipe.{field}") in page
    assert said in page
    assert faults_html(ZH, found.faults) != page
    assert said in field_info(EN, field, found.faults[0], None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "line"),
        ("- 1", "key: value"),
        ("x" * 30_000, "too long"),
        ("dataset_id: d\nlora_rnak: 3", "misspelt"),
        ("dataset_id: d\noverrides: {lora_rnak: 3}", "misspelt"),
        ("dataset_id: d\noverrides: 7", "overrides"),
        ("dataset_id: d\nseed: 0b_", "line"),
        ("[" * 5000, "line"),
        ("a: &a [x, x]\nb: &b [*a, *a]\nname: [*b, *b]", "line"),
        ("seed: 1\nseed: 2", "line 2"),
    ],
)
def test_bad_yaml_is_said(text: str, said: str) -> None:
    """As a whole, or at the line that is misspelt."""
    given, fault = parsed(text)
    faults = (fault,) if fault else checked(given or {}).faults
    assert said in faults_html(EN, faults)


def test_day_in_the_yaml_is_no_error_of_the_page() -> None:
    """The YAML is read with every change of the language, too."""
    given, fault = parsed("dataset_id: 2001-99-99")
    assert (given, fault) == ({"dataset_id": "2001-99-99"}, None)


def test_words_in_a_fault_are_escaped() -> None:
    """A field's name comes from whoever writes the YAML."""
    given, _ = parsed('dataset_id: d\n"<script>": 1')
    assert "<script>" not in faults_html(EN, checked(given or {}).faults)


def test_recipe_tells_its_own_value() -> None:
    """For a small base and for a large one, where they differ."""
    lora = next(each for each in RECIPES if each.name == "lora")
    recipe = RecipeChoice.model_validate(lora.model_dump(mode="json"))
    info = field_info(EN, "learning_rate", None, recipe)
    assert "0.005 (0.0002 for a base of 100 million" in info
    assert EN("recipe.own", value="16") in field_info(EN, "lora_rank", None, recipe)
    assert field_info(EN, "max_steps", None, recipe) == EN("recipe.max_steps_info")


def test_advice_is_filled_in() -> None:
    """What it does not speak of stays; a preference run keeps its own recipe and epochs."""
    given = document(FILLED | {"lora_rank": "64"})
    found = advised(given, ADVICE, "sft")
    assert found["recipe"] == "lora"
    assert found["overrides"]["lora_rank"] == 64
    assert found["overrides"]["cutoff_len"] == 512
    pairs = advised(given, ADVICE, "dpo")
    assert pairs["recipe"] == "dpo"
    assert "num_train_epochs" not in pairs["overrides"]
    plain = Advice.model_validate(ADVICE.model_dump() | {"overrides": {}})
    assert "overrides" not in advised({"dataset_id": "d"}, plain, "sft")
