"""The prediction of a card's memory: weights to the last one, and how each term moves."""

from dataclasses import replace
from typing import Any

import pytest

from trainer.engine.memory import (
    BYTES_4BIT,
    Architecture,
    Step,
    Training,
    architecture,
    predict,
    saved_bytes,
    total,
    trained_weights,
    training,
    weight_bytes,
)

QWEN3 = {
    "model_type": "qwen3",
    "hidden_size": 2048,
    "intermediate_size": 6144,
    "num_hidden_layers": 28,
    "num_attention_heads": 16,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "vocab_size": 151_936,
    "tie_word_embeddings": True,
    "dtype": "bfloat16",
}
# From the model cards and their safetensors' headers.
KNOWN = {
    "qwen3-1.7b": (QWEN3, 1_720_574_976),
    "qwen3-0.6b": ({**QWEN3, "hidden_size": 1024, "intermediate_size": 3072}, 596_049_920),
    "qwen2.5-0.5b": (
        {
            "model_type": "qwen2",
            "hidden_size": 896,
            "intermediate_size": 4864,
            "num_hidden_layers": 24,
            "num_attention_heads": 14,
            "num_key_value_heads": 2,
            "vocab_size": 151_936,
            "tie_word_embeddings": True,
            "torch_dtype": "bfloat16",
        },
        494_032_768,
    ),
    "llama-3.2-1b": (
        {
            "model_type": "llama",
            "hidden_size": 2048,
            "intermediate_size": 8192,
            "num_hidden_layers": 16,
            "num_attention_heads": 32,
            "num_key_value_heads": 8,
            "head_dim": 64,
            "vocab_size": 128_256,
            "tie_word_embeddings": True,
            "torch_dtype": "bfloat16",
        },
        1_235_814_400,
    ),
}
STEP = Step(micro=4, sequence=1024, packed=True, checkpointing=True)


def qwen3() -> Architecture:
    """Return the sizes of Qwen3 1.7B."""
    found = architecture(QWEN3)
    assert found
    return found


def qlora(**changes: Any) -> Training:
    """Return the recipe `qlora`, with changes."""
    arguments = {"finetuning_type": "lora", "quantization_bit": 4, "lora_rank": 64, "bf16": True}
    return training({**arguments, **changes}, qwen3())


@pytest.mark.parametrize("name", KNOWN)
def test_weights_are_counted_to_the_last_one(name: str) -> None:
    """The count is that of the published model."""
    config, count = KNOWN[name]
    found = architecture(config)
    assert found
    assert found.linear_weights + found.other_weights == count


def test_an_unknown_family_is_not_guessed_at() -> None:
    """Layers that are built otherwise get no prediction, rather than a wrong one."""
    assert architecture({**QWEN3, "model_type": "mamba2"}) is None


def test_a_language_model_inside_another_is_found() -> None:
    """Models of several parts describe the language model apart."""
    assert architecture({"text_config": QWEN3}) == qwen3()


def test_four_bits_take_an_eighth_and_their_constants() -> None:
    """Linear layers shrink; embeddings and norms stay in 16 bits."""
    arch = qwen3()
    small, large = weight_bytes(arch, qlora()), weight_bytes(arch, qlora(quantization_bit=None))
    assert large == 2 * (arch.linear_weights + arch.other_weights)
    assert large - small == pytest.approx((2 - BYTES_4BIT) * arch.linear_weights, abs=1)


def test_a_trained_weight_takes_sixteen_bytes() -> None:
    """Weight, gradient and two moments in float32: a rank twice as high takes twice as much."""
    arch = qwen3()
    run = qlora()
    terms = predict(arch, run, STEP)
    assert terms["adapter"] + terms["gradients"] + terms["optimizer"] == 16 * trained_weights(
        arch, run
    )
    double = predict(arch, replace(run, rank=128), STEP)
    assert double["optimizer"] == 2 * terms["optimizer"]
    full = predict(arch, qlora(finetuning_type="full", quantization_bit=None), STEP)
    assert full["weights"] + full["gradients"] + full["optimizer"] == 16 * KNOWN["qwen3-1.7b"][1]


def test_logits_take_twelve_bytes_for_each_token_and_word() -> None:
    """The softmax's output and two gradients of it are alive at once, in float32."""
    assert predict(qwen3(), qlora(), STEP)["logits"] == 12 * 151_936 * 4 * 1024


def test_checkpointing_trades_memory_for_a_second_pass() -> None:
    """A layer keeps its input only."""
    arch, run = qwen3(), qlora()
    kept = saved_bytes(arch, run, replace(STEP, checkpointing=False))["layers"]
    assert saved_bytes(arch, run, STEP)["layers"] < kept / 10
    assert total(predict(arch, run, STEP)) < total(
        predict(arch, run, replace(STEP, checkpointing=False))
    )


def test_padding_costs_a_mask_in_each_layer() -> None:
    """The mask of packs is shared, the one of padding is made again by every layer."""
    arch, run, step = qwen3(), qlora(), replace(STEP, checkpointing=False)
    packed, padded = (
        saved_bytes(arch, run, replace(step, packed=each))["mask"] for each in (True, False)
    )
    assert padded == arch.layers * packed


def test_every_term_grows_with_the_batch_or_stays() -> None:
    """More rows never take less, and a pair takes what two rows take."""
    arch, run = qwen3(), qlora()
    one, two = (predict(arch, run, replace(STEP, micro=each)) for each in (1, 2))
    assert all(two[name] >= one[name] for name in one)
    assert predict(arch, qlora(stage="dpo"), replace(STEP, micro=1)) == two


def test_a_seventeen_hundred_million_model_fits_a_small_card_in_four_bits() -> None:
    """QLoRA of rank 64 on rows of 1024 tokens stays below 8 GiB, one row at a time."""
    assert total(predict(qwen3(), qlora(), replace(STEP, micro=1))) < 8 << 30


def test_config_without_sizes_is_of_no_known_architecture() -> None:
    """A family whose sizes are missing cannot be predicted, and says so instead of failing."""
    assert architecture({"model_type": "qwen3"}) is None
