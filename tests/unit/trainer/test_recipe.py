"""Recipes: every shipped one loads, and what a request makes of it is safe."""

from pathlib import Path

import pytest
import yaml

from contracts.dataset import DatasetManifest
from contracts.run import Overrides, RunRequest
from contracts.volume import Volume
from fakes.training import COLUMNS, DATASET, publish_rows
from kit.errors import InvalidInputError
from repository import ROOT
from trainer.recipe import (
    Places,
    Scalar,
    Shelf,
    dataset_info,
    engine_arguments,
    parse_recipe,
    recipe_yaml,
)

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
    return engine_arguments(Shelf(SHIPPED).get("lora"), request, dataset, places, "qwen3_nothink")


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_recipe_loads(path: Path) -> None:
    """Every recipe that ships is one that we accept."""
    recipe = Shelf(SHIPPED).get(path.stem)
    assert recipe.header.summary
    assert recipe.info.name == path.stem


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
    made = engine_arguments(stepped, request, dataset, PLACES, "qwen3_nothink")
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
