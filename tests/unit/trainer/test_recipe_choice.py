"""Which recipe: the first whose smallest step fits the card, and what to do where none does."""

import json
from pathlib import Path
from typing import Any

import pytest

from fakes.training import write_base
from repository import ROOT
from trainer.bases import Base
from trainer.presets import CHATML, Preset
from trainer.recipe import Recipe, Shelf
from trainer.recipe_choice import chosen_recipe, predicted_bytes

SHELF = Shelf(ROOT / "services/trainer/recipes")
GIB = 1 << 30
# config.json of the sizes that Qwen publishes: layers, hidden, heads, between, tied.
QWEN3 = {
    "0.6B": (28, 1024, 16, 3072, True),
    "1.7B": (28, 2048, 16, 6144, True),
    "4B": (36, 2560, 32, 9728, True),
    "8B": (36, 4096, 32, 12288, False),
    "14B": (40, 5120, 40, 17408, False),
    "32B": (64, 5120, 64, 25600, False),
}


def qwen3(folder: Path, size: str) -> Base:
    """Return a base of that shape, without its weights."""
    layers, hidden, heads, between, tied = QWEN3[size]
    config = {
        "model_type": "qwen3",
        "dtype": "bfloat16",
        "vocab_size": 151_936,
        "num_hidden_layers": layers,
        "hidden_size": hidden,
        "num_attention_heads": heads,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "intermediate_size": between,
        "tie_word_embeddings": tied,
    }
    write_base(folder / size)
    (folder / size / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return Base(size, folder / size)


def choose(base: Base, card: int | None, **changes: Any) -> tuple[str, str, list[str]]:
    """Return the recipe's name, why, and the warnings."""
    preset = Preset(CHATML.name, CHATML.template, enable_thinking=False, why="", large=True)
    recipe, reason, doubts = chosen_recipe(SHELF, base, preset, card, 512, **changes)
    assert (reason.choice, reason.value) == ("recipe", recipe.name)
    return recipe.name, reason.why, doubts


@pytest.mark.parametrize(
    ("size", "gigabytes", "recipe"),
    [
        ("0.6B", 8, "lora"),
        ("1.7B", 8, "lora"),
        ("4B", 16, "lora"),
        ("8B", 24, "lora"),
        ("8B", 12, "qlora"),
        ("14B", 24, "qlora"),
        ("32B", 48, "qlora"),
        ("32B", 80, "lora"),
    ],
)
def test_recipe_is_the_first_that_fits(
    tmp_path: Path, size: str, gigabytes: int, recipe: str
) -> None:
    """16 bits where they fit, else 4: as people choose by hand."""
    name, why, doubts = choose(qwen3(tmp_path, size), gigabytes * GIB)
    assert name == recipe
    assert f"{gigabytes}.0 GiB" in why
    assert not doubts


def test_base_that_fits_no_card_says_what_would(tmp_path: Path) -> None:
    """The least recipe comes with a warning that names a card and a size of base."""
    name, why, doubts = choose(qwen3(tmp_path, "32B"), 8 * GIB)
    assert name == "qlora"
    assert "more than 95%" in why
    assert "does not fit a card of 8.0 GiB even in 4 bits" in doubts[0]
    assert "a card of" in doubts[0]


@pytest.mark.parametrize(
    ("lora", "qlora", "card", "recipe"),
    [
        (95, 50, 100, "lora"),
        (96, 50, 100, "qlora"),
        (96, 95, 100, "qlora"),
        (None, 50, 100, "lora"),
    ],
)
def test_limit_is_the_upper_end_of_the_band(
    tmp_path: Path, lora: int | None, qlora: int, card: int, recipe: str
) -> None:
    """95 % of the card may be taken; where nothing can be predicted the run has to probe."""
    need = {"lora": lora, "qlora": qlora}

    def needed(given: Recipe, base: Base, preset: Preset, cutoff: int) -> int | None:
        found = need[given.name]
        return None if found is None else found * GIB

    name, _, _ = choose(qwen3(tmp_path, "8B"), card * GIB, needed=needed)
    assert name == recipe


def test_longer_rows_need_more(tmp_path: Path) -> None:
    """The smallest step is one row of the longest length."""
    base, recipe = qwen3(tmp_path, "1.7B"), SHELF.get("lora")
    short, long = (predicted_bytes(recipe, base, CHATML, length) for length in (256, 4096))
    assert short is not None
    assert long is not None
    assert 3 * GIB < short < long
    assert predicted_bytes(recipe, base, CHATML, 0) == predicted_bytes(recipe, base, CHATML, 512)


def test_family_that_is_not_known_is_not_predicted(tmp_path: Path) -> None:
    """No number is better than a wrong one."""
    write_base(tmp_path / "mamba")
    (tmp_path / "mamba/config.json").write_text('{"model_type": "mamba"}', encoding="utf-8")
    base = Base("mamba", tmp_path / "mamba")
    assert predicted_bytes(SHELF.get("lora"), base, CHATML, 512) is None
    name, why, _ = choose(base, 24 * GIB)
    assert name == "lora"
    assert "probe" in why


def test_without_a_card_an_adapter_is_trained_on_the_cpu(tmp_path: Path) -> None:
    """A small base does well there; a large one is possible, and told to be slow."""
    name, why, doubts = choose(qwen3(tmp_path, "0.6B"), None)
    assert name == "lora"
    assert "CPU" in why
    assert "hours" in doubts[0]
