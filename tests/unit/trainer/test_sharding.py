"""The configurations for a model that does not fit one card."""

import json

import pytest

from repository import ROOT

SHARDING = ROOT / "services/trainer/sharding"
# What transformers 5.6 reads of `fsdp_config`; it ignores any other name without a word.
FSDP = {
    "fsdp_version",
    "backward_prefetch",
    "forward_prefetch",
    "use_orig_params",
    "sync_module_states",
    "cpu_ram_efficient_loading",
    "activation_checkpointing",
}


def test_fsdp_says_nothing_that_is_ignored() -> None:
    """A misspelt name would leave the default in place."""
    document = json.loads((SHARDING / "fsdp.json").read_text(encoding="utf-8"))
    assert set(document) == FSDP
    assert document["sync_module_states"], "only one process reads the weights"


def test_zero3_leaves_to_the_run_what_the_run_decides() -> None:
    """Batch, clipping and precision come from the recipe; the saved weights are whole."""
    document = json.loads((SHARDING / "zero3.json").read_text(encoding="utf-8"))
    assert document["zero_optimization"]["stage"] == 3
    assert document["zero_optimization"]["stage3_gather_16bit_weights_on_model_save"]
    for name in ("train_batch_size", "gradient_accumulation_steps", "gradient_clipping"):
        assert document[name] == "auto"
    assert document["bf16"]["enabled"] == "auto"
    assert "optimizer" not in document
    assert "scheduler" not in document


@pytest.mark.parametrize("name", ["fsdp.json", "zero3.json"])
def test_configuration_travels_with_the_package(name: str) -> None:
    """An installed trainer finds it beside the recipes."""
    assert (SHARDING / name).is_file()
    project = (ROOT / "services/trainer/pyproject.toml").read_text(encoding="utf-8")
    assert 'sharding = "trainer/shipped/sharding"' in project
