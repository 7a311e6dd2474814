"""What a run sums up to, and the FLOPs of its model."""

import json
from typing import Any

import pytest

from fakes.surveyed import QWEN3_SMALL
from trainer.engine.devices import driver_uuid, read
from trainer.engine.memory import architecture
from trainer.engine.mfu import PEAKS, compute_dtype, flops_per_token, mfu, peak_flops
from trainer.engine.speed import Speed
from trainer.engine.totals import Totals

ARCH = architecture(QWEN3_SMALL)
LORA = {"finetuning_type": "lora", "bf16": True}


class Config:
    """A model's configuration, as transformers has it."""

    def to_dict(self) -> dict[str, Any]:
        """Return the sizes."""
        return dict(QWEN3_SMALL)


def test_full_training_takes_six_flops_for_each_weight() -> None:
    """Qwen3-0.6B: 440.4 million weights in its layers, 155.6 million in its word head."""
    assert ARCH
    weights = ARCH.linear_weights + ARCH.vocabulary * ARCH.hidden
    assert weights == 595_984_384
    assert flops_per_token(ARCH, {"finetuning_type": "full"}, 0) == 6 * weights


def test_lora_takes_four_since_frozen_weights_have_no_gradient() -> None:
    """Six would overstate it by a half."""
    full, lora = (flops_per_token(ARCH, {"finetuning_type": name}, 0) for name in ("full", "lora"))
    assert full
    assert lora
    assert full / lora == 1.5


def test_attention_grows_with_the_rows_but_is_left_out_of_packs() -> None:
    """A pack's rows do not see each other, and how long they are is not counted."""
    short, long = (flops_per_token(ARCH, LORA, length) or 0 for length in (0, 1000))
    assert long - short == 12 * 28 * 2048 * 1000
    assert flops_per_token(ARCH, LORA | {"neat_packing": True}, 1000) == short


@pytest.mark.parametrize("arguments", [{"stage": "dpo"}, {"finetuning_type": "freeze"}])
def test_other_passes_are_not_guessed(arguments: dict[str, Any]) -> None:
    """Absent, never 0: so too for a model whose sizes are not known."""
    assert flops_per_token(ARCH, LORA | arguments, 10) is None
    assert flops_per_token(None, LORA, 10) is None


@pytest.mark.parametrize(
    ("card", "dtype", "tera"),
    [
        ("NVIDIA H200", "bf16", 989.5),
        ("NVIDIA H100 80GB HBM3", "bf16", 989.5),
        ("NVIDIA H100 PCIe", "bf16", 756.5),
        ("NVIDIA H100 NVL", "fp16", 835.5),
        ("NVIDIA A100-SXM4-80GB", "bf16", 312),
        ("NVIDIA A100 80GB PCIe", "fp32", 19.5),
        ("NVIDIA L4", "bf16", 121),
        ("NVIDIA L40S", "bf16", 362.1),
        ("NVIDIA GeForce RTX 4090", "bf16", 165.2),
        ("NVIDIA RTX 6000 Ada Generation", "bf16", 364.2),
        ("Tesla T4", "fp16", 65),
        ("Tesla T4", "bf16", None),
        ("Tesla V100-SXM2-16GB", "fp32", 15.7),
        ("NVIDIA A100-SXM4-80GB MIG 1g.10gb", "bf16", None),
        ("NVIDIA H100 80GB HBM3 MIG 1g.10gb", "bf16", None),
        ("NVIDIA GeForce RTX 4090 Laptop GPU", "bf16", None),
        ("NVIDIA H200", "", None),
        ("", "bf16", None),
    ],
)
def test_peak_is_that_of_the_very_card(card: str, dtype: str, tera: float | None) -> None:
    """A part of a card, a laptop's and an unknown one have none."""
    assert peak_flops(card, dtype) == (tera and tera * 1e12)


def test_peaks_of_sixteen_bits_are_above_those_of_thirty_two() -> None:
    """A slip in the table would show."""
    assert all(1.9 < half / single < 31 for _, half, single in PEAKS)


@pytest.mark.parametrize(
    ("arguments", "dtype"),
    [({"bf16": True}, "bf16"), ({"fp16": True}, "fp16"), ({}, "fp32"), ({"tf32": True}, "")],
)
def test_dtype_is_the_one_that_is_multiplied_in(arguments: dict[str, Any], dtype: str) -> None:
    """By LLaMA-Factory's arguments."""
    assert compute_dtype(arguments) == dtype


def test_share_of_two_cards() -> None:
    """10,000 tokens a second of 4e9 FLOPs on two cards of 1e14."""
    assert mfu(10_000, 4e9, 1e14, 2) == pytest.approx(0.2)


def test_totals_never_fall_when_an_engine_resumes() -> None:
    """Steps that are made again are work that was done."""
    first = Totals()
    assert first.document() == {"steps": 0, "nonfinite_steps": 0}
    first.add("steps", 8)
    first.show({"ooms": 2})
    second = Totals(json.loads(json.dumps(first.document())))
    assert second.document() == {"steps": 8, "nonfinite_steps": 0, "ooms": 2}
    second.add("steps", 1)
    second.show({"ooms": 1})
    assert second.document() == {"steps": 9, "nonfinite_steps": 0, "ooms": 3}
    assert Totals({"steps": "x", "else": 1}).document() == {"steps": 0, "nonfinite_steps": 0}


def test_logged_tokens_become_rates_totals_and_flops() -> None:
    """The length of a row is the mean of what was logged."""
    speed = Speed(LORA)
    speed.describe(Config())
    assert speed.document()["totals"].get("flops") is None
    found = speed.logged(1000, 10, 2.0)
    assert found == {"samples_per_second": 5, "tokens_per_second": 500}
    each = flops_per_token(ARCH, LORA, 100)
    assert each
    document = speed.document()
    assert document["flops_per_token"] == each
    assert document["totals"]["flops"] == pytest.approx(1000 * each)
    assert (document["totals"]["tokens"], document["dtype"]) == (1000, "bf16")
    assert speed.logged(0, 0, 0.0) == {}


def test_model_without_known_sizes_has_no_flops() -> None:
    """Absent, where a mixture of experts would be counted wrong."""
    speed = Speed(LORA, "broken")
    speed.describe(None)
    speed.logged(10, 1, 1)
    assert speed.document()["flops_per_token"] is None
    assert "flops" not in speed.document()["totals"]


def test_allocator_says_bytes_and_counts() -> None:
    """Under our names; what a version of torch does not say is left out."""
    stats = {
        "allocated_bytes.all.current": 5,
        "reserved_bytes.all.peak": 9,
        "num_alloc_retries": 1,
        "num_ooms": 0,
        "segment.all.current": 3,
    }
    memory, counts = read(stats)
    assert memory == {"memory_allocated_bytes": 5, "memory_peak_reserved_bytes": 9}
    assert counts == {"alloc_retries": 1, "ooms": 0}


def test_uuid_is_written_as_the_driver_writes_it() -> None:
    """Torch leaves the prefix out; series are joined by it."""
    assert driver_uuid("5e6f-1") == driver_uuid("GPU-5e6f-1") == "GPU-5e6f-1"
    assert driver_uuid("MIG-1") == "MIG-1"
    assert driver_uuid("") == ""
