"""Preference training: DPO and KTO on pairs, starting from a model that has learnt its styles.

A preference loss compares the model with a reference. It must be the model that the run goes on
from. LLaMA-Factory's own choice for LoRA is the base with the adapter switched off
(`CustomDPOTrainer.compute_reference_log_probs`), from which the pull would be towards plain speech;
so the reference is named, with the adapter that is continued.
"""

from pathlib import Path

from contracts.dataset import DatasetManifest
from contracts.run import RunRequest
from kit.errors import InvalidInputError
from trainer.recipe import Recipe

PREFERENCE_STAGES = frozenset({"dpo", "kto"})
NO_PAIRS = (
    "pairs need two styles of one language and another conditioning than 'none'; datasets from "
    "before preference training have none either: generate or import it again"
)


def check(recipe: Recipe, request: RunRequest, dataset: DatasetManifest) -> None:
    """Raise InvalidInputError where a preference recipe lacks its pairs or the model to go on from.

    Nothing is asked of the other recipes.
    """
    if recipe.arguments.stage not in PREFERENCE_STAGES:
        return
    if not dataset.rows.get("preference"):
        raise InvalidInputError(
            f"recipe {recipe.name!r} trains on preference pairs, and dataset {dataset.id} has none",
            field="dataset_id",
            hint=NO_PAIRS,
        )
    if request.continues is None:
        raise InvalidInputError(
            f"recipe {recipe.name!r} goes on with an adapter that has learnt the styles",
            field="continues",
            hint="train with recipe 'lora' first, and name the model that came out",
        )


def preference_arguments(
    recipe: Recipe, dataset: DatasetManifest, base: Path, adapter: Path
) -> dict[str, str | int | bool | None]:
    """Return the arguments that a preference run lays over its others; none for other recipes.

    Args:
        recipe: of the run.
        dataset: counts the held-out pairs.
        base: folder of the base model.
        adapter: folder of the model that is continued; it is the reference too.
    """
    if recipe.arguments.stage not in PREFERENCE_STAGES:
        return {}
    evaluates = dataset.rows.get("preference-eval", 0) > 0
    return {
        "ref_model": str(base),
        "ref_model_adapters": str(adapter),
        "ref_model_quantization_bit": recipe.arguments.quantization_bit,
        # Only chats are packed; LLaMA-Factory refuses `neat_packing` with pairs.
        "packing": False,
        "neat_packing": False,
        **({} if evaluates else {"eval_dataset": None, "eval_strategy": "no", "eval_steps": None}),
    }
