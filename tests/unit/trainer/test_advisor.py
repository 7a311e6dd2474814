"""The advisor: what it proposes follows from the rows and the card, and it says why."""

import json
from pathlib import Path
from typing import Any

import pytest

from contracts.advice import Advice, AdviceRequest
from contracts.dataset import DatasetManifest
from contracts.run import RunRequest
from contracts.volume import Volume
from fakes.training import DATASET, publish_rows, write_base
from kit.errors import InvalidInputError
from repository import ROOT
from trainer.advisor import advise
from trainer.bases import Base
from trainer.recipe import Shelf

SHELF = Shelf(ROOT / "services/trainer/recipes")
STARTER = Base("starter", ROOT / "services/trainer/bases/starter")
# What the engine answers for the demo: 150 rows of each of twelve styles, a twentieth held out.
FIT: dict[str, Any] = {
    "lengths": {"rows": 1710, "mean": 61.0, "p50": 52, "p90": 110, "p99": 190, "max": 240},
    "batching": "packed",
    "cutoff_len": 1024,
    "micro_batch": 1,
    "accumulation": 1,
    "rows_per_update": 16.2,
    "useful_ratio": 0.97,
    "card_bytes": None,
}


@pytest.fixture
def manifest(tmp_path: Path) -> DatasetManifest:
    """A dataset as the demo's: twelve styles would be, one is."""
    rows = {"train": 1710, "eval": 90}
    return publish_rows(Volume(tmp_path)).model_copy(update={"rows": rows})


def advised(
    manifest: DatasetManifest, fit: dict[str, Any], base: Base = STARTER, **changes: Any
) -> Advice:
    """Return the advice on a dataset, as the demo's but for `changes`."""
    request = AdviceRequest(dataset_id=DATASET, base_model=base.name)
    lengths = {**fit["lengths"], **changes.pop("lengths", {})}
    card = changes.pop("card_bytes", None)
    fitted = fit | changes | {"lengths": lengths}
    asked = request.model_copy(update={"card_bytes": card})
    return advise(asked, manifest, base, fitted, SHELF, [])


def why(advice: Advice) -> dict[str, str]:
    """Return the reasons by what is chosen."""
    return {reason.choice: reason.why for reason in advice.reasons}


def test_starter_on_a_cpu_is_trained_as_the_demo_does(manifest: DatasetManifest) -> None:
    """Recipe, epochs and learning rate are those that the demo was measured with."""
    advice = advised(manifest, FIT)
    assert advice.recipe == "lora"
    assert advice.overrides.model_dump(exclude_none=True) == {"num_train_epochs": 3}
    values = {reason.choice: reason.value for reason in advice.reasons}
    assert values["learning_rate"] == "0.005"
    assert values["batching"] == "packed"
    assert values["batch"] == "1 x 1"
    assert advice.warnings == []
    assert RunRequest(
        dataset_id=DATASET, recipe=advice.recipe, overrides=advice.overrides
    ).overrides.num_train_epochs


def test_every_choice_has_a_sentence(manifest: DatasetManifest) -> None:
    """A person can read why, in whole sentences."""
    reasons = advised(manifest, FIT).reasons
    wanted = {"recipe", "num_train_epochs", "cutoff_len", "batching", "batch", "learning_rate"}
    assert wanted <= {reason.choice for reason in reasons}
    assert all(reason.why[0].isupper() and reason.why.endswith(".") for reason in reasons)
    assert all(reason.value for reason in reasons)


@pytest.mark.parametrize(
    ("rows", "epochs"),
    [(48, 10), (400, 10), (860, 6), (1710, 3), (3300, 2), (10_000, 1), (100_000, 1)],
)
def test_few_rows_are_read_often(manifest: DatasetManifest, rows: int, epochs: int) -> None:
    """More rows need fewer epochs; the plateau stop is the guard, and is named."""
    advice = advised(manifest, FIT, lengths={"rows": rows})
    assert advice.overrides.num_train_epochs == epochs
    assert "flat" in why(advice)["num_train_epochs"]


@pytest.mark.parametrize(
    ("batching", "longest", "cutoff", "advised_cutoff"),
    [
        ("plain", 240, 512, None),
        ("plain", 512, 512, None),
        ("plain", 513, 512, 576),
        ("plain", 1000, 512, 1024),
        ("packed", 512, 512, 576),
        ("packed", 511, 512, None),
        ("plain", 2049, 512, None),
    ],
)
def test_no_row_is_cut(
    manifest: DatasetManifest,
    batching: str,
    longest: int,
    cutoff: int,
    advised_cutoff: int | None,
) -> None:
    """A cutoff is advised where the run's own would cut a row that the base could read."""
    advice = advised(manifest, FIT, batching=batching, cutoff_len=cutoff, lengths={"max": longest})
    assert advice.overrides.cutoff_len == advised_cutoff
    assert ("cut" in " ".join(advice.warnings)) == (longest > cutoff - (batching == "packed"))
    kept = longest <= (advised_cutoff or cutoff - (batching == "packed"))
    assert ("none is cut" in why(advice)["cutoff_len"]) is kept


def test_lengths_that_are_not_known_are_not_invented(manifest: DatasetManifest) -> None:
    """Without an answer of the engine the rest is still advised, by the recipe's own batch."""
    request = AdviceRequest(dataset_id=DATASET)
    advice = advise(request, manifest, STARTER, {}, SHELF, [])
    assert advice.overrides.model_dump(exclude_none=True) == {"num_train_epochs": 3}
    assert "cutoff_len" not in why(advice)
    assert "batching" not in why(advice)


def test_base_without_a_preset_is_a_warning(manifest: DatasetManifest, tmp_path: Path) -> None:
    """The advice comes all the same, with what to do about the base."""
    write_base(tmp_path / "foreign")
    (tmp_path / "foreign/chat_template.jinja").write_text("{{ messages }}", encoding="utf-8")
    advice = advised(manifest, FIT, Base("foreign", tmp_path / "foreign"))
    assert any("'foreign'" in warning and "ChatML" in warning for warning in advice.warnings)


def test_large_base_gets_its_own_learning_rate(manifest: DatasetManifest, tmp_path: Path) -> None:
    """And, without a card, a warning that it will take long."""
    write_base(tmp_path / "big")
    with (tmp_path / "big/model.safetensors").open("wb") as weights:
        weights.truncate(300_000_000)
    advice = advised(manifest, FIT, Base("big", tmp_path / "big"))
    values = {reason.choice: reason.value for reason in advice.reasons}
    assert values["learning_rate"] == "0.0002"
    assert any("without a card" in warning for warning in advice.warnings)


def test_small_card_changes_the_recipe(manifest: DatasetManifest, tmp_path: Path) -> None:
    """The card that is asked for counts, not the one here."""
    write_base(tmp_path / "qwen")
    sizes = {"hidden_size": 4096, "num_hidden_layers": 36, "num_attention_heads": 32}
    sizes |= {"num_key_value_heads": 8, "head_dim": 128, "intermediate_size": 12288}
    config = {"model_type": "qwen3", "vocab_size": 151_936, "dtype": "bfloat16", **sizes}
    (tmp_path / "qwen/config.json").write_text(json.dumps(config), encoding="utf-8")
    base = Base("qwen", tmp_path / "qwen")
    assert advised(manifest, FIT, base, card_bytes=24 << 30).recipe == "lora"
    assert advised(manifest, FIT, base, card_bytes=12 << 30).recipe == "qlora"


def test_shelf_without_a_known_recipe_is_refused(manifest: DatasetManifest, tmp_path: Path) -> None:
    """An operator's own shelf may have other recipes; then nothing is proposed."""
    request = AdviceRequest(dataset_id=DATASET)
    with pytest.raises(InvalidInputError, match="'lora'"):
        advise(request, manifest, STARTER, FIT, Shelf(tmp_path), [])


def test_rows_are_judged_by_runs_on_the_same_base(manifest: DatasetManifest) -> None:
    """Without runs on a part of the rows the verdict is honest."""
    assert advised(manifest, FIT).rows.verdict == "unknown"
