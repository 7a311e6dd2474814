"""Recipes: every shipped one loads, and a malformed one is refused with its field."""

from pathlib import Path

import pytest
import yaml

from kit.errors import InvalidInputError
from repository import ROOT
from trainer.recipe import Shelf, parse_recipe

SHIPPED = ROOT / "services/trainer/recipes"


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_recipe_loads(path: Path) -> None:
    """Every recipe that ships is one that we accept."""
    recipe = Shelf(SHIPPED).get(path.stem)
    assert recipe.header.summary
    assert recipe.info.name == path.stem


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1, 2]", "no mapping"),
        ("a: [", "no YAML"),
        ("stage: sft", "header"),
        ("tonesmith: {summary: s, when: w, needs: n, gives: g, kind: robot}", "kind"),
        ("output_dir: /etc", "arguments.output_dir"),
        ("deepspeed: x.json", "arguments.deepspeed"),
        ("learning_rate: fast", "learning_rate"),
    ],
)
def test_malformed_recipe_names_the_field(text: str, said: str) -> None:
    """An error in a recipe says which recipe and what."""
    whole = {"summary": "s", "when": "w", "needs": "n", "gives": "g", "kind": "adapter"}
    if "tonesmith" not in text and text not in ("[1, 2]", "a: [", "stage: sft"):
        text = yaml.safe_dump(
            {"tonesmith": whole, "finetuning_type": "lora", "per_device_train_batch_size": 1}
            | {"learning_rate": 0.1}
            | yaml.safe_load(text)
        )
    with pytest.raises(InvalidInputError) as caught:
        parse_recipe("mine", text)
    assert "'mine'" in caught.value.body.message
    assert said in caught.value.body.message
