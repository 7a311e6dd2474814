"""Model FLOPs utilisation: what a run computes for its model, as a share of its cards' peak. Pure.

    MFU = tokens/s x FLOPs per token / (peak dense FLOP/s x cards)

FLOPs per token: 6 for each weight that a token is multiplied with, 2 forward and 4 backward (Kaplan
et al., arXiv 2001.08361, section 2.1; PaLM, arXiv 2204.02311, appendix B). With LoRA 4: frozen
weights get no gradient, which spares a third. Attention adds 12 x layers x query width x length,
as in PaLM, which does not halve it for causality; the length is a row's mean. Where rows are
packed it is left out: attention stays within a row there, and how long those are is not counted.
What is computed twice to save memory does not count.

Peaks are dense, in 1e12 FLOP/s, 16 bits with sums in 32 bits: NVIDIA's data sheets of HGX B200,
H200, H100, H20, A100, A30, A40, A10, L40S, L40, L4, V100 and T4 (where a sheet gives a figure with
sparsity: half of it); for RTX cards its white papers on Ampere GA102, Ada and RTX Blackwell.
"""

import re
from collections.abc import Mapping
from typing import Any

from trainer.engine.memory import Architecture

TERA = 1e12
FULL, LORA = 6, 4  # FLOPs for each weight and token
ATTENTION = 12
# (name of the card, as torch says it, without its maker; peak in 16 bits; in 32 bits)
PEAKS: tuple[tuple[str, float, float], ...] = (
    (r"B200", 2250, 75),
    (r"H200 NVL", 835.5, 60),
    (r"H200", 989.5, 67),
    (r"H100 NVL", 835.5, 60),
    (r"H100 PCIe", 756.5, 51),
    (r"H100 80GB HBM3|H800", 989.5, 67),
    (r"H20", 148, 44),
    (r"(A100|A800)(-(SXM4|PCIE)-(40|80)GB| 80GB PCIe)", 312, 19.5),
    (r"A30", 165, 10.3),
    (r"A40", 149.7, 37.4),
    (r"A10", 125, 31.2),
    (r"L40S", 362.1, 91.6),
    (r"L40", 181.1, 90.5),
    (r"L4", 121, 30.3),
    (r"RTX 6000 Ada Generation", 364.2, 91.1),
    (r"RTX A6000", 154.8, 38.7),
    (r"GeForce RTX 5090", 209.5, 104.8),
    (r"GeForce RTX 4090", 165.2, 82.6),
    (r"GeForce RTX 3090", 71, 35.6),
    (r"V100-SXM2-(16|32)GB", 125, 15.7),
    (r"V100-PCIE-(16|32)GB", 112, 14),
    (r"T4", 65, 8.1),
)
NO_BF16 = re.compile(r"V100.*|T4")
MAKER = re.compile(r"^(NVIDIA|Tesla)\s+")


def peak_flops(card: str, dtype: str) -> float | None:
    """Return what a card can compute in a second, dense, in FLOP/s; None where it is not known.

    Args:
        card: its name, as torch says it (`NVIDIA H200`); a part of a card (MIG) is unknown.
        dtype: `bf16`, `fp16` or `fp32`.
    """
    name = MAKER.sub("", card)
    if dtype == "bf16" and NO_BF16.fullmatch(name):
        return None
    for pattern, half, single in PEAKS:
        if re.fullmatch(pattern, name):
            return {"bf16": half, "fp16": half, "fp32": single}.get(dtype, 0.0) * TERA or None
    return None


def compute_dtype(arguments: Mapping[str, Any]) -> str:
    """Return the type that LLaMA-Factory's arguments have a run multiply in; nothing for others."""
    if arguments.get("bf16") or arguments.get("pure_bf16"):
        return "bf16"
    if arguments.get("fp16"):
        return "fp16"
    return "" if arguments.get("tf32") else "fp32"


def flops_per_weight(arguments: Mapping[str, Any]) -> int | None:
    """Return the FLOPs for each weight and token; None where other passes are made than those."""
    if arguments.get("stage", "sft") not in ("sft", "pt"):
        return None  # a reference model runs beside it
    return {"full": FULL, "lora": LORA}.get(str(arguments.get("finetuning_type", "lora")))


def flops_per_token(
    arch: Architecture | None, arguments: Mapping[str, Any], row_tokens: float
) -> float | None:
    """Return the model's FLOPs for one token; None where they are not known.

    Args:
        arch: the model's sizes, None where they are unknown.
        arguments: LLaMA-Factory's, of the run.
        row_tokens: mean length of a row.
    """
    factor = flops_per_weight(arguments)
    if arch is None or factor is None:
        return None
    weights = factor * (arch.linear_weights + arch.vocabulary * arch.hidden)
    packed = bool(arguments.get("packing") or arguments.get("neat_packing"))
    return weights + (0.0 if packed else ATTENTION * arch.layers * arch.query * row_tokens)


def mfu(rate: float, per_token: float, peak: float, cards: int) -> float:
    """Return the share that is used, 0 to 1, for `rate` tokens a second on all cards together."""
    return rate * per_token / (peak * cards)
