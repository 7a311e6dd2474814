"""Arguments: what a recipe, a request and a dataset make of LLaMA-Factory's settings is safe."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from contracts.dataset import DatasetManifest
from contracts.run import Overrides, RunRequest
from contracts.volume import Volume
from fakes.training import COLUMNS, DATASET, publish_rows
from kit.errors import InvalidInputError
from repository import ROOT
from trainer.arguments import (
    Places,
    Scalar,
    config_hash,
    dataset_info,
    engine_arguments,
    for_device,
    recipe_yaml,
    sharding_arguments,
)
from trainer.presets import CHATML, HYBRID
from trainer.recipe import Shelf

SHIPPED = ROOT / "services/trainer/recipes"
PLACES = Places(base=Path("/bases/starter"), dataset=Path("/d/datasets/x"), run=Path("/d/runs/r"))


@pytest.fixture
def dataset(tmp_path: Path) -> DatasetManifest:
    """A dataset with rows held out."""
    return publish_rows(Volume(tmp_path))


def arguments(
    dataset: DatasetManifest, places: Places = PLACES, **overrides: float
) -> dict[str, Scalar]:
    """Return the engine's arguments of a run of the shipped `lora`."""
    request = RunRequest(dataset_id=DATASET, overrides=Overrides.model_validate(overrides))
    return engine_arguments(Shelf(SHIPPED).get("lora"), request, dataset, places, CHATML)


def test_run_keeps_what_makes_it_safe(dataset: DatasetManifest) -> None:
    """Rotation, resuming and reports are ours, whatever the recipe says."""
    made = arguments(dataset)
    assert made["save_total_limit"] is None
    assert made["overwrite_output_dir"] is True
    assert "resume_from_checkpoint" not in made
    assert made["report_to"] == "none"
    assert made["trust_remote_code"] is False
    assert made["enable_thinking"] is False
    assert made["logging_nan_inf_filter"] is False
    assert made["eval_dataset"] == "eval"


def test_overrides_win_over_the_recipe(dataset: DatasetManifest) -> None:
    """A request changes what it may change."""
    made = arguments(dataset, lora_rank=4, learning_rate=0.01, max_steps=50)
    assert (made["lora_rank"], made["learning_rate"], made["max_steps"]) == (4, 0.01, 50)


def test_epochs_of_a_request_are_not_cut_by_steps_of_the_recipe(dataset: DatasetManifest) -> None:
    """Whoever asks for epochs gets them."""
    recipe = Shelf(SHIPPED).get("lora")
    stepped = recipe.model_copy(
        update={"arguments": recipe.arguments.model_copy(update={"max_steps": 7})}
    )
    request = RunRequest(dataset_id=DATASET, overrides=Overrides(num_train_epochs=2))
    made = engine_arguments(stepped, request, dataset, PLACES, CHATML)
    assert (made["max_steps"], made["num_train_epochs"]) == (-1, 2)


@pytest.mark.parametrize(("save", "log"), [(100, 10), (4, 2), (7, 1), (15, 5)])
def test_no_window_of_logged_loss_spans_a_checkpoint(
    dataset: DatasetManifest, save: int, log: int
) -> None:
    """Losses are logged at every checkpoint, so a resume starts a window where one ended."""
    assert arguments(dataset, save_steps=save)["logging_steps"] == log


def test_dataset_without_held_out_rows_is_not_evaluated(dataset: DatasetManifest) -> None:
    """An empty split is not handed to the engine, which would stop at it."""
    made = arguments(dataset.model_copy(update={"rows": {"train": 4, "eval": 0}}))
    assert (made["eval_dataset"], made["eval_strategy"], made["eval_steps"]) == (None, "no", None)


@pytest.mark.parametrize("path", ["/data dir", "/a\tb", "/${oc.env:HOME}"])
def test_path_that_a_launcher_would_mangle_is_refused(dataset: DatasetManifest, path: str) -> None:
    """White space and interpolation never reach the engine."""
    with pytest.raises(InvalidInputError) as caught:
        arguments(dataset, PLACES.model_copy(update={"run": Path(path)}))
    assert caught.value.body.field == "DATA_DIR"


def test_written_recipe_reads_back_as_it_was(dataset: DatasetManifest) -> None:
    """No number turns into text on its way through YAML (2e-3 would)."""
    made = arguments(dataset, learning_rate=2e-3)
    assert yaml.safe_load(recipe_yaml(made)) == made
    assert isinstance(yaml.safe_load(recipe_yaml(made))["learning_rate"], float)


def test_dataset_info_names_two_files_and_known_columns_only() -> None:
    """What a dataset says of itself cannot point the engine elsewhere."""
    foreign = COLUMNS | {"images": "x", "file_name": "/etc/passwd"}
    info = dataset_info(Path("/d/datasets/x"), foreign, evaluates=True)
    assert set(info) == {"train", "eval"}
    assert info["train"] == {"file_name": "/d/datasets/x/train.json", "columns": COLUMNS}


def test_preset_says_how_a_chat_is_written_down(dataset: DatasetManifest) -> None:
    """A hybrid model is trained with its empty thinking block, in every turn."""
    request = RunRequest(dataset_id=DATASET)
    made = engine_arguments(Shelf(SHIPPED).get("lora"), request, dataset, PLACES, HYBRID)
    assert (made["template"], made["enable_thinking"]) == ("qwen3", False)
    assert made["preserve_thinking"] is True
    assert arguments(dataset)["template"] == "qwen3_nothink"


def test_large_base_gets_the_values_that_the_recipe_has_for_it(dataset: DatasetManifest) -> None:
    """The starter's learning rate would ruin a model a hundred times its size."""
    recipe, request = Shelf(SHIPPED).get("lora"), RunRequest(dataset_id=DATASET)
    large = replace(CHATML, large=True)
    made = engine_arguments(recipe, request, dataset, PLACES, large)
    assert (made["learning_rate"], made["bf16"]) == (2e-4, True)
    assert (arguments(dataset)["learning_rate"], arguments(dataset)["bf16"]) == (5e-3, False)
    asked = request.model_copy(update={"overrides": Overrides(learning_rate=1e-3)})
    assert engine_arguments(recipe, asked, dataset, PLACES, large)["learning_rate"] == 1e-3


@pytest.mark.parametrize(("asked", "card", "made"), [(True, True, True), (True, False, False)])
def test_sixteen_bits_need_a_card(
    dataset: DatasetManifest, asked: bool, card: bool, made: bool
) -> None:
    """A large base trains on a CPU too, in the type that the engine takes there."""
    before = {**arguments(dataset), "bf16": asked}
    assert for_device(before, card=card) == {**before, "bf16": made}
    assert for_device(arguments(dataset), card=True)["bf16"] is False


@pytest.mark.parametrize(
    ("overrides", "rank", "alpha"),
    [({"lora_rank": 8}, 8, 16), ({"lora_rank": 8, "lora_alpha": 8}, 8, 8), ({}, 16, 32)],
)
def test_rank_alone_keeps_the_ratio_to_alpha(
    dataset: DatasetManifest, overrides: dict[str, float], rank: int, alpha: int
) -> None:
    """The adapter's share of the answer stays, unless both are given."""
    made = arguments(dataset, **overrides)
    assert (made["lora_rank"], made["lora_alpha"]) == (rank, alpha)


def test_way_of_batching_is_no_argument_of_the_engine(dataset: DatasetManifest) -> None:
    """It is laid over by the fit, under the engine's own names."""
    request = RunRequest(dataset_id=DATASET, overrides=Overrides(batching="plain"))
    made = engine_arguments(Shelf(SHIPPED).get("lora"), request, dataset, PLACES, CHATML)
    assert "batching" not in made
    assert made["neat_packing"] is False


@pytest.mark.parametrize("stage", ["sft", "dpo", "kto"])
def test_only_what_the_stage_reads_is_written(dataset: DatasetManifest, stage: str) -> None:
    """A chat run's file says nothing of preferences, and no run's of another method."""
    made = staged(dataset, stage)
    assert ("pref_beta" in made) == (stage != "sft")
    assert ("pref_loss" in made) == (stage == "dpo")
    assert ("kto_chosen_weight" in made) == (stage == "kto")


def test_adapter_goes_on_being_trained(dataset: DatasetManifest) -> None:
    """The model that is continued is named by its absolute path."""
    made = staged(dataset, "sft", continues=Path("/d/models/m"))
    assert made["adapter_name_or_path"] == "/d/models/m"
    assert "adapter_name_or_path" not in staged(dataset, "sft")


def staged(
    dataset: DatasetManifest, stage: str, continues: Path | None = None
) -> dict[str, Scalar]:
    """Return the arguments of `lora` in another stage."""
    recipe = Shelf(SHIPPED).get("lora")
    other = recipe.arguments.model_copy(update={"stage": stage})
    recipe = recipe.model_copy(update={"arguments": other})
    request = RunRequest(dataset_id=DATASET)
    return engine_arguments(recipe, request, dataset, PLACES, CHATML, continues=continues)


@pytest.mark.parametrize(
    ("sharding", "key"), [("none", None), ("fsdp", "fsdp_config"), ("zero3", "deepspeed")]
)
def test_recipe_says_how_weights_are_split(sharding: str, key: str | None) -> None:
    """The configuration that ships is named by its absolute path; by default there is none."""
    recipe = Shelf(SHIPPED).get("full")
    header = recipe.header.model_copy(update={"sharding": sharding})
    split = recipe.model_copy(update={"header": header})
    made = sharding_arguments(split, ROOT / "services/trainer/sharding")
    assert ("fsdp" in made) == (sharding == "fsdp")
    assert (key in made and Path(str(made[key])).is_file()) if key else made == {}


def test_configurations_are_told_apart_but_not_by_where_they_lie() -> None:
    """Two runs of one recipe share a hash; another base or value has another."""
    here = {"output_dir": "/a/r-1", "dataset_dir": "/a/r-1", "model_name_or_path": "/m/starter"}
    there = {"output_dir": "/b/r-2", "dataset_dir": "/b/r-2", "model_name_or_path": "/n/starter"}
    same = config_hash(here | {"lora_rank": 16})
    assert same == config_hash({"lora_rank": 16} | there)
    assert len(same) == 12
    assert same != config_hash(here | {"lora_rank": 8})
    assert same != config_hash(here | {"lora_rank": 16, "model_name_or_path": "/m/other"})
