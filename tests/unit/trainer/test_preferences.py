"""Tests of preference training: what it needs, and what it is compared with."""

from pathlib import Path

import pytest

from contracts.dataset import DatasetManifest
from contracts.run import RunRequest
from contracts.volume import Volume
from fakes.paired_dataset import publish_pairs
from fakes.training import DATASET, publish_rows
from kit.errors import InvalidInputError
from repository import ROOT
from trainer.preferences import check, preference_arguments
from trainer.recipe import Shelf

SHELF = Shelf(ROOT / "services/trainer/recipes")
BASE, ADAPTER = Path("/bases/starter"), Path("/data/models/one")


@pytest.fixture
def dataset(tmp_path: Path) -> DatasetManifest:
    """A dataset with pairs."""
    return publish_pairs(Volume(tmp_path))


def request(recipe: str, continues: str | None = "one") -> RunRequest:
    """Return a request."""
    return RunRequest(dataset_id=DATASET, recipe=recipe, continues=continues)


@pytest.mark.parametrize("name", ["dpo", "kto"])
def test_dataset_without_pairs_is_refused(tmp_path: Path, name: str) -> None:
    """The error names the dataset and how pairs come about."""
    dataset = publish_rows(Volume(tmp_path))
    with pytest.raises(InvalidInputError, match="preference pairs, and dataset") as error:
        check(SHELF.get(name), request(name), dataset)
    assert error.value.body.field == "dataset_id"
    assert "two styles" in str(error.value.body.hint)
    check(SHELF.get("lora"), request("lora", None), dataset)


@pytest.mark.parametrize("name", ["dpo", "kto"])
def test_preference_run_needs_a_model_to_go_on_from(dataset: DatasetManifest, name: str) -> None:
    """A base that never learnt the styles has none to prefer."""
    with pytest.raises(InvalidInputError, match="goes on with an adapter") as error:
        check(SHELF.get(name), request(name, None), dataset)
    assert error.value.body.field == "continues"
    check(SHELF.get(name), request(name), dataset)


@pytest.mark.parametrize("name", ["dpo", "kto"])
def test_reference_is_the_continued_model(dataset: DatasetManifest, name: str) -> None:
    """The base with the adapter, and not the bare base."""
    made = preference_arguments(SHELF.get(name), dataset, BASE, ADAPTER)
    assert made["ref_model"] == str(BASE)
    assert made["ref_model_adapters"] == str(ADAPTER)
    assert made["neat_packing"] is False
    assert "eval_dataset" not in made


def test_chat_recipe_has_no_reference(dataset: DatasetManifest) -> None:
    """Going on with chats is plain training."""
    assert preference_arguments(SHELF.get("lora"), dataset, BASE, ADAPTER) == {}


def test_run_without_held_out_pairs_does_not_evaluate(dataset: DatasetManifest) -> None:
    """Held-out chats are none for a preference loss."""
    rows = {name: count for name, count in dataset.rows.items() if name != "preference-eval"}
    bare = dataset.model_copy(update={"rows": rows})
    made = preference_arguments(SHELF.get("dpo"), bare, BASE, ADAPTER)
    assert (made["eval_dataset"], made["eval_strategy"]) == (None, "no")
